"""A client that was used before a fork: gunicorn with preload, multiprocessing, a Celery application of one's own."""

from __future__ import annotations

import asyncio
import gc
import random
from threading import Thread
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, Task, TaskAPI
from taskengine.settings import Settings
from taskengine.testing import Engine

from ..fleet import until
from ..forks import fork, together


def strangers(api: BlockingTaskAPI, tasks: list[Task], seed: int) -> int:
    """Of 200 answers those that are about another task than was asked for."""
    order = random.Random(seed)
    return sum(api.get_task(task.id).name != task.name for task in order.choices(tasks, k=200))


def clients(server: Any) -> set[str]:
    return {client["id"] for client in server.client.client_list()}


def test_children_that_share_a_door_get_their_own_answers(one: BlockingTaskAPI) -> None:
    tasks = one.create_tasks([Task(name=f"t{n}") for n in range(20)])
    assert together(*(lambda seed=seed: strangers(one, tasks, seed) for seed in range(4))) == [0] * 4
    assert strangers(one, tasks, 99) == 0


def test_child_of_a_child_gets_its_own_answers(one: BlockingTaskAPI) -> None:
    tasks = one.create_tasks([Task(name=f"t{n}") for n in range(20)])

    def both() -> list[int]:
        begun = strangers(one, tasks, 1)
        grandchild = fork(lambda: strangers(one, tasks, 2))
        return [begun, strangers(one, tasks, 3), grandchild.answer()]

    assert fork(both).answer() == [0, 0, 0]


@pytest.mark.parametrize("is_used", [True, False])
def test_child_that_closes_a_door_leaves_its_parents_open(
    one: BlockingTaskAPI, shared_valkey: Any, *, is_used: bool
) -> None:
    task = one.create_task(Task(name="a"))
    before = clients(shared_valkey)

    def leave() -> None:
        with one:
            if is_used:
                one.get_task(task.id)
        gc.collect()

    fork(leave).answer()
    assert one.get_task(task.id).id == task.id
    assert before <= clients(shared_valkey)


def test_door_that_another_thread_was_opening_opens_in_the_child(valkey: Any) -> None:
    with BlockingTaskAPI(settings=Settings(redis_url=valkey.url)) as api:
        valkey.freeze()
        opening = Thread(target=api.get_queue_statistics)
        opening.start()
        until(lambda: opening.is_alive() and not opening.join(0.2), 5, "the thread was in the middle of it")
        child = fork(lambda: api.get_queue_statistics()["total_tasks"])
        valkey.thaw()
        assert child.answer() == 0
        opening.join()


def test_async_door_has_a_connection_of_its_own_in_each_process(settings: Settings, shared_valkey: Any) -> None:
    loop = asyncio.new_event_loop()
    api = TaskAPI(settings=settings)
    tasks = loop.run_until_complete(api.create_tasks([Task(name=f"t{n}") for n in range(20)]))

    async def ask(seed: int) -> int:
        order = random.Random(seed)
        asked = order.choices(tasks, k=100)
        answers = [await api.get_task(task.id) for task in asked]
        gc.collect()  # what was inherited must outlive this: its finalizer would silence the parent's loop
        return sum(answer.name != task.name for task, answer in zip(asked, answers, strict=True))

    async def ask_and_close(seed: int) -> int:
        async with api:
            return await ask(seed)

    before = clients(shared_valkey)
    assert together(*(lambda seed=seed: asyncio.run(ask_and_close(seed)) for seed in range(3))) == [0] * 3
    assert loop.run_until_complete(ask(99)) == 0
    assert before <= clients(shared_valkey)
    loop.run_until_complete(api.close())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.mark.process
def test_engine_of_a_test_goes_on_in_a_child_without_its_parent() -> None:
    with Engine() as engine:
        (task,) = engine.submit(Task(name="a"))
        child = fork(lambda: [engine.api.cancel_task(task.id), engine.task(task).status])
        assert child.answer() == [True, "cancelled"]
        assert engine.task(task).status == "ready"
