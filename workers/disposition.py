"""What becomes of an attempt that did not complete: another one after a delay, or none."""

from __future__ import annotations

import random
from typing import NamedTuple

from taskengine.core.backoff import RetryPolicy, delay_seconds, is_retryable
from taskengine.models import Outcome, Task


class Disposition(NamedTuple):
    """What a report says became of an attempt."""

    #: completed, failed, cancelled, retry, not_now or agent_not_now.
    word: str
    #: Milliseconds until the next attempt; None when there is none.
    delay_ms: int | None


def disposition(task: Task, outcome: Outcome) -> Disposition:
    """Return what becomes of *outcome*: a *not now* spends no retry and needs none left."""
    if outcome.kind == "not_now":
        return Disposition("agent_not_now" if outcome.scope else "not_now", round(1000 * outcome.delay))
    delay = retry_ms(task, outcome)
    return Disposition(outcome.kind if delay is None else "retry", delay)


def retry_ms(task: Task, outcome: Outcome) -> int | None:
    """Milliseconds until the next attempt; None when there is none."""
    if outcome.kind != "failed" or not outcome.retryable or not task.can_retry():
        return None
    policy = RetryPolicy.of(task.retry)
    if not is_retryable(policy, outcome.error_classes):
        return None
    return round(1000 * delay_seconds(policy, task.retry_count + 1, random.random()))  # noqa: S311  # jitter
