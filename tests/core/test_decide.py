"""Laws of the pure heart: what follows from a dependency's end, and that a late question changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.core.decide import Dependency, Snapshot, Stimulus, decide
from taskengine.core.instructions import CloseTask, Nothing, ReopenTask
from taskengine.core.rules import FAILURES, Counters, End, blamed
from taskengine.models import TaskStatus, TriggerRule

from ..cases import each

FAILED = Dependency("a", "compile", End.FAILED)
SKIPPED = replace(FAILED, end=End.SKIPPED)
REOPENED = replace(FAILED, end=None)
PENDING = Snapshot("b", TaskStatus.PENDING, Counters(0, 1, 0), True, "", FAILED)
CLOSED = Snapshot("b", TaskStatus.CANCELLED, Counters(1, 0, 0), True, "a", REOPENED)

ENDS = (Stimulus.COUNTERS, Stimulus.DEPENDENCY_FAILED, Stimulus.DEPENDENCY_SKIPPED)


@each("stimulus", ENDS)
def test_a_failed_dependency_closes_its_dependent_and_is_named(stimulus: Stimulus) -> None:
    assert decide(PENDING, stimulus) == [
        CloseTask("b", "dependency compile failed", "a", failed_before=True)
    ]


def test_a_cancelled_dependency_closes_its_dependent_and_is_named() -> None:
    cancelled = replace(PENDING, counters=Counters(2, 0, 1), because=SKIPPED)
    assert decide(cancelled, Stimulus.DEPENDENCY_SKIPPED) == [
        CloseTask("b", "dependency compile was cancelled", "a", failed_before=False)
    ]


@each("status", sorted(set(TaskStatus) - {TaskStatus.PENDING}))
@pytest.mark.parametrize("stimulus", ENDS)
def test_a_task_that_is_not_pending_any_more_is_left_alone(status: TaskStatus, stimulus: Stimulus) -> None:
    assert decide(replace(PENDING, status=status), stimulus) == [Nothing(f"it is {status}")]


def test_a_task_of_an_unsettled_graph_is_left_to_the_fall_of_its_commit_wait() -> None:
    (answer,) = decide(replace(PENDING, visible=False), Stimulus.DEPENDENCY_FAILED)
    assert isinstance(answer, Nothing)


@pytest.mark.parametrize("because", [None, REOPENED])
def test_nothing_is_closed_while_the_culprit_takes_its_word_back(because: Dependency | None) -> None:
    (answer,) = decide(replace(PENDING, because=because), Stimulus.COUNTERS)
    assert isinstance(answer, Nothing)


@pytest.mark.parametrize("waiting", [0, 3])
def test_a_task_whose_rule_may_still_hold_is_left_to_the_scripts(waiting: int) -> None:
    (answer,) = decide(replace(PENDING, counters=Counters(waiting, 0, 0)), Stimulus.COUNTERS)
    assert isinstance(answer, Nothing)


def test_what_a_reopened_task_had_closed_is_reopened() -> None:
    assert decide(CLOSED, Stimulus.REOPENED) == [ReopenTask("b", "a")]


@each(
    "other",
    [
        replace(CLOSED, closed_by="c"),
        replace(CLOSED, closed_by=""),
        replace(CLOSED, because=None),
        replace(CLOSED, status=TaskStatus.PENDING),
        replace(CLOSED, status=TaskStatus.COMPLETED),
    ],
)
def test_what_something_else_closed_or_already_opened_stays(other: Snapshot) -> None:
    (answer,) = decide(other, Stimulus.REOPENED)
    assert isinstance(answer, Nothing)


_dependencies = st.builds(Dependency, st.text(), st.text(), st.none() | st.sampled_from(End))
_snapshots = st.builds(
    Snapshot,
    task_id=st.text(),
    status=st.sampled_from(TaskStatus),
    counters=st.builds(Counters, st.integers(-1, 3), st.integers(-1, 3), st.integers(-1, 3)),
    visible=st.booleans(),
    closed_by=st.text(),
    because=st.none() | _dependencies,
    rule=st.sampled_from(TriggerRule),
    held=st.booleans(),
)


@given(_snapshots, st.sampled_from(Stimulus))
def test_every_question_has_one_answer(snapshot: Snapshot, stimulus: Stimulus) -> None:
    answer = decide(snapshot, stimulus)
    assert answer
    assert answer == decide(snapshot, stimulus)


@given(_snapshots, st.sampled_from(Stimulus))
def test_a_task_is_closed_only_by_what_its_rule_minds(snapshot: Snapshot, stimulus: Stimulus) -> None:
    for one in decide(snapshot, stimulus):
        if isinstance(one, CloseTask):
            assert snapshot.because is not None
            end, to_blame = snapshot.because.end, snapshot.because.task_id
            assert end in blamed(snapshot.rule, snapshot.counters)
            assert one == CloseTask(snapshot.task_id, one.reason, to_blame, failed_before=end in FAILURES)
