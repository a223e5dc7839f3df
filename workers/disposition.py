"""What becomes of an attempt that did not complete: another one after a delay, or none."""

from __future__ import annotations

import random
from typing import NamedTuple

from taskengine.core.backoff import retry_ms
from taskengine.models import Outcome, Task

#: By how much of itself a wait for a provider is longer, at most.
_SPREAD = 0.2


class Disposition(NamedTuple):
    """What a report says became of an attempt."""

    #: completed, failed, cancelled, retry, not_now, agent_not_now, credential_not_now or ask.
    word: str
    #: Milliseconds until the next attempt; None when there is none.
    delay_ms: int | None


def disposition(task: Task, outcome: Outcome) -> Disposition:
    """Return what becomes of *outcome*: a *not now* spends no retry and needs none left."""
    if outcome.kind == "not_now":
        word = f"{outcome.scope}_not_now" if outcome.scope else "not_now"
        # All that share a credential come back at once, but for this.
        more = 1 + _SPREAD * random.random() if outcome.scope == "credential" else 1  # noqa: S311  # jitter
        return Disposition(word, round(1000 * outcome.delay * more))
    if outcome.kind == "needs_input":
        return Disposition("ask", None)
    delay = retry_ms(task, outcome, random.random())  # noqa: S311  # jitter
    return Disposition(outcome.kind if delay is None else "retry", delay)
