"""A history is played against the transition table."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from taskengine.core.replay import MOVES, TELLS, replay
from taskengine.models import Event, TaskStatus

from ..cases import each

A, B = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def history(*words: str, first: int = 1, task: UUID = A) -> list[Event]:
    """Events of one task; ``started:2`` is its second attempt."""
    events = []
    for number, word in enumerate(words, first):
        what, _, note = word.partition(":")
        events.append(Event(number, what, task, NOW, note))
    return events


def test_history_gives_the_last_status_of_each_task() -> None:
    first = history("created", "ready", "started:1", "completed")
    told = replay([*first, *history("created", "ready", first=5, task=B)])
    assert told.statuses == {A: TaskStatus.COMPLETED, B: TaskStatus.READY}
    assert (told.wrong, told.whole) == ((), True)


@each(
    "life",
    [
        "created ready started:1 retrying ready started:2 completed",
        "created ready started:1 lost ready started:2 handed_back ready started:3 failed reopened ready",
        "created ready pending ready started:1 cancel_requested timed_out cancelled",
        "created cancelled reopened ready started:1 completed",
        "created released ready updated started:1 fenced completed",
    ],
)
def test_lives_that_the_table_allows_are_not_wrong(life: str) -> None:
    assert replay(history(*life.split())).wrong == ()


@each(
    ("life", "told"),
    [
        ("created started:1", "event 2 (started): task {A} was pending"),
        ("created ready started:1 completed completed", "event 5 (completed): task {A} was completed"),
        ("ready", "event 1 (ready): task {A} was not there"),
        ("created ready started:1 ready started:1", "event 5 (started): task {A} started attempt 1 after 1"),
        ("created nonsense", "event 2 (nonsense) is no event of this version"),
    ],
)
def test_what_can_not_have_happened_is_told(life: str, told: str) -> None:
    assert replay(history(*life.split())).wrong == (told.format(A=A),)


def test_gap_is_told() -> None:
    events = history("created", "ready", "updated", "started:1")
    del events[2]
    assert replay(events).wrong == ("event 4 follows 2",)


def test_event_that_must_name_a_task_and_does_not_is_told() -> None:
    assert replay([Event(1, "created", None, NOW, "")]).wrong == ("event 1 (created) names no task",)


def test_trimmed_history_starts_anywhere() -> None:
    told = replay(history("started:3", "completed", first=41))
    assert (told.statuses, told.wrong, told.whole) == ({A: TaskStatus.COMPLETED}, (), False)


def test_deleted_task_is_gone_and_its_id_may_come_again() -> None:
    told = replay(history("created", "cancelled", "deleted"))
    assert told.statuses == {}
    again = replay(history("created", "ready", "started:1", "completed", "deleted", "created", "ready", "started:1"))
    assert (again.statuses, again.wrong) == ({A: TaskStatus.RUNNING}, ())


def test_run_events_move_no_task() -> None:
    told = replay([*history("created"), Event(2, "run_finished", None, NOW, "")])
    assert (told.statuses, told.wrong) == ({A: TaskStatus.PENDING}, ())


def test_no_word_both_moves_and_only_tells() -> None:
    assert not MOVES.keys() & TELLS
