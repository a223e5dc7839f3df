"""What this worker has in hand: its live Celery messages, the size of its pool, whether a process lives."""

from __future__ import annotations

import os
from typing import Any

import psutil
from celery.worker import state


def live_messages() -> list[tuple[str, int]]:
    """(message id, process id) of every message that a living process works on."""
    found = []
    for request in _active():
        pid = getattr(request, "worker_pid", None)
        if pid and is_alive(pid):
            found.append((str(request.id), int(pid)))
    return found


def _active() -> list[Any]:
    while True:
        try:
            return list(state.active_requests)
        except RuntimeError:  # the consumer's thread changed the set while it was copied
            continue


def is_alive(pid: int) -> bool:
    """Whether *pid* is a process that still runs; a zombie does not."""
    if pid == os.getpid():
        return True
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def group_is_alive(pid: int) -> bool:
    """Whether anybody of the process group that *pid* leads still runs."""
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return any(_in_group(process, pid) for process in psutil.process_iter())


def _in_group(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def signal_group(pid: int, number: int) -> None:
    """Signal the process group that *pid* leads; nothing happens when it is gone."""
    try:
        if os.getpgid(pid) != os.getpgid(0):  # a child that has not made its group yet shares ours
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return
