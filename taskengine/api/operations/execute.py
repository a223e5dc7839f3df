"""Start, cancel and retry a task, and wait for what its execution comes to."""

from __future__ import annotations

from taskengine.api.arguments import Id, agent_name, id_text, seconds, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import get_execution, required
from taskengine.api.operations.refusals import missing_task, not_allowed, part_not_retried, reopening
from taskengine.api.operations.wait import until_over
from taskengine.api.operations.workflow_control import retry_workflow
from taskengine.core import remedy
from taskengine.core.lifecycle import HALTED, REOPENABLE
from taskengine.errors import NotAllowedError, TaskExecutionError
from taskengine.models import Task, TaskExecution
from taskengine.store import tasks
from taskengine.store.call import Operation

#: Steps up from a closed task to the one whose failure closed it, before the search gives up.
_MOST_STEPS = 100


def execute_task(
    context: OperationContext, task_id: Id, agent_id: str | None, wait: bool, timeout: float | None
) -> Operation[TaskExecution | None]:
    """Start a task as soon as it may, and see to its end unless *wait* is False."""
    id, limit = id_text(task_id), seconds(timeout)
    agent = None if agent_id is None else agent_name(agent_id)
    answer = yield from tasks.execute(id, agent)
    if answer.word == "missing":
        raise (yield from missing_task(context, id))
    if answer.word == "conflict":
        task = yield from required(context, id)
        if answer.text() in HALTED:
            raise (yield from not_allowed(context, task, f"is {answer.text()}; let it go: {remedy.resume_call(id)}"))
        has = f"agent {answer.text(1)!r}" if answer.text(1) else "no agent"
        raise (yield from not_allowed(context, task, f"is {answer.text()} on {has}; leave agent_id out"))
    return (yield from _outcome(context, id, limit)) if wait else (yield from get_execution(context, id))


def retry_task(
    context: OperationContext, task_id: Id, wait: bool, timeout: float | None
) -> Operation[TaskExecution | None]:
    """Open a FAILED or CANCELLED task again, with all that it had closed, and execute it."""
    id = id_text(task_id)
    seconds(timeout)
    answer = yield from tasks.reopen(id)
    if answer.word == "workflow":
        yield from retry_workflow(context, id)
        return (yield from _outcome(context, id, seconds(timeout))) if wait else (yield from get_execution(context, id))
    if answer.word == "missing":
        raise (yield from missing_task(context, id))
    if answer.word == "part":
        raise (yield from part_not_retried(context, id))
    if not answer.ok:
        raise (yield from _not_retried(context, id))
    return (yield from execute_task(context, id, None, wait, timeout))


def cancel_task(context: OperationContext, task_id: Id, reason: str) -> Operation[bool]:
    """Cancel a task; whether there was anything to cancel."""
    id = id_text(task_id)
    answer = yield from tasks.cancel(id, text(reason, "reason", 10_000))
    if answer.word == "missing":
        raise (yield from missing_task(context, id))
    return answer.word in ("ok", "asked")


def _outcome(context: OperationContext, id: str, timeout: float | None) -> Operation[TaskExecution]:
    yield from until_over(context, [id], timeout)
    task = yield from required(context, id)
    execution = yield from get_execution(context, id)
    if task.status in REOPENABLE or execution is None:
        raise TaskExecutionError(_failure(task, (yield from reopening(context, id))), execution=execution)
    return execution


def _failure(task: Task, again: str) -> str:
    why = task.error_message or task.reason or "no reason was given"
    after = f" after {task.attempt} attempts" if task.attempt > 1 else ""
    logs = remedy.named(".execution holds its logs", f"taskengine task logs {task.id} shows its logs")
    return (
        f"task {task.name!r} ({task.id}) {task.status.value}{after}: {why}; {logs}, "
        f"{again}"
    )


def _not_retried(context: OperationContext, id: str) -> Operation[NotAllowedError]:
    task = yield from required(context, id)
    if task.status not in REOPENABLE:
        return (
            yield from not_allowed(
                context, task, f"is {task.status.value}; only a failed or cancelled one is retried"
            )
        )
    root = yield from _root(task)
    if root is None and task.closed_by:  # by a dependency that did well: its rule wanted another end
        why = f"was closed by its trigger rule {task.trigger_rule.value}: {task.reason}; submit it anew"
    elif root is None:
        why = "has a dependency that failed or was cancelled; retry that one"
    else:
        that = remedy.named(str(root.id), remedy.reopen_call(root.id))
        why = (
            f"was closed because its dependency {root.name!r} {root.status.value}; retry that one: {that}"
        )
    return (yield from not_allowed(context, task, why))


def _root(task: Task) -> Operation[Task | None]:
    """Return the task whose end closed *task*, directly or through others; for one cancelled by itself the first
    dependency.
    """
    found: Task | None = None
    for _ in range(_MOST_STEPS):
        above = yield from tasks.read(
            [str(task.closed_by)] if task.closed_by else sorted(map(str, task.depends_on))
        )
        ended = [one for one in above if one and one.status in REOPENABLE]
        if not ended:
            break
        found = task = ended[0]
    return found
