"""flock with a deadline, and what a fork does to it.

A flock belongs to the open file description: every descriptor inherited by fork or passed to a child shares
it, it ends when the last of them is closed, and unlocking any of them unlocks all. Hence two rules: a lock
that others share (users, server) is dropped by closing, never by unlocking; one that must end with us (start)
is unlocked.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taskengine.errors import EmbeddedServerError

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX

#: Descriptors that a child forked by another thread at this moment must not keep: it would hold the lock for
#: its life.
_not_for_children: set[int] = set()


def _close_in_child() -> None:
    for descriptor in _not_for_children:
        os.close(descriptor)
    _not_for_children.clear()


os.register_at_fork(after_in_child=_close_in_child)


def take(path: Path, kind: int, *, seconds: float, forked: bool = False) -> int | None:
    """Return a descriptor that holds the lock, or None if others held it for all of *seconds*.

    *forked* says whether forked children share the lock. The caller drops it with :func:`drop`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if not forked:
        _not_for_children.add(descriptor)
    try:
        locked = _lock(descriptor, kind, seconds)
    except BaseException:
        drop(descriptor)
        raise
    if locked:
        return descriptor
    drop(descriptor)
    return None


def upgrade(descriptor: int) -> bool:
    """Make our shared lock exclusive; False, and the shared one is lost, while others hold theirs."""
    return _lock(descriptor, EXCLUSIVE, 0)


def _lock(descriptor: int, kind: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
        # flock itself knows no timeout; the wait is for another process, so there is nothing to be woken by.
        time.sleep(0.01)


def drop(descriptor: int) -> None:
    """Close our share of a lock; those who inherited the descriptor keep it."""
    _not_for_children.discard(descriptor)
    os.close(descriptor)


def is_held(path: Path) -> bool:
    """True if a process holds the exclusive lock of *path*; nobody holds a missing file. Writes nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    _not_for_children.add(descriptor)
    try:
        return not _lock(descriptor, SHARED, 0)
    finally:
        drop(descriptor)


def is_at(descriptor: int, path: Path) -> bool:
    """True if *path* still is the file of *descriptor*; False if it was deleted or replaced."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def exclusively(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold *path* for the block; EmbeddedServerError if others held it for all of *seconds*."""
    descriptor = take(path, EXCLUSIVE, seconds=seconds)
    if descriptor is None:
        raise EmbeddedServerError(
            f"{path}: another process has been starting or stopping the embedded server for {seconds:g} s; "
            "end that process (fuser names it) and start again"
        )
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        drop(descriptor)
