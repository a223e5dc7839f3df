"""Why a task of a test stands still, and what the test can do about it: it has no shell to start a worker in."""

from __future__ import annotations

from collections.abc import Collection

from taskengine.models import Task, TaskStatus


def why_not_over(task: Task, queues: Collection[str]) -> str:
    """One task that is not over, where the engine offers these *queues*."""
    why = _why(task, queues)
    return f"{task.name!r} ({task.id}) is {task.status.value}{f': {why}' if why else ''}"


def _why(task: Task, queues: Collection[str]) -> str:
    reason = task.reason or ""
    if "paused: " in reason:
        by_name = task.status is TaskStatus.PAUSED
        return f"{reason}; go on with engine.api.{'resume_task(id)' if by_name else 'resume(…)'}"
    match task.status:
        case TaskStatus.READY if task.queue not in queues:
            return _unoffered(task, queues)
        case TaskStatus.READY:
            return reason or "every slot is taken; where agents wait for tasks, give the engine more: slots=2"
        case TaskStatus.PENDING if task.hold:
            return f"{reason} (engine.api.execute_task(id), or release_task)"
        case _:
            return reason


def _unoffered(task: Task, queues: Collection[str]) -> str:
    what = f"is called {task.queue[1:]!r}" if task.queue.startswith("@") else f"offers {task.queue!r}"
    known = ", ".join(sorted(queue for queue in queues if not queue.startswith("@"))) or "nothing"
    declare = f'@agent("{task.assigned_to or task.capability}", capabilities={{"{task.capability}"}})'
    return (
        f"no agent of this engine {what} (they offer {known}); declare one inside the test, {declare}, or name the "
        'module that does: @pytest.mark.taskengine(modules=["my_agents"]), Engine(modules=[…])'
    )
