"""Ends an attempt whose time is over, whoever looks: a worker at what its slots hold, the leader at what holds none."""

from __future__ import annotations

import random
from typing import NamedTuple
from uuid import UUID

from taskengine.core.backoff import retry_ms
from taskengine.models import Outcome, Task
from taskengine.settings import Settings
from taskengine.store import executions, tasks
from taskengine.store.call import Operation
from taskengine.store.keys import Keys


class TimedOut(NamedTuple):
    """An attempt that was ended."""

    error: str
    #: The task's status by it.
    became: str


def time_out(
    settings: Settings, execution: str, token: int, task_id: str, deadline_ms: int | None, *, silent: bool = False
) -> Operation[TimedOut | None]:
    """End this attempt; None when it was over, or had spoken, before. Safe to repeat.

    *silent*: it said nothing for too long; else it was over at *deadline_ms*.
    """
    (task,) = yield from tasks.read([task_id])
    if task is None:
        return None
    total = None if silent else (yield from tasks.total_end_ms(Keys(settings.namespace), task_id))
    is_last = total is not None and deadline_ms is not None and deadline_ms >= total
    error = f"attempt {token} " + _why_over(task, settings.default_timeout, silent=silent, is_last=is_last)
    outcome = Outcome("failed", error=error, error_kind="timeout")
    ran = task.model_copy(update={"execution_id": UUID(execution)})
    delay = None if is_last else retry_ms(ran, outcome, random.random())  # noqa: S311  # jitter
    reply = yield from executions.time_out(execution, token, retry_ms=delay, error=error, silent=silent)
    return TimedOut(error, reply.text()) if reply.ok else None


def _why_over(task: Task, default_timeout: float, *, silent: bool, is_last: bool) -> str:
    if silent:
        return f"said nothing for its heartbeat_timeout of {task.heartbeat_timeout or 0:g} s"
    if is_last:
        return f"was running when the total_timeout of {task.total_timeout or 0:g} s for all attempts ended"
    return f"ran longer than its timeout of {task.timeout or default_timeout:g} s"
