"""Finds the server that lives, starts one, stops it.

Every function expects the start lock to be held, except :func:`abandon` and :func:`keep`.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import time
from pathlib import Path

import redis

from taskengine.embedded import binary, config, failure, locks, log, watchdog
from taskengine.embedded.layout import Layout, socket_folder, write_private
from taskengine.embedded.note import Note, read_note
from taskengine.embedded.probe import Loading, Running, Silent, connect, is_ours, probe
from taskengine.errors import EmbeddedServerError
from taskengine.settings import environment

_log = logging.getLogger(__name__)

#: Seconds until a fresh server answers at all (0.1 on an idle machine).
ANSWER_SECONDS = 20.0
#: Seconds a server may read its append-only file (about 1 s per 100 MB).
LOAD_SECONDS = 600.0
#: Seconds a server may take to flush and end.
STOP_SECONDS = 30.0
#: Servers that may be killed from outside under our hands before we give up.
_ATTEMPTS = 5
#: Seconds a server that answered before may live without its socket: it removes it just before it ends.
_ENDING_SECONDS = 2.0


def running(layout: Layout) -> Note:
    """Return the note of the living server, started here if there is none."""
    for _ in range(_ATTEMPTS):
        noted = _adopt(layout) if locks.is_held(layout.server_lock) else _start(layout)
        if noted is not None:
            return noted
    raise EmbeddedServerError(
        f"the embedded server of {layout.home} was killed {_ATTEMPTS} times while it started, without a word in "
        f"{layout.log}: look for what kills it (the kernel, short of memory?), then start again"
    )


def keep(layout: Layout) -> None:
    """See that a watchdog looks after the server, for a user of it; raises nothing, safe to repeat."""
    try:
        descriptor = locks.take(layout.watchdog_lock, locks.EXCLUSIVE, seconds=0)
        if descriptor is not None:
            _start_watchdog(layout, descriptor)
    except (OSError, subprocess.CalledProcessError) as exc:
        _log.warning("embedded server of %s has no watchdog, who is killed leaves it running: %s", layout.home, exc)


def _start_watchdog(layout: Layout, descriptor: int) -> None:
    try:
        subprocess.run(
            [sys.executable, "-I", "-S", watchdog.__file__, layout.home, str(descriptor)],
            pass_fds=(descriptor,),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    finally:
        locks.drop(descriptor)


def stop(layout: Layout) -> None:
    """Shut the living server down, its append-only file flushed, and forget its socket; safe to repeat."""
    note = read_note(layout.note)
    if note is None:
        return
    if locks.is_held(layout.server_lock) and not _shut_down(layout, note):
        return
    _remove_socket(note)
    layout.note.unlink(missing_ok=True)


def abandon(layout: Layout, note: Note) -> None:
    """Shut the noted server down after its folder was deleted: nobody could find it any more."""
    if _ask_to_end(layout, note):
        _remove_socket(note)


def _adopt(layout: Layout) -> Note | None:
    """Return the note of the server that holds the server lock; None if it ends meanwhile."""
    note = read_note(layout.note)
    if note is None:
        raise _unreachable(layout, f"{layout.note} is missing or unreadable")
    found = _await_answer(layout, note)
    if found is None:
        return None
    if not is_ours(layout, note, found):
        raise _unreachable(layout, f"on {note.socket} answers another server, pid {found.pid}")
    # Without a pid: its starter was killed between the start and the second note.
    return note if note.pid is not None else _noted(layout, note.socket, found)


def _start(layout: Layout) -> Note | None:
    """Return the note of a server started here; None if it was killed meanwhile."""
    executable = binary.locate()
    socket = socket_folder(_former_folder(layout), environment()) / "redis.sock"
    note = Note(home=layout.home, socket=socket)
    note.write(layout.note)
    write_private(layout.config, config.render(layout, socket))
    begin = log.end_of(layout.log)
    _launch(layout, executable)
    found = _await_answer(layout, note)
    written = log.since(layout.log, begin)
    if found is None and failure.was_killed(written):
        return None
    if found is None:
        raise failure.startup_error(layout, written, executable)
    if torn := failure.torn_piece(layout, written):
        _log.warning("embedded server cut the end of %s off at byte %d: torn by a crash, or damaged", *torn)
    _log.info("embedded server started pid=%s socket=%s", found.pid, socket)
    return _noted(layout, socket, found)


def _former_folder(layout: Layout) -> Path | None:
    """Return where the last server of this folder listened; None if unknown, or if another one listens there."""
    note = read_note(layout.note)
    if note is None or note.home != layout.home or not isinstance(probe(note.socket), Silent):
        return None
    return note.socket.parent


def _launch(layout: Layout, executable: Path) -> None:
    """Run the executable until it has forked the daemon, which inherits the server lock and keeps it."""
    descriptor = locks.take(layout.server_lock, locks.EXCLUSIVE, seconds=ANSWER_SECONDS)
    if descriptor is None:
        raise _unreachable(layout, f"{layout.server_lock} is locked by a program that is no part of this")
    try:
        launched = subprocess.run(
            [executable, layout.config],
            cwd=layout.home,
            env=binary.variables(environment()),
            umask=0o077,
            pass_fds=(descriptor,),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as exc:
        raise EmbeddedServerError(
            f"{executable} cannot be run: {exc.strerror}; set TASKENGINE_REDIS_URL to a server of your own"
        ) from exc
    finally:
        # Closed, not unlocked: from here on that the lock is free means that the server ended.
        locks.drop(descriptor)
    if launched.returncode != 0:
        said = " ".join(launched.stdout.decode("utf-8", errors="replace").split())
        raise EmbeddedServerError(
            f"the embedded server does not start with {layout.config}, exit {launched.returncode}: {said}"
        )


def _noted(layout: Layout, socket: Path, found: Running) -> Note:
    note = Note(home=layout.home, socket=socket, pid=found.pid, run_id=found.run_id)
    note.write(layout.note)
    return note


def _await_answer(layout: Layout, note: Note) -> Running | None:
    """Return what the server says once it answers; None if it ended; EmbeddedServerError if it stays silent."""
    begin = time.monotonic()
    limit = ANSWER_SECONDS
    while True:
        # Asked before the probe: a server that ends between the two is asked about once more.
        lives = locks.is_held(layout.server_lock)
        match probe(note.socket):
            case Running() as found:
                return found
            case Loading():
                limit = LOAD_SECONDS
                reason = "it still reads its append-only file"
            case Silent(reason=reason):
                if note.pid is not None and not note.socket.exists():
                    limit = _ENDING_SECONDS
        if not lives:
            return None
        if time.monotonic() - begin > limit:
            raise _unreachable(layout, f"{reason} (for {limit:g} s)")
        time.sleep(0.01)


def _unreachable(layout: Layout, reason: str) -> EmbeddedServerError:
    try:
        pid = layout.pid_file.read_text(encoding="ascii").strip()
    except OSError:
        pid = ""
    end = f"kill {pid}" if pid else f"kill the process that fuser names for {layout.server_lock}"
    return EmbeddedServerError(
        f"a server lives on {layout.data} but cannot be used: {reason}. Its log is {layout.log}; "
        f"if it runs on this machine, end it (it saves its data) with: {end}; then start again"
    )


def _shut_down(layout: Layout, note: Note) -> bool:
    """Ask the server to flush and end, and see that it did; False, with a warning, if it goes on."""
    if not _ask_to_end(layout, note):
        return False
    descriptor = locks.take(layout.server_lock, locks.EXCLUSIVE, seconds=STOP_SECONDS)
    if descriptor is None:
        _log.warning("embedded server pid=%s still ends after %g s: left alone", note.pid, STOP_SECONDS)
        return False
    locks.drop(descriptor)
    _log.info("embedded server stopped pid=%s", note.pid)
    return True


def _ask_to_end(layout: Layout, note: Note) -> bool:
    found = probe(note.socket)
    if not isinstance(found, Running) or not is_ours(layout, note, found):
        _log.warning("embedded server left running: %s does not answer as the noted one", note.socket)
        return False
    try:
        # A timeout is no refusal: a slow disk flushes longer than a reply may take.
        with connect(note.socket) as client, contextlib.suppress(redis.TimeoutError):
            # Plain: with NOSAVE it would skip the last write of the append-only file as well.
            client.shutdown()
    except redis.RedisError as exc:
        _log.warning("embedded server pid=%s refused to end: %s", found.pid, exc)
        return False
    return True


def _remove_socket(note: Note) -> None:
    # Gone already, or somebody keeps files beside it: then it is not ours to remove.
    with contextlib.suppress(OSError):
        note.socket.unlink(missing_ok=True)
        note.socket.parent.rmdir()
