"""Ends an attempt whose time is over.

An attempt has to be reported by its deadline, on the server's clock. One that comes later is refused by the report's
script, kept as ``late_outcome`` and not applied, whoever looks first: the worker's parent, which looks at deadlines a
few times a second, or the report itself. So it does not depend on a beat whether a result counts, nor on an outage: a
result that waited for its server until its deadline had passed is late too. Two exceptions: an attempt whose cancel was
asked has the grace of the cancel instead, and a ``total_timeout`` that was shortened while the attempt ran is known to
the parent alone.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from taskengine.models import Outcome, Task
from taskengine.store import executions, tasks
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore
from workers.disposition import retry_ms


class TimedOut(NamedTuple):
    """An attempt that was ended."""

    error: str
    #: The task's status by it.
    became: str


def time_out(
    store: SyncStore, execution: str, token: int, task_id: str, deadline_ms: int | None, *, silent: bool = False
) -> TimedOut | None:
    """End this attempt by script; None when it was over, or had spoken, before. Safe to repeat.

    *silent*: it said nothing for too long; else it was over at *deadline_ms*.
    """
    task = store.run(tasks.read([task_id]))[0]
    if task is None:
        return None
    total = None if silent else store.run(tasks.total_end_ms(Keys(store.settings.namespace), task_id))
    is_last = total is not None and deadline_ms is not None and deadline_ms >= total
    error = f"attempt {token} " + _why_over(task, store.settings.default_timeout, silent=silent, is_last=is_last)
    outcome = Outcome("failed", error=error, error_kind="timeout")
    delay = None if is_last else retry_ms(task.model_copy(update={"execution_id": UUID(execution)}), outcome)
    verb = executions.time_out(execution, token, retry_ms=delay, error=error, silent=silent)
    reply = store.run(verb)
    return TimedOut(error, reply.text()) if reply.ok else None


def _why_over(task: Task, default_timeout: float, *, silent: bool, is_last: bool) -> str:
    if silent:
        return f"said nothing for its heartbeat_timeout of {task.heartbeat_timeout or 0:g} s"
    if is_last:
        return f"was running when the total_timeout of {task.total_timeout or 0:g} s for all attempts ended"
    return f"ran longer than its timeout of {task.timeout or default_timeout:g} s"
