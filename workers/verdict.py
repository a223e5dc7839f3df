"""What becomes of a failed attempt: another one after a delay, or none."""

from __future__ import annotations

import random

from taskengine.core.backoff import RetryPolicy, delay_seconds, is_retryable
from taskengine.models import Outcome, Task


def retry_ms(task: Task, outcome: Outcome) -> int | None:
    """Milliseconds until the next attempt; None when there is none."""
    policy = RetryPolicy.of(task.retry)
    if outcome.kind != "failed" or not outcome.retryable or not task.can_retry():
        return None
    if not is_retryable(policy, outcome.error_classes):
        return None
    return round(1000 * delay_seconds(policy, task.retry_count + 1, random.random()))  # noqa: S311  # jitter
