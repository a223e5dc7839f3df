"""The text and syntax tree of one file, or why there is none.

Files come from anywhere: bytes that are no text, Python of another version, half-written lines. All of that
is a finding about the file, so nothing here raises; the reason travels as data.
"""

from __future__ import annotations

import ast
import io
import os
import stat
import threading
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from taskengine.demo.source import MAX_FILE_BYTES

#: Characters kept of a reason; a syntax error may quote a long line.
_REASON_LENGTH = 200
#: ``catch_warnings`` swaps a list of the whole process; two threads in it would leave our filter behind.
_parsing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Source:
    """What could be had of a file."""

    #: With ``\\n`` as the only line end; empty when the file is no text.
    text: str
    #: None when it is no Python of the version that runs this.
    tree: ast.Module | None
    #: Why something is missing, else None.
    problem: str | None = None


def read(root: Path, path: str) -> Source:
    """Return the source of *path*, which is relative to *root* and may not lead out of it by ``..``."""
    inside = PurePosixPath(path)
    if inside.is_absolute() or ".." in inside.parts:
        return Source("", None, "its path leads out of the code base")
    try:
        content = _content(root / inside)
    except OSError as exc:
        return Source("", None, f"unreadable: {exc.strerror or type(exc).__name__}")
    return content if isinstance(content, Source) else decode(content)


def decode(content: bytes) -> Source:
    """Return the source in the bytes of a file, in the encoding that its first lines declare (UTF-8 without)."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, ValueError, LookupError) as exc:
        return Source("", None, _reason("not text", exc))
    return parse(text.replace("\r\n", "\n").replace("\r", "\n"))


def parse(text: str) -> Source:
    """Return the source with this text."""
    try:
        with _parsing, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubtful escapes in somebody's code are not ours to print
            return Source(text, ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        return Source(text, None, _reason("not parsed", exc))


def _content(file: Path) -> bytes | Source:
    """Return the bytes of a regular file of bounded size; opened without blocking, as it may have become a pipe."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            return Source("", None, "not a regular file")
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        return Source("", None, f"too large: read are files up to {MAX_FILE_BYTES} bytes")
    return content


def _reason(what: str, exc: Exception) -> str:
    where = f"line {exc.lineno}: " if isinstance(exc, SyntaxError) and exc.lineno else ""
    said = exc.msg if isinstance(exc, SyntaxError) else str(exc) or type(exc).__name__
    return f"{what}: {where}{said}"[:_REASON_LENGTH]
