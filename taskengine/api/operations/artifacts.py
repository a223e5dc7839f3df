"""What executions left beside their results."""

from __future__ import annotations

from taskengine.api.arguments import Id, id_text, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import required
from taskengine.errors import NotFoundError
from taskengine.models import Artifact
from taskengine.store import artifacts, executions
from taskengine.store.call import Operation

#: Executions of a task that are looked through, the latest.
_LATEST = 100


def list_artifacts(context: OperationContext, task_id: Id) -> Operation[list[Artifact]]:
    """Return what the latest 100 executions of a task left, the oldest first, each by name."""
    id = id_text(task_id)
    found = yield from executions.of_task(id, _LATEST)
    if not found:
        yield from required(context, id)
    return (yield from artifacts.of_executions([str(one.id) for one in found]))


def get_artifact(context: OperationContext, task_id: Id, name: str, execution_id: Id | None) -> Operation[bytes]:
    """Return the bytes of an artifact: of the latest execution that has one of that name, or of the one named."""
    wanted = text(name, "name")
    of = None if execution_id is None else id_text(execution_id, "execution_id")
    there = yield from list_artifacts(context, task_id)
    for one in reversed(there):
        if one.name == wanted and of in (None, str(one.execution_id)):
            body = yield from artifacts.body(context.keys, str(one.execution_id), wanted)
            if body is not None:
                return body
    names = ", ".join(sorted({one.name for one in there})[:20]) or "none"
    raise NotFoundError("artifact", f"{wanted!r} of task {id_text(task_id)} (there are: {names})")
