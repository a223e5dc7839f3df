"""Laws of core/backoff: waits grow to a cap, jitter only shortens, named errors are final."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine.core.backoff import RetryPolicy, delay_seconds, is_retryable
from taskengine.errors import InvalidInputError
from taskengine.models import RetryRules

from ..cases import each

STEADY = RetryPolicy(jitter=0)

policies = st.builds(
    RetryPolicy,
    initial_interval=st.floats(0, 1e6),
    backoff_coefficient=st.floats(1, 100),
    maximum_interval=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)
retries = st.integers(1, 50) | st.integers(1, 10**400)
chances = st.floats(0, 1)


def test_default_waits_double_from_one_second_to_a_hundred() -> None:
    waits = [delay_seconds(STEADY, number, 0.5) for number in range(1, 10)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 100, 100]


def test_jitter_takes_its_share_off_after_the_cap() -> None:
    policy = RetryPolicy(jitter=0.2)
    assert delay_seconds(policy, 30, 0.0) == 100
    assert delay_seconds(policy, 30, 0.5) == 90
    assert delay_seconds(policy, 30, 1.0) == 80


@pytest.mark.parametrize("retry_number", [1025, 10**6, 10**30, 10**400])
def test_huge_retry_number_waits_the_maximum(retry_number: int) -> None:
    assert delay_seconds(STEADY, retry_number, 0.5) == 100
    assert delay_seconds(RetryPolicy(backoff_coefficient=1, jitter=0), retry_number, 0.5) == 1
    assert delay_seconds(RetryPolicy(initial_interval=0, jitter=0), retry_number, 0.5) == 0


def test_initial_interval_above_the_maximum_waits_the_maximum() -> None:
    assert delay_seconds(RetryPolicy(initial_interval=500, jitter=0), 1, 0.5) == 100


@given(policies, retries, chances)
@settings(max_examples=150, deadline=None)
def test_wait_is_finite_and_never_above_the_maximum(
    policy: RetryPolicy, retry_number: int, chance: float
) -> None:
    wait = delay_seconds(policy, retry_number, chance)
    assert math.isfinite(wait)
    assert 0 <= wait <= policy.maximum_interval


@given(policies, retries, chances)
@settings(max_examples=150, deadline=None)
def test_next_wait_is_never_shorter_at_equal_chance(
    policy: RetryPolicy, retry_number: int, chance: float
) -> None:
    assert delay_seconds(policy, retry_number, chance) <= delay_seconds(policy, retry_number + 1, chance)


@given(policies, retries, chances)
@settings(deadline=None)
def test_same_arguments_give_the_same_wait(policy: RetryPolicy, retry_number: int, chance: float) -> None:
    assert delay_seconds(policy, retry_number, chance) == delay_seconds(policy, retry_number, chance)


@pytest.mark.parametrize("retry_number", [0, -1])
def test_retry_number_below_one_is_refused(retry_number: int) -> None:
    with pytest.raises(InvalidInputError, match="the first retry is 1"):
        delay_seconds(STEADY, retry_number, 0.5)


@each(
    ("field", "value"),
    [
        ("initial_interval", -1.0),
        ("backoff_coefficient", 0.5),
        ("maximum_interval", math.inf),
        ("maximum_interval", math.nan),
        ("jitter", 1.1),
    ],
)
def test_wrong_policy_is_refused_with_its_field(field: str, value: float) -> None:
    with pytest.raises(InvalidInputError, match=rf"retry\.{field}") as caught:
        RetryPolicy(**{field: value})  # type: ignore[arg-type]  # only numbers are tried
    assert caught.value.field == field


def test_policy_is_frozen() -> None:
    with pytest.raises(AttributeError):
        STEADY.jitter = 0.5  # type: ignore[misc]  # that it is refused is the point


def test_defaults_are_those_of_the_tasks_retry_field() -> None:
    assert RetryPolicy.of(None) == RetryPolicy.of(RetryRules()) == RetryPolicy()


def test_policy_takes_every_rule_of_a_task() -> None:
    rules = RetryRules(
        initial_interval=3,
        backoff_coefficient=1.5,
        maximum_interval=7,
        jitter=0.3,
        non_retryable_errors=("ValueError",),
    )
    assert RetryPolicy.of(rules) == RetryPolicy(3, 1.5, 7, 0.3, ("ValueError",))


def test_every_error_is_retryable_unless_named() -> None:
    assert is_retryable(RetryPolicy(), ("ValueError", "Exception"))
    assert is_retryable(RetryPolicy(), ())


@each(
    ("named", "raised", "retryable"),
    [
        (("ValueError",), ("ValueError", "Exception"), False),
        (("LookupError",), ("builtins.KeyError", "builtins.LookupError", "builtins.Exception"), False),
        (("JSONDecodeError",), ("json.decoder.JSONDecodeError", "builtins.ValueError"), False),
        (("json.decoder.JSONDecodeError",), ("json.decoder.JSONDecodeError",), False),
        (("other.JSONDecodeError",), ("json.decoder.JSONDecodeError",), True),
        (("Value",), ("ValueError",), True),
        (("KeyError", "TypeError"), ("ValueError",), True),
    ],
)
def test_named_error_or_one_of_its_bases_is_final(
    named: tuple[str, ...], raised: tuple[str, ...], retryable: bool
) -> None:
    assert is_retryable(RetryPolicy(non_retryable_errors=named), raised) is retryable
