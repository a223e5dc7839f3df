"""A worker that is cut off stops what is paid for before somebody else may start it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from taskengine.models import Task
from workers.process import LocalRuns
from workers.self_fence import SelfFence
from workers.slot_table import SlotTable

from ..fleet import Fleet, until

A, B = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"


def test_only_what_is_paid_for_is_asked_to_stop_in_children() -> None:
    table = SlotTable()
    table.enter(0, os.getpid(), A)
    table.enter(1, os.getpid(), B)
    table.mark_paid(1)
    assert table.cut_off() == 1
    assert table.cut_off() == 0
    assert [table.cancelled(0, A), table.cancelled(1, B)] == [False, True]
    assert [table.is_cut_off(0), table.is_cut_off(1)] == [False, True]
    table.enter(1, os.getpid(), A)
    assert not table.is_cut_off(1)


def test_only_what_is_paid_for_is_asked_to_stop_in_threads() -> None:
    local = LocalRuns()
    for execution in (A, B):
        local.enter(execution)
    local.paid.add(B)
    assert (local.cut_off(), local.cut_off()) == (1, 0)
    assert (local.over, local.stopped) == ({B}, {B})
    local.leave(B)
    assert not local.paid | local.stopped


@dataclass
class Cut:
    """A node, and the time since its beats."""

    now: float = 100.0
    stopped: list[float] = field(default_factory=list)
    settings: Any = field(default_factory=lambda: SimpleNamespace(lease_seconds=10.0))

    def cut_off(self) -> int:
        self.stopped.append(self.now)
        return 1

    def any_stops_when_cut_off(self) -> bool:
        return False


def test_it_goes_by_when_the_latest_answered_beat_was_sent() -> None:
    node: Any = Cut()
    fence = SelfFence(node, lambda: node.now)
    fence.heard(99.0)
    node.now = 108.9
    assert fence.look() == 0
    node.now = 109.0
    assert fence.look() == 1
    fence.heard(109.0)
    assert fence.look() == 0


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_cut_off_worker_stops_within_a_lease_and_its_task_goes_on_where_it_was(bare_fleet: Fleet, pool: str) -> None:
    fleet = bare_fleet
    fleet.coordinator()
    fleet.worker("w", pool=pool, agents="paid_agents")
    paid, sturdy = fleet.submit(
        Task(name="pay", capability="pay", max_retries=0),
        Task(name="last", capability="last", max_retries=0, input={"seconds": 6}),
    )
    until(lambda: {"begun", "lasts"} <= set(said(fleet)))
    cut_at = time.monotonic()
    fleet.server.freeze()
    try:
        until(lambda: "stopped" in said(fleet))
        assert said(fleet)["stopped"] - cut_at < fleet.settings.lease_seconds + 2
    finally:
        fleet.server.thaw()
    fleet.wait([paid, sturdy])
    assert [fleet.task(id).status for id in (paid, sturdy)] == ["completed", "completed"]
    assert fleet.task(paid).retry_count == 0
    assert fleet.task(paid).attempt == 2


def said(fleet: Fleet) -> dict[str, float]:
    path = fleet.folder / "effects"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {what: float(at) for what, at in (line.split() for line in lines)}
