"""What ``doctor`` wants to know about the embedded server; looks, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from taskengine.embedded import locks
from taskengine.embedded.layout import Layout
from taskengine.embedded.note import Note, read_note
from taskengine.embedded.probe import Answer, Loading, Running, Silent, is_ours, probe
from taskengine.settings import Settings

State = Literal["absent", "stopped", "running", "loading", "silent"]


@dataclass(frozen=True, slots=True)
class EmbeddedStatus:
    """The embedded server of one folder at one moment."""

    home: Path
    #: absent: never started here. silent: a server lives but cannot be used; *problem* says why.
    state: State
    problem: str | None
    #: None unless the server was noted as running; the note of a killed server stays until the next start.
    socket: Path | None
    url: str | None
    #: These five are None unless state is running.
    pid: int | None
    run_id: str | None
    version: str | None
    uptime_seconds: int | None
    memory_bytes: int | None
    #: Bytes of the append-only file on disk.
    data_bytes: int
    log: Path
    log_bytes: int


def status(settings: Settings) -> EmbeddedStatus:
    """Return the embedded server of ``settings.home``, also where ``settings.redis_url`` names another server.

    Starts, creates and waits for nothing (a stopped server process costs up to 5 s).
    """
    layout = Layout.of(settings)
    note = read_note(layout.note)
    state, problem, found = _look(layout, note)
    return EmbeddedStatus(
        home=layout.home,
        state=state,
        problem=problem,
        socket=note.socket if note else None,
        url=note.url if note else None,
        pid=found.pid if found else None,
        run_id=found.run_id if found else None,
        version=found.version if found else None,
        uptime_seconds=found.uptime_seconds if found else None,
        memory_bytes=found.memory_bytes if found else None,
        data_bytes=_bytes_below(layout.data),
        log=layout.log,
        log_bytes=_size(layout.log),
    )


def _look(layout: Layout, note: Note | None) -> tuple[State, str | None, Running | None]:
    if not layout.server_lock.exists():
        return "absent", None, None
    if not locks.is_held(layout.server_lock):
        return "stopped", None, None
    if note is None:
        return "silent", f"{layout.note} is missing or unreadable", None
    return _diagnose(layout, note, probe(note.socket))


def _diagnose(layout: Layout, note: Note, found: Answer) -> tuple[State, str | None, Running | None]:
    match found:
        case Running() if is_ours(layout, note, found):
            return "running", None, found
        case Running():
            return "silent", f"on {note.socket} answers another server (pid {found.pid})", None
        case Loading():
            return "loading", None, None
        case Silent(reason=reason):
            return "silent", reason, None


def _bytes_below(folder: Path) -> int:
    return sum(_size(path) for path in folder.rglob("*") if path.is_file())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
