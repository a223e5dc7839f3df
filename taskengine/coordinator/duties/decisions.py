"""Thinks about what the scripts left open: snapshot, decide, apply, until the decision stream is empty.

Interval: ``sweep_seconds``, and at once when a decision arrives. The stream is read in pieces of 64, each
with one trip for all snapshots; the answer to a decision is one script that also deletes it. A task that
moved on meanwhile is read and decided again. A decision that raised five times goes to the poison list with
its error, and so does one that ended ten coordinators; the reading goes on behind it all the while, so no other
decision waits for it (:mod:`taskengine.coordinator.poison_tracking` counts).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import ClassVar, assert_never

from taskengine.coordinator.apply import Applied, apply
from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.coordinator.poison_tracking import MOST_RAISES, PoisonTracker
from taskengine.coordinator.steps import Answer, Steps
from taskengine.core.decide import Snapshot, Stimulus, decide
from taskengine.core.instructions import Nothing
from taskengine.core.steps.snapshot import StepStimulus
from taskengine.store import coordination, decisions
from taskengine.store.decisions import AsStep, Decision
from taskengine.store.steps import StepFacts

_log = logging.getLogger(__name__)

#: How often one decision is decided anew in one turn because its task moved on.
_MOST_CHANGES = 5
#: Seconds before those are tried again that could not be made in this pass.
_AGAIN_SECONDS = 0.05
#: Characters kept of an error.
_LONGEST_ERROR = 2000
_START = "0"
#: What the scripts write -> why a task, or a step, needs thought.
_STIMULI: Mapping[str, Stimulus | StepStimulus] = {word.value: word for word in (*Stimulus, *StepStimulus)}


class Decisions(Duty):
    """Drains the decision stream."""

    name: ClassVar[str] = "decisions"

    def __init__(self) -> None:
        #: The entry behind which this pass goes on.
        self._cursor = _START
        #: Whether this pass left entries behind that are to be tried again.
        self._leaves_some = False
        #: Whether one of these only had too much to do for one turn: nobody waits before the next.
        self._goes_on = False
        #: Whether the last whole pass did.
        self.left_some = False
        #: Entries read at once: 1 behind a piece whose snapshots could not be read, to find the one to blame, and at
        #: the beginning of a term, in case that the last leader ended by the first.
        self._piece = 1
        #: The one in hand, None while several are.
        self._current: Decision | None = None
        #: Words of decisions that a newer version wrote, each of which is said once.
        self._unknown: set[str] = set()
        #: Entries that need nothing done, to be deleted together.
        self._answered: list[str] = []
        self._steps = Steps()
        self._poison = PoisonTracker()
        self._poisonous: dict[Decision, str] = {}
        #: Those of them whose steps were failed.
        self._failed: set[Decision] = set()

    def run_once(self, context: DutyContext) -> float:
        self._current = None
        self._answered.clear()
        self._poison.tell(context)
        self._put_poisonous_aside(context)
        while not context.over:
            piece = context.read(decisions.decisions(context.keys, self._cursor, self._piece))
            if not piece:
                return self._end_pass(context)
            self._think(context, piece)
        return 0.0

    def blame(self, exc: Exception) -> None:
        self._leaves_some = True
        poisonous = self._current
        if poisonous is None:
            self._piece = 1
            return
        self._cursor = poisonous.entry
        times = self._poison.raised(poisonous.entry)
        _log.error("raised entry=%s task=%s times=%d error=%r", poisonous.entry, poisonous.task_id, times, exc)
        if times >= MOST_RAISES:
            self._poisonous[poisonous] = repr(exc)[:_LONGEST_ERROR]

    def _end_pass(self, context: DutyContext) -> float:
        self.left_some, self._leaves_some, self._cursor = self._leaves_some, False, _START
        goes_on, self._goes_on = self._goes_on, False
        if self.left_some:
            return 0.0 if goes_on else _AGAIN_SECONDS
        self._poison.clear(context)
        return context.settings.sweep_seconds

    def _think(self, context: DutyContext, piece: Sequence[Decision]) -> None:
        self._current = piece[0] if len(piece) == 1 else None
        if self._piece == 1:
            self._poison.take(context, piece[0].entry)
        seen = context.read(decisions.snapshots(piece))
        self._piece = min(coordination.PIECE, 2 * self._piece)
        steps = [one for one, snapshot in zip(piece, seen, strict=True) if snapshot is AsStep.STEP]
        facts = self._steps.look(context, steps)
        for decision, snapshot in zip(piece, seen, strict=True):
            self._current = decision
            if why_poison := self._poison.why_poison(decision.entry):
                self._poisonous.setdefault(decision, why_poison)
                self._leaves_some = True
            elif snapshot is AsStep.STEP:
                self._make_step(context, decision, facts[decision.entry])
            else:
                self._make(context, decision, snapshot)
            self._cursor = decision.entry
            if context.over:
                break
        self._current = None
        if self._answered:
            context.write(decisions.drop_decisions(context.term, self._answered))
            self._answered.clear()
        self._poison.let_go(context)

    def _make_step(self, context: DutyContext, decision: Decision, facts: StepFacts | None) -> None:
        stimulus = self._known(decision)
        if stimulus is None:
            return
        match self._steps.make(context, decision, stimulus, facts):
            case Answer.NOTHING:
                self._answered.append(decision.entry)
            case Answer.MORE:
                self._leaves_some = self._goes_on = True
            case Answer.LATER:
                self._leaves_some = True
            case Answer.DONE | Answer.PAUSED:
                pass

    def _make(self, context: DutyContext, decision: Decision, snapshot: Snapshot | None) -> None:
        stimulus = self._known(decision)
        if stimulus is None:
            return
        if isinstance(stimulus, StepStimulus):  # a step that is over, or waits for something before it
            self._answered.append(decision.entry)
            return
        for _ in range(_MOST_CHANGES):
            instructions = decide(snapshot, stimulus) if snapshot else [Nothing("the task is gone")]
            if snapshot is None or all(isinstance(one, Nothing) for one in instructions):
                self._answered.append(decision.entry)
                return
            result = apply(context, decision, snapshot, instructions)
            match result:
                case Applied.DONE | Applied.FENCED:
                    return
                case Applied.SETTLING:
                    break
                case Applied.CHANGED:
                    (again,) = context.read(decisions.snapshots([decision]))
                    if again is AsStep.STEP:
                        break
                    snapshot = again
                case _:
                    assert_never(result)
        self._leaves_some = True

    def _known(self, decision: Decision) -> Stimulus | StepStimulus | None:
        """Return the stimulus of *decision*; None leaves it to a coordinator of the version that wrote it.

        Raising would put aside as poison what a newer one, which may lead next, can make. An entry that says nothing is
        nobody's, and raises.
        """
        if not decision.how:
            raise ValueError(f"decision {decision.entry} says nothing")
        found = _STIMULI.get(decision.how)
        if found is None and decision.how not in self._unknown:
            _log.warning("left entry=%s: a newer version wrote %r and makes it", decision.entry, decision.how)
            self._unknown.add(decision.how)
        return found

    def _put_poisonous_aside(self, context: DutyContext) -> None:
        for decision, error in list(self._poisonous.items()):
            # First, so that whoever dies between the two leaves no step that nobody asks about; once, so that what
            # raises there too is put aside nevertheless.
            if decision not in self._failed:
                self._failed.add(decision)
                self._steps.fail(context, decision, f"a decision about it cannot be made: {error}", "engine")
            if context.write(decisions.poison(context.term, decision, error)).ok:
                _log.error("poisoned entry=%s task=%s error=%s", decision.entry, decision.task_id, error)
                self._failed.discard(decision)
                del self._poisonous[decision]
