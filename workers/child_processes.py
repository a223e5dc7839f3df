"""What this worker has in hand: its live Celery messages, its processes and their groups."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import psutil
from billiard.common import human_status
from celery.worker import state


def live_messages() -> list[tuple[str, int]]:
    """(message id, process id) of every message that a living process works on."""
    found = []
    for request in _active():
        pid = getattr(request, "worker_pid", None)
        if pid and is_alive(pid):
            found.append((str(request.id), int(pid)))
    return found


def dead_messages(
    held: Iterable[tuple[str, int]], exit_code_of: Callable[[int], int | None]
) -> list[tuple[str, int, str]]:
    """Return the same of those whose process is dead, until Celery says so, which may take it some seconds.

    *held*: those that the last beat named. Of a child that died at once Celery may not know yet that it began.
    *exit_code_of* says what its pool took from the system; None while it took nothing. The third word is how it ended,
    in Celery's words; '' while that is on its way.
    """
    named = dict.fromkeys([*held, *((str(one.id), int(one.worker_pid)) for one in _active() if one.worker_pid)])
    return [
        (message, pid, _exit_status(pid) or _taken(exit_code_of(pid)) or _noted_status(state.requests.get(message)))
        for message, pid in named
        if not is_alive(pid)
    ]


def _exit_status(pid: int) -> str:
    """How dead child *pid* ended, without taking that from its parent; '' when it was taken."""
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return ""
    if found is None:
        return ""
    return f"{'exitcode' if found.si_code == os.CLD_EXITED else 'signal'} {found.si_status}"


def _taken(exit_code: int | None) -> str:
    return "" if exit_code is None else str(human_status(exit_code))


def _noted_status(request: Any) -> str:
    """The same, where Celery took it and waits for a result that may still come; '' before it noted that."""
    job = request._apply_result() if request is not None and request._apply_result is not None else None
    noted = getattr(job, "_worker_lost", None)
    return human_status(noted[1]) if noted else ""


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
    """Return whether anybody of the process group that pool child *pid* leads, or led, still runs."""
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return any(_in_group(process, pid) for process in psutil.process_iter())


def signal_group(pid: int, number: int) -> None:
    """Signal pool child *pid* and its group, also when only others of the group are left.

    A number that meanwhile belongs to a stranger is left alone: as long as somebody of the group lives the system
    does not give its number away, so a stranger of that number is a process that is not our child.
    """
    try:
        if _is_stranger(pid):
            return
        if _leads_group(pid):
            os.killpg(pid, number)
        else:
            os.kill(pid, number)  # it has not made its group yet, it shares ours
    except ProcessLookupError:
        return


def end_rest_of_group() -> None:
    """Kill everybody else of this process's group: what agents left, such as a pool of their own."""
    group, me = os.getpgrp(), os.getpid()
    for process in psutil.process_iter():
        if process.pid != me and _in_group(process, group):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _is_stranger(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).ppid() != os.getpid())
    except psutil.NoSuchProcess:
        return False


def _leads_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return True


def _in_group(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
