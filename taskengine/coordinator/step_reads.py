"""What a decision about a step reads before it is made: values, outputs, how the last children ended."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import JsonValue

from taskengine.coordinator.duty import DutyContext
from taskengine.coordinator.step_at import At, child_of
from taskengine.core.bindings import Bindings
from taskengine.core.steps.needs import needs
from taskengine.core.steps.root import LAST
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.models import WorkflowStep
from taskengine.store import steps
from taskengine.store.step_values import fixed, read_output, read_values


@dataclass(frozen=True, slots=True)
class Read:
    """What a decision read."""

    bindings: Bindings
    #: Of the variables; '' where none were read.
    revision: str = ""
    #: What the children came to, where ``outputs`` ask.
    output: JsonValue = None


def read_for(context: DutyContext, at: At, seen: StepSnapshot) -> Read:
    """Return what the next decision about a step reads, if anything."""
    wanted = needs(at.step, seen)
    if not wanted:
        return Read(Bindings(others=fixed(at.where)))
    values = context.read(read_values(at.where, wanted))
    output: JsonValue = None
    if any(ref.root == "output" for ref in wanted) and seen.is_entered and isinstance(at.step, WorkflowStep):
        output = context.read(read_output(at.where, at.step))
    rests = any(ref.root == "variables" for ref in wanted)
    return Read(values.bindings, values.revision if rests else "", output)


def with_last_child(context: DutyContext, at: At, seen: StepSnapshot) -> StepSnapshot:
    """With how the ``finally_steps`` of a workflow ended, once they are over, where that was not well."""
    if seen.branch != LAST or seen.waiting or at.step is not at.definition:
        return seen
    (facts,) = context.read(steps.look([(at.decision.task_id, at.last_id(seen.turns))]))
    return replace(seen, child=child_of(facts.because) if facts else None)
