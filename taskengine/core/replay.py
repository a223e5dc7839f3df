"""What a run's history says: the same states as the records, or something changed without an event.

Every move is written into the run's stream by the script that makes it. So the stream alone, read against the
transition table, must give each task's status; ``taskengine doctor --deep`` compares it with the stored one,
and audit and archive may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from taskengine.core.lifecycle import may_move, may_step
from taskengine.models.enums import TaskStatus
from taskengine.models.event import Event

#: Event -> the status that its task has behind it.
MOVES: Mapping[str, TaskStatus] = {
    "created": TaskStatus.PENDING,
    "pending": TaskStatus.PENDING,
    "reopened": TaskStatus.PENDING,
    "ready": TaskStatus.READY,
    "started": TaskStatus.RUNNING,
    "retrying": TaskStatus.RETRYING,
    "completed": TaskStatus.COMPLETED,
    "failed": TaskStatus.FAILED,
    "cancelled": TaskStatus.CANCELLED,
    "paused": TaskStatus.PAUSED,
    "resumed": TaskStatus.PENDING,
}
#: The same of the steps of workflows that no worker runs.
STEP_MOVES: Mapping[str, TaskStatus] = {
    "step_created": TaskStatus.PENDING,
    "step_reopened": TaskStatus.PENDING,
    "step_running": TaskStatus.RUNNING,
    "step_completed": TaskStatus.COMPLETED,
    "step_failed": TaskStatus.FAILED,
    "step_cancelled": TaskStatus.CANCELLED,
}
#: Events that move no task; ``deleted`` ends its task's history.
TELLS = frozenset(
    {
        "answered", "asked", "cancel_requested", "deadline_at_risk", "deleted", "depends", "detached", "dropped",
        "fenced", "handed_back", "held", "lost", "pause_requested", "pause_withdrawn", "refused", "released",
        "run_finished", "run_paused", "run_resumed", "signal_received", "step_closing", "timed_out", "took_up",
        "trimmed", "updated", "variables_set",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replay:
    """What a history came to."""

    #: Status of each task that the history names and does not delete.
    statuses: Mapping[UUID, TaskStatus]
    #: Sentences about what cannot have happened, oldest first.
    wrong: tuple[str, ...]
    #: Whether the history starts with the run's first event; an older part may have been trimmed.
    whole: bool


def replay(events: Iterable[Event]) -> Replay:
    """Play *events*, oldest first, against the transition table."""
    statuses: dict[UUID, TaskStatus] = {}
    attempts: dict[UUID, int] = {}
    wrong: list[str] = []
    first = last = 0
    for event in events:
        if last and event.sequence != last + 1:
            wrong.append(f"event {event.sequence} follows {last}")
        first, last = first or event.sequence, event.sequence
        wrong += _play(event, statuses, attempts, whole=first == 1)
    return Replay(statuses, tuple(wrong), first <= 1)


def _play(
    event: Event, statuses: dict[UUID, TaskStatus], attempts: dict[UUID, int], *, whole: bool
) -> list[str]:
    where = f"event {event.sequence} ({event.what})"
    task, is_step = event.task_id, event.what in STEP_MOVES
    finish = STEP_MOVES[event.what] if is_step else MOVES.get(event.what)
    if finish is None:
        if event.what == "deleted" and task is not None:
            statuses.pop(task, None)
            attempts.pop(task, None)
        return [] if event.what in TELLS else [f"{where} is no event of this version"]
    if task is None:
        return [f"{where} names no task"]
    start = statuses.get(task)
    statuses[task] = finish
    if start is None and not whole:
        return []
    if not (may_step if is_step else may_move)(start, finish):
        return [f"{where}: task {task} was {start or 'not there'}"]
    return _new_attempt(event, task, attempts, where) if event.what == "started" else []


def _new_attempt(event: Event, task: UUID, attempts: dict[UUID, int], where: str) -> list[str]:
    """A start must carry a higher attempt than the one before it: the number is its fencing token."""
    word = event.note.partition(" ")[0]
    attempt = int(word) if word.isdecimal() else 0
    before = attempts.get(task, 0)
    attempts[task] = attempt
    return [] if attempt > before else [f"{where}: task {task} started attempt {attempt} after {before}"]
