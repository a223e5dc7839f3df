"""Thousands of steps of anybody against a model of what reservations promise.

The stories are the same in each run; ``--hypothesis-seed=random`` (or a number) tells others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from taskengine.settings import Settings
from taskengine.store.sync import SyncStore

from ..conftest import Valkey
from ..store.world import ENVELOPE, World
from .resources_machine import ACTIONS, ResourcesMachine

SETTINGS = Settings(redis_url=None, namespace="te")
MUST_BE_SEEN = (
    *ACTIONS, "starts that reserve", "plain starts", "copies", "refused for want of room", "hosts kept",
)  # fmt: skip


def test_no_host_gives_more_than_it_has_and_nothing_that_is_over_holds_any(
    shared_valkey: Valkey, request: pytest.FixtureRequest, record_property: Callable[[str, Any], None]
) -> None:
    store = SyncStore(shared_valkey.url, SETTINGS, ENVELOPE)

    def new_world() -> World:
        shared_valkey.client.flushall()
        return World(store, shared_valkey.client, lambda _: store)

    class Counted(ResourcesMachine):
        seen: ClassVar[Counter[str]] = Counter()

    Counted.new_world = staticmethod(new_world)
    for Counted.volume in range(8):
        run_state_machine_as_test(
            Counted,
            settings=settings(
                max_examples=10, stateful_step_count=50, deadline=None, database=None,
                derandomize=request.config.getoption("--hypothesis-seed") is None, print_blob=True,
                phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    store.close()
    record_property("steps", Counted.steps_done)
    print(f"{Counted.steps_done} steps: {Counted.seen}")
    assert Counted.steps_done >= 2500
    assert [what for what in MUST_BE_SEEN if not Counted.seen[what]] == []
    assert Counted.seen["starts that reserve"] > Counted.steps_done / 15
