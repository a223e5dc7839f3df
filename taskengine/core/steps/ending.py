"""How a step ends of which all children completed, or that had nothing to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from taskengine.core.bindings import Bindings
from taskengine.core.instructions import EndStep
from taskengine.core.steps.rows import ASKS, GATE
from taskengine.core.steps.snapshot import Signal
from taskengine.core.templates import bind
from taskengine.models import WorkflowStep
from taskengine.models.enums import TaskStatus

SKIPPED = "skipped"


def end_queue(step: WorkflowStep) -> str:
    """Return the queue of a step with children: it ends by itself unless it has something to say then."""
    return ASKS if step.outputs else GATE


def limit_ms(step: WorkflowStep) -> int:
    """Milliseconds that a step may take; 0 without a limit."""
    return 0 if step.timeout is None else max(1, round(step.timeout * 1000))


def completed(
    step: WorkflowStep, bindings: Bindings, own: JsonValue = None, *, fields: Mapping[str, str] | None = None,
    output: JsonValue = None, takes: Signal | None = None,
) -> EndStep:  # fmt: skip
    """It completed, and sets the variables that its ``outputs`` name; *output* is what it came to, where *own* does not
    say so. ExpressionError where one has no value.
    """
    seen = own if own is not None else output
    at_end = replace(bindings, others={**bindings.others, "output": seen if seen is not None else {}})
    sets = {name: bind(template, at_end) for name, template in step.outputs.items()}
    return EndStep(TaskStatus.COMPLETED, sets=sets, output=own, takes=takes, fields=fields or {})


def skipped() -> EndStep:
    """Return its ``when`` does not hold: those behind it go on as if it had done nothing."""
    return EndStep(TaskStatus.COMPLETED, shows_as=SKIPPED)
