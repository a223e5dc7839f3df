"""Decisions about steps of workflows: facts, definition, decide, apply, until the question is answered.

What a step is to do stands in its workflow's definition, which never changes: it is read once a digest and kept while
this coordinator leads. A step with more children than one script may put, or end, is looked at again after each piece,
a few at a time, so that no workflow delays the others.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from functools import partial

from taskengine.coordinator.duty import DutyContext
from taskengine.coordinator.step_at import At
from taskengine.coordinator.step_calls import call_for
from taskengine.coordinator.step_reads import read_for, with_last_child
from taskengine.coordinator.sub_workflows import SubWorkflow
from taskengine.coordinator.workflow_tasks import begin, within_its_time
from taskengine.core.conditions import holds
from taskengine.core.decide import Stimulus
from taskengine.core.decide_step import decide_step
from taskengine.core.lifecycle import CLOSABLE
from taskengine.core.steps import failures
from taskengine.core.steps.map import items as map_items
from taskengine.core.steps.plan import PIECE
from taskengine.core.steps.snapshot import StepSnapshot, StepStimulus
from taskengine.core.steps.templates import Author
from taskengine.errors import ExpressionError, InvalidInputError
from taskengine.models import MapStep, WorkflowDefinition
from taskengine.models.steps import SubWorkflowStep
from taskengine.store import steps, workflows
from taskengine.store.call import Call, Operation
from taskengine.store.codec import dumps, loads
from taskengine.store.decisions import Decision
from taskengine.store.fields import TaskField
from taskengine.store.replies import Reply
from taskengine.store.step_values import items
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
        at = At(decision, facts, definition)
        seen = at.seen()
        try:
            if isinstance(at.step, SubWorkflowStep):
                return self._sub_workflow(context, at, stimulus)
            read = read_for(context, at, seen)
            seen = with_last_child(context, at, replace(seen, bindings=read.bindings))
            author = at.author(read.bindings)
            if isinstance(at.step, MapStep) and not seen.is_over and not seen.end_as:
                seen, author = self._with_items(context, at.step, seen, author)
            what = decide_step(seen, at.step, stimulus, author, read.output)
            return call_for(at, context.term, what, read.revision)
        except InvalidInputError as exc:
            kind = "expression" if isinstance(exc, ExpressionError) else "invalid_template"
            return call_for(at, context.term, failures.broken(at.step, seen, str(exc), kind), "")

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
        self, context: DutyContext, at: At, stimulus: Stimulus | StepStimulus
    ) -> Call[Reply] | Operation[Reply] | None:
        step = at.step
        assert isinstance(step, SubWorkflowStep)
        outer = read_for(context, at, at.seen())
        sub = SubWorkflow.of(
            context, step, replace(at.seen(), bindings=outer.bindings), at.where, partial(self._definition, context)
        )
        begins = not sub.seen.is_entered and not sub.seen.end_as and stimulus is not StepStimulus.CLOSE
        if begins and not sub.seen.is_over and (end := sub.enter(context)) is not None:
            return call_for(at, context.term, end, outer.revision)
        inside = at.inside(sub.definition)
        read = read_for(context, inside, sub.seen)
        seen = with_last_child(context, inside, replace(sub.seen, bindings=read.bindings))
        what = decide_step(seen, sub.definition, stimulus, inside.author(read.bindings), read.output)
        return call_for(inside, context.term, sub.as_step(what, outer.bindings), outer.revision)

    def _definition(self, context: DutyContext, digest: str) -> WorkflowDefinition:
        found = self._definitions.pop(digest, None)
        if found is None:
            text = context.read(workflows.definition(context.keys, digest))
            found = WorkflowDefinition.model_validate_json(text)
        self._definitions[digest] = found  # the latest used stands last
        while len(self._definitions) > _MOST_DEFINITIONS:
            self._definitions.pop(next(iter(self._definitions)))
        return found


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
