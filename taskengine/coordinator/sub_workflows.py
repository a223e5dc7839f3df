"""Decisions about a step that runs another definition: to what lies in it, it is the workflow.

It has a frame of its own: context, variables and a definition that was settled when the workflow started. So the same
questions are asked of its definition as of a workflow's, and only its beginning and its end are asked of the step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from taskengine.coordinator.duty import DutyContext
from taskengine.core.bindings import Bindings
from taskengine.core.conditions import holds
from taskengine.core.instructions import EndStep, Expand, StepInstruction
from taskengine.core.steps import ending
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.core.templates import bind
from taskengine.errors import InvalidInputError
from taskengine.models import WorkflowDefinition
from taskengine.models.enums import TaskStatus
from taskengine.models.steps import SubWorkflowStep
from taskengine.store import workflows
from taskengine.store.codec import dumps
from taskengine.store.step_values import Where
from taskengine.store.workflows import Frame

#: Definitions inside each other.
MOST_FRAMES = 16
_DONE = frozenset({TaskStatus.COMPLETED})
_FAILED = frozenset({TaskStatus.FAILED})


@dataclass(frozen=True, slots=True)
class SubWorkflow:
    """A step that runs another definition, as one decision meets it."""

    step: SubWorkflowStep
    seen: StepSnapshot
    where: Where
    definition: WorkflowDefinition
    digest: str
    depth: int

    @classmethod
    def of(
        cls, context: DutyContext, step: SubWorkflowStep, seen: StepSnapshot, where: Where,
        load: Callable[[str], WorkflowDefinition],
    ) -> SubWorkflow:  # fmt: skip
        """Return the step at *where*; *load* brings a definition by its digest."""
        names, depth = context.read(workflows.names_of(context.keys, where.workflow_id, where.frame))
        if isinstance(step.workflow, str):
            digest = names[step.workflow]
            return cls(step, seen, where, load(digest), digest, depth)
        return cls(step, seen, where, step.workflow, step.workflow.digest(), depth)

    def enter(self, context: DutyContext) -> EndStep | None:
        """Give it its frame; its end where its ``when`` does not hold."""
        if self.step.when is not None and not holds(self.step.when, self.seen.bindings):
            return ending.skipped()
        if self.depth >= MOST_FRAMES:
            raise InvalidInputError(f"more than {MOST_FRAMES} workflows inside each other", field="workflow")
        bound = bind(dict(self.step.context), self.seen.bindings)
        assert isinstance(bound, dict)
        frame = Frame(
            self.seen.step_id, self.where.workflow_id, self.digest,
            dumps({**self.definition.context, **bound}, "context"), self.seen.path, self.depth + 1,
            {name: dumps(value, name) for name, value in self.definition.variables.items()},
        )  # fmt: skip
        context.write(workflows.put_frame(context.term, frame))
        return None

    def as_step(self, what: StepInstruction, bindings: Bindings) -> StepInstruction:
        """Return what the workflow in it is told, as it concerns the step; *bindings* are those around it."""
        if isinstance(what, Expand):
            limits = [one for one in (what.limit_ms, ending.limit_ms(self.step)) if one]
            queue = ending.end_queue(self.step) if self.step.outputs else what.queue
            return replace(what, queue=queue, limit_ms=min(limits, default=0))
        if isinstance(what, EndStep) and what.status in _DONE:
            return ending.completed(self.step, bindings, what.output if what.output is not None else {})
        if isinstance(what, EndStep) and what.status in _FAILED and self.step.on_failure == "continue":
            return replace(what, status=TaskStatus.COMPLETED, shows_as="failed")
        return what
