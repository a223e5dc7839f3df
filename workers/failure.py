"""What an agent's error says of its place: file and line, and the traceback as people read it.

Whoever wrote the agent looks for a line of his own, so frames of this library are left out at the front, and the place
that is named is the deepest line that is neither this library's nor an installed one's: where ``json.loads`` fails, it
is the caller's.
"""

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path
from types import TracebackType

from workers.plain import name_of, trace_of
from workers.redaction import redacted

_HOME = Path(__file__).resolve().parents[1]
#: Beginnings of file names that no agent's author knows: the library's own, and code that was made at run time.
_OURS = (f"{_HOME}/workers/", f"{_HOME}/taskengine/", "<string>")
_STANDARD = (f"{Path(os.__file__).parent}/", "<frozen ")
_INSTALLED = ("/site-packages/", "/dist-packages/")
#: Bytes kept of a traceback, and characters of it that are looked at: the middle of a longer one tells the least.
TRACEBACK_BYTES, _LOOKED_AT = 16 * 1024, 128 * 1024
#: A traceback's first line, and one of its frames.
_BEGIN, _FRAME = "Traceback (most recent call last):", re.compile(r'  File "(.+)", line \d')
#: Characters of an error in the short form of a traceback.
_BRIEF = 500


def place(exc: BaseException) -> str:
    """File and line of *exc*, the deepest that its reader can change."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(trace_of(exc))]
    file, line = _deepest(frames) if frames else ("unknown", 0)
    return f"{file.rpartition('/')[2]}:{line}"


def traceback_of(exc: BaseException) -> str:
    """Return the traceback of *exc*, with those of its causes, from the agent's first line on."""
    trace = from_agent(trace_of(exc))
    try:
        return "".join(traceback.TracebackException(type(exc), exc, trace, compact=True).format())
    except BaseException:  # its cause, its notes or its class raise when they are looked at
        return "".join(["Traceback (most recent call last):\n", *traceback.format_tb(trace), name_of(type(exc)), "\n"])


def from_agent(trace: TracebackType | None) -> TracebackType | None:
    """*trace* from the first frame on that is neither ours nor what ours waits with; whole when there is none."""
    at = trace
    while at is not None and _is_way_in(at.tb_frame.f_code.co_filename):
        at = at.tb_next
    return at or trace


def kept(text: str) -> str:
    """*text*, a traceback, as it is stored: redacted, and cut in the middle where it is long."""
    return _cut(redacted(_cut(text, _LOOKED_AT)), TRACEBACK_BYTES)


def brief(text: str) -> str:
    """Return a traceback's deepest frame that its reader can change, and its error: kept when a later attempt has
    one.
    """
    lines = text.splitlines()
    begin = max((at for at, line in enumerate(lines) if line == _BEGIN), default=0)  # before it are its causes
    frames = [(found[1], at) for at, line in enumerate(lines) if at >= begin and (found := _FRAME.match(line))]
    if not frames:
        return text[-_BRIEF:]
    _, at = _deepest(frames)
    code = [line for line in lines[at + 1 :][:1] if line.startswith("    ")]
    error = next((line for line in lines[frames[-1][1] + 1 :] if line and not line.startswith(" ")), "")
    return "\n".join([lines[at], *code, error[:_BRIEF]])


def _deepest(frames: list[tuple[str, int]]) -> tuple[str, int]:
    """Return the last of *frames*, files with a number, that their reader can change; the last of all when there is
    none.
    """
    theirs = [one for one in frames if not one[0].startswith(_OURS)]
    return (_own(theirs) or theirs or frames)[-1]


def _own(frames: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Frames that are no library's; those of the agent's own package when it is an installed one."""
    own = [one for one in frames if not _is_library(one[0])]
    if own:
        return own
    packages = [package for file, _ in frames if (package := _package(file))]
    return [one for one in frames if packages and _package(one[0]) == packages[0]]


def _is_library(file: str) -> bool:
    return file.startswith(_STANDARD) or _is_installed(file)


def _is_installed(file: str) -> bool:
    return any(mark in file for mark in _INSTALLED)  # often below the standard library's folder


def _package(file: str) -> str:
    """Path of the installed package that *file* belongs to, or ''."""
    for mark in _INSTALLED:
        before, found, rest = file.partition(mark)
        if found:
            return before + found + rest.partition("/")[0]
    return ""


def _is_way_in(file: str) -> bool:
    return file.startswith(_OURS) or (file.startswith(_STANDARD) and not _is_installed(file))


def _cut(text: str, most: int) -> str:
    """*text* in *most* bytes: its beginning and whole lines of its end, and how much lies between them.

    The end of a line without its beginning is not kept: the name of a secret may have stood there.
    """
    if len(text) * 4 <= most or len(raw := text.encode()) <= most:
        return text
    half = most // 2 - 50
    first = raw[:half].decode(errors="ignore")
    last = raw[-half:].decode(errors="ignore")
    first = first[: first.rfind("\n") + 1] or f"{first}\n"
    last = last.partition("\n")[2]
    return f"{first}  … {len(text) - len(first) - len(last)} characters …\n{last}"
