"""Why a step of a workflow is where it is, and a workflow itself: what it waits for, or how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from taskengine.core import remedy
from taskengine.core.explain.inputs import NAMED, Part
from taskengine.core.explain.words import clock, opened_again
from taskengine.core.lifecycle import REOPENABLE
from taskengine.core.status_tree import leaves
from taskengine.models.enums import TaskStatus
from taskengine.models.explanation import Explanation, Fact
from taskengine.models.workflow_status import TERMINAL_STEPS, StepState, StepStatus, WorkflowState

#: Ended by a decision that could not be made.
_ENGINE = "engine"
_QUIET = frozenset({StepStatus.PENDING, StepStatus.NOT_TAKEN}) | TERMINAL_STEPS


def explain_step(id: UUID, stored: TaskStatus, state: StepState, part: Part) -> Explanation:
    """Return the explanation of a step of a workflow, whose record says *stored*."""
    facts = tuple(_facts(id, state, part))
    return Explanation(
        task_id=id,
        name=state.path,
        status=stored,
        headline=f"step {state.path!r} is {_word(state.status.value)}: {facts[0].text}",
        facts=facts,
    )


def explain_workflow(id: UUID, stored: TaskStatus, state: WorkflowState, part: Part | None) -> Explanation:
    """Return the explanation of a workflow; *part* is the one that it is a part of."""
    facts = tuple(_of_workflow(id, state, part))
    return Explanation(
        task_id=id,
        name=state.name,
        status=stored,
        headline=f"workflow {state.name!r} is {state.status.value}: {facts[0].text}",
        facts=facts,
    )


def _facts(id: UUID, state: StepState, part: Part) -> Iterator[Fact]:
    match state.status:
        case StepStatus.COMPLETED:
            at = f" at {clock(state.completed_at)}" if state.completed_at else ""
            yield Fact(kind="completed", text=f"it completed{at}")
        case StepStatus.SKIPPED:
            yield Fact(kind="completed", text="what its 'when' asks for did not hold, so nothing of it ran")
        case StepStatus.FAILED | StepStatus.CANCELLED:
            yield from _ended(id, state, part)
        case _:
            yield from _waits(state)


def _ended(id: UUID, state: StepState, part: Part) -> Iterator[Fact]:
    why = state.error_message or "what held it ended, or somebody cancelled it"
    yield Fact(
        kind="poisoned" if state.error_kind == _ENGINE else state.status.value,
        text=f"{why}; {opened_again(part, id)}",
        details={"error": state.error_message, "error_kind": state.error_kind},
    )


def _waits(state: StepState) -> Iterator[Fact]:
    if state.why:
        yield Fact(kind="waiting", text=state.why, details={"path": state.path, "kind": state.kind})
    if state.kind == "task" and state.task_id is not None:
        asked = remedy.named(f"explain('{state.task_id}')", f"taskengine task why {state.task_id}")
        yield Fact(kind="steps", text=f"its task is {_word(state.status.value)}; why, says {asked}")
    yield from _open((state,))
    if not state.why and state.kind != "task" and not state.children:
        yield Fact(kind="running", text="it runs")


def _open(states: Sequence[StepState]) -> Iterator[Fact]:
    """Steps that have begun and are not over."""
    inside = [one for state in states for one in leaves(state.children) if one.status not in _QUIET]
    if not inside:
        return
    named = ", ".join(f"{one.path} ({_word(one.status.value)})" for one in inside[:NAMED])
    more = f" and {len(inside) - NAMED} more" if len(inside) > NAMED else ""
    yield Fact(
        kind="steps", text=f"of the steps in it are under way: {named}{more}",
        details={"open": [one.path for one in inside[:NAMED]]},
    )  # fmt: skip


def _of_workflow(id: UUID, state: WorkflowState, part: Part | None) -> Iterator[Fact]:
    if state.completed_at is None:
        if said := state.why or state.reason:
            yield Fact(kind="waiting", text=said)
        yield from _open([_as_step(state)])
        if not said:
            yield Fact(kind="running", text="nothing in it only waits")
        return
    if state.status.value not in {one.value for one in REOPENABLE}:
        yield Fact(kind="completed", text=f"it completed at {clock(state.completed_at)}")
        return
    why = state.error_message or state.reason or "no reason was given"
    again = opened_again(part, id) if part else f"open it again: {remedy.retry_workflow_call(id)}"
    yield Fact(
        kind="poisoned" if state.error_kind == _ENGINE else state.status.value,
        text=f"{why}; {again}",
        details={"error": state.error_message, "error_kind": state.error_kind, "step": state.failed_step},
    )


def _as_step(state: WorkflowState) -> StepState:
    return StepState(
        path="", name=state.name, kind="workflow", status=StepStatus.RUNNING,
        children=(*state.steps, *state.finally_steps),
    )  # fmt: skip


def _word(status: str) -> str:
    return status.replace("_", " ")
