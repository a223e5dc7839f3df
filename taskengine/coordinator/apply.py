"""From instructions to scripts: each checks the revision that was decided on and the term of who decided."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import assert_never

from taskengine.coordinator.duty import DutyContext
from taskengine.core.decide import Snapshot
from taskengine.core.instructions import CloseTask, Instruction, Nothing, ReopenTask, StartTask
from taskengine.store import decisions
from taskengine.store.call import Call
from taskengine.store.decisions import Decision
from taskengine.store.replies import Reply


class Applied(Enum):
    """What came of the instructions of one decision."""

    #: All of them hold, now or already before, and the decision is deleted.
    DONE = auto()
    #: The task moved on after the snapshot: read and decide again.
    CHANGED = auto()
    #: Its dependents are still being told of its last end: decide again when that is over.
    SETTLING = auto()
    #: The term is over.
    FENCED = auto()


_WORDS = {
    "ok": Applied.DONE,
    "missing": Applied.DONE,
    "conflict": Applied.DONE,
    "changed": Applied.CHANGED,
    "settling": Applied.SETTLING,
    "stale": Applied.FENCED,
}


def apply(context: DutyContext, decision: Decision, seen: Snapshot, instructions: Sequence[Instruction]) -> Applied:
    """Carry out *instructions*; the script of the last one deletes *decision*, so a crash before it decides
    again.
    """
    result = Applied.DONE
    for number, instruction in enumerate(instructions, 1):
        entry = decision.entry if number == len(instructions) else ""
        result = _WORDS[context.write(_call(context.term, entry, seen, instruction)).word]
        if result is not Applied.DONE:
            return result
    return result


def _call(term: str, entry: str, seen: Snapshot, instruction: Instruction) -> Call[Reply]:
    match instruction:
        case CloseTask():
            return decisions.close_by_rule(term, entry, seen, instruction)
        case StartTask():
            return decisions.start_by_rule(term, entry, seen)
        case ReopenTask(task_id, closed_by):
            return decisions.reopen_closed(term, entry, task_id, closed_by)
        case Nothing():
            return decisions.drop_decisions(term, [entry] if entry else [])
        case _:
            assert_never(instruction)
