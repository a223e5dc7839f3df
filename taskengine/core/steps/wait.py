"""Wait steps: for time, a moment, a condition or a signal; no slot is held, and nothing runs."""

from __future__ import annotations

from datetime import UTC, datetime

from taskengine.core.conditions import holds_yet
from taskengine.core.instructions import EndStep, Nothing, StartWaiting
from taskengine.core.steps.ending import completed, limit_ms
from taskengine.core.steps.failures import timed_out
from taskengine.core.steps.snapshot import StepSnapshot, StepStimulus
from taskengine.errors import ExpressionError
from taskengine.models import WaitStep


def enter(step: WaitStep, seen: StepSnapshot) -> StartWaiting | EndStep:
    """What it waits for; its end where that is there already. ExpressionError where nobody can know."""
    limit = limit_ms(step)
    if step.wait_seconds is not None:
        return StartWaiting(timer_ms=max(1, round(step.wait_seconds * 1000)), limit_ms=limit)
    if step.until is not None:
        return StartWaiting(moment_ms=_moment_ms(step, seen), limit_ms=limit)
    if step.signal is not None:
        return StartWaiting(signal=step.signal, limit_ms=limit)
    assert step.wait_condition is not None
    if holds_yet(step.wait_condition, seen.bindings):
        return completed(step, seen.bindings, {})
    return StartWaiting(on_change=True, limit_ms=limit)


def after(step: WaitStep, seen: StepSnapshot, stimulus: object) -> EndStep | Nothing:
    """Return its end, where what happened is what it waits for."""
    if stimulus is StepStimulus.TIMEOUT:
        return timed_out(step, seen, step.on_timeout)
    if step.signal is not None and seen.signal is not None:
        return completed(step, seen.bindings, seen.signal.payload, takes=seen.signal)
    if step.wait_condition is not None and holds_yet(step.wait_condition, seen.bindings):
        return completed(step, seen.bindings, {})
    if stimulus is StepStimulus.TIMER:
        return completed(step, seen.bindings, {})
    return Nothing("what it waits for asks again")


def _moment_ms(step: WaitStep, seen: StepSnapshot) -> int:
    until = step.until
    if isinstance(until, str):
        found = seen.bindings.evaluate(until)
        until = _moment(until, found)
    assert until is not None
    return round(until.timestamp() * 1000)


def _moment(source: str, found: object) -> datetime:
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found)
        except ValueError as exc:
            raise ExpressionError(source, f"comes to {found!r:.60}, which is no moment") from exc
    if isinstance(found, int | float) and not isinstance(found, bool):
        return datetime.fromtimestamp(found, UTC)
    if not isinstance(found, datetime):
        raise ExpressionError(source, f"comes to {found!r:.60}, which is no moment")
    if found.utcoffset() is None:
        raise ExpressionError(source, f"comes to {found.isoformat()}, which has no time zone")
    return found
