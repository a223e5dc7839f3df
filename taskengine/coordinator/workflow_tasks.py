"""Tasks that run a registered workflow: when it is its turn, one gets what a workflow begins with, and is one.

Its name is settled then, with all that it runs. No slot is held: its steps are tasks like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskengine.errors import InvalidInputError, NotFoundError
from taskengine.models import WorkflowDefinition
from taskengine.store import workflows
from taskengine.store.call import Operation
from taskengine.store.codec import dumps, loads_object
from taskengine.store.fields import TaskField
from taskengine.store.keys import Keys
from taskengine.store.library import library, named
from taskengine.store.replies import Reply
from taskengine.store.workflows import Frame


def begin(keys: Keys, term: str, id: str, doc: str) -> Operation[Reply]:
    """Give the task the frame of its workflow: ok or stale; InvalidInputError where its input asks for none."""
    asked: Mapping[str, Any] = loads_object(doc).get("input", {})
    try:
        digest, _, definition = yield from named(keys, str(asked.get("workflow", "")))
        runs = yield from library(keys, definition)
    except NotFoundError as exc:
        raise InvalidInputError(f"{exc}; then retry the task", field="input") from exc
    context, variables = (_object(asked, name) for name in ("context", "variables"))
    frame = Frame(
        id, id, digest, dumps({**definition.context, **context}, "context"), "", 0,
        {name: dumps(value, name) for name, value in {**definition.variables, **variables}.items()},
        runs.names, list(dict.fromkeys([digest, *runs.digests])),
    )  # fmt: skip
    answer = yield from workflows.put_frame(term, frame)
    while answer.word == "undefined" and answer.text() in runs.inline:
        yield from workflows.put_definition(answer.text(), runs.inline[answer.text()])
        answer = yield from workflows.put_frame(term, frame)
    return answer


def within_its_time(definition: WorkflowDefinition, fields: Mapping[str, str]) -> WorkflowDefinition:
    """Return the definition with the timeout of the task that runs it, which has these *fields*; the shorter one where
    both have one.
    """
    of_task = int(fields.get(TaskField.timeout) or 0) / 1000
    if not of_task or (definition.timeout is not None and definition.timeout <= of_task):
        return definition
    return definition.model_copy(update={"timeout": of_task})


def _object(asked: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = asked.get(name, {})
    if not isinstance(found, Mapping):
        raise InvalidInputError(f"input.{name} is no object", field="input")
    return found
