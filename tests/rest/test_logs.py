"""Lines of a log, told to any number of listeners by one reader."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import replace
from uuid import UUID

import pytest

from taskengine.models import Task
from taskengine.rest import logs
from taskengine.rest.auth import Door
from taskengine.rest.background import Background
from taskengine.rest.logs import Logs, Place
from taskengine.settings import Settings
from taskengine.store import executions
from taskengine.store.fields import ExecutionField
from taskengine.store.replies import Assignment

from ..store.world import World
from .listening import until

pytestmark = pytest.mark.process
MANY = 500


@pytest.fixture
def task(world: World) -> Task:
    return world.new("a")


@pytest.fixture
def told(world: World, task: Task) -> Assignment:
    """What runs."""
    return world.start()


def says(world: World, told: Assignment, number: int, *texts: str) -> None:
    lines = [json.dumps({"timestamp": "2030-01-01T00:00:00Z", "message": text}) for text in texts]
    assert world.run(executions.append_logs(told.execution_id, 1, number=number, lines=lines)).ok


def connections(world: World) -> int:
    return len(world.raw.client_list())


class Ear:
    """Takes what it is told."""

    def __init__(self, stream: AsyncGenerator[bytes]) -> None:
        self.heard = b""
        self.hearing = asyncio.ensure_future(self._hear(stream))

    async def _hear(self, stream: AsyncGenerator[bytes]) -> None:
        async with aclosing(stream):
            async for piece in stream:
                self.heard += piece

    def messages(self) -> list[str]:
        data = [line.removeprefix(b"data: ") for line in self.heard.split(b"\n") if line.startswith(b"data: ")]
        return [said["message"] for said in map(json.loads, data) if "message" in said]

    async def leave(self) -> None:
        self.hearing.cancel()
        with suppress(asyncio.CancelledError):
            await self.hearing


async def test_five_hundred_listeners_of_a_log_cost_one_connection_and_hear_every_line_once(
    settings: Settings, world: World, task: Task, told: Assignment
) -> None:
    says(world, told, 1, "1", "2")
    background = Background()
    async with Door(settings=settings) as door:
        await door.list_limits()
        before = connections(world)
        log = Logs(door, background)
        ears = [Ear(log.listen(Place(task.id, None, ["1.1", None][n % 2]))) for n in range(MANY)]
        await until(lambda: all("2" in ear.messages() for ear in ears))
        for number in range(3, 8):
            says(world, told, number, str(number))
            await until(lambda number=number: all(str(number) in ear.messages() for ear in ears))
            assert connections(world) <= before + 1
        world.report(told)
        await until(lambda: all(ear.hearing.done() for ear in ears))
        for n, ear in enumerate(ears):
            assert ear.messages() == list(map(str, range(1 if n % 2 else 2, 8)))
            assert ear.heard.count(b"event: end") == 1
        await background.end()


async def test_nobody_looks_at_a_log_to_which_nobody_listens_any_more(
    settings: Settings, world: World, task: Task, told: Assignment
) -> None:
    says(world, told, 1, "1")
    background = Background()
    async with Door(settings=settings) as door:
        log = Logs(door, background)
        ears = [Ear(log.listen(Place(task.id, None, None))) for _ in range(3)]
        await until(lambda: all(ear.messages() for ear in ears))
        await ears[0].leave()
        says(world, told, 2, "2")
        await until(lambda: all(ear.messages() == ["1", "2"] for ear in ears[1:]))
        await until(lambda: len(background._tasks) == 1)
        for ear in ears[1:]:
            await ear.leave()
        await until(lambda: not background._tasks)


async def test_many_logs_share_a_few_connections(settings: Settings, world: World) -> None:
    tasks = [world.new(f"t{n}") for n in range(40)]
    background = Background()
    async with Door(settings=settings) as door:
        await door.list_limits()
        before = connections(world)
        log = Logs(door, background)
        ears = [Ear(log.listen(Place(each.id, None, None))) for each in tasks]
        started = [world.start(replace(world.slot(), nonce=f"n{n}")) for n in range(len(tasks))]
        told = {UUID(each.task_id): each for each in started}
        for each in tasks:
            says(world, told[each.id], 1, str(each.id))
        await until(lambda: all(ear.messages() for ear in ears))
        assert [ear.messages() for ear in ears] == [[str(each.id)] for each in tasks]
        assert connections(world) <= before + logs._AT_ONCE
        for ear in ears:
            await ear.leave()


async def test_who_is_slow_keeps_nobody_and_is_told_what_was_not_kept(
    settings: Settings, world: World, task: Task, told: Assignment
) -> None:
    says(world, told, 1, "1")
    background = Background()
    async with Door(settings=settings) as door:
        log = Logs(door, background)
        slow = log.listen(Place(task.id, None, None))
        assert b'"message":"1"' in await anext(slow)  # and takes nothing for a while
        quick = Ear(log.listen(Place(task.id, None, None)))
        more = executions.MAX_LOG_LINES + 50
        for number in range(2, more + 2, 150):
            says(world, told, number, *map(str, range(number, min(number + 150, more + 2))))
        await until(lambda: quick.messages()[-1:] == [str(more + 1)])
        late = b""
        async with aclosing(slow):
            while f'"message":"{more + 1}"'.encode() not in late:
                late += await anext(slow)
        assert b"event: missed" in late
        await quick.leave()


async def test_a_worker_is_told_that_somebody_listens_as_long_as_somebody_does(
    settings: Settings, world: World, task: Task, told: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_SIGN", 0.05)
    monkeypatch.setattr(logs, "_LOOK", 0.05)
    background = Background()
    async with Door(settings=settings) as door:
        ear = Ear(Logs(door, background).listen(Place(task.id, None, None)))

        name, field = world.keys.of("exec", told.execution_id), ExecutionField.watched
        for _ in range(2):  # and again, as long as it listens
            await until(lambda: world.raw.hget(name, field))
            world.raw.hdel(name, field)
        await ear.leave()


async def test_a_log_of_a_task_that_is_deleted_says_so(settings: Settings, world: World, task: Task) -> None:
    background = Background()
    async with Door(settings=settings) as door:
        ear = Ear(Logs(door, background).listen(Place(task.id, None, None)))
        await until(lambda: background._tasks)
        await door.cancel_task(task.id)
        await door.delete_task(task.id)
        await until(ear.hearing.done)
        assert b"event: gone" in ear.heard or b"event: end" in ear.heard
