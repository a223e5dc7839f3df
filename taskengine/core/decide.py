"""The heart of the coordinator: what follows from what happened, without I/O.

``decide(snapshot, stimulus)`` is asked about one task at a time and sees only a snapshot of it. The driver
reads the snapshot, applies the answer with the snapshot's counters as its revision, and asks again when they
changed meanwhile. So the same question may come twice, late, or about a task that has moved on: every answer
must then be :class:`~taskengine.core.instructions.Nothing`.

What a task's trigger rule says is :mod:`taskengine.core.rules`'s. A plain task (all_success) that may run is set READY
by the script of its last dependency's report, so here RUN needs nothing done for it; with any other rule the scripts
ask here whenever one of its dependencies ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from taskengine.core.instructions import CloseTask, Instruction, Nothing, ReopenTask, StartTask
from taskengine.core.lifecycle import CLOSABLE, REOPENABLE
from taskengine.core.rules import FAILURES, Counters, End, Evaluation, blamed, evaluate, why_never
from taskengine.models.enums import TaskStatus, TriggerRule


class Stimulus(StrEnum):
    """Why a task needs thought, as the scripts write it into the decision stream."""

    #: Its commit wait, hold or time fell, or a dependency of one with a rule of its own completed.
    COUNTERS = "counters"
    DEPENDENCY_FAILED = "f"
    DEPENDENCY_SKIPPED = "c"
    #: The task that had closed it is open again.
    REOPENED = "reopen"


@dataclass(frozen=True, slots=True)
class Dependency:
    """A dependency as a decision about its dependent sees it."""

    task_id: str
    name: str
    #: None while it is open.
    end: End | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a decision about one task needs."""

    task_id: str
    status: TaskStatus
    counters: Counters
    #: Whether its graph is committed and its commit wait fell, and its own last end is taken back from all dependents.
    visible: bool
    #: The task that closed it, or ''.
    closed_by: str
    #: The dependency in question: one that ended badly where there is one; None when none is known.
    because: Dependency | None
    rule: TriggerRule = TriggerRule.ALL_SUCCESS
    #: Whether a hold or a time keeps it PENDING whatever its dependencies do.
    held: bool = False
    #: What the decision rests on, as the scripts spell it; they refuse one that rests on something else.
    revision: str = ""


def decide(snapshot: Snapshot, stimulus: Stimulus) -> list[Instruction]:
    """Return what to do about the task of *snapshot*; never empty, the last instruction closes the question."""
    match stimulus:
        case Stimulus.COUNTERS | Stimulus.DEPENDENCY_FAILED | Stimulus.DEPENDENCY_SKIPPED:
            return [_after_dependencies(snapshot)]
        case Stimulus.REOPENED:
            return [_after_reopening(snapshot)]
        case _:
            assert_never(stimulus)


def blamed_in(snapshot: Snapshot) -> frozenset[End]:
    """Return how a dependency ended that a decision about the task would name; empty when none would be named."""
    if snapshot.status not in CLOSABLE or evaluate(snapshot.rule, snapshot.counters) is not Evaluation.NEVER:
        return frozenset()
    return blamed(snapshot.rule, snapshot.counters)


def _after_dependencies(snapshot: Snapshot) -> Instruction:
    if snapshot.status not in CLOSABLE:
        return Nothing(f"it is {snapshot.status}")
    if not snapshot.visible:
        return Nothing("its graph is not settled; the fall of its commit wait asks again")
    evaluation = evaluate(snapshot.rule, snapshot.counters)
    match evaluation:
        case Evaluation.WAIT:
            return Nothing("the end of its next dependency asks again")
        case Evaluation.RUN:
            return _started(snapshot)
        case Evaluation.NEVER:
            return _closed(snapshot)
        case _:
            assert_never(evaluation)


def _started(snapshot: Snapshot) -> Instruction:
    if snapshot.rule is TriggerRule.ALL_SUCCESS:
        return Nothing("the scripts start it when its last dependency completes")
    if snapshot.held:
        return Nothing("the fall of its hold or its time asks again")
    return StartTask(snapshot.task_id)


def _closed(snapshot: Snapshot) -> Instruction:
    culprit = snapshot.because
    if culprit is None or culprit.end is None or culprit.end not in blamed_in(snapshot):
        return Nothing("what had ended badly is being opened again, and takes its word back")
    reason = why_never(snapshot.rule, snapshot.counters, culprit.name, culprit.end)
    return CloseTask(snapshot.task_id, reason, culprit.task_id, failed_before=culprit.end in FAILURES)


def _after_reopening(snapshot: Snapshot) -> Instruction:
    cause = snapshot.because
    if snapshot.status not in REOPENABLE:
        return Nothing(f"it is {snapshot.status}")
    if snapshot.rule is TriggerRule.ALL_SUCCESS:
        by_cause = cause is not None and snapshot.closed_by == cause.task_id
    else:  # whichever was blamed, it opens again once its rule may hold
        by_cause = bool(snapshot.closed_by) and evaluate(snapshot.rule, snapshot.counters) is not Evaluation.NEVER
    if not by_cause:
        return Nothing("something else closed it")
    return ReopenTask(snapshot.task_id, snapshot.closed_by)
