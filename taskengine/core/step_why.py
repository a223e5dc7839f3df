"""What a step of a workflow waits for, as a sentence with what there is now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from taskengine.core import remedy
from taskengine.core.bindings import Bindings
from taskengine.core.condition_text import asks, present_values
from taskengine.core.lifecycle import TERMINAL
from taskengine.core.templates import bind
from taskengine.errors import ExpressionError
from taskengine.models import ApprovalStep, StepState, StepStatus, WaitStep, WorkflowStep
from taskengine.models.enums import TaskStatus

#: Letters of a prompt, and names that a sentence holds.
_LONGEST, _NAMED = 200, 20
Moments = Callable[[str | None], datetime | None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the steps of a workflow have in common, and what some of them read."""

    workflow_id: str
    moments: Moments
    #: Path -> the values that a waiting step reads.
    values: Mapping[str, Bindings] = field(default_factory=dict)
    is_paused: bool = False
    #: Whether a coordinator leads.
    leads: bool = True
    #: Path -> the error of a decision that was put aside; '' is the workflow.
    poisoned: Mapping[str, str] = field(default_factory=dict)


def why(
    state: StepState, step: WorkflowStep, fields: Mapping[str, str], behind: Sequence[str], around: Surroundings
) -> str | None:
    """Return what a step waits for; None where it waits for nothing.

    *fields* are stored of it, or of its task; *behind* are the steps that it comes after.
    """
    said = list(_why(state, step, fields, behind, around))
    return "; ".join(said) if said else None


def _why(
    state: StepState, step: WorkflowStep, fields: Mapping[str, str], behind: Sequence[str], around: Surroundings
) -> Iterator[str]:
    if state.path in around.poisoned and fields["st"] not in TERMINAL:
        yield put_aside(around.poisoned[state.path], around)
        return
    match state.status:
        case StepStatus.PENDING:
            yield from _not_begun(fields, behind, around)
        case StepStatus.READY if "park" in fields:  # what else a task waits for its own explanation says
            is_short = fields["park"].startswith("room:")
            says = "no host has room for it" if is_short else f"{fields['park']} is paused or has asked for time"
            yield f"may not start now: {says}"
        case StepStatus.PAUSED if "ask" in fields:
            yield f"asks: {_short(fields['ask'])}; {remedy.answer(state.task_id)}"
        case StepStatus.RETRYING:
            yield f"tries again at {_at(around.moments(fields.get('due')))}"
        case StepStatus.WAITING:
            yield from _waits(state, step, around)
            yield from _clocks(fields, around)
        case StepStatus.RUNNING if state.counts is not None:
            yield from _children(state, fields, around)
            yield from _clocks(fields, around)


def _not_begun(fields: Mapping[str, str], behind: Sequence[str], around: Surroundings) -> Iterator[str]:
    open_before = int(fields.get("w", 0))
    if "hold" in fields:
        yield f"is held; {remedy.execute_held('it')}"
    elif fields.get("due"):
        yield f"starts at {_at(around.moments(fields['due']))}"
    elif open_before > 0:
        named = ", ".join(behind[:_NAMED]) or f"{open_before} steps before it"
        yield f"waits for {named}"
    elif "k" in fields:
        yield from _decision(around)


def _waits(state: StepState, step: WorkflowStep, around: Surroundings) -> Iterator[str]:
    since = f"since {_at(state.started_at)}"
    id, path = around.workflow_id, state.path
    match step:
        case ApprovalStep():
            by = f" by {', '.join(step.approvers[:_NAMED])}" if step.approvers else ""
            yield f"waits for an approval{by} {since}: {_prompt(step, around.values.get(path))}"
            yield remedy.named(f"approve({id!r}, {path!r}, by=…)", f"taskengine workflow approve {id} {path}")
        case WaitStep(signal=str(name)):
            yield f"waits for the signal {name!r} {since}"
            yield remedy.named(f"signal_workflow({id!r}, {name!r})", f"taskengine workflow signal {id} {name}")
        case WaitStep(wait_condition=condition) if condition is not None:
            yield f"waits until {asks(condition)} {since}"
            if path in around.values:
                yield present_values(condition, around.values[path])


def _prompt(step: ApprovalStep, values: Bindings | None) -> str:
    said = step.prompt
    if values is not None:
        with suppress(ExpressionError):  # else it is shown as it was written
            said = str(bind(step.prompt, values))
    return _short(said)


def _short(said: str) -> str:
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def _children(state: StepState, fields: Mapping[str, str], around: Surroundings) -> Iterator[str]:
    assert state.counts is not None
    if state.counts.open:
        yield f"{state.counts.open} of {state.counts.total} {_CALLED.get(state.kind, 'steps')} are open"
    elif "k" in fields:
        yield from _decision(around)


#: What the children of a step are called.
_CALLED = {"map": "items", "loop": "turns"}


def _decision(around: Surroundings) -> Iterator[str]:
    if around.leads:
        yield "waits for a decision"
    else:
        yield "no coordinator leads, and one decides what is next; start one: taskengine coordinator"


def put_aside(error: str, around: Surroundings) -> str:
    """Return that a decision cannot be made, so that nothing moves until somebody does something about it."""
    id = around.workflow_id
    end = remedy.named(
        f"cancel_workflow('{id}'), then retry_workflow('{id}')",
        f"taskengine workflow cancel {id}, then taskengine workflow retry {id}",
    )
    return f"a decision about it raised and was put aside: {error}; mend that, then: {end}"


def undecided(fields: Mapping[str, str], around: Surroundings) -> str | None:
    """Return that a step, or a workflow, waits for a decision; None where it is over, or waits for its children."""
    if TaskStatus(fields["st"]) in TERMINAL or int(fields.get("w", 0)):
        return None
    if "" in around.poisoned:
        return put_aside(around.poisoned[""], around)
    return "; ".join(_decision(around))


def _clocks(fields: Mapping[str, str], around: Surroundings) -> Iterator[str]:
    """Yield the timers of a step."""
    timers = dict(each.split("=", 1) for each in fields.get("clk", "").split(",") if "=" in each)
    for kind in ("step", "moment"):
        if kind in timers:
            yield f"waits until {_at(around.moments(timers[kind]))}"
    if "limit" in timers:
        yield f"its time ends at {_at(around.moments(timers['limit']))}"
    if timers and around.is_paused:
        yield "the workflow is paused, and its clock stands"


def _at(moment: datetime | None) -> str:
    return "an unknown moment" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
