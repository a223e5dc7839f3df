"""Laws of trigger rules: the table, against a definition that tries every way in which what is open may end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.core.decide import Dependency, Snapshot, Stimulus, decide
from taskengine.core.instructions import CloseTask, Nothing, StartTask
from taskengine.core.rules import Counters, Verdict, blamed, judge
from taskengine.models import TaskStatus, TriggerRule

OPEN, DONE, FAILED, CANCELLED = "open", TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED
#: What each rule asks of dependencies that are all over.
WANTS: dict[TriggerRule, Callable[[Sequence[str]], bool]] = {
    TriggerRule.ALL_SUCCESS: lambda ends: set(ends) == {DONE},
    TriggerRule.ALL_DONE: lambda _: True,
    TriggerRule.ALL_FAILED: lambda ends: set(ends) == {FAILED},
    TriggerRule.ONE_SUCCESS: lambda ends: DONE in ends,
    TriggerRule.ONE_FAILED: lambda ends: FAILED in ends,
    TriggerRule.NONE_FAILED: lambda ends: FAILED not in ends,
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: lambda ends: FAILED not in ends and DONE in ends,
    TriggerRule.ALWAYS: lambda _: True,
}
#: Rules that do not wait for dependencies that can change nothing any more.
HURRIES = {TriggerRule.ONE_SUCCESS, TriggerRule.ONE_FAILED, TriggerRule.ALWAYS}
STANDS = [
    stand for n in range(1, 5) for stand in combinations_with_replacement([OPEN, DONE, FAILED, CANCELLED], n)
]


def counters(stand: Sequence[str]) -> Counters:
    n = Counter(stand)
    return Counters(n[OPEN], n[FAILED], n[CANCELLED], n[DONE])


def by_trying(rule: TriggerRule, stand: Sequence[str]) -> Verdict:
    """Every way in which the open ones may end, looked at."""
    ways = product(*([DONE, FAILED, CANCELLED] if one == OPEN else [one] for one in stand))
    holds = [WANTS[rule](way) for way in ways]
    if not any(holds):
        return Verdict.NEVER
    return Verdict.RUN if all(holds) and (OPEN not in stand or rule in HURRIES) else Verdict.WAIT


@pytest.mark.parametrize("rule", TriggerRule)
def test_a_rule_is_what_every_way_to_the_end_says(rule: TriggerRule) -> None:
    for stand in STANDS:
        assert judge(rule, counters(stand)) is by_trying(rule, stand), stand


@pytest.mark.parametrize("rule", TriggerRule)
def test_without_a_dependency_every_rule_holds(rule: TriggerRule) -> None:
    assert judge(rule, Counters(0, 0, 0)) is Verdict.RUN


@pytest.mark.parametrize("rule", TriggerRule)
def test_what_never_holds_has_somebody_to_blame(rule: TriggerRule) -> None:
    for stand in STANDS:
        if judge(rule, counters(stand)) is Verdict.NEVER:
            assert set(stand) & blamed(rule, counters(stand)), stand


_counters = st.builds(Counters, *[st.integers(0, 10**6)] * 4)


@given(st.sampled_from(TriggerRule), _counters)
def test_what_is_settled_stays_settled_whichever_open_dependency_ends_next(
    rule: TriggerRule, now: Counters
) -> None:
    settled = judge(rule, now)
    if settled is Verdict.WAIT:
        assert now.waiting
    elif now.waiting:
        ends = (
            Counters(now.waiting - 1, now.failed + f, now.cancelled + c, now.succeeded + s)
            for f, c, s in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        )
        assert {judge(rule, then) for then in ends} == {settled}


REASONS = [
    (TriggerRule.ALL_SUCCESS, (DONE, FAILED, OPEN), FAILED, "dependency p failed"),
    (TriggerRule.ALL_FAILED, (DONE, OPEN), DONE, "dependency p completed"),
    (TriggerRule.ALL_FAILED, (CANCELLED, OPEN), CANCELLED, "dependency p was cancelled"),
    (TriggerRule.ONE_SUCCESS, (FAILED,), FAILED, "dependency p failed"),
    (TriggerRule.ONE_SUCCESS, (FAILED, CANCELLED), FAILED, "dependency p failed, and none completed"),
    (TriggerRule.ONE_FAILED, (DONE, CANCELLED), DONE, "no dependency failed"),
    (TriggerRule.NONE_FAILED, (FAILED, OPEN), FAILED, "dependency p failed"),
    (TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, (FAILED, OPEN, DONE), FAILED, "dependency p failed"),
    (
        TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        (CANCELLED, CANCELLED),
        CANCELLED,
        "dependency p was cancelled, and none completed",
    ),
]


def snapshot(rule: TriggerRule, stand: Sequence[str], because: TaskStatus, **more: object) -> Snapshot:
    seen = Snapshot("t", TaskStatus.PENDING, counters(stand), True, "", Dependency("p", "p", because), rule)
    return Snapshot(**{name: more.get(name, getattr(seen, name)) for name in Snapshot.__slots__})  # type: ignore[arg-type]


@pytest.mark.parametrize(("rule", "stand", "because", "reason"), REASONS)
def test_a_closed_task_says_which_dependency_and_why(
    rule: TriggerRule, stand: Sequence[str], because: TaskStatus, reason: str
) -> None:
    assert decide(snapshot(rule, stand, because), Stimulus.COUNTERS) == [CloseTask("t", reason, "p")]


@pytest.mark.parametrize("rule", sorted(set(TriggerRule) - {TriggerRule.ALL_SUCCESS}))
def test_a_held_task_is_not_started_by_its_rule(rule: TriggerRule) -> None:
    stand = (FAILED,) if rule in {TriggerRule.ALL_FAILED, TriggerRule.ONE_FAILED} else (DONE,)
    seen = snapshot(rule, stand, DONE)
    assert decide(seen, Stimulus.COUNTERS) == [StartTask("t")]
    (answer,) = decide(snapshot(rule, stand, DONE, held=True), Stimulus.COUNTERS)
    assert isinstance(answer, Nothing)
