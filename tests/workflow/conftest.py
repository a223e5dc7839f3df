"""An engine in one process, whose agent does what a step's input says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from taskengine import RetryRules, agent
from taskengine.testing import Engine

START = datetime(2030, 1, 1, tzinfo=UTC)
#: A capability that no other test's agents offer.
QUEUE = "step-work"
EXACT = RetryRules(initial_interval=10, jitter=0)


def work(**input: Any) -> dict[str, Any]:
    """The template of a task that fails as often as ``fails`` says, and then gives ``gives``."""
    return {"capability": QUEUE, "input": input, "max_retries": 0}


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Every law of the deep check holds for what a test leaves behind."""

    @agent("step-worker", capabilities={QUEUE})
    def worker(task: Any, context: Any) -> dict[str, Any]:
        ran.append(task.name)
        if context.attempt <= task.input.get("fails", 0):
            raise OSError(f"attempt {context.attempt}")
        given: dict[str, Any] = task.input.get("gives", {})
        return given

    ran: list[str] = []
    with Engine([worker], start=START) as made:
        made.ran = ran  # type: ignore[attr-defined]
        yield made
        made.check()
