"""``/metrics``: what Prometheus reads is what the engine says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from taskengine import BlockingTaskAPI
from taskengine.api.operations.gauges import Gauges
from taskengine.api.surface import Scope
from taskengine.models import TaskCreateRequest
from taskengine.rest.app import application, door_of
from taskengine.rest.metrics import MOST_QUEUES, exposition
from taskengine.settings import Settings
from taskengine.store.nodes import Fleet, Queue

from ..store.world import World
from .test_errors import problem

pytestmark = pytest.mark.process


def read(text: str) -> dict[tuple[str, str], float]:
    """(name, label's value) -> number."""
    return {
        (sample.name.removeprefix("taskengine_"), next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def fleet(*queues: Queue) -> Fleet:
    return Fleet(
        server_ms=0, nodes=(), queues=queues, counts={}, leader=None, leader_settings="", term=0, timers=0, decisions=0,
        dead_letters=0, poison_decisions=0, open_batches=0, running=0, parked={}, pauses={},
    )  # fmt: skip


async def scraped(settings: Settings, key: str) -> dict[tuple[str, str], float]:
    """One scrape of a server that has told nobody yet."""
    app = application(settings)
    transport, headers = httpx2.ASGITransport(app=app), {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client:
        answer = await client.get("/metrics")
    await door_of(app).close()
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return read(answer.text)


async def test_gauges_are_what_the_engine_says_of_itself(
    settings: Settings, world: World, one: BlockingTaskAPI, key: Callable[..., str]
) -> None:
    world.beat()
    for name in ("a", "b", "c"):
        one.create_task(TaskCreateRequest(name=name, capability="lint"))
    world.start()
    one.pause("deploy")
    world.raw.lpush("te:quarantine", "{}")
    found = await scraped(settings, key(Scope.READ))
    stats = one.get_queue_statistics()
    assert found["tasks", "running"] == stats["running_tasks"] == 1
    queue = stats["queues"]["lint"]
    assert found["ready_tasks", "lint"] == queue["ready"]
    assert found["granted_executions", "lint"] == queue["granted"]
    assert queue["ready"] + queue["granted"] == 2
    assert found["running_executions", "lint"] == 1
    assert found["queue_workers", "lint"] == 1
    assert found["workers", "alive"] == 1
    assert found["worker_slots", "busy"] == 1
    assert found["pauses", ""] == 1
    assert found["quarantined_messages", ""] == 1
    assert found["dead_letters", ""] == 0
    assert found["coordinator_up", ""] == (one.health_check()["coordinator"] is not None)


async def test_a_scrape_needs_a_key(anybody: httpx2.AsyncClient, key: Callable[..., str]) -> None:
    problem(await anybody.get("/metrics"), 401, "unknown-key")
    shown = {"Authorization": f"Bearer {key(Scope.READ)}"}
    assert (await anybody.get("/metrics", headers=shown)).status_code == 200


async def test_a_scrape_while_the_store_is_away_is_no_zero(settings: Settings) -> None:
    app = application(Settings(redis_url="redis://127.0.0.1:1/0"), needs_key=False)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        problem(await client.get("/metrics"), 503, "store-unavailable")
    await door_of(app).close()


def test_however_many_queues_there_are_so_many_have_a_label() -> None:
    queues = [Queue(f"q{number}", ready=number, granted=0, offered=0) for number in range(MOST_QUEUES + 100)]
    running = {"q0": 3, "q599": 2, "gone": 1}
    found = read(exposition(Gauges(fleet(*queues), running, 0)).decode())
    ready = {label: number for (name, label), number in found.items() if name == "ready_tasks"}
    assert len(ready) == MOST_QUEUES + 1
    assert ready["other"] == sum(range(100))
    assert sum(ready.values()) == sum(queue.ready for queue in queues)
    assert (found["running_executions", "q599"], found["running_executions", "other"]) == (2, 4)


def test_a_queue_may_be_called_anything() -> None:
    name = 'a"b\\c\nd{}'
    found = read(exposition(Gauges(fleet(Queue(name, 1, 0, 0)), {}, 0)).decode())
    assert found["ready_tasks", name] == 1


def test_no_name_of_a_gauge_is_there_twice_and_each_says_what_it_is() -> None:
    families: list[Any] = list(text_string_to_metric_families(exposition(Gauges(fleet(), {}, 0)).decode()))
    names = [family.name for family in families]
    assert len(names) == len({*names}) > 10
    assert all(family.documentation for family in families)
    assert all(name.startswith("taskengine_") for name in names)
