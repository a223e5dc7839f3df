"""Which step a path of a workflow means, also where it goes on in a workflow that one of its steps runs."""

from __future__ import annotations

from dataclasses import dataclass

from taskengine.api.context import OperationContext
from taskengine.core import remedy
from taskengine.core.steps.paths import child, find_step
from taskengine.errors import InvalidInputError
from taskengine.models import WorkflowDefinition, WorkflowStep
from taskengine.models.steps import SubWorkflowStep
from taskengine.store import workflows
from taskengine.store.call import Operation


@dataclass(frozen=True, slots=True)
class StepPlace:
    """A step, and the definition that it stands in."""

    step: WorkflowStep
    definition: WorkflowDefinition
    #: Path of the step that runs the definition; '' of the workflow itself.
    prefix: str
    #: Its path below that.
    own: str


def place_of(context: OperationContext, id: str, definition: WorkflowDefinition, path: str) -> Operation[StepPlace]:
    """Return the step at a path of a workflow; InvalidInputError when there is none."""
    prefix, own = "", ""
    step: WorkflowStep | None = None
    for part in path.split("/"):
        if isinstance(step, SubWorkflowStep):
            definition = yield from inner_definition(context, id, step)
            prefix, own = child(prefix, own), ""
        own = child(own, part)
        try:
            step = find_step(definition, own)
        except KeyError:
            says = f"step is {path!r:.80}, but workflow {definition.name!r} has no step {own!r:.80}"
            shows = remedy.named("get_workflow_status", f"taskengine workflow status {id}")
            raise InvalidInputError(f"{says}; {shows} shows their paths", field="step") from None
    assert step is not None
    return StepPlace(step, definition, prefix, own)


def inner_definition(context: OperationContext, id: str, step: SubWorkflowStep) -> Operation[WorkflowDefinition]:
    """Return what a step runs, as it was settled when its workflow started."""
    if not isinstance(step.workflow, str):
        return step.workflow
    names, _ = yield from workflows.names_of(context.keys, id, id)
    text = yield from workflows.definition(context.keys, names[step.workflow])
    return WorkflowDefinition.model_validate_json(text)
