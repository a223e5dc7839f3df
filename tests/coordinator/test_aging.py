"""The duty that lets nothing starve: every queue in turn, in pieces, at no great cost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from taskengine.coordinator.duties import Aging
from taskengine.core.order import unpack
from taskengine.models import Task, TaskPriority

from .bench import Bench, lint, until

LOW, CRITICAL = TaskPriority.LOW, TaskPriority.CRITICAL


@pytest.fixture
def impatient(valkey: Any) -> Any:
    """Ten minutes are a fifth of a second."""
    made = Bench(valkey, aging_seconds=0.2)
    yield made
    made.close()


def class_of(bench: Bench, id: str) -> int:
    score = bench.server.client.hget(bench.keys.of("task", id), "sc")
    return unpack(float(score)).priority_class


def test_low_becomes_critical_in_four_steps(impatient: Bench) -> None:
    impatient.node(slots=0)
    (id,) = impatient.submit(lint("low", priority=LOW))
    began = time.monotonic()
    seen = [4]
    with impatient.coordinated():
        while seen[-1]:
            now = class_of(impatient, id)
            seen += [now] if now != seen[-1] else []
            assert time.monotonic() < began + 60
    assert seen == [4, 3, 2, 1, 0]
    assert time.monotonic() - began >= 4 * 0.2


def test_every_queue_is_gone_through(impatient: Bench) -> None:
    queues = [f"l{n}" for n in range(40)]
    impatient.node(slots=0, queues=" ".join(f"{queue}=a" for queue in queues))
    ids = impatient.submit(*(Task(name=queue, capability=queue, priority=LOW) for queue in queues))
    with impatient.coordinated():
        until(lambda: all(class_of(impatient, id) == 0 for id in ids), what="all are critical")


def test_what_waits_for_room_on_a_host_is_gone_through_too(impatient: Bench) -> None:
    node = impatient.node(host="h1 cpu_cores=4000")
    impatient.submit(lint("first", resource_requirements={"cpu_cores": 4}))
    assert node.claim_any(node.slot(1)) is not None
    (id,) = impatient.submit(lint("low", priority=LOW, resource_requirements={"cpu_cores": 4}))
    assert node.claim_any(node.slot(2)) is None
    with impatient.coordinated():
        until(lambda: class_of(impatient, id) == 0, what="it is critical")


def test_off_lifts_nobody(valkey: Any) -> None:
    bench = Bench(valkey, aging_seconds=0)
    bench.node(slots=0)
    (id,) = bench.submit(lint("low", priority=LOW))
    duty = Aging()
    assert duty.run_once(bench.run_duty(duty)) > 1000
    assert class_of(bench, id) == 4
    bench.close()


def test_one_turn_looks_at_a_thousand_tasks_and_leaves_the_rest_to_the_next(impatient: Bench) -> None:
    impatient.node(slots=0)
    impatient.submit(*(lint(f"t{n}", priority=LOW) for n in range(1500)))
    time.sleep(0.25)  # what they wait for is time itself
    duty = Aging()
    counts = []
    for _ in range(2):
        impatient.run_duty(duty)
        low = impatient.server.client.zcount(impatient.keys.of("ready", "lint"), 4 << 50, "+inf")
        counts.append(1500 - int(low))
    assert counts == [1024, 1500]
