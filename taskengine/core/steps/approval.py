"""Approval steps: somebody's word, which is a signal under a name of its own; recorded, not proven."""

from __future__ import annotations

from typing import Any

from taskengine.core.instructions import EndStep, Nothing, StartWaiting
from taskengine.core.steps.ending import completed, limit_ms
from taskengine.core.steps.failures import refused, timed_out
from taskengine.core.steps.snapshot import StepSnapshot, StepStimulus
from taskengine.models import ApprovalStep


def signal_of(path: str) -> str:
    """Return the name of the signal that answers the approval at *path*."""
    return f"~approve/{path}"


def enter(step: ApprovalStep, seen: StepSnapshot) -> StartWaiting:
    """It waits for its answer."""
    return StartWaiting(signal=signal_of(seen.path), limit_ms=limit_ms(step))


def after(step: ApprovalStep, seen: StepSnapshot, stimulus: object) -> EndStep | Nothing:
    """Return its end, where the answer is there, or its time is over."""
    if seen.signal is not None:
        answer: Any = seen.signal.payload
        if answer.get("approved"):
            return completed(step, seen.bindings, answer, takes=seen.signal)
        return refused(step, seen, answer, step.on_reject)
    if stimulus is StepStimulus.TIMEOUT:
        return timed_out(step, seen, step.on_timeout)
    return Nothing("its answer asks again")
