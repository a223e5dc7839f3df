"""Streams miss nothing: whoever dies, whoever is slow, whichever server a listener comes back to."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from starlette.types import Message, Send

from taskengine import BlockingTaskAPI, Task
from taskengine.api.operations.keys import close_session, open_session, revoke_key
from taskengine.api.surface import Scope
from taskengine.rest import boards, feeds, fleet_feed, limits, rings, streams
from taskengine.rest.auth import ANYBODY
from taskengine.rest.background import Background
from taskengine.rest.feeds import CUT, Feed
from taskengine.settings import Settings
from taskengine.store import executions, history, retention, runs
from taskengine.store.sync import SyncStore
from taskengine.transport import template

from ..conftest import Valkey
from ..store.world import World
from .listening import DEADLINE, Listener, hearing, listening, until
from .test_errors import problem

pytestmark = pytest.mark.process


def sequences(listener: Listener) -> list[int]:
    return [said.data["sequence"] for said in listener.heard if "sequence" in said.data]


def last(world: World, run: str) -> int:
    return int(world.events(run)[-1]["n"])


async def heard_all(world: World, run: str, *listeners: Listener) -> None:
    """Wait until they have heard every event, and see that each came once and in order."""
    end = last(world, run)
    for each in listeners:
        await until(lambda each=each: sequences(each)[-1:] >= [end], lambda each=each: (end, sequences(each)[-9:]))
        assert sequences(each) == list(range(1, end + 1))


async def test_events_come_in_order_as_the_list_gives_them_and_go_on(settings: Settings, world: World) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    async with listening(settings) as url, httpx2.AsyncClient(trust_env=False) as client:
        listener, late = (Listener(f"{url}/runs/{run}/events{where}") for where in ("", "?after=1"))
        async with hearing(listener, late):
            await heard_all(world, run, listener)
            world.finish(task)
            await heard_all(world, run, listener)
            listed = (await client.get(listener.url)).json()["items"]
            assert [said.data for said in listener.heard] == listed
            assert listener.words() == [each["what"] for each in listed]
            assert [said.id for said in listener.heard] == [str(each["sequence"]) for each in listed]
            await until(lambda: len(late.heard) == len(listed) - 1)
            assert [said.data for said in late.heard] == listed[1:]


async def test_listener_on_replicas_hears_the_same(settings: Settings, world: World) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    async with listening(settings) as one, listening(settings) as other:
        listener = Listener(f"{one}/runs/{run}/events")
        async with hearing(listener):
            await heard_all(world, run, listener)
        world.finish(task)
        listener.url = f"{other}/runs/{run}/events"
        async with hearing(listener):
            await heard_all(world, run, listener)


@contextmanager
def serving(settings: Settings, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "taskengine.cli", "-o", "json", "server", "--no-login", "--port", str(port)]
    variables = {**os.environ, "TASKENGINE_REDIS_URL": str(settings.redis_url)}
    process = subprocess.Popen(words, cwd=folder, env=variables, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_nothing_is_missed_over_a_server_that_is_killed(settings: Settings, world: World, tmp_path: Path) -> None:
    first, second, third = world.task("a"), world.task("b"), world.task("c")
    run, port = world.submit(first, second, third), free_port()
    listener = Listener(f"http://127.0.0.1:{port}/api/v1/runs/{run}/events")
    async with hearing(listener):
        with serving(settings, tmp_path, port):
            await heard_all(world, run, listener)
            world.finish(first)
            await heard_all(world, run, listener)
        world.finish(second)
        with serving(settings, tmp_path, port) as process:
            world.finish(third)
            await heard_all(world, run, listener)
            process.terminate()
            await until(lambda: process.poll() is not None)
            assert process.returncode == 0
    assert listener.words()[-1] == "bye"


async def test_nothing_is_missed_over_a_store_that_is_killed(valkey: Valkey) -> None:
    settings = Settings(redis_url=valkey.url)
    store = SyncStore(valkey.url, settings, template())
    world = World(store, valkey.client, lambda other: SyncStore(valkey.url, other, template()))
    first, second = world.task("a"), world.task("b")
    run = world.submit(first, second)
    async with listening(settings) as url, httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        where = f"{url}/runs/{run}/graph?view=compact"
        graph = (await client.get(where)).json()
        listener = Listener(f"{url}/runs/{run}/events")
        page = Listener(f"{url}/runs/{run}/live?after={graph['seq']}")
        async with hearing(listener, page):
            await heard_all(world, run, listener)
            await until(lambda: page.answers)
            world.finish(first)
            await heard_all(world, run, listener)
            valkey.restart()
            world.finish(second)
            await heard_all(world, run, listener)
            await until(lambda: page.heard and page.heard[-1].data["q"] == last(world, run))
            assert page.answers == listener.answers == [200]
            assert page.words() == ["message"] * len(page.heard)
    store.close()


async def test_store_that_lost_what_was_told_is_told_anew(settings: Settings, world: World) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    async with listening(settings) as url:
        listener = Listener(f"{url}/runs/{run}/events", id="77")
        async with hearing(listener):
            await until(lambda: len(listener.heard) > last(world, run))
            assert listener.words()[0] == "reset"
            assert sequences(listener) == list(range(1, last(world, run) + 1))


async def test_history_that_is_not_kept_is_told_from_its_oldest_event(settings: Settings, world: World) -> None:
    task = world.new("a")
    world.finish(task)
    run = world.run_of(task.id)
    world.broken = True
    world.raw.xtrim(world.keys.of("events", run), minid="0-3", approximate=False)
    async with listening(settings) as url:
        listener, fresh = Listener(f"{url}/runs/{run}/events", id="1"), Listener(f"{url}/runs/{run}/events")
        async with hearing(listener, fresh):
            for each in (listener, fresh):
                await until(lambda each=each: sequences(each)[-1:] == [last(world, run)])
                assert sequences(each)[0] == 3
        assert (listener.words()[0], fresh.words()[0]) == ("reset", "started")


@pytest.mark.parametrize("path", ["events", "live"])
async def test_listener_of_a_run_that_is_pruned_hears_that_it_is_gone(
    settings: Settings, world: World, path: str
) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    async with listening(settings) as url:
        listener = Listener(f"{url}/runs/{run}/{path}")
        async with hearing(listener):
            await until(lambda: listener.answers)
            world.finish(task)
            await until(lambda: listener.heard)
            (stored,) = world.run(runs.read([run]))
            assert stored is not None
            assert stored.finished_ms is not None
            assert world.run(retention.prune_range(world.elect(), retention.Pass(run, stored.finished_ms)))[1].over
            await until(lambda: listener.answers[-1] == 404, lambda: listener.heard)
        assert listener.words()[-1] == "gone"


async def test_run_of_which_a_part_was_pruned_is_drawn_without_it(
    settings: Settings, world: World, one: BlockingTaskAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "_COUNT", 0.05)
    old, kept = one.create_tasks([Task(name="old", capability="lint"), Task(name="kept", capability="lint")])
    run = str(old.run_id)
    world.finish(old)
    world.finish(kept)
    one.create_task(Task(name="later", capability="lint", depends_on={kept.id}, hold=True))  # nothing takes it away
    (stored,) = world.run(runs.read([run]))
    assert stored is not None
    assert stored.finished_ms is not None
    async with listening(settings) as url, httpx2.AsyncClient(trust_env=False) as client:
        graph = f"{url}/runs/{run}/graph?view=compact"
        assert (await client.get(graph)).json()["names"] == ["old", "kept"]
        listener = Listener(f"{url}/runs/{run}/live")
        async with hearing(listener):
            await until(lambda: listener.answers)
            _, over = world.run(retention.prune_range(world.elect(), retention.Pass(run, stored.finished_ms)))
            assert (over.erased, over.kept) == (1, 1)
            async with asyncio.timeout(DEADLINE):
                while (await client.get(graph)).json()["names"] != ["kept"]:
                    await asyncio.sleep(0.02)
            await until(lambda: "reset" in listener.words())
        seq = (await client.get(graph)).json()["seq"]
        back = Listener(f"{url}/runs/{run}/live?after={seq}&size=2", comes_back=False)  # who was away meanwhile
        async with hearing(back):
            await until(lambda: back.words() == ["reset"])


async def test_who_is_slow_is_sent_away_comes_back_and_misses_nothing(
    settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rings, "MOST_BYTES", 2**14)
    task = world.new("a")
    run = world.run_of(task.id)
    async with listening(settings) as url:
        port, path = url.removesuffix("/api/v1").rpartition(":")[2], f"/api/v1/runs/{run}/events"
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", int(port)))
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode())
        quick = Listener(f"{url}/runs/{run}/events")
        async with hearing(quick):
            await heard_all(world, run, quick)
            for _ in range(40):
                for _ in range(20):
                    world.raw.xadd(world.keys.of("events", run), {"e": f"updated {task.id} 1 {'x' * 900}"}, id="0-*")
                await heard_all(world, run, quick)
            assert quick.times == 0
        said = await asyncio.to_thread(everything, slow)
        assert said.rstrip().endswith(feeds.last_word("lagged").rstrip())
        known = [line.removeprefix(b"id: ") for line in said.splitlines() if line.startswith(b"id: ")]
        assert int(known[-1]) < last(world, run)
        back = Listener(quick.url, id=known[-1].decode())
        async with hearing(back):
            await until(lambda: sequences(back)[-1:] == [last(world, run)])
        assert [*map(int, known), *sequences(back)] == list(range(1, last(world, run) + 1))


async def test_history_is_read_once_for_all_who_come_together(settings: Settings, world: World) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    world.broken = True
    with world.raw.pipeline(transaction=False) as pipe:
        for _ in range(2500):
            pipe.xadd(world.keys.of("events", run), {"e": f"updated {task.id} 1 x"}, id="0-*")
        pipe.execute()
    end = last(world, run)

    def read() -> int:
        return int(world.raw.info("commandstats").get("cmdstat_xrange", {"calls": 0})["calls"])

    before = read()
    async with listening(settings) as url:
        listeners = [Listener(f"{url}/runs/{run}/events") for _ in range(12)]
        async with hearing(*listeners):
            for each in listeners:
                await until(lambda each=each: sequences(each)[-1:] == [end])
                assert sequences(each) == list(range(1, end + 1))
    assert read() - before <= 5


async def test_a_listener_that_heard_more_than_this_server_waits_for_it_and_hears_nothing_twice(
    settings: Settings, world: World
) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    async with listening(settings) as url:
        first = Listener(f"{url}/runs/{run}/events")
        async with hearing(first):
            await heard_all(world, run, first)
            world.finish(task)
            ahead = Listener(first.url, id=str(last(world, run) - 1))  # what the tap, in its pause, was not told yet
            async with hearing(ahead):
                await until(lambda: ahead.heard)
                await heard_all(world, run, first)
            assert sequences(ahead) == [last(world, run)]


def everything(slow: socket.socket) -> bytes:
    """All that a connection says, without its chunks' sizes."""
    slow.settimeout(60)
    with slow:
        got = b""
        while not got.endswith(b"0\r\n\r\n"):
            piece = slow.recv(65536)
            assert piece, got[-300:]
            got += piece
    _, _, rest = got.partition(b"\r\n\r\n")
    found = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        found, rest = found + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return found


async def test_who_takes_nothing_is_cut_off_and_keeps_no_sign_of_life_from_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "_PING", 0.01)
    monkeypatch.setattr(streams, "_PATIENCE", 0.05)

    async def lets_in(_: object) -> bool:
        return True

    here, cut, took = streams.Streams(lets_in, Background()), asyncio.Event(), list[bytes]()

    async def pieces() -> AsyncGenerator[bytes]:
        yield b"data: {}\n\n"
        await asyncio.Event().wait()

    async def asleep(message: Message) -> None:
        """Like a connection whose buffer is full: it took what was told, and takes nothing any more."""
        if message.get("body") == b": ping\n\n":
            await asyncio.Event().wait()

    async def awake(message: Message) -> None:
        took.append(message.get("body", b""))

    def answer(send: Send, cut: asyncio.Event) -> asyncio.Future[None]:
        async def receive() -> Message:
            await cut.wait()
            return {"type": "http.disconnect"}

        return asyncio.ensure_future(here.stream(ANYBODY, pieces())({"type": "http", CUT: cut.set}, receive, send))

    answers = [answer(asleep, cut), answer(awake, asyncio.Event())]
    async with asyncio.timeout(DEADLINE):
        await cut.wait()
        await answers[0]
    signs = took.count(b": ping\n\n")
    await until(lambda: took.count(b": ping\n\n") > signs > 0)
    assert not answers[1].done()
    here.say_bye()
    await answers[1]
    assert took[-1] == feeds.last_word("bye")


async def test_what_waits_for_one_listener_is_bounded() -> None:
    feed: Feed[int] = Feed()
    for n in range(feeds.MOST_WAITING):
        feed.put(n)
    assert len(await feed.take()) == feeds.MOST_WAITING
    for n in range(feeds.MOST_WAITING + 1):
        feed.put(n)
    assert (await feed.take(), feed.word) == ([], "lagged")


async def test_a_key_has_so_many_streams_and_they_are_no_requests(
    settings: Settings, world: World, key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_OF_A_KEY", 2)
    monkeypatch.setattr(limits.Busy.__init__, "__defaults__", (3,))
    run = world.run_of(world.new("a").id)
    ann, bob = ({"Authorization": f"Bearer {key(Scope.READ, name)}"} for name in ("ann", "bob"))
    async with listening(settings, needs_key=True) as url, AsyncExitStack() as held:
        where = f"{url}/runs/{run}/events"

        async def answer(headers: dict[str, str]) -> int:
            listener = Listener(where, headers=headers)
            await held.enter_async_context(hearing(listener))
            await until(lambda: listener.answers)
            return listener.answers[0]

        assert [await answer(headers) for headers in (ann, bob, ann, bob, ann, {}, bob)] == [
            200, 200, 200, 200, 429, 401, 429,
        ]  # fmt: skip
        async with httpx2.AsyncClient(trust_env=False) as client:
            refused = await client.get(where, headers={"Accept": "text/event-stream", **ann})
        document = problem(refused, 429, "too-many-streams")
        assert document["detail"] == "this key has as many open streams as it may; close some"
        assert refused.headers["retry-after"] == "5"
        await held.aclose()
        async with asyncio.timeout(60):
            while await answer(ann) != 200:
                await asyncio.sleep(0.05)


async def test_who_is_let_in_no_more_hears_no_more(
    settings: Settings, world: World, key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_PING", 0.05)
    run = world.run_of(world.new("a").id)
    ann, bob = key(Scope.READ, "ann", rate=60), key(Scope.READ, "bob")
    session = world.run(open_session(ann))
    async with listening(settings, needs_key=True) as url:
        cookie = f"te-{url.removesuffix('/api/v1').rpartition(':')[2]}={session}"
        shown = ({"Authorization": f"Bearer {ann}"}, {"Cookie": cookie}, {"Authorization": f"Bearer {bob}"})
        by_key, by_cookie, other = (Listener(f"{url}/runs/{run}/events", headers=each) for each in shown)
        async with hearing(by_key, by_cookie, other):
            await heard_all(world, run, by_key, by_cookie, other)
            world.run(close_session(session))
            await until(lambda: by_cookie.answers[-1] == 401, lambda: by_cookie.answers)
            assert by_key.times == 0
            world.run(revoke_key(ann))
            await until(lambda: by_key.answers[-1] == 401, lambda: by_key.answers)
        assert [each.words()[-1] for each in (by_key, by_cookie)] == ["bye", "bye"]
        assert (other.times, other.answers) == (0, [200])


async def test_a_head_of_a_stream_is_over_at_once(settings: Settings, world: World) -> None:
    run = world.run_of(world.new("a").id)
    async with listening(settings) as url, httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        for path in (f"runs/{run}/events", f"runs/{run}/live", "fleet/live"):
            answer = await client.head(f"{url}/{path}", headers={"Accept": "text/event-stream"})
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer.headers["content-type"].startswith("text/event-stream")


async def test_log_is_told_line_by_line_until_its_task_is_over(settings: Settings, world: World) -> None:
    task = world.new("a")
    told = world.start()

    def says(number: int, text: str) -> None:
        line = json.dumps({"timestamp": "2030-01-01T00:00:00Z", "message": text})
        assert world.run(executions.append_logs(told.execution_id, 1, number=number, lines=[line])).ok

    says(1, "one")
    async with listening(settings) as url, httpx2.AsyncClient(trust_env=False) as client:
        listener = Listener(f"{url}/tasks/{task.id}/logs", comes_back=False)
        async with hearing(listener):
            await until(lambda: listener.heard)
            says(2, "<b>two</b>")
            await until(lambda: len(listener.heard) == 2)
            world.report(told)
            await until(lambda: "end" in listener.words())
        lines = (await client.get(listener.url)).json()["items"]
        assert [said.data for said in listener.heard[:2]] == lines
        assert [said.id for said in listener.heard[:2]] == ["1.1", "1.2"]
        rest = Listener(listener.url, id="1.1", comes_back=False)
        async with hearing(rest):
            await until(lambda: "end" in rest.words())
        assert [said.data for said in rest.heard[:-1]] == lines[1:]


async def test_fleet_is_told_while_somebody_looks(settings: Settings, world: World) -> None:
    world.new("a")
    world.beat("n1")
    async with listening(settings) as url:
        one, other = Listener(f"{url}/fleet/live"), Listener(f"{url}/fleet/live")
        async with hearing(one, other):
            await until(lambda: one.heard and other.heard)
            assert one.heard[0].data["counts"]["ready"] == 1
            assert one.heard[0].data["rates"] == {"cancelled": None, "completed": None, "failed": None}
            assert [queue["name"] for queue in one.heard[0].data["queues"]] == ["lint"]
            assert [worker["name"] for worker in one.heard[0].data["workers"]] == ["n1"]
            told = world.start()
            await until(lambda: one.heard[-1].data["queues"][0]["running"] == 1)
            async with httpx2.AsyncClient(trust_env=False) as client:
                await client.post(f"{url}/pauses", json={"capability": "lint"})
            held = lambda: [(each["name"], each["running"]) for each in one.heard[-1].data["pauses"]]  # noqa: E731
            await until(lambda: held() == [("lint", 1)])
            world.report(told)
            await until(lambda: one.heard[-1].data["counts"]["completed"] == 1)
            assert any(said.data["rates"]["completed"] for said in one.heard)


async def test_wrong_place_is_refused_before_anything_is_told(settings: Settings, world: World) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    async with listening(settings) as url:
        for path in (f"runs/{run}/events", f"runs/{run}/live", f"tasks/{task.id}/logs"):
            listener = Listener(f"{url}/{path}", id="nonsense")
            async with hearing(listener):
                await until(lambda listener=listener: listener.answers)
            assert listener.answers == [422], path
        missing = Listener(f"{url}/tasks/{uuid4()}/logs")
        async with hearing(missing):
            await until(lambda: missing.answers)
        assert missing.answers == [404]


def once_broken(monkeypatch: pytest.MonkeyPatch, where: object, name: str) -> None:
    """Let the next call of a function be a fault of ours."""
    whole = getattr(where, name)

    def broken(*_: object, **__: object) -> None:
        monkeypatch.setattr(where, name, whole)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(where, name, broken)


async def test_a_fault_while_runs_are_read_sends_listeners_away_who_come_back_and_miss_nothing(
    settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    async with listening(settings) as url:
        listener = Listener(f"{url}/runs/{run}/events")
        async with hearing(listener):
            await heard_all(world, run, listener)
            once_broken(monkeypatch, history, "follow")
            await until(lambda: "bye" in listener.words())
            world.finish(task)
            await heard_all(world, run, listener)


async def test_a_fault_while_the_fleet_is_looked_at_sends_listeners_away_who_come_back(
    settings: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(settings) as url:
        listener = Listener(f"{url}/fleet/live")
        async with hearing(listener):
            await until(lambda: listener.heard)
            once_broken(monkeypatch, fleet_feed, "frame")
            await until(lambda: "bye" in listener.words())
            await until(lambda: listener.words()[-1] == "message")


async def test_nothing_goes_on_behind_a_server_that_ended(settings: Settings, world: World) -> None:
    run = world.run_of(world.new("a").id)
    async with listening(settings) as url:
        listeners = [Listener(f"{url}/{path}") for path in (f"runs/{run}/events", f"runs/{run}/live", "fleet/live")]
        async with hearing(*listeners):
            await until(lambda: all(each.answers for each in listeners) and listeners[0].heard)
    assert asyncio.all_tasks() == {asyncio.current_task()}
