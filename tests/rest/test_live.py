"""A run as a page draws it: a graph in columns, and what changes, which folded into it gives the graph that is."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from taskengine import BlockingTaskAPI
from taskengine.models import Task
from taskengine.rest import boards
from taskengine.rest.board import DIGITS
from taskengine.settings import Settings
from taskengine.store import tasks

from ..store.world import World
from .listening import Listener, Said, hearing, listening, until

pytestmark = pytest.mark.process


async def got(url: str, **more: Any) -> Any:
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as client:
        answer = await client.get(url, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def drawn(url: str, run: str) -> dict[str, Any]:
    graph: dict[str, Any] = await got(f"{url}/runs/{run}/graph", params={"view": "compact"})
    return graph


def folded(graph: dict[str, Any], heard: list[Said]) -> dict[str, Any]:
    """The graph as a page has it that heard all this."""
    found = json.loads(json.dumps(graph))
    status = list(found["status"])
    for said in heard:
        delta = said.data
        assert said.event == "message", said
        assert said.id == str(delta["q"])
        if delta["q"] <= found["seq"]:
            continue
        found["seq"] = delta["q"]
        for new in delta["new"]:
            assert new["i"] == len(found["names"])
            found["names"].append(new["name"])
            if new["queue"] not in found["queues"]:
                found["queues"].append(new["queue"])
            found["queue"].append(found["queues"].index(new["queue"]))
            found["src"] += new["deps"]
            found["dst"] += [new["i"]] * len(new["deps"])
            status.append("?")
            for column in ("ready", "start", "end"):
                found[column].append(None)
        for i, digit, times in zip(delta["i"], delta["s"], delta["t"], strict=True):
            status[i] = digit
            found["ready"][i], found["start"][i], found["end"][i] = times
    found["status"] = "".join(status)
    return found


async def test_graph_in_columns_says_what_the_graph_says(settings: Settings, world: World) -> None:
    first = world.task("fetch", capability="net")
    second, third = world.task("parse", first), world.task("store", first)
    run = world.submit(first, second, third, name="nightly")
    world.elect()
    async with listening(settings) as url:
        graph = await drawn(url, run)
        assert (graph["run"], graph["name"]) == (run, "nightly")
        assert graph["names"] == ["fetch", "parse", "store"]
        assert [graph["queues"][each] for each in graph["queue"]] == ["net", "lint", "lint"]
        assert sorted(zip(graph["src"], graph["dst"], strict=True)) == [(0, 1), (0, 2)]
        assert graph["status"] == DIGITS["ready"] + 2 * DIGITS["pending"]
        assert graph["codes"] == DIGITS
        assert graph["ready"][0] >= 0
        assert graph["ready"][1:] == graph["start"][1:] == graph["end"][1:] == [-1, -1]
        for i, task in enumerate((first, second, third)):
            assert await got(f"{url}/runs/{run}/nodes/{i}") == {"task_id": str(task.id)}
            assert await got(f"{url}/runs/{run}/nodes", params={"task_id": str(task.id)}) == {"i": i}


async def test_deltas_folded_into_a_graph_give_the_graph_that_is(settings: Settings, world: World) -> None:
    first = world.task("a")
    rest = [world.task(f"b{n}", first) for n in range(5)]
    run = world.submit(first, *rest)
    world.elect()
    async with listening(settings) as url:
        before = await drawn(url, run)
        listener = Listener(f"{url}/runs/{run}/live?after={before['seq']}")
        async with hearing(listener):
            await until(lambda: listener.answers)
            world.finish(first)
            later = world.task("later", rest[0], rest[1])
            world.submit(later, run=run)
            world.finish(rest[0], rest[1])
            world.finish(rest[2], disposition="failed", error="no", error_kind="x")
            last = int(world.events(run)[-1]["n"])
            await until(lambda: listener.heard and listener.heard[-1].data["q"] >= last, lambda: listener.heard)
            after = await drawn(url, run)
        assert folded(before, listener.heard) == after
        assert after["names"][-1] == "later"
    async with listening(settings) as url:
        assert await drawn(url, run) == after


async def test_run_whose_last_task_was_deleted_is_drawn_empty(settings: Settings, world: World) -> None:
    task = world.task("only")
    run = world.submit(task, name="emptied")
    world.elect()
    api = BlockingTaskAPI(settings=settings)
    api.cancel_task(task.id)
    api.delete_task(task.id)
    async with listening(settings) as url:
        assert (await drawn(url, run))["names"] == []


async def test_unknown_run_is_not_found(settings: Settings) -> None:
    async with listening(settings) as url, httpx2.AsyncClient(trust_env=False) as client:
        for path in ("graph?view=compact", "live", "nodes/0", f"nodes?task_id={uuid4()}", "events"):
            headers = {"Accept": "text/event-stream"}
            answer = await client.get(f"{url}/runs/{uuid4()}/{path}", headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found"), path
    await asyncio.sleep(0)


async def test_graph_travels_zipped_to_who_accepts_that(settings: Settings, one: BlockingTaskAPI) -> None:
    task = one.create_task(Task(name="a"))
    async with listening(settings) as url, httpx2.AsyncClient(trust_env=False) as client:
        where = f"{url}/runs/{task.run_id}/graph?view=compact"
        zipped = await client.get(where, headers={"Accept-Encoding": "gzip"})
        plain = await client.get(where, headers={"Accept-Encoding": "identity"})
        assert zipped.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert zipped.json() == plain.json()


async def test_graph_is_zipped_once_for_all_who_ask_together(
    settings: Settings, one: BlockingTaskAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, asked, zipped, may_go_on = one.create_task(Task(name="a")), list[bool](), list[int](), threading.Event()
    graph = boards.LiveBoard.graph

    def compress(plain: bytes, level: int) -> bytes:
        zipped.append(len(plain))
        may_go_on.wait(60)
        return gzip.compress(plain, level)

    async def seen(board: boards.LiveBoard, **how: bool) -> bytes:
        asked.append(True)
        return await graph(board, **how)

    monkeypatch.setattr(boards, "gzip", SimpleNamespace(compress=compress))
    monkeypatch.setattr(boards.LiveBoard, "graph", seen)
    async with listening(settings) as url, httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        where = f"{url}/runs/{task.run_id}/graph?view=compact"
        asking = [client.get(where, headers={"Accept-Encoding": "gzip"}) for _ in range(5)]
        answering = asyncio.ensure_future(asyncio.gather(*asking))
        await until(lambda: len(asked) == 5 and zipped)
        may_go_on.set()
        assert len({answer.text for answer in await answering}) == 1
    assert len(zipped) == 1


async def test_another_server_goes_on_from_a_graph_that_it_never_gave(settings: Settings, world: World) -> None:
    first, second = world.task("a"), world.task("b")
    run = world.submit(first, second)
    async with listening(settings) as one, listening(settings) as other:
        before = await drawn(one, run)
        world.finish(first)
        world.submit(world.task("c", first), run=run)
        world.finish(second)
        for url in (other, one):  # one that read the run later, and one that was there
            listener = Listener(f"{url}/runs/{run}/live", id=str(before["seq"]))
            after = await drawn(url, run)
            async with hearing(listener):
                await until(lambda listener=listener: listener.heard)
            assert folded(before, listener.heard[:1]) == after
            assert after["names"] == ["a", "b", "c"]


async def test_tasks_that_are_opened_again_wait_again_and_end_again(settings: Settings, world: World) -> None:
    first = world.task("a")
    second = world.task("b", first)
    run = world.submit(first, second)
    world.elect()
    world.finish(first, disposition="failed", error="no", error_kind="x")
    world.think()
    async with listening(settings) as url:
        before = await drawn(url, run)
        assert before["status"] == DIGITS["failed"] + DIGITS["cancelled"]
        listener = Listener(f"{url}/runs/{run}/live?after={before['seq']}")
        async with hearing(listener):
            await until(lambda: listener.answers)
            world.run(tasks.reopen(str(first.id)))
            world.think()
            async with asyncio.timeout(60):
                while (opened := await drawn(url, run))["seq"] < int(world.events(run)[-1]["n"]):
                    await asyncio.sleep(0.02)
            assert opened["status"] == DIGITS["ready"] + DIGITS["pending"]
            assert opened["end"] == [-1, -1]
            world.finish(first, second)
            end = int(world.events(run)[-1]["n"])
            await until(lambda: listener.heard and listener.heard[-1].data["q"] >= end - 1, lambda: listener.heard)
            after = await drawn(url, run)
        assert folded(before, listener.heard) == {**after, "seq": listener.heard[-1].data["q"]}
        assert after["status"] == 2 * DIGITS["completed"]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("how", ["deleted", "another edge", "another name"])
async def test_listener_begins_anew_where_the_shape_is_another(
    settings: Settings, world: World, one: BlockingTaskAPI, how: str, late: bool
) -> None:
    first, second, third = (world.task(name, hold=True) for name in "abc")
    run = world.submit(first, second, third)

    def change() -> None:
        if how == "deleted":
            one.delete_task(second.id, cascade=True)
        elif how == "another edge":
            one.add_dependency(first.id, third.id)
        else:
            one.update_task(second.id, name="z")

    async with listening(settings) as url:
        before = await drawn(url, run)
        if late:
            await asyncio.to_thread(change)
        listener = Listener(f"{url}/runs/{run}/live?after={before['seq']}", comes_back=False)
        async with hearing(listener):
            await until(lambda: listener.answers)
            if not late:
                await asyncio.to_thread(change)
            await until(lambda: listener.words()[-1:] == ["reset"], lambda: listener.heard)
        after = await drawn(url, run)
        expected = {"deleted": ["a", "c"], "another edge": ["b", "c", "a"], "another name": ["a", "z", "c"]}[how]
        assert after["names"] == expected
    async with listening(settings) as url:
        assert await drawn(url, run) == after
