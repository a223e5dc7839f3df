"""Loop steps: turn after turn in one scope, each decided when the one before is over."""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from taskengine.core.conditions import holds
from taskengine.core.instructions import EndStep, EraseOldTurns, Nothing, StartWaiting
from taskengine.core.steps.compile import Scope, count, rows_of
from taskengine.core.steps.ending import completed, limit_ms
from taskengine.core.steps.failures import failed
from taskengine.core.steps.paths import numbered
from taskengine.core.steps.plan import Children
from taskengine.core.steps.rows import ASKS
from taskengine.core.steps.snapshot import StepSnapshot, StepStimulus
from taskengine.core.steps.templates import Author
from taskengine.models import LoopStep

#: What a loop without a turn comes to.
_NOTHING: JsonValue = {"turns": 0, "last": None, "results": []}
#: Turns that are erased together, or as many as are kept where these are fewer: each time costs three trips.
TOGETHER = 8


def next_turn(
    step: LoopStep, seen: StepSnapshot, author: Author, output: JsonValue, *, is_due: bool
) -> Children | StartWaiting | EndStep | Nothing:
    """Return the steps of the next turn, the wait before it, or the end; ExpressionError where its condition has no
    answer.

    *is_due*: the wait between two turns is over.
    """
    if seen.put < seen.planned:
        return turn(step, seen, author, seen.turns - 1)
    if seen.is_timed:
        return Nothing("the end of the wait between two turns asks again")
    if seen.turns and step.interval and not is_due:
        return StartWaiting(timer_ms=max(1, round(step.interval * 1000)))
    others = {**seen.bindings.others, "iteration": seen.turns}
    if not holds(step.loop_condition, replace(seen.bindings, others=others)):
        return completed(step, seen.bindings, output=output or _NOTHING)
    if seen.turns < step.max_iterations:
        return turn(step, seen, author, seen.turns)
    if step.at_limit == "complete":
        return completed(step, seen.bindings, output=output or _NOTHING)
    says = f"its condition still held after max_iterations ({step.max_iterations}) turns"
    return failed(step, seen, f"step {seen.path} failed: {says}", "limit")


def turn(step: LoopStep, seen: StepSnapshot, author: Author, number: int) -> Children:
    """Return the steps of one turn, 0 the first."""
    bindings = replace(author.bindings, others={**author.bindings.others, "iteration": number})
    scope = Scope(replace(author, bindings=bindings), numbered(seen.path, number), step.loop_steps)
    rows = rows_of(scope)
    is_going_on = seen.put < seen.planned
    before = seen.planned - len(rows) if is_going_on else seen.planned
    limit = 0 if seen.is_entered else limit_ms(step)
    stay = 0 if is_going_on else _stay(step, before)
    return Children(rows, ASKS, before, {"n": str(number + 1)}, limit, stay)


def old_turns(step: LoopStep, seen: StepSnapshot) -> EraseOldTurns | Nothing:
    """Return what to erase of turns that are long over."""
    stay = (step.keep + 1) * count(step.loop_steps)
    return Nothing("it keeps all") if seen.put <= stay else EraseOldTurns(stay)


def _stay(step: LoopStep, before: int) -> int:
    """Return how many children stay when a turn is put behind *before* others, the turn itself among them; 0 erases
    none.
    """
    width = count(step.loop_steps)
    surplus = before // width - step.keep
    return (step.keep + 1) * width if surplus >= min(step.keep, TOGETHER) else 0


def is_due(stimulus: object) -> bool:
    """Whether it is the end of the wait between two turns."""
    return stimulus is StepStimulus.TIMER
