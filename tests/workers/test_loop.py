"""A coroutine agent is waited for to its real end, and an order to cancel is never lost on the way."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import CancelledError
from typing import Any

import pytest

from workers.loop import Run, _shared_loop


class Late(Run):
    """Ends in the moment between a look that found it at work and the question whether it is over."""

    def result(self, seconds: float | None) -> Any:
        value = super().result(None)
        if seconds is not None:
            raise TimeoutError
        return value


async def answer() -> int:
    return 42


async def too_slow() -> None:
    raise TimeoutError("the model did not answer")


def test_a_coroutine_that_ends_while_it_is_looked_at_keeps_its_result() -> None:
    assert Late(answer()).watch(lambda: False, 0.01) == 42


def test_a_timeout_that_a_coroutine_raises_is_its_own() -> None:
    with pytest.raises(TimeoutError, match="the model did not answer"):
        Run(too_slow()).watch(lambda: False, 5)


def test_a_cancel_before_the_first_step_is_heard() -> None:
    _shared_loop().call_soon_threadsafe(time.sleep, 0.1)
    run = Run(asyncio.sleep(60))
    run.cancel()
    with pytest.raises(CancelledError):
        run.result(5)


def test_a_cancel_that_is_seen_reaches_the_coroutine() -> None:
    with pytest.raises(CancelledError):
        Run(asyncio.sleep(60)).watch(lambda: True, 5)
