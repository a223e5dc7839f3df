"""Who uses the server: join, stay for the life of the process, and the last one out stops it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path

from taskengine.embedded import locks, server
from taskengine.embedded.layout import Layout
from taskengine.embedded.note import Note
from taskengine.embedded.probe import Running, is_ours, probe
from taskengine.errors import EmbeddedServerError
from taskengine.settings import Settings

_log = logging.getLogger(__name__)

#: Seconds to wait for the process that starts the server: it may be reading a large append-only file.
_JOIN_SECONDS = server.LOAD_SECONDS + server.ANSWER_SECONDS
#: Seconds to wait on leaving. Who holds the start lock for longer is starting: a user who leaves after us.
_LEAVE_SECONDS = server.STOP_SECONDS


@dataclass(frozen=True, slots=True)
class _Membership:
    """A process's shared hold on the users lock; one made by another pid was inherited by fork."""

    owner: int
    descriptor: int
    note: Note

    @property
    def is_mine(self) -> bool:
        return self.owner == os.getpid()


_memberships: dict[Path, _Membership] = {}
_mutex = threading.RLock()
#: The process that registered its clean-up; children forked from it register their own.
_registered_by = 0


def _renew_mutex() -> None:
    global _mutex
    # The thread that held it in the parent does not exist in the child.
    _mutex = threading.RLock()


os.register_at_fork(after_in_child=_renew_mutex)


def ensure(settings: Settings) -> str:
    """Return the Redis URL to use: ``settings.redis_url`` untouched, else the embedded server's ``redis+socket://``.

    Starts the server of ``settings.home`` if none lives (0.1 s, more with much data) and counts this process
    as its user until :func:`release` or its exit. Safe to repeat (about 1 ms), from any thread, from many
    processes at once; blocks while another one starts the server. EmbeddedServerError and CorruptDataError
    say what to do.
    """
    if settings.redis_url is not None:
        return settings.redis_url
    layout = Layout.of(settings)
    with _mutex, _explained(layout):
        held = _memberships.get(layout.home)
        if held is None or not held.is_mine or not _still_answers(layout, held.note):
            held = _join(layout, held)
        return held.note.url


def release(settings: Settings | None = None, *, wait_seconds: float = 0.0) -> None:
    """Stop using the server of ``settings.home`` (None: of every home); the last user out shuts it down.

    Runs by itself at exit. *wait_seconds* waits so long for the other users to leave first, for a process
    whose children are just ending. Nothing happens in a process that did not call :func:`ensure` itself,
    forked children included. Safe to repeat.
    """
    with _mutex:
        homes = list(_memberships) if settings is None else [Layout.of(settings).home]
        for home in homes:
            held = _memberships.get(home)
            if held is not None and held.is_mine:
                del _memberships[home]
                _leave(Layout(home), held, wait_seconds)


def keep(settings: Settings) -> None:
    """See that somebody looks after the server that this process uses, and starts it again if it was killed.

    For a user that finds the server away, once for each try to reach it: the server and its watchdog may have been
    killed together. Waits for nothing: a new watchdog needs about two seconds. Does nothing in a process that did not
    call :func:`ensure` itself, with a server of one's own, or after the folder was deleted. Safe to repeat.
    """
    if settings.redis_url is not None:
        return
    layout = Layout.of(settings)
    held = _memberships.get(layout.home)
    if held is not None and held.is_mine and locks.is_at(held.descriptor, layout.users_lock):
        server.keep(layout)


def repair(home: Path) -> None:
    """Stop the server of *home* if nobody uses it, else see that it runs; the caller is no user.

    EmbeddedServerError when the one or the other does not succeed. Safe to repeat.
    """
    layout = Layout(home)
    with locks.exclusively(layout.start_lock, seconds=_JOIN_SECONDS):
        alone = locks.take(layout.users_lock, locks.EXCLUSIVE, seconds=0)
        if alone is None:
            server.running(layout)
            return
        try:
            server.stop(layout)
        finally:
            locks.drop(alone)


def _still_answers(layout: Layout, note: Note) -> bool:
    found = probe(note.socket)
    return isinstance(found, Running) and is_ours(layout, note, found)


def _join(layout: Layout, held: _Membership | None) -> _Membership:
    """Become, or stay, a user of a server that certainly runs: none can stop while the start lock is ours."""
    layout.prepare()
    mine = held if held is not None and held.is_mine else None
    with locks.exclusively(layout.start_lock, seconds=_JOIN_SECONDS):
        descriptor = mine.descriptor if mine else _count_in(layout)
        try:
            joined = _Membership(os.getpid(), descriptor, server.running(layout))
            server.keep(layout)
        except BaseException:
            if mine:
                del _memberships[layout.home]
            locks.drop(descriptor)
            raise
    if held is not None and held is not mine:
        # Inherited by fork; kept beside our own it would keep us from ever being the last one.
        locks.drop(held.descriptor)
    _memberships[layout.home] = joined
    _leave_at_exit()
    return joined


def _count_in(layout: Layout) -> int:
    descriptor = locks.take(layout.users_lock, locks.SHARED, seconds=server.ANSWER_SECONDS, forked=True)
    if descriptor is None:
        raise EmbeddedServerError(
            f"{layout.users_lock} is locked by a program that is no part of this; end it (fuser names it)"
        )
    return descriptor


def _leave(layout: Layout, held: _Membership, wait_seconds: float) -> None:
    if not locks.is_at(held.descriptor, layout.users_lock):
        _leave_deleted(layout, held)
        return
    try:
        with locks.exclusively(layout.start_lock, seconds=_LEAVE_SECONDS):
            locks.drop(held.descriptor)
            _stop_if_last(layout, wait_seconds)
    except (EmbeddedServerError, OSError) as exc:
        _log.warning("embedded server of %s left running: %s", layout.home, exc)


def _stop_if_last(layout: Layout, wait_seconds: float) -> None:
    alone = locks.take(layout.users_lock, locks.EXCLUSIVE, seconds=wait_seconds)
    if alone is None:
        return
    try:
        server.stop(layout)
    finally:
        locks.drop(alone)


def _leave_deleted(layout: Layout, held: _Membership) -> None:
    """The folder was deleted under the server (a temporary one): no lock is left but the one that we hold."""
    if locks.upgrade(held.descriptor):
        server.abandon(layout, held.note)
    locks.drop(held.descriptor)


def _leave_at_exit() -> None:
    """Release when this process ends.

    multiprocessing's finalizer and not ``atexit``: it runs after the process's own children were joined, it
    runs in children of multiprocessing and billiard, which skip ``atexit``, and never in one that merely
    inherited it.
    """
    global _registered_by
    if _registered_by != os.getpid():
        Finalize(None, release, exitpriority=-100)
        _registered_by = os.getpid()


@contextmanager
def _explained(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise EmbeddedServerError(
            f"the embedded server's folder {layout.home} cannot be used: {exc.strerror or exc} "
            f"({exc.filename or layout.home}); make it writable, set TASKENGINE_HOME to a folder that is, "
            "or set TASKENGINE_REDIS_URL to a server"
        ) from exc
