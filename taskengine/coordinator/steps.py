"""Decisions about steps of workflows: facts, definition, decide, apply, until the question is answered.

What a step is to do stands in its workflow's definition, which never changes: it is read once a digest and kept while
this coordinator leads. A step with more children than one script may put, or end, is looked at again after each piece,
a few at a time, so that no workflow delays the others.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import assert_never

from taskengine.coordinator.turn import Turn
from taskengine.core.decide import Stimulus
from taskengine.core.decide_step import Part, decide_step
from taskengine.core.instructions import CloseScope, EndStep, Expand, Nothing, StepInstruction
from taskengine.core.steps.paths import find_step
from taskengine.core.steps.snapshot import Child, StepSnapshot, StepStimulus
from taskengine.models import WorkflowDefinition
from taskengine.models.enums import TaskStatus
from taskengine.store import coordination, steps, workflows
from taskengine.store.call import Call
from taskengine.store.codec import dumps
from taskengine.store.coordination import Decision
from taskengine.store.expansion import Place
from taskengine.store.replies import Reply
from taskengine.store.steps import Ending, StepFacts

_log = logging.getLogger(__name__)

#: How often one decision is looked at again in one turn: for further pieces, or because its step moved on.
_MOST_LOOKS = 8
#: Definitions kept.
_MOST_DEFINITIONS = 256


class Answer(Enum):
    """What came of a decision about a step."""

    #: It was made; or nobody can make it any more.
    DONE = auto()
    #: It needs nothing done: its entry is to be deleted.
    NOTHING = auto()
    #: It is to be looked at again in the next turn.
    LATER = auto()


class Steps:
    """Makes decisions about steps."""

    def __init__(self) -> None:
        self._definitions: dict[str, WorkflowDefinition] = {}

    def look(self, turn: Turn, decisions: Sequence[Decision]) -> Mapping[str, StepFacts | None]:
        """The facts of the steps that *decisions* are about, by entry, in one trip."""
        if not decisions:
            return {}
        found = turn.read(steps.look([(one.task_id, one.because) for one in decisions]))
        return {one.entry: facts for one, facts in zip(decisions, found, strict=True)}

    def make(
        self, turn: Turn, decision: Decision, stimulus: Stimulus | StepStimulus, facts: StepFacts | None
    ) -> Answer:
        """Make one decision, as far as this turn gets with it."""
        for _ in range(_MOST_LOOKS):
            if facts is None:
                return Answer.NOTHING
            definition = self._definition(turn, facts.frame["def"])
            instruction = decide_step(snapshot_of(decision.task_id, facts), part_of(definition, facts), stimulus)
            if isinstance(instruction, Nothing):
                return Answer.NOTHING
            answer = turn.tell(_call(turn.term, decision, facts, definition, instruction))
            if answer.word == "stale" or (answer.word in {"ok", "missing"} and not answer.number()):
                return Answer.DONE
            if answer.word == "full":
                self.fail(turn, decision, f"the run would have more than {answer.number()} tasks and steps", "limit")
                return Answer.DONE
            (facts,) = self.look(turn, [decision]).values()
        return Answer.LATER

    def fail(self, turn: Turn, decision: Decision, error: str, kind: str) -> None:
        """End the step of a decision that cannot be made, with all that lies in it."""
        (facts,) = self.look(turn, [decision]).values()
        if facts is None:
            return
        why = {"err": error, "knd": kind, "cul": facts.fields.get("p", "")}
        if facts.fields.get("fate"):
            if facts.number("w"):
                return  # its children end first, and ask again
            how = Ending("failed", fields=why)
            turn.tell(steps.end(turn.term, decision.entry, decision.task_id, facts.revision, how))
        else:
            verb = steps.close_scope(turn.term, "", decision.task_id, facts.revision, "failed", error, why)
            turn.tell(verb)

    def _definition(self, turn: Turn, digest: str) -> WorkflowDefinition:
        found = self._definitions.pop(digest, None)
        if found is None:
            text = turn.read(workflows.definition(turn.keys, digest))
            found = WorkflowDefinition.model_validate_json(text)
        self._definitions[digest] = found  # the latest used stands last
        while len(self._definitions) > _MOST_DEFINITIONS:
            self._definitions.pop(next(iter(self._definitions)))
        return found


def part_of(definition: WorkflowDefinition, facts: StepFacts) -> Part:
    """What the definition says of a step; all of it for the one that it begins with."""
    path, frame = facts.fields.get("p", ""), facts.frame.get("p", "")
    own = path.removeprefix(frame).lstrip("/") if frame else path
    return find_step(definition, own) if own else definition


def snapshot_of(id: str, facts: StepFacts) -> StepSnapshot:
    """What a decision sees of stored facts."""
    fields = facts.fields
    return StepSnapshot(
        step_id=id,
        path=fields.get("p", ""),
        status=TaskStatus(fields["st"]),
        waiting=facts.number("w"),
        failed=facts.number("f"),
        cancelled=facts.number("c"),
        planned=facts.number("tot"),
        put=facts.number("x"),
        fate=fields.get("fate", ""),
        reason=fields.get("frs", ""),
        closed=facts.number("cx"),
        pieces=facts.number("pieces"),
        branch=fields.get("br", ""),
        turns=facts.number("n"),
        child=_child(facts.because),
        revision=facts.revision,
        is_paused=facts.is_paused,
    )


def _child(fields: Mapping[str, str]) -> Child | None:
    if "st" not in fields or fields["st"] not in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
        return None
    error = fields.get("err") or fields.get("rsn") or "no reason was given"
    path = fields.get("p") or fields.get("nm", "")
    return Child(path, TaskStatus(fields["st"]), error, fields.get("knd", ""), fields.get("cul", ""))


def _call(
    term: str, decision: Decision, facts: StepFacts, definition: WorkflowDefinition, what: StepInstruction
) -> Call[Reply]:
    entry, id, seen = decision.entry, decision.task_id, facts.revision
    match what:
        case Expand():
            frame = facts.fields.get("fr", id)
            place = Place(facts.frame["wf"], id, frame, definition)
            return steps.expand(term, entry, id, seen, place.piece(what))
        case EndStep():
            return steps.end(term, entry, id, seen, _ending(what, facts))
        case CloseScope():
            why = _fields(err=what.error, knd=what.error_kind, cul=what.culprit)
            return steps.close_scope(term, entry, id, seen, what.fate, what.reason, why)
        case Nothing():
            return coordination.drop_decisions(term, [entry])
        case _:
            assert_never(what)


def _ending(what: EndStep, facts: StepFacts) -> Ending:
    fields = {"err": what.error, "knd": what.error_kind, "cul": what.culprit, "rsn": what.reason, "as": what.shows_as}
    return Ending(
        what.status,
        facts.fields.get("p", ""),
        facts.frame.get("vr", "0") if what.rests_on_variables else "",
        "" if what.output is None else dumps(what.output, "output"),
        {name: dumps(value, name) for name, value in what.sets.items()},
        _fields(**fields),
    )


def _fields(**fields: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
