"""Where the step of a decision stands: its facts, its definition, and what a decision sees of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from taskengine.core.bindings import Bindings
from taskengine.core.decide_step import Part
from taskengine.core.steps.paths import find_step, last_steps
from taskengine.core.steps.snapshot import Child, Signal, StepSnapshot
from taskengine.core.steps.templates import Author
from taskengine.models import WorkflowDefinition
from taskengine.models.enums import TaskStatus
from taskengine.store.codec import loads_object
from taskengine.store.decisions import Decision
from taskengine.store.keys import RULED
from taskengine.store.step_values import Where
from taskengine.store.steps import StepFacts


@dataclass(frozen=True, slots=True)
class At:
    """A decision, and where in which definition its step stands."""

    decision: Decision
    facts: StepFacts
    definition: WorkflowDefinition

    @property
    def where(self) -> Where:
        """The step as its expressions are read from it."""
        path, prefix = self.facts.fields.get("p", ""), self.facts.frame.get("p", "")
        own = path.removeprefix(prefix).lstrip("/") if prefix else path
        frame = self.facts.fields.get("fr", self.decision.task_id)
        return Where(self.facts.frame["wf"], frame, prefix, self.definition, own)

    def inside(self, definition: WorkflowDefinition) -> At:
        """Return the same step as the workflow that it is to those in it."""
        fields = {name: value for name, value in self.facts.fields.items() if name != "fr"}
        frame = {**self.facts.frame, "p": self.facts.fields.get("p", "")}
        return At(self.decision, replace(self.facts, fields=fields, frame=frame), definition)

    def last_id(self, retries: int) -> str:
        """Return the step that its ``finally_steps`` are."""
        return self.where.id_of(last_steps(retries))

    @property
    def step(self) -> Part:
        """What the definition says of it; all of it for the step that it begins with."""
        own = self.where.path
        return find_step(self.definition, own) if own else self.definition

    def author(self, bindings: Bindings) -> Author:
        """Who puts its children; variables and steps are not theirs."""
        return Author(self.definition, self.where.prefix, Bindings(context=bindings.context, others=bindings.others))

    def seen(self) -> StepSnapshot:
        """Return what a decision sees of stored facts, before it reads anything."""
        facts, fields = self.facts, self.facts.fields
        return StepSnapshot(
            step_id=self.decision.task_id,
            path=fields.get("p", ""),
            status=TaskStatus(fields["st"]),
            waiting=_open(facts.number("w")),
            failed=facts.number("f"),
            cancelled=facts.number("c"),
            planned=facts.number("tot"),
            put=facts.number("x"),
            end_as=fields.get("end_as", ""),
            reason=fields.get("frs", ""),
            closed=facts.number("cx"),
            pieces=facts.number("pieces"),
            branch=fields.get("br", ""),
            turns=facts.number("n"),
            next_item=facts.number("nx"),
            is_blamed="err" in fields,
            cancel=fields.get("cq", ""),
            is_retrying="rtr" in fields,
            is_timed="step=" in fields.get("clk", "") or "moment=" in fields.get("clk", ""),
            signal=Signal(loads_object(facts.signal)["payload"], facts.signal) if facts.signal else None,
            child=child_of(facts.because),
            revision=facts.revision,
            is_paused=facts.is_paused,
        )


def _open(waiting: int) -> int:
    """Children that are not over; the counter of a map with max_parallel lies lower."""
    return waiting + RULED if waiting < 0 else waiting


def child_of(fields: Mapping[str, str]) -> Child | None:
    """Return a child of a step that failed or was cancelled; None of another."""
    if "st" not in fields or fields["st"] not in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
        return None
    error = fields.get("err") or fields.get("rsn") or "no reason was given"
    path = fields.get("p") or fields.get("nm", "")
    return Child(path, TaskStatus(fields["st"]), error, fields.get("knd", ""), fields.get("cul", ""))
