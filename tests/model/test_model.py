"""Thousands of steps of anybody in any order, against a simple model of what the engine promises.

10 000 with ``--matrix full``, else a sample of their volumes. A volume's stories are the same in each run;
``--hypothesis-seed=random`` (or a number) tells others.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import fakeredis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from taskengine.settings import Settings
from taskengine.store.aio import AsyncStore
from taskengine.store.sync import SyncStore
from taskengine.testing.server import make_fit

from ..conftest import Valkey
from ..store.world import ENVELOPE, Awaited, World
from .machine import ACTIONS, Machine
from .volumes import is_whole, volumes

SETTINGS = Settings(redis_url=None, namespace="te")
STEPS_OF_A_STORY, STORIES_OF_A_VOLUME = 50, 10
VOLUMES, SAMPLED = 30, 8
MUST_BE_SEEN = (
    *ACTIONS, "starts", "starts by a report", "fenced reports", "batches",
    "reports of several",
    *(f"{how} of a task whose cancel was asked" for how in ("time_out", "hand_back", "end_cancelled", "report")),
    "report of a task whose pause was asked", "claims under a pause", "failures passed on",
    "dependents that came late",
    *(f"{verb} of many" for verb in ("cancel", "pause", "resume", "hold", "release", "reopen")),
)  # fmt: skip


def tell(
    numbers: Iterable[int], new_world: Callable[[], World], config: pytest.Config
) -> tuple[int, float, Counter[str]]:
    """Run these volumes of stories; the steps that they had, the seconds that they took, what happened."""

    class Counted(Machine):
        seen: ClassVar[Counter[str]] = Counter()

    Counted.new_world = staticmethod(new_world)
    begin = time.monotonic()
    for Counted.volume in numbers:
        run_state_machine_as_test(
            Counted,
            settings=settings(
                max_examples=STORIES_OF_A_VOLUME, stateful_step_count=STEPS_OF_A_STORY, deadline=None, database=None,
                derandomize=config.getoption("--hypothesis-seed") is None, print_blob=True,
                phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    return Counted.steps_done, time.monotonic() - begin, Counted.seen


def test_thousands_of_steps_keep_what_is_promised(
    shared_valkey: Valkey, request: pytest.FixtureRequest, record_property: Callable[[str, Any], None]
) -> None:
    store = SyncStore(shared_valkey.url, SETTINGS, ENVELOPE)

    def new_world() -> World:
        shared_valkey.client.flushall()
        return World(store, shared_valkey.client, lambda _: store)

    told = volumes(request.config, VOLUMES, SAMPLED)
    done, seconds, seen = tell(told, new_world, request.config)
    store.close()
    record_property("steps", done)
    record_property("seconds", round(seconds, 1))
    print(f"{done} steps in {seconds:.1f} s: {seen}")
    assert done >= 10_000 * len(told) // VOLUMES
    # A story in which nothing runs proves nothing: once ten thousand steps had not a single claim that was answered.
    assert seen["starts"] > done / 25
    assert not is_whole(request.config) or [what for what in MUST_BE_SEEN if not seen[what]] == []


def test_the_same_promises_hold_by_the_async_driver(
    shared_valkey: Valkey, request: pytest.FixtureRequest
) -> None:
    loop = asyncio.new_event_loop()
    store = AsyncStore(shared_valkey.url, SETTINGS, ENVELOPE)
    awaited = Awaited(store, loop)

    def new_world() -> World:
        shared_valkey.client.flushall()
        return World(awaited, shared_valkey.client, lambda _: awaited)

    done, *_ = tell([0], new_world, request.config)
    loop.run_until_complete(store.close())
    loop.close()
    assert done >= 300


@pytest.mark.slow
def test_the_same_promises_hold_on_fakeredis(request: pytest.FixtureRequest) -> None:
    def new_world() -> World:
        server = fakeredis.FakeServer(server_type="valkey")
        make_fit(server)
        client = fakeredis.FakeRedis(server=server, decode_responses=True, protocol=2)
        store = SyncStore("redis://fake", SETTINGS, ENVELOPE, lambda: client)
        return World(store, fakeredis.FakeRedis(server=server), lambda _: store)

    done, *_ = tell([0], new_world, request.config)
    assert done >= 300
