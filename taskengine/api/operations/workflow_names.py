"""The registry of definitions."""

from __future__ import annotations

from taskengine.api.arguments import text, user
from taskengine.api.context import OperationContext
from taskengine.api.operations.workflow_start import no_workflow
from taskengine.core.workflow_faults import refuse_faulty
from taskengine.models import Workflow, WorkflowDefinition
from taskengine.store import workflows
from taskengine.store.call import Operation
from taskengine.store.library import named, refuse_endless


def register_workflow(
    context: OperationContext, given: Workflow | WorkflowDefinition, by: str | None
) -> Operation[int]:
    """Register a definition under its name; its version."""
    if not isinstance(given, WorkflowDefinition):
        raise no_workflow(given)
    definition = given.definition if isinstance(given, Workflow) else given
    refuse_faulty(definition)
    yield from refuse_endless(context.keys, definition)
    who = user(by, "by").replace(" ", "_")
    yield from workflows.put_definition(definition.digest(), definition.definition_json().decode())
    answer = yield from workflows.register(definition.name, definition.digest(), who)
    return answer.number()


def get_definition(context: OperationContext, name: str) -> Operation[WorkflowDefinition]:
    """Return the latest definition registered under a name; NotFoundError when there is none."""
    _, _, definition = yield from named(context.keys, text(name, "name"))
    return definition
