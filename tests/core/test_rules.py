"""Laws of trigger rules: the table, against a definition that tries every way in which what is open may end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement, product

from hypothesis import given
from hypothesis import strategies as st

from taskengine.core.decide import Dependency, Snapshot, Stimulus, decide
from taskengine.core.instructions import CloseTask, Nothing, StartTask
from taskengine.core.rules import FAILURES, Counters, End, Evaluation, blamed, evaluate
from taskengine.models import TaskStatus, TriggerRule

from ..cases import each

OPEN, DONE, FAILED, BEFORE, SKIPPED = "open", End.COMPLETED, End.FAILED, End.FAILED_BEFORE, End.SKIPPED
#: What each rule asks of dependencies that are all over.
WANTS: dict[TriggerRule, Callable[[Sequence[str]], bool]] = {
    TriggerRule.ALL_SUCCESS: lambda ends: set(ends) == {DONE},
    TriggerRule.ALL_DONE: lambda _: True,
    TriggerRule.ALL_FAILED: lambda ends: set(ends) <= FAILURES,
    TriggerRule.ONE_SUCCESS: lambda ends: DONE in ends,
    TriggerRule.ONE_FAILED: lambda ends: not FAILURES.isdisjoint(ends),
    TriggerRule.NONE_FAILED: lambda ends: FAILURES.isdisjoint(ends),
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: lambda ends: FAILURES.isdisjoint(ends) and DONE in ends,
    TriggerRule.ALWAYS: lambda _: True,
}
#: Rules that do not wait for dependencies that can change nothing any more.
HURRIES = {TriggerRule.ONE_SUCCESS, TriggerRule.ONE_FAILED, TriggerRule.ALWAYS}
STANDS = [
    stand for n in range(1, 5) for stand in combinations_with_replacement([OPEN, *End], n)
]


def counters(stand: Sequence[str]) -> Counters:
    n = Counter(stand)
    return Counters(n[OPEN], n[FAILED] + n[BEFORE], n[SKIPPED], n[DONE])


def by_trying(rule: TriggerRule, stand: Sequence[str]) -> Evaluation:
    """Every way in which the open ones may end, looked at."""
    ways = product(*(list(End) if one == OPEN else [one] for one in stand))
    holds = [WANTS[rule](way) for way in ways]
    if not any(holds):
        return Evaluation.NEVER
    return Evaluation.RUN if all(holds) and (OPEN not in stand or rule in HURRIES) else Evaluation.WAIT


@each("rule", TriggerRule)
def test_a_rule_is_what_every_way_to_the_end_says(rule: TriggerRule) -> None:
    for stand in STANDS:
        assert evaluate(rule, counters(stand)) is by_trying(rule, stand), stand


@each("rule", TriggerRule)
def test_without_a_dependency_every_rule_holds(rule: TriggerRule) -> None:
    assert evaluate(rule, Counters(0, 0, 0)) is Evaluation.RUN


@each("rule", TriggerRule)
def test_what_never_holds_has_somebody_to_blame(rule: TriggerRule) -> None:
    for stand in STANDS:
        if evaluate(rule, counters(stand)) is Evaluation.NEVER:
            assert set(stand) & blamed(rule, counters(stand)), stand


_counters = st.builds(Counters, *[st.integers(0, 10**6)] * 4)


@given(st.sampled_from(TriggerRule), _counters)
def test_what_is_settled_stays_settled_whichever_open_dependency_ends_next(
    rule: TriggerRule, now: Counters
) -> None:
    settled = evaluate(rule, now)
    if settled is Evaluation.WAIT:
        assert now.waiting
    elif now.waiting:
        ends = (
            Counters(now.waiting - 1, now.failed + f, now.skipped + c, now.succeeded + s)
            for f, c, s in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        )
        assert {evaluate(rule, then) for then in ends} == {settled}


REASONS = [
    (TriggerRule.ALL_SUCCESS, (DONE, FAILED, OPEN), FAILED, "dependency p failed"),
    (TriggerRule.ALL_FAILED, (DONE, OPEN), DONE, "dependency p completed"),
    (TriggerRule.ALL_FAILED, (SKIPPED, OPEN), SKIPPED, "dependency p was cancelled"),
    (TriggerRule.ONE_SUCCESS, (FAILED,), FAILED, "dependency p failed"),
    (TriggerRule.ONE_SUCCESS, (FAILED, SKIPPED), FAILED, "dependency p failed, and none completed"),
    (
        TriggerRule.ONE_SUCCESS,
        (BEFORE, BEFORE),
        BEFORE,
        "dependency p could not start because of a failure, and none completed",
    ),
    (TriggerRule.ALL_SUCCESS, (BEFORE,), BEFORE, "dependency p could not start because of a failure"),
    (TriggerRule.NONE_FAILED, (BEFORE, OPEN), BEFORE, "dependency p could not start because of a failure"),
    (TriggerRule.ONE_FAILED, (DONE, SKIPPED), DONE, "no dependency failed"),
    (TriggerRule.NONE_FAILED, (FAILED, OPEN), FAILED, "dependency p failed"),
    (TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, (FAILED, OPEN, DONE), FAILED, "dependency p failed"),
    (
        TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        (SKIPPED, SKIPPED),
        SKIPPED,
        "dependency p was cancelled, and none completed",
    ),
]


def snapshot(rule: TriggerRule, stand: Sequence[str], because: End, **more: object) -> Snapshot:
    seen = Snapshot("t", TaskStatus.PENDING, counters(stand), True, "", Dependency("p", "p", because), rule)
    return Snapshot(**{name: more.get(name, getattr(seen, name)) for name in Snapshot.__slots__})  # type: ignore[arg-type]


@each(("rule", "stand", "because", "reason"), REASONS)
def test_a_closed_task_says_which_dependency_and_why(
    rule: TriggerRule, stand: Sequence[str], because: End, reason: str
) -> None:
    closed = CloseTask("t", reason, "p", failed_before=because in FAILURES)
    assert decide(snapshot(rule, stand, because), Stimulus.COUNTERS) == [closed]


RUNS = "runs"
#: The whole table: what becomes of a task whose only dependency ended so. It runs, or it counts for its own dependents
#: as failed before it or as skipped.
TABLE: dict[TriggerRule, dict[End, str]] = {
    TriggerRule.ALL_SUCCESS: {DONE: RUNS, FAILED: BEFORE, BEFORE: BEFORE, SKIPPED: SKIPPED},
    TriggerRule.ALL_DONE: {DONE: RUNS, FAILED: RUNS, BEFORE: RUNS, SKIPPED: RUNS},
    TriggerRule.ALL_FAILED: {DONE: SKIPPED, FAILED: RUNS, BEFORE: RUNS, SKIPPED: SKIPPED},
    TriggerRule.ONE_SUCCESS: {DONE: RUNS, FAILED: BEFORE, BEFORE: BEFORE, SKIPPED: SKIPPED},
    TriggerRule.ONE_FAILED: {DONE: SKIPPED, FAILED: RUNS, BEFORE: RUNS, SKIPPED: SKIPPED},
    TriggerRule.NONE_FAILED: {DONE: RUNS, FAILED: BEFORE, BEFORE: BEFORE, SKIPPED: RUNS},
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: {DONE: RUNS, FAILED: BEFORE, BEFORE: BEFORE, SKIPPED: SKIPPED},
    TriggerRule.ALWAYS: {DONE: RUNS, FAILED: RUNS, BEFORE: RUNS, SKIPPED: RUNS},
}


@each("rule", TriggerRule)
@each("end", End)
def test_a_task_and_its_only_dependency_are_as_the_table_says(rule: TriggerRule, end: End) -> None:
    assert decide_about(rule, [end], end) == TABLE[rule][end]
    assert passed_on(rule, [end]) == TABLE[rule][end]


def passed_on(rule: TriggerRule, ends: Sequence[End]) -> str:
    """The same of any number of dependencies, in words."""
    failed, skipped = not FAILURES.isdisjoint(ends), SKIPPED in ends
    match rule:
        case TriggerRule.ALL_DONE | TriggerRule.ALWAYS:
            return RUNS
        case TriggerRule.ALL_SUCCESS:
            return BEFORE if failed else SKIPPED if skipped else RUNS
        case TriggerRule.ALL_FAILED:
            return RUNS if set(ends) <= FAILURES else SKIPPED
        case TriggerRule.ONE_SUCCESS:
            return RUNS if DONE in ends else BEFORE if failed else SKIPPED
        case TriggerRule.ONE_FAILED:
            return RUNS if failed else SKIPPED
        case TriggerRule.NONE_FAILED:
            return BEFORE if failed else RUNS
        case TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS:
            return BEFORE if failed else RUNS if DONE in ends else SKIPPED


@each("rule", TriggerRule)
@each("ends", list(combinations_with_replacement(End, 3)))
def test_a_failure_is_passed_on_as_failure_and_nothing_else_is(rule: TriggerRule, ends: Sequence[End]) -> None:
    told = {decide_about(rule, ends, because) for because in ends} - {"nobody to blame"}
    assert told == {passed_on(rule, ends)}


def decide_about(rule: TriggerRule, ends: Sequence[End], because: End) -> str:
    match decide(snapshot(rule, ends, because), Stimulus.COUNTERS):
        case [CloseTask(failed_before=failed_before)]:
            return BEFORE if failed_before else SKIPPED
        case [StartTask()]:
            return RUNS
        case _:
            runs = evaluate(rule, counters(ends)) is Evaluation.RUN  # the scripts start a plain task
            return RUNS if runs else "nobody to blame"


@each("rule", sorted(set(TriggerRule) - {TriggerRule.ALL_SUCCESS}))
def test_a_held_task_is_not_started_by_its_rule(rule: TriggerRule) -> None:
    stand = (FAILED,) if rule in {TriggerRule.ALL_FAILED, TriggerRule.ONE_FAILED} else (DONE,)
    seen = snapshot(rule, stand, DONE)
    assert decide(seen, Stimulus.COUNTERS) == [StartTask("t")]
    (answer,) = decide(snapshot(rule, stand, DONE, held=True), Stimulus.COUNTERS)
    assert isinstance(answer, Nothing)
