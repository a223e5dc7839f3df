"""Definitions by name, and what a workflow that starts will run under which name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from taskengine.core import remedy
from taskengine.core.steps.paths import bodies
from taskengine.core.workflow_faults import recursion
from taskengine.errors import InvalidInputError, NotFoundError
from taskengine.models import WorkflowDefinition, WorkflowStep
from taskengine.models.definition import did_you_mean
from taskengine.models.steps import SubWorkflowStep
from taskengine.store import workflows
from taskengine.store.call import Operation
from taskengine.store.keys import Keys

#: Definitions that one workflow may run.
MOST_DEFINITIONS = 100


@dataclass(slots=True)
class Library:
    """What a workflow may run: it is settled when it starts, and no later registration changes it."""

    names: dict[str, str] = field(default_factory=dict)
    #: Digest -> JSON, of those that lie in the definition itself.
    inline: dict[str, str] = field(default_factory=dict)
    digests: list[str] = field(default_factory=list)
    #: By name.
    definitions: dict[str, WorkflowDefinition] = field(default_factory=dict)


def library(keys: Keys, definition: WorkflowDefinition) -> Operation[Library]:
    """What *definition* may run; NotFoundError for a name that nobody registered."""
    found = Library()
    waiting = [definition]
    while waiting:
        for step in sub_workflows(waiting.pop()):
            inner = yield from _add(keys, found, step)
            if inner is not None:
                waiting.append(inner)
    for name in found.names:
        if says := recursion(name, found.definitions.get):
            raise InvalidInputError(f"workflow {name!r}: {says}", field="workflow")
    return found


def _add(keys: Keys, found: Library, step: SubWorkflowStep) -> Operation[WorkflowDefinition | None]:
    """Return the definition of a step, where it is met for the first time."""
    if isinstance(step.workflow, str):
        if step.workflow in found.names:
            return None
        digest, _, inner = yield from named(keys, step.workflow, f", which step {step.name!r} runs")
        found.names[step.workflow], found.definitions[step.workflow] = digest, inner
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


def named(keys: Keys, name: str, wanted_by: str = "") -> Operation[tuple[str, int, WorkflowDefinition]]:
    """Digest, version and definition of what is registered under a name; NotFoundError when nothing is.

    *wanted_by* stands behind the name in its sentence.
    """
    found = yield from workflows.registered(keys, name)
    if found is None:
        near = did_you_mean(name, (yield from workflows.names(keys)))
        registers = remedy.named("register_workflow registers one", "register one: taskengine workflow register FILE")
        says = f"no workflow is registered under the name {name!r:.80}{wanted_by}{near or '; ' + registers}"
        raise NotFoundError("workflow", name, says=says)
    digest, version = found
    written = yield from workflows.definition(keys, digest)
    return digest, version, WorkflowDefinition.model_validate_json(written)


def refuse_endless(keys: Keys, definition: WorkflowDefinition) -> Operation[None]:
    """Raise InvalidInputError where a definition, once it has its name, could never end.

    Names that nobody registered yet are left to whoever registers them.
    """
    found, waiting = {definition.name: definition}, [definition]
    while waiting and len(found) <= MOST_DEFINITIONS:
        for step in sub_workflows(waiting.pop()):
            if not isinstance(step.workflow, str):
                waiting.append(step.workflow)
            elif step.workflow not in found and (yield from workflows.registered(keys, step.workflow)):
                _, _, found[step.workflow] = yield from named(keys, step.workflow)
                waiting.append(found[step.workflow])
    if says := recursion(definition.name, found.get):
        raise InvalidInputError(f"workflow {definition.name!r}: {says}", field="workflow")


def sub_workflows(definition: WorkflowDefinition) -> Iterator[SubWorkflowStep]:
    """Yield all steps of a definition that run another one."""
    yield from _in((*definition.steps, *definition.finally_steps))


def _in(steps: Sequence[WorkflowStep]) -> Iterator[SubWorkflowStep]:
    for step in steps:
        if isinstance(step, SubWorkflowStep):
            yield step
        first, second = bodies(step)
        yield from _in((*first, *second))
