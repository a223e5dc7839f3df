"""The transition table is whole, and the named sets follow from it."""

from __future__ import annotations

from taskengine.core.lifecycle import (
    CANCELLABLE,
    CLOSABLE,
    EXECUTION_TERMINAL,
    EXECUTION_TRANSITIONS,
    NOT_STARTED,
    REOPENABLE,
    TASK_TRANSITIONS,
    TERMINAL,
    may_move,
)
from taskengine.models import ExecutionStatus, TaskStatus


def test_every_status_has_its_moves() -> None:
    assert set(TASK_TRANSITIONS) == {None, *TaskStatus}
    assert set(EXECUTION_TRANSITIONS) == {None, *ExecutionStatus}


def test_every_status_can_be_reached_and_every_task_can_end() -> None:
    for table in (TASK_TRANSITIONS, EXECUTION_TRANSITIONS):
        reached, new = set(), {None}
        while new:
            reached |= new
            new = {finish for start in new for finish in table[start]} - reached
        assert reached == set(table)
    for status in set(TaskStatus) - TERMINAL:
        assert TASK_TRANSITIONS[status] & TERMINAL


def test_what_is_over_is_left_only_by_opening_it_again() -> None:
    for status in TERMINAL:
        assert TASK_TRANSITIONS[status] == {TaskStatus.PENDING}
    assert TERMINAL > REOPENABLE


def test_an_execution_never_leaves_a_terminal_status() -> None:
    assert {
        ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED, ExecutionStatus.TIMED_OUT,
        ExecutionStatus.LOST,
    } == EXECUTION_TERMINAL  # fmt: skip


def test_whatever_is_not_over_can_be_cancelled() -> None:
    assert set(TaskStatus) - TERMINAL == CANCELLABLE
    assert all(may_move(status, TaskStatus.CANCELLED) for status in CANCELLABLE)


def test_what_has_not_started_is_not_running_and_may_be_closed_before_it_was_ready() -> None:
    assert {TaskStatus.RUNNING} == CANCELLABLE - NOT_STARTED
    assert CLOSABLE < NOT_STARTED
