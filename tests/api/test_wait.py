"""wait: it ends with the last of its tasks, and costs the server next to nothing."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from taskengine import BlockingTaskAPI, InvalidInputError, NotFoundError, Task, TaskAPI, WaitTimeoutError
from taskengine.settings import Settings

from ..store.world import World

T = TypeVar("T")


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


def calls(server: Any) -> int:
    """Commands that clients sent so far; those of scripts count as one."""
    stats = server.client.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {}).get("calls", 0)) + int(
        stats.get("cmdstat_xread", {}).get("calls", 0)
    )


def drain(world: World) -> None:
    """Work off all that is READY, one slot pulling."""
    told = world.start()
    while told is not None:
        answer = world.report(told, pull=True, output='{"name":"' + told.name + '"}')
        told = answer.assignment


def test_results_come_in_the_order_asked(api: Any, world: World) -> None:
    made = api.create_tasks(lint(str(n)) for n in range(5))
    drain(world)
    ids = [task.id for task in made][::-1]
    found = api.wait([*ids, ids[0]], timeout=5)
    assert [task.id for task in found] == [*ids, ids[0]]
    assert [task.result for task in found] == [{"name": str(n)} for n in (4, 3, 2, 1, 0, 4)]


def test_one_id_needs_no_list(api: Any, world: World) -> None:
    task = api.create_task(lint())
    drain(world)
    assert api.wait(task.id)[0].status == api.wait(str(task.id))[0].status == "completed"
    assert api.wait([]) == []


def test_timeout_names_what_is_pending(api: Any, world: World) -> None:
    done, open_ = api.create_tasks([lint("done"), lint("open", hold=True)])
    drain(world)
    began = time.monotonic()
    with pytest.raises(WaitTimeoutError, match=str(open_.id)) as late:
        api.wait([done.id, open_.id], timeout=0.2)
    assert late.value.pending == (str(open_.id),)
    assert time.monotonic() - began < 2
    with pytest.raises(WaitTimeoutError):
        api.wait([open_.id], timeout=0)


def test_unknown_id_is_refused_at_once(api: Any) -> None:
    task = api.create_task(lint())
    with pytest.raises(NotFoundError):
        api.wait([task.id, uuid4()])


@pytest.mark.parametrize("timeout", [-1, float("nan"), "1", True])
def test_wrong_timeout_is_refused(api: Any, timeout: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        api.wait([], timeout=timeout)
    assert refused.value.field == "timeout"


def ended_while_waiting(
    one: BlockingTaskAPI, world: World, server: Any, made: list[Task], end: Callable[[], None]
) -> int:
    """Calls of a waiter and of *end*, which ends all tasks."""
    found: list[Any] = []
    waiter = threading.Thread(target=lambda: found.append(one.wait([task.id for task in made], timeout=60)))
    before = calls(server)
    waiter.start()
    end()
    waiter.join()
    assert [task.id for task in found[0]] == [task.id for task in made]
    return calls(server) - before


@pytest.mark.parametrize("backwards", [False, True], ids=["in-order", "backwards"])
def test_waiting_for_thousands_is_nearly_free(
    one: BlockingTaskAPI, world: World, shared_valkey: Any, backwards: bool
) -> None:
    made = one.create_tasks(
        lint(str(n), priority=5 - n * 5 // 1000 if not backwards else 1 + n * 5 // 1000) for n in range(1000)
    )
    added = ended_while_waiting(one, world, shared_valkey, made, lambda: drain(world))
    worked = 1000 + 2  # beat, claim, reports
    looked = 4 + 10 + 4  # statuses at first, tasks and outputs at the end
    assert added - worked - looked < 120


def test_many_wait_for_one(settings: Settings, one: BlockingTaskAPI, world: World) -> None:
    task = one.create_task(lint())

    async def everybody() -> list[list[Task]]:
        async with TaskAPI(settings=settings) as api:
            waiting = [asyncio.create_task(api.wait([task.id], timeout=20)) for _ in range(50)]
            await asyncio.sleep(0)
            await asyncio.to_thread(drain, world)
            return await asyncio.gather(*waiting)

    assert {found[0].status for found in asyncio.run(everybody())} == {"completed"}


def test_waiting_does_not_block_the_loop(settings: Settings, one: BlockingTaskAPI, world: World) -> None:
    task = one.create_task(lint())

    async def operation() -> int:
        async with TaskAPI(settings=settings) as api:
            waiting = asyncio.create_task(api.wait([task.id], timeout=20))
            turns = 0
            while not world.fields("task", task.id).get("wt"):
                await asyncio.sleep(0.001)
            while turns < 50:
                await asyncio.sleep(0.001)
                turns += 1
            assert not waiting.done()
            await asyncio.to_thread(drain, world)
            await waiting
            return turns

    assert asyncio.run(operation()) == 50


def run_and_cancel(operation: Coroutine[Any, Any, T]) -> T:
    """The answer of what cancels calls at any moment: redis-py leaves a connection that it was just opening, once in
    some hundred times, to the garbage collector.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        answer = asyncio.run(operation)
        gc.collect()
    return answer


def test_a_wait_ends_whenever_its_cancel_comes(settings: Settings, one: BlockingTaskAPI) -> None:
    task = one.create_task(lint(hold=True))

    async def operation() -> None:
        async with TaskAPI(settings=settings) as api:
            for n in range(100):
                waiting = asyncio.create_task(api.wait([task.id]))
                await asyncio.sleep((n % 10) / 2000)
                waiting.cancel()
                ended, _ = await asyncio.wait([waiting], timeout=3)
                assert ended, n
                assert waiting.cancelled()

    run_and_cancel(operation())


def test_abandoned_wait_leaves_the_door_usable(settings: Settings, one: BlockingTaskAPI) -> None:
    tasks = one.create_tasks(lint(str(n), hold=True) for n in range(20))

    async def operation() -> list[str]:
        async with TaskAPI(settings=settings) as api:
            for task in tasks:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(api.wait([task.id]), 0.02)
            return [task.name for task in await asyncio.gather(*(api.get_task(task.id) for task in tasks))]

    assert run_and_cancel(operation()) == [str(n) for n in range(20)]
