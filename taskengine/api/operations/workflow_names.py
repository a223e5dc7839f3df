"""Definitions by name: the registry, and what a workflow that starts will run under which name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from taskengine.api.arguments import text, user
from taskengine.api.context import OperationContext
from taskengine.core.steps.paths import bodies
from taskengine.errors import InvalidInputError, NotFoundError
from taskengine.models import Workflow, WorkflowDefinition, WorkflowStep
from taskengine.models.steps import SubWorkflowStep
from taskengine.store import workflows
from taskengine.store.call import Operation

#: Definitions that one workflow may run.
MOST_DEFINITIONS = 100


@dataclass(slots=True)
class Library:
    """What a workflow may run: it is settled when it starts, and no later registration changes it."""

    names: dict[str, str] = field(default_factory=dict)
    #: Digest -> JSON, of those that lie in the definition itself.
    inline: dict[str, str] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)


def library(context: OperationContext, definition: WorkflowDefinition) -> Operation[Library]:
    """What *definition* may run; NotFoundError for a name that nobody registered."""
    found = Library()
    waiting = [definition]
    while waiting:
        for step in sub_workflows(waiting.pop()):
            inner = yield from _add(context, found, step)
            if inner is not None:
                waiting.append(inner)
    return found


def _add(context: OperationContext, found: Library, step: SubWorkflowStep) -> Operation[WorkflowDefinition | None]:
    """Return the definition of a step, where it is met for the first time."""
    if isinstance(step.workflow, str):
        if step.workflow in found.names:
            return None
        digest, _, inner = yield from named(context, step.workflow)
        found.names[step.workflow] = digest
    else:
        inner = step.workflow
        digest = inner.digest()
        found.inline[digest] = inner.definition_json().decode()
    if digest in found.digests:
        return None
    found.digests.append(digest)
    if len(found.digests) > MOST_DEFINITIONS:
        raise InvalidInputError(f"it runs over {MOST_DEFINITIONS} other workflows", field="workflow")
    return inner


def named(context: OperationContext, name: str) -> Operation[tuple[str, int, WorkflowDefinition]]:
    """Digest, version and definition of what is registered under a name; NotFoundError when nothing is."""
    found = yield from workflows.registered(context.keys, text(name, "workflow", 200))
    if found is None:
        raise NotFoundError("workflow", name)
    digest, version = found
    written = yield from workflows.definition(context.keys, digest)
    return digest, version, WorkflowDefinition.model_validate_json(written)


def register_workflow(given: Workflow | WorkflowDefinition, by: str | None) -> Operation[int]:
    """Register a definition under its name; its version."""
    if not isinstance(given, WorkflowDefinition):
        raise InvalidInputError(f"workflow is a {type(given).__name__}; pass a Workflow", field="workflow")
    definition = given.definition if isinstance(given, Workflow) else given
    who = user(by, "by").replace(" ", "_")
    yield from workflows.put_definition(definition.digest(), definition.definition_json().decode())
    answer = yield from workflows.register(definition.name, definition.digest(), who)
    return answer.number()


def sub_workflows(definition: WorkflowDefinition) -> Iterator[SubWorkflowStep]:
    """Yield all steps of a definition that run another one."""
    yield from _in((*definition.steps, *definition.finally_steps))


def _in(steps: Sequence[WorkflowStep]) -> Iterator[SubWorkflowStep]:
    for step in steps:
        if isinstance(step, SubWorkflowStep):
            yield step
        first, second = bodies(step)
        yield from _in((*first, *second))
