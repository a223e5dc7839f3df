"""The server's own log: what it wrote since a start, and that it does not grow for ever."""

from __future__ import annotations

from pathlib import Path

#: Bytes after which the log moves aside at a start (one generation is kept), and the most that is read of it.
LIMIT = 1 << 20


def end_of(log: Path) -> int:
    """Return where the lines of a start will begin, in bytes; a long log moves aside first."""
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return 0
    if size <= LIMIT:
        return size
    log.replace(log.with_name(f"{log.name}.1"))
    return 0


def since(log: Path, begin: int) -> str:
    """Return what was written after byte *begin*; empty if there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(begin)
            return file.read(LIMIT).decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
