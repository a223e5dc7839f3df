"""Limits while workers, coordinator and server are killed: never more at once, and nothing held afterwards."""

from __future__ import annotations

import random
import threading

from taskengine.models import Task

from ..fleet import until
from .aftermath import intact
from .conftest import MakeFleet

MOST = 3


def test_whatever_is_killed_the_limit_is_kept_and_comes_back_to_zero(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(max_lost=50)
    chance = random.Random(3)
    coordinator = fleet.coordinator()
    workers = [fleet.celery(f"w{n}", "-Q", "work", pool=("prefork", "threads")[n % 2], slots=3) for n in range(3)]
    fleet.await_ready(*workers)
    with fleet.api() as api:
        api.set_limit("key", in_flight=MOST, requests_per_minute=60_000, tokens_per_day=10**12)
        api.register_agent("worker", "function", {"work", "play", "travel"}, limits="key")
        new = [Task(capability="work", input={"seconds": chance.uniform(0.05, 0.6)}) for _ in range(120)]
        ids = fleet.submit(*new)
        flight, over, most = fleet.keys.of("flight", "key"), threading.Event(), [0]

        def watch() -> None:
            while not over.wait(0.01):
                most[0] = max(most[0], fleet.server.client.scard(flight))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for n in range(6):
                threading.Event().wait(chance.uniform(0.5, 1.5))
                if n == 3:
                    coordinator.kill()
                    coordinator = fleet.coordinator("coordinator-2")
                victim = workers.pop(chance.randrange(len(workers)))
                victim.kill()
                workers.append(fleet.celery(f"w{n + 3}", "-Q", "work", pool=("threads", "prefork")[n % 2], slots=3))
            fleet.wait(ids, 120)
        finally:
            over.set()
            watcher.join()
        assert most[0] == MOST
        lost = sum(one.status.value == "lost" for id in ids for one in fleet.executions(id))
        assert lost > 0, "nothing was killed that ran"
        (found,) = until(lambda: [info for info in api.list_limits() if not info.in_flight])
        assert found.closed is None
        assert fleet.server.client.hget(fleet.keys.of("limit", "key"), "rs") == b"0"
        assert fleet.server.client.exists(flight, fleet.keys.of("flight", "agent:worker")) == 0
    intact(fleet, new)
