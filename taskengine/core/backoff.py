"""When a failed attempt is tried again, and whether at all."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from taskengine.errors import InvalidInputError
from taskengine.models.outcome import Outcome
from taskengine.models.task import RetryRules, Task

#: Above any retry number that means anything; keeps the exponent within a double.
_MANY = 2**53


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How the waits grow and what is not worth one; the defaults are those of :class:`RetryRules`."""

    #: Seconds before the first retry.
    initial_interval: float = 1.0
    #: Each further wait is this many times the one before.
    backoff_coefficient: float = 2.0
    #: Seconds that no wait exceeds.
    maximum_interval: float = 100.0
    #: Share of the wait that chance may take off, 0 to 1.
    jitter: float = 0.1
    #: Class names, bare (``ValueError``) or with their module (``json.decoder.JSONDecodeError``).
    non_retryable_errors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require("initial_interval", self.initial_interval, 0, math.inf)
        _require("backoff_coefficient", self.backoff_coefficient, 1, math.inf)
        _require("maximum_interval", self.maximum_interval, 0, math.inf)
        _require("jitter", self.jitter, 0, 1)

    @classmethod
    def of(cls, rules: RetryRules | None) -> Self:
        """Return the policy that a task's ``retry`` field asks for; None asks for the defaults."""
        return cls() if rules is None else cls(**rules.model_dump())


def delay_seconds(policy: RetryPolicy, retry_number: int, random: float) -> float:
    """Seconds to wait before retry *retry_number* (1 is the first); *random* is uniform in 0 to 1.

    Jitter comes after the cap, or tasks that failed together would meet again at every capped retry; it
    only shortens, so that ``maximum_interval`` stays a maximum.
    """
    if retry_number < 1:
        raise InvalidInputError(f"retry_number is {retry_number}; the first retry is 1", field="retry_number")
    capped = min(_grown(policy, retry_number), policy.maximum_interval)
    return capped * (1 - policy.jitter * random)


def retry_ms(task: Task, outcome: Outcome, random: float) -> int | None:
    """Milliseconds until the next attempt at *task* after *outcome*; None when there is none."""
    if outcome.kind != "failed" or not outcome.retryable or not task.can_retry():
        return None
    policy = RetryPolicy.of(task.retry)
    if not is_retryable(policy, outcome.error_classes):
        return None
    return round(1000 * delay_seconds(policy, task.retry_count + 1, random))


def is_retryable(policy: RetryPolicy, error_class_names: Iterable[str]) -> bool:
    """Return whether another attempt may help an error with these class names (its own and those of its bases).

    A bare name in the policy meets a class of that name in any module, one with a module only that class.
    """
    names = set(error_class_names)
    names |= {name.rpartition(".")[2] for name in names}
    return names.isdisjoint(policy.non_retryable_errors)


def _grown(policy: RetryPolicy, retry_number: int) -> float:
    if policy.initial_interval == 0:
        return 0.0
    try:
        return policy.initial_interval * policy.backoff_coefficient ** min(retry_number - 1, _MANY)
    except OverflowError:
        return math.inf


def _require(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high or math.isinf(value):
        raise InvalidInputError(f"retry.{field} is {value}; use a finite number, {low} to {high}", field=field)
