"""Turns the log of a server that did not start into an error that says what to do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from taskengine.embedded.layout import Layout
from taskengine.errors import CorruptDataError, EmbeddedServerError

#: Valkey marks its warnings with ``#``; a piece of the append-only file named in one is what it gave up on.
_NAMED_PIECE = re.compile(r"^\d+:\w .* # .*?(appendonly\.aof\.\d+\.(?:base|incr)\.(?:rdb|aof))", re.MULTILINE)
_BASE_BEGUN = "Reading RDB base file on AOF loading"
_BASE_DONE = "DB loaded from base file"
#: The manifest cannot be parsed, or names a file that is not there.
_MANIFEST_WRONG = ("FATAL AOF MANIFEST FILE ERROR", "Unable to obtain the AOF file")
_REPAIRABLE = "Bad file format reading the append only file"
_TORN = re.compile(r"Truncating the AOF (\S+) at offset (\d+)")

#: Lines of the log shown when nothing better is known.
_TAIL = 5


def startup_error(layout: Layout, log: str, binary: Path) -> EmbeddedServerError:
    """Return the error for a server that ended while it started; *log* is what it wrote since then."""
    damaged = _damaged_file(layout, log)
    if damaged is None:
        return _unexplained(layout, log)
    repair = _repair(layout, log, damaged, binary)
    return CorruptDataError(
        f"{damaged} is damaged, the embedded server does not start; copy {layout.data} to a safe place, "
        f"then run: {repair}",
        file=str(damaged),
        repair=repair,
    )


def _damaged_file(layout: Layout, log: str) -> Path | None:
    if named := _NAMED_PIECE.findall(log):
        return layout.manifest.with_name(named[-1])
    if any(sentence in log for sentence in _MANIFEST_WRONG):
        return layout.manifest
    # A damaged base ends the server in many ways (short read, checksum, assertion), few of which name it.
    if _BASE_BEGUN in log and _BASE_DONE not in log:
        base = next((name for name in _pieces(layout) if ".base." in name), layout.manifest.name)
        return layout.manifest.with_name(base)
    return None


def _pieces(layout: Layout) -> list[str]:
    """Return the files of the append-only set in their order; empty if the manifest cannot be read."""
    try:
        lines = layout.manifest.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [words[1] for line in lines if len(words := line.split()) > 1 and words[0] == "file"]


def _repair(layout: Layout, log: str, damaged: Path, binary: Path) -> str:
    """Cut the file at its first damage if nothing follows that builds on the lost part, else begin anew."""
    if _REPAIRABLE in log and ".incr." in damaged.name and _pieces(layout)[-1:] == [damaged.name]:
        layout.check_tool.unlink(missing_ok=True)
        layout.check_tool.symlink_to(binary)
        # Given the manifest, the tool of Valkey 9.0 and 9.1 takes a sound base for damaged (valkey#4739).
        return f"{shlex.quote(str(layout.check_tool))} --fix {shlex.quote(str(damaged))}"
    data, aside = shlex.quote(str(layout.data)), shlex.quote(str(layout.data.with_name("data.damaged")))
    return f"mv {data} {aside}  # starts empty, or put a backup there"


def _unexplained(layout: Layout, log: str) -> EmbeddedServerError:
    said = " | ".join(_warnings(log)[-_TAIL:])
    return EmbeddedServerError(f"the embedded server ended while it started; {layout.log} says: {said}")


def was_killed(log: str) -> bool:
    """True if the server ended without saying why: from outside, since by itself it always does."""
    return not _warnings(log)


def _warnings(log: str) -> list[str]:
    """Without those about the machine's settings, which begin with the word and stop nothing."""
    return [line.strip() for line in log.splitlines() if " # " in line and " # WARNING " not in line]


def torn_piece(layout: Layout, log: str) -> tuple[Path, int] | None:
    """Return the piece whose end was cut off at this start and the offset of the cut; None if all of it was read."""
    found = _TORN.search(log)
    return (layout.manifest.with_name(found[1]), int(found[2])) if found else None
