"""Decisions about steps of workflows: facts, definition, decide, apply, until the question is answered.

What a step is to do stands in its workflow's definition, which never changes: it is read once a digest and kept while
this coordinator leads. A step with more children than one script may put, or end, is looked at again after each piece,
a few at a time, so that no workflow delays the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from typing import assert_never

from pydantic import JsonValue

from taskengine.coordinator.duty import DutyContext
from taskengine.coordinator.sub_workflows import SubWorkflow
from taskengine.coordinator.workflow_tasks import begin, within_its_time
from taskengine.core.bindings import Bindings
from taskengine.core.conditions import holds
from taskengine.core.decide import Stimulus
from taskengine.core.decide_step import Part, decide_step
from taskengine.core.instructions import (
    EndChildren,
    EndStep,
    EraseOldTurns,
    Expand,
    NextItem,
    Nothing,
    RetryScope,
    StartWaiting,
    StepInstruction,
)
from taskengine.core.lifecycle import CLOSABLE
from taskengine.core.steps import failures
from taskengine.core.steps.map import items as map_items
from taskengine.core.steps.needs import needs
from taskengine.core.steps.paths import find_step, last_steps
from taskengine.core.steps.plan import PIECE
from taskengine.core.steps.root import LAST
from taskengine.core.steps.snapshot import Child, Signal, StepSnapshot, StepStimulus
from taskengine.core.steps.templates import Author
from taskengine.errors import ExpressionError, InvalidInputError
from taskengine.models import MapStep, WorkflowDefinition, WorkflowStep
from taskengine.models.enums import TaskStatus
from taskengine.models.steps import SubWorkflowStep
from taskengine.store import steps, workflows
from taskengine.store.call import Call, Operation
from taskengine.store.codec import dumps, loads, loads_object
from taskengine.store.coordination import Decision
from taskengine.store.executions import put_payload
from taskengine.store.expansion import Place
from taskengine.store.fields import TaskField
from taskengine.store.keys import RULED
from taskengine.store.old_turns import erase_old_turns
from taskengine.store.replies import Reply
from taskengine.store.step_values import Where, fixed, items, read_output, read_values
from taskengine.store.steps import Ending, Piece, StepFacts, Waiting

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
    #: It went on as far as one turn may; the next one goes on at once.
    MORE = auto()
    #: It is to be looked at again in a moment.
    LATER = auto()
    #: Its run is paused: it is kept, and looked at again from time to time.
    PAUSED = auto()


class Steps:
    """Makes decisions about steps."""

    def __init__(self) -> None:
        self._definitions: dict[str, WorkflowDefinition] = {}

    def look(self, context: DutyContext, decisions: Sequence[Decision]) -> Mapping[str, StepFacts | None]:
        """Return the facts of the steps that *decisions* are about, by entry, in one trip."""
        if not decisions:
            return {}
        found = context.read(steps.look([(one.task_id, one.because) for one in decisions]))
        return {one.entry: facts for one, facts in zip(decisions, found, strict=True)}

    def make(
        self, context: DutyContext, decision: Decision, stimulus: Stimulus | StepStimulus, facts: StepFacts | None
    ) -> Answer:
        """Make one decision, as far as this turn gets with it."""
        answer = Reply("changed")
        for _ in range(_MOST_LOOKS):
            if facts is None:
                return Answer.NOTHING
            if facts.is_paused and stimulus is not StepStimulus.CLOSE and not facts.fields.get("end_as"):
                return Answer.PAUSED
            call = self._call(context, decision, stimulus, facts)
            if call is None:
                return Answer.NOTHING
            answer = context.read(call)
            context.note(answer.word)
            if answer.word == "stale" or (answer.word in {"ok", "missing"} and not answer.number()):
                return Answer.DONE
            if answer.word in {"waits", "settling"}:
                return Answer.LATER
            if answer.word == "full":
                self.fail(context, decision, f"the run would have more than {answer.number()} tasks and steps", "limit")
                return Answer.DONE
            (facts,) = self.look(context, [decision]).values()
        return Answer.MORE if answer.ok else Answer.LATER

    def fail(self, context: DutyContext, decision: Decision, error: str, kind: str) -> None:
        """End the step of a decision that cannot be made, with all that lies in it."""
        for _ in range(_MOST_LOOKS):
            (facts,) = self.look(context, [decision]).values()
            verb = None if facts is None else _failure(context.term, decision.task_id, facts, error, kind)
            if verb is None or context.write(verb).word != "changed":
                return

    def _call(
        self, context: DutyContext, decision: Decision, stimulus: Stimulus | StepStimulus, facts: StepFacts
    ) -> Call[Reply] | Operation[Reply] | None:
        """Return the script that answers a decision; None where nothing is to be done."""
        if stimulus is StepStimulus.CONDITION_WAITERS:
            return steps.ask_condition_waiters(context.term, decision.entry, decision.task_id)
        if not facts.frame:
            found = self._workflow_task(context, decision, stimulus, facts)
            if not isinstance(found, StepFacts):
                return found
            facts = found
        definition = self._definition(context, facts.frame["def"])
        if facts.fields.get(TaskField.queue) == "%w":  # to its steps it is the workflow, whatever it is a step of
            own = {name: value for name, value in facts.fields.items() if name not in ("p", "fr")}
            facts = replace(facts, fields=own)
            definition = within_its_time(definition, own)
        at = _At(decision, facts, definition)
        seen = at.seen()
        try:
            if isinstance(at.step, SubWorkflowStep):
                return self._sub_workflow(context, at, stimulus)
            read = _read(context, at, seen)
            seen = _with_last_child(context, at, replace(seen, bindings=read.bindings))
            author = at.author(read.bindings)
            if isinstance(at.step, MapStep) and not seen.is_over and not seen.end_as:
                seen, author = self._with_items(context, at.step, seen, author)
            what = decide_step(seen, at.step, stimulus, author, read.output)
            return at.call(context.term, what, read.revision)
        except InvalidInputError as exc:
            kind = "expression" if isinstance(exc, ExpressionError) else "invalid_template"
            return at.call(context.term, failures.broken(at.step, seen, str(exc), kind), "")

    def _workflow_task(
        self, context: DutyContext, decision: Decision, stimulus: Stimulus | StepStimulus, facts: StepFacts
    ) -> StepFacts | Call[Reply] | None:
        """Return the facts of a task that runs a workflow, once it has what one begins with; else what ends it."""
        if stimulus is StepStimulus.CLOSE or facts.fields["st"] not in CLOSABLE:
            return None
        try:
            answer = context.read(begin(context.keys, context.term, decision.task_id, facts.fields.get("doc", "{}")))
        except InvalidInputError as exc:
            why = {"err": str(exc), "knd": "invalid_input"}
            how = Ending("failed", fields=why)
            return steps.end(context.term, decision.entry, decision.task_id, facts.revision, how)
        context.note(answer.word)
        (found,) = self.look(context, [decision]).values()
        return found if answer.ok and found is not None and found.frame else None

    def _with_items(
        self, context: DutyContext, step: MapStep, seen: StepSnapshot, author: Author
    ) -> tuple[StepSnapshot, Author]:
        """With the items of the next piece; they are evaluated and stored once, when the step is entered."""
        if seen.is_entered:
            places = range(seen.put, min(seen.put + PIECE, seen.planned))
            texts = context.read(items(seen.step_id, places)) if places else []
            found = {place: loads(text) for place, text in zip(places, texts, strict=True) if text is not None}
            return seen, replace(author, items=found)
        if step.when is not None and not holds(step.when, seen.bindings):
            return seen, author
        found_all = map_items(step, seen.bindings, context.settings.max_map_items)
        context.note(
            context.read(steps.put_items(context.term, seen.step_id, [dumps(one, "items") for one in found_all])).word
        )
        return replace(seen, turns=len(found_all)), replace(author, items=dict(enumerate(found_all)))

    def _sub_workflow(
        self, context: DutyContext, at: _At, stimulus: Stimulus | StepStimulus
    ) -> Call[Reply] | Operation[Reply] | None:
        step = at.step
        assert isinstance(step, SubWorkflowStep)
        outer = _read(context, at, at.seen())
        sub = SubWorkflow.of(
            context, step, replace(at.seen(), bindings=outer.bindings), at.where, partial(self._definition, context)
        )
        begins = not sub.seen.is_entered and not sub.seen.end_as and stimulus is not StepStimulus.CLOSE
        if begins and not sub.seen.is_over and (end := sub.enter(context)) is not None:
            return at.call(context.term, end, outer.revision)
        inside = at.inside(sub.definition)
        read = _read(context, inside, sub.seen)
        seen = _with_last_child(context, inside, replace(sub.seen, bindings=read.bindings))
        what = decide_step(seen, sub.definition, stimulus, inside.author(read.bindings), read.output)
        return inside.call(context.term, sub.as_step(what, outer.bindings), outer.revision)

    def _definition(self, context: DutyContext, digest: str) -> WorkflowDefinition:
        found = self._definitions.pop(digest, None)
        if found is None:
            text = context.read(workflows.definition(context.keys, digest))
            found = WorkflowDefinition.model_validate_json(text)
        self._definitions[digest] = found  # the latest used stands last
        while len(self._definitions) > _MOST_DEFINITIONS:
            self._definitions.pop(next(iter(self._definitions)))
        return found


@dataclass(frozen=True, slots=True)
class _Read:
    """What a decision read."""

    bindings: Bindings
    #: Of the variables; '' where none were read.
    revision: str = ""
    #: What the children came to, where ``outputs`` ask.
    output: JsonValue = None


@dataclass(frozen=True, slots=True)
class _At:
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

    def inside(self, definition: WorkflowDefinition) -> _At:
        """Return the same step as the workflow that it is to those in it."""
        fields = {name: value for name, value in self.facts.fields.items() if name != "fr"}
        frame = {**self.facts.frame, "p": self.facts.fields.get("p", "")}
        return _At(self.decision, replace(self.facts, fields=fields, frame=frame), definition)

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
            child=_child(facts.because),
            revision=facts.revision,
            is_paused=facts.is_paused,
        )

    def call(self, term: str, what: StepInstruction, read: str) -> Call[Reply] | Operation[Reply] | None:
        """Return the script for an instruction; *read* is the revision of the variables that it rests on, or ''."""
        entry, id, seen = self.decision.entry, self.decision.task_id, self.facts.revision
        match what:
            case Expand():
                where = self.where
                own = float(self.facts.fields[TaskField.score])
                place = Place(where.workflow_id, id, where.frame, self.definition, own)
                if self.facts.fields.get(TaskField.queue) == "%w":  # listings go on to see it
                    what = replace(what, queue="%w")
                rests_on = seen if what.planned else self.facts.revision_of_pieces
                put = _expand(place.piece(what), partial(steps.expand, term, entry, id, rests_on))
                return _and_erase(put, erase_old_turns(term, "", id, what.stay)) if what.stay else put
            case EraseOldTurns():
                return erase_old_turns(term, entry, id, what.stay)
            case StartWaiting():
                waiting = Waiting(what.timer_ms, what.moment_ms, what.limit_ms, what.on_change, what.signal)
                return steps.start_waiting(term, entry, id, seen, read, waiting)
            case RetryScope():
                is_asked = self.decision.how == StepStimulus.RETRY
                retry = steps.retry_scope(term, entry if is_asked else "", id, seen)
                return retry if is_asked else _and_look_again(retry)
            case NextItem():
                return steps.next_item(term, entry, id, seen)
            case EndStep():
                return steps.end(term, entry, id, seen, _ending(what, self.facts, read))
            case EndChildren():
                why = _fields(err=what.error, knd=what.error_kind, cul=what.culprit)
                rests_on = self.facts.revision_of_pieces if self.facts.fields.get("end_as") else seen
                return steps.end_children(term, entry, id, rests_on, what.end_as, what.reason, why)
            case Nothing():
                return None
            case _:
                assert_never(what)


def _expand(piece: Piece, expand: Callable[[Piece], Call[Reply]]) -> Operation[Reply]:
    """Put children, with what lies by reference of them first."""
    for new in piece.records:
        if new.payload:
            yield from put_payload(*new.payload)
    return (yield from expand(piece))


def _and_erase(put: Operation[Reply], erase: Operation[Reply]) -> Operation[Reply]:
    """Begin to erase a loop's old turns once the first piece of its next one is there."""
    answer = yield from put
    if answer.ok:
        yield from erase
    return answer


def _and_look_again(retry: Call[Reply]) -> Operation[Reply]:
    """Open the next children for a question of another kind, which is yet to be answered: it may be told that a child
    failed meanwhile, that its time is over, or that it is to end.
    """
    answer = yield from retry
    return replace(answer, rest=(1,)) if answer.ok else answer


def _read(context: DutyContext, at: _At, seen: StepSnapshot) -> _Read:
    """Return what the next decision about a step reads, if anything."""
    wanted = needs(at.step, seen)
    if not wanted:
        return _Read(Bindings(others=fixed(at.where)))
    values = context.read(read_values(at.where, wanted))
    output: JsonValue = None
    if any(ref.root == "output" for ref in wanted) and seen.is_entered and isinstance(at.step, WorkflowStep):
        output = context.read(read_output(at.where, at.step))
    rests = any(ref.root == "variables" for ref in wanted)
    return _Read(values.bindings, values.revision if rests else "", output)


def _failure(term: str, id: str, facts: StepFacts, error: str, kind: str) -> Call[Reply] | None:
    """Return the script that ends a step of which nothing can be decided; None while its children end, who ask again.

    Its decision is not deleted: that does who puts it aside.
    """
    why = {"err": error, "knd": kind, "cul": facts.fields.get("p", "")}
    if not facts.fields.get("end_as"):
        return steps.end_children(term, "", id, facts.revision, "failed", error, why)
    if facts.number("w"):
        return None
    return steps.end(term, "", id, facts.revision, Ending("failed", fields=why))


def _open(waiting: int) -> int:
    """Children that are not over; the counter of a map with max_parallel lies lower."""
    return waiting + RULED if waiting < 0 else waiting


def _with_last_child(context: DutyContext, at: _At, seen: StepSnapshot) -> StepSnapshot:
    """With how the ``finally_steps`` of a workflow ended, once they are over, where that was not well."""
    if seen.branch != LAST or seen.waiting or at.step is not at.definition:
        return seen
    (facts,) = context.read(steps.look([(at.decision.task_id, at.last_id(seen.turns))]))
    return replace(seen, child=_child(facts.because) if facts else None)


def _child(fields: Mapping[str, str]) -> Child | None:
    if "st" not in fields or fields["st"] not in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
        return None
    error = fields.get("err") or fields.get("rsn") or "no reason was given"
    path = fields.get("p") or fields.get("nm", "")
    return Child(path, TaskStatus(fields["st"]), error, fields.get("knd", ""), fields.get("cul", ""))


def _ending(what: EndStep, facts: StepFacts, read: str) -> Ending:
    fields = {"err": what.error, "knd": what.error_kind, "cul": what.culprit, "rsn": what.reason, "as": what.shows_as}
    return Ending(
        what.status,
        facts.fields.get("p", ""),
        read,
        "" if what.output is None else dumps(what.output, "output"),
        what.takes.text if what.takes else "",
        {name: dumps(value, name) for name, value in what.sets.items()},
        {**_fields(**fields), **what.fields},
    )


def _fields(**fields: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
