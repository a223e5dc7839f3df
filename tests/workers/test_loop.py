"""A coroutine agent is waited for to its real end, an order to cancel is never lost on the way, and the loop that all
of them share outlives whatever one of them does.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import CancelledError
from typing import Any

import pytest

from workers.loop import Run

from ..forks import fork


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
    before = Run(answer())
    before.loop.call_soon_threadsafe(time.sleep, 0.1)
    run = Run(asyncio.sleep(60))
    run.cancel()
    with pytest.raises(CancelledError):
        run.result(5)


def test_a_cancel_that_is_seen_reaches_the_coroutine() -> None:
    with pytest.raises(CancelledError):
        Run(asyncio.sleep(60)).watch(lambda: True, 5)


async def leave(exc: BaseException) -> None:
    await asyncio.sleep(0)
    raise exc


async def gathered(exc: BaseException) -> None:
    await asyncio.gather(leave(exc), asyncio.sleep(60))


async def grouped(exc: BaseException) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(leave(exc))
        group.create_task(asyncio.sleep(60))


async def waited(exc: BaseException) -> None:
    await asyncio.wait_for(leave(exc), 60)


async def forgotten(exc: BaseException) -> None:
    part = asyncio.create_task(leave(exc))
    await asyncio.sleep(60)
    await part


async def swallowed(exc: BaseException) -> str:
    part = asyncio.create_task(leave(exc))
    await asyncio.wait([part])
    return "as if nothing were"


@pytest.mark.parametrize("culprit", [gathered, grouped, waited, forgotten, swallowed, leave])
@pytest.mark.parametrize("exc", [SystemExit(3), KeyboardInterrupt()])
def test_a_part_that_calls_exit_ends_its_own_run_and_no_other(culprit: Any, exc: BaseException) -> None:
    neighbour = Run(asyncio.sleep(0.2, "slept"))
    with pytest.raises(type(exc)) as raised:
        Run(culprit(exc)).result(5)
    assert raised.value is exc
    assert neighbour.result(5) == "slept"
    assert Run(answer()).result(5) == 42


async def call_back(exc: BaseException) -> int:
    def leave_at_once() -> None:
        raise exc

    asyncio.get_running_loop().call_soon(leave_at_once)
    await asyncio.sleep(0.01)
    return 42


def test_a_callback_that_calls_exit_is_told_in_the_log_and_ends_nobody(caplog: pytest.LogCaptureFixture) -> None:
    assert Run(call_back(SystemExit(1))).result(5) == 42
    assert "raised SystemExit; the loop goes on" in caplog.text


async def stop() -> int:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0.01)
    return 42


def test_a_coroutine_that_stops_the_loop_stops_nobody() -> None:
    neighbour = Run(asyncio.sleep(0.1, "slept"))
    assert Run(stop()).result(5) == 42
    assert neighbour.result(5) == "slept"


async def break_loop() -> None:
    loop: Any = asyncio.get_running_loop()
    loop._selector.close()
    await asyncio.sleep(60)


def test_a_loop_that_breaks_fails_who_was_on_it_and_the_next_run_gets_a_new_one() -> None:
    neighbour = Run(asyncio.sleep(60))
    with pytest.raises(Exception):  # noqa: B017  # whatever a closed selector says
        Run(break_loop()).result(5)
    with pytest.raises(Exception):  # noqa: B017
        neighbour.result(5)
    assert Run(answer()).result(5) == 42


@pytest.mark.process
def test_a_child_runs_coroutines_on_a_loop_of_its_own() -> None:
    assert Run(answer()).result(5) == 42
    assert fork(lambda: Run(answer()).result(5)).answer() == 42
    assert Run(answer()).result(5) == 42


async def forks(how: str, codes: list[int]) -> str:
    pid = os.fork()
    if pid == 0:
        if how == "awaits":
            await asyncio.sleep(60)
        if how == "raises":
            raise ValueError("in the child")
        if how == "exits":
            raise SystemExit(7)
        return "child"
    while not (found := os.waitpid(pid, os.WNOHANG))[0]:
        await asyncio.sleep(0.01)
    codes.append(os.waitstatus_to_exitcode(found[1]))
    return "parent"


@pytest.mark.process
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(("how", "code"), [("awaits", 1), ("raises", 1), ("exits", 7), ("returns", 0)])
def test_a_coroutine_that_forks_goes_on_in_the_parent_and_its_child_ends(how: str, code: int) -> None:
    codes: list[int] = []
    neighbour = Run(asyncio.sleep(0.1, "slept"))
    assert Run(forks(how, codes)).result(20) == "parent"
    assert codes == [code]
    assert neighbour.result(5) == "slept"
