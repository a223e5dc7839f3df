"""The heart of the coordinator: what follows from what happened, without I/O.

``decide(snapshot, stimulus)`` is asked about one task at a time and sees only a snapshot of it. The driver
reads the snapshot, applies the answer with the snapshot's counters as its revision, and asks again when they
changed meanwhile. So the same question may come twice, late, or about a task that has moved on: every answer
must then be :class:`~taskengine.core.instructions.Nothing`.

A trigger rule is a function from :class:`Counters` to a :class:`Verdict`. A plain task (all_success) that may
run is set READY by the script of its last dependency's report, so here RUN needs nothing done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import assert_never

from taskengine.core.instructions import CloseTask, Instruction, Nothing, ReopenTask
from taskengine.core.lifecycle import CLOSABLE, REOPENABLE
from taskengine.models.enums import TaskStatus

_ENDED_BADLY = {TaskStatus.FAILED: "failed", TaskStatus.CANCELLED: "was cancelled"}


class Stimulus(StrEnum):
    """Why a task needs thought, as the scripts write it into the decision stream."""

    #: Its commit wait, hold or time fell while a dependency had already ended badly.
    COUNTERS = "counters"
    DEPENDENCY_FAILED = "f"
    DEPENDENCY_CANCELLED = "c"
    #: The task that had closed it is open again.
    REOPENED = "reopen"


class Verdict(Enum):
    """What a trigger rule says of a task."""

    RUN = auto()
    WAIT = auto()
    #: The rule can not hold any more, whatever the others do.
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Counters:
    """How a task's dependencies stand; together the revision of a snapshot."""

    #: Not ended (a graph's commit counts as one).
    waiting: int
    failed: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Dependency:
    """A dependency as a decision about its dependent sees it."""

    task_id: str
    name: str
    status: TaskStatus


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a decision about one task needs."""

    task_id: str
    status: TaskStatus
    counters: Counters
    #: Whether its graph is committed and its commit wait fell.
    visible: bool
    #: The task that closed it, or ''.
    closed_by: str
    #: The dependency in question: one that ended badly where there is one; None when none is known.
    because: Dependency | None


def decide(snapshot: Snapshot, stimulus: Stimulus) -> list[Instruction]:
    """What to do about the task of *snapshot*; never empty, the last instruction closes the question."""
    match stimulus:
        case Stimulus.COUNTERS | Stimulus.DEPENDENCY_FAILED | Stimulus.DEPENDENCY_CANCELLED:
            return [_after_dependencies(snapshot)]
        case Stimulus.REOPENED:
            return [_after_reopening(snapshot)]
        case _:
            assert_never(stimulus)


def all_success(counters: Counters) -> Verdict:
    """The default rule: runs when every dependency COMPLETED."""
    if counters.failed or counters.cancelled:
        return Verdict.NEVER
    return Verdict.WAIT if counters.waiting else Verdict.RUN


def _after_dependencies(snapshot: Snapshot) -> Instruction:
    if snapshot.status not in CLOSABLE:
        return Nothing(f"it is {snapshot.status}")
    if not snapshot.visible:
        return Nothing("its graph is not settled; the fall of its commit wait asks again")
    verdict = all_success(snapshot.counters)
    match verdict:
        case Verdict.RUN | Verdict.WAIT:
            return Nothing("the scripts start it when its last dependency completes")
        case Verdict.NEVER:
            return _closed(snapshot)
        case _:
            assert_never(verdict)


def _closed(snapshot: Snapshot) -> Instruction:
    culprit = snapshot.because
    if culprit is None or culprit.status not in _ENDED_BADLY:
        return Nothing("what had ended badly is being opened again, and takes its word back")
    reason = f"dependency {culprit.name} {_ENDED_BADLY[culprit.status]}"
    return CloseTask(snapshot.task_id, reason, culprit.task_id)


def _after_reopening(snapshot: Snapshot) -> Instruction:
    cause = snapshot.because
    if snapshot.status not in REOPENABLE:
        return Nothing(f"it is {snapshot.status}")
    if cause is None or snapshot.closed_by != cause.task_id:
        return Nothing("something else closed it")
    return ReopenTask(snapshot.task_id, cause.task_id)
