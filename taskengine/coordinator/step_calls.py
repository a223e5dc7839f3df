"""The script that does what a decision about a step says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import assert_never

from taskengine.coordinator.step_at import At
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
from taskengine.core.steps.snapshot import StepStimulus
from taskengine.store import steps
from taskengine.store.call import Call, Operation
from taskengine.store.codec import dumps
from taskengine.store.executions import put_payload
from taskengine.store.expansion import Place
from taskengine.store.fields import TaskField
from taskengine.store.old_turns import erase_old_turns
from taskengine.store.replies import Reply
from taskengine.store.steps import Ending, Piece, StepFacts, Waiting


def call_for(at: At, term: str, what: StepInstruction, read: str) -> Call[Reply] | Operation[Reply] | None:
    """Return the script for an instruction; *read* is the revision of the variables that it rests on, or ''."""
    entry, id, seen = at.decision.entry, at.decision.task_id, at.facts.revision
    match what:
        case Expand():
            where = at.where
            own = float(at.facts.fields[TaskField.score])
            place = Place(where.workflow_id, id, where.frame, at.definition, own)
            if at.facts.fields.get(TaskField.queue) == "%w":  # listings go on to see it
                what = replace(what, queue="%w")
            rests_on = seen if what.planned else at.facts.revision_of_pieces
            put = _expand(place.piece(what), partial(steps.expand, term, entry, id, rests_on))
            return _and_erase(put, erase_old_turns(term, "", id, what.stay)) if what.stay else put
        case EraseOldTurns():
            return erase_old_turns(term, entry, id, what.stay)
        case StartWaiting():
            waiting = Waiting(what.timer_ms, what.moment_ms, what.limit_ms, what.on_change, what.signal)
            return steps.start_waiting(term, entry, id, seen, read, waiting)
        case RetryScope():
            is_asked = at.decision.how == StepStimulus.RETRY
            retry = steps.retry_scope(term, entry if is_asked else "", id, seen)
            return retry if is_asked else _and_look_again(retry)
        case NextItem():
            return steps.next_item(term, entry, id, seen)
        case EndStep():
            return steps.end(term, entry, id, seen, _ending(what, at.facts, read))
        case EndChildren():
            why = _fields(err=what.error, knd=what.error_kind, cul=what.culprit)
            rests_on = at.facts.revision_of_pieces if at.facts.fields.get("end_as") else seen
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
