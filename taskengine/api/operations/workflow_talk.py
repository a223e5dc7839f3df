"""What a client says to a workflow that runs: signals, other variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from taskengine.api.arguments import Id, id_text, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.part import outermost
from taskengine.api.operations.refusals import missing_workflow, place
from taskengine.core.workflow_verbs import allowed
from taskengine.errors import ConflictError, InvalidInputError, NotAllowedError
from taskengine.models.definition_types import Name, SignalName
from taskengine.store import workflows
from taskengine.store.call import Operation
from taskengine.store.codec import check_size, dumps
from taskengine.store.replies import Reply

#: Variables set by one call, and bytes of each as JSON.
MOST_VARIABLES, LARGEST = 64, 256 * 1024
_NAME, _SIGNAL = TypeAdapter[str](Name), TypeAdapter[str](SignalName)


def signal_workflow(
    context: OperationContext, workflow_id: Id, name: str, payload: object, signal_id: str | None
) -> Operation[bool]:
    """Send a signal; whether it is a new one."""
    id = id_text(workflow_id, "workflow_id")
    called = _named(_SIGNAL, name, "name")
    return (yield from send(context, id, called, payload, signal_id))


def send(
    context: OperationContext, id: str, name: str, payload: object, signal_id: str | None, *, is_kept: bool = False
) -> Operation[bool]:
    """Store a signal of any name; whether it is a new one."""
    unique = str(uuid4()) if signal_id is None else text(signal_id, "signal_id", 200)
    written = _bounded(dumps({"payload": payload, "id": unique}, "payload"), "payload")
    answer = yield from workflows.signal(id, name, unique, written, is_kept=is_kept)
    if answer.word == "full":
        raise ConflictError(f"workflow {id} has {workflows.MOST_SIGNALS} signals {name!r} that no step has taken yet")
    yield from _refuse(context, id, answer, "takes no signal")
    return bool(answer.number())


def update_context(
    context: OperationContext, workflow_id: Id, values: Mapping[str, Any], if_revision: int | None
) -> Operation[int]:
    """Set variables; the revision that they then have."""
    id = id_text(workflow_id, "workflow_id")
    if not values or len(values) > MOST_VARIABLES:
        raise InvalidInputError(f"values has {len(values)} variables; give 1 to {MOST_VARIABLES}", field="values")
    written = {
        _named(_NAME, name, "values"): _bounded(dumps(value, f"values.{name}"), f"values.{name}")
        for name, value in values.items()
    }
    answer = yield from workflows.set_variables(id, written, if_revision)
    if answer.word == "changed":
        raise ConflictError(f"the variables of workflow {id} have revision {answer.number()}, not {if_revision}")
    yield from _refuse(context, id, answer, "keeps its variables")
    return answer.number()


def _refuse(context: OperationContext, id: str, answer: Reply, why: str) -> Operation[None]:
    if answer.word == "missing":
        raise (yield from missing_workflow(context, id))
    if answer.word == "conflict":
        if (outer := (yield from outermost(context, id))) != id:
            raise NotAllowedError(f"{(yield from place(context, id))} is {answer.text()} and {why}", id=outer)
        raise NotAllowedError(f"workflow {id} is {answer.text()} and {why}; {allowed(answer.text(), id)}", id=id)


def _bounded(written: str, field: str) -> str:
    if len(written.encode()) > LARGEST:
        raise InvalidInputError(f"{field} is over {LARGEST} bytes as JSON", field=field)
    check_size(field, written)
    return written


def _named(kind: TypeAdapter[str], name: object, field: str) -> str:
    try:
        return kind.validate_python(name)
    except ValidationError as exc:
        raise InvalidInputError(f"{field}: {name!r:.80} {exc.errors()[0]['msg']}", field=field) from exc
