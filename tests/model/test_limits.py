"""Thousands of steps of anybody against a model of what limits promise.

All with ``--matrix full``, else a sample of their volumes. A volume's stories are the same in each run;
``--hypothesis-seed=random`` (or a number) tells others.
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
from .limits_machine import ACTIONS, LimitsMachine
from .volumes import is_whole, volumes

SETTINGS = Settings(redis_url=None, namespace="te")
VOLUMES, SAMPLED = 8, 3
MUST_BE_SEEN = (
    *ACTIONS, "starts", "copies", "refused for want of room", "probes", "permits", "permits refused", "opened by a row",
    "report credential_not_now not_now", "report failed auth",
)  # fmt: skip


def test_nothing_starts_over_a_limit_and_nothing_that_is_over_holds_any(
    shared_valkey: Valkey, request: pytest.FixtureRequest, record_property: Callable[[str, Any], None]
) -> None:
    store = SyncStore(shared_valkey.url, SETTINGS, ENVELOPE)

    def new_world() -> World:
        shared_valkey.client.flushall()
        return World(store, shared_valkey.client, lambda _: store)

    class Counted(LimitsMachine):
        seen: ClassVar[Counter[str]] = Counter()

    Counted.new_world = staticmethod(new_world)
    told = volumes(request.config, VOLUMES, SAMPLED)
    for Counted.volume in told:
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
    assert Counted.steps_done >= 2500 * len(told) // VOLUMES
    assert Counted.seen["starts"] > Counted.steps_done / 15
    assert not is_whole(request.config) or [what for what in MUST_BE_SEEN if not Counted.seen[what]] == []
