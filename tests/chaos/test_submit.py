"""Submitting: too large, twice, far too much at once, half, and edges that would close a cycle."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskengine.errors import CircularDependencyError, IdempotencyConflictError, PayloadTooLargeError
from taskengine.models import Task, TaskStatus
from taskengine.store import graphs
from taskengine.store.records import record

from ..fleet import Fleet, until
from .aftermath import at_rest, intact
from .conftest import DEFAULTS, MakeFleet

Measured = Callable[[str, float], None]
_SUBMITTER = Path(__file__).parents[1] / "agents" / "dying_submitter.py"


def stored(fleet: Fleet) -> int:
    """Visible tasks, by the engine's own count."""
    return sum(fleet.view().counts.values())


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_row_20_too_large_is_refused_with_its_size_and_large_travels_by_reference(
    make_fleet: MakeFleet, pool: str
) -> None:
    fleet = make_fleet()
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", pool=pool)
    api = fleet.api()
    with pytest.raises(PayloadTooLargeError, match=r"20000\d* bytes, the limit is 16777216"):
        api.create_task(Task(capability="work", input={"text": "x" * 20_000_000}))
    assert stored(fleet) == 0
    small = Task(capability="work")
    with pytest.raises(PayloadTooLargeError, match=r"20000\d* bytes, the limit is 16777216"):
        api.create_tasks([small, Task(capability="work", input={"text": "x" * 20_000_000})])
    assert stored(fleet) == 0
    assert leftover_payloads(fleet) == set()

    too_large = Task(capability="work", input={"do": "big", "bytes": 20_000_000})
    large = Task(capability="work", input={"do": "big", "bytes": 2_000_000, "and": "y" * 2_000_000})
    reader = Task(capability="work", input={"do": "read_results"}, depends_on={large.id})
    new = api.create_tasks([too_large, large, reader])
    done = api.wait([task.id for task in new], timeout=60)
    assert [task.status for task in done] == [TaskStatus.FAILED, TaskStatus.COMPLETED, TaskStatus.COMPLETED]
    assert done[0].attempt == 1
    assert "result is 20000011 bytes, the limit is 16777216" in (done[0].error_message or "")
    execution = api.get_task_execution(reader.id)
    assert execution is not None
    assert execution.result == {"count": 1, "found": {str(large.id): 2_000_000}, "depends_on": 1}
    for kind in ("task", "exec"):  # never in a hash, an event or a message
        for key in fleet.server.client.scan_iter(fleet.keys.of(kind, "*")):
            assert fleet.server.client.memory_usage(key, samples=0) < 300_000
    intact(fleet, new)
    api.close()


def leftover_payloads(fleet: Fleet) -> set[bytes]:
    """Payloads that nothing will remove."""
    found = fleet.server.client.scan_iter(fleet.keys.of("payload", "*"))
    return {key for key in found if fleet.server.client.ttl(key) == -1}


def test_row_26_one_key_fifty_times_at_once_is_one_task(make_fleet: MakeFleet) -> None:
    fleet = make_fleet()
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", pool="threads")
    gate = threading.Barrier(50)

    def submit(n: int) -> UUID:
        with fleet.api() as api:
            api.health_check()
            gate.wait()
            return api.create_task(Task(capability="work", input={"n": 1}, idempotency_key="once")).id

    def submit_graph(n: int) -> tuple[UUID, UUID]:
        first = Task(capability="work", idempotency_key="first of a graph")
        second = Task(capability="work", depends_on={first.id}, idempotency_key="second of a graph")
        with fleet.api() as api:
            api.health_check()
            gate.wait()
            one, two = api.create_tasks([first, second])
            return one.id, two.id

    with ThreadPoolExecutor(50) as threads:
        found = set(threads.map(submit, range(50)))
        assert len(found) == 1
        graph = set(threads.map(submit_graph, range(50)))
        assert len(graph) == 1
    assert stored(fleet) == 3
    with fleet.api() as api:
        with pytest.raises(IdempotencyConflictError, match="'once' already names task"):
            api.create_task(Task(capability="work", input={"n": 2}, idempotency_key="once"))
        done = api.wait([*found, *graph.pop()], timeout=60)
    intact(fleet, done)
    assert len(fleet.effects("begin")) == 3


def wide(count: int, width: int) -> list[Task]:
    """Layers of *width* tasks; each depends on two of the layer before, the last one on a whole layer."""
    made: list[Task] = []
    for n in range(count - 1):
        before = made[(n // width - 1) * width : n // width * width] if n >= width else []
        on = {before[n % width].id, before[(n + 1) % width].id} if before else set()
        made.append(Task(capability="work", input={"do": "nothing"}, depends_on=on))
    made.append(Task(capability="work", input={"do": "nothing"}, depends_on={t.id for t in made[-width:]}))
    return made


#: Seconds. 20 are promised, 16 and, on a machine that others slow, 22 were measured. Speed itself is a benchmark.
PATIENCE = 60


def seconds_of_work(fleet: Fleet) -> float:
    """Processor time of this process and of the server."""
    used: Any = fleet.server.client.info("cpu")
    return time.process_time() + float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


@pytest.mark.alone
def test_row_27_a_huge_graph_is_taken_whole_or_refused_with_its_cycle(
    make_fleet: MakeFleet, measured: Measured, full: bool
) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    layer = 10_000 if full else 2000
    new = wide(10 * layer, layer)
    cut, back = new[4 * layer], new[9 * layer]
    before = cut.depends_on
    # Down nine layers along first edges, and back up: a cycle of ten tasks.
    path = [back]
    while path[-1] is not cut and len(path) < 10:
        below = min(path[-1].depends_on, key=str)
        path.append(next(task for task in new if task.id == below))
    path[-1].depends_on = path[-1].depends_on | {back.id}
    with fleet.api() as api:
        began = time.monotonic()
        with pytest.raises(CircularDependencyError) as refused:
            api.create_tasks(new)
        measured("seconds until refused", time.monotonic() - began)
        assert time.monotonic() - began < PATIENCE
        assert len(refused.value.path) - 1 <= len(path)
        assert "dependencies form a cycle: " in str(refused.value)
        assert stored(fleet) == 0
        path[-1].depends_on = path[-1].depends_on - {back.id}
        cut.depends_on = before
        used = fleet.server.client.info("memory")["used_memory"]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work, began = seconds_of_work(fleet), time.monotonic()
        api.create_tasks(new)
        taken, worked = time.monotonic() - began, seconds_of_work(fleet) - work
        measured("seconds until accepted", taken)
        measured("seconds of work for that", worked)
        assert min(taken, worked) < PATIENCE
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
        measured("MiB the submitter grew", grown)
        assert grown < 1024
        used = fleet.server.client.info("memory")["used_memory"] - used
        measured("bytes a stored task", used / len(new))
        assert used / len(new) < 4000
    workers = [fleet.celery(f"w{n}", "-Q", "work", slots=1) for n in range(2)]
    fleet.await_ready(*workers)
    began = time.monotonic()
    ids = [str(task.id) for task in new]
    until(lambda: fleet.view().counts.get("completed", 0) == len(new), 300, "all completed")
    measured("tasks a second", len(new) / (time.monotonic() - began))
    assert set(fleet.statuses(ids)) == {"completed"}
    begins = {effect.task: effect.at for effect in fleet.effects("begin")}
    ends = {effect.task: effect.at for effect in fleet.effects("end")}
    assert len(begins) == len(ends) == len(new)
    early = [t for t in new if any(ends[str(d)] > begins[str(t.id)] for d in t.depends_on)]
    assert early == []
    at_rest(fleet, 30)


def test_row_27_a_submitter_killed_after_any_trip_leaves_all_or_nothing(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(batch_seconds=1.0)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", pool="threads")
    outcomes: list[str] = []
    everything: list[Task] = []
    while not outcomes or outcomes[-1] != "lived":
        parent = Task(capability="work", input={"seconds": 0.2})
        fleet.submit(parent)
        ids = [str(uuid4()) for _ in range(500)]
        command = [sys.executable, str(_SUBMITTER), str(len(outcomes) + 1), str(parent.id), *ids]
        ended = subprocess.run(command, env=fleet.environment(), capture_output=True, text=True, timeout=30)
        assert ended.returncode in (0, -9), ended.stderr
        seen = set(fleet.statuses(ids))
        assert seen == {""} or "" not in seen
        outcomes.append("lived" if ended.returncode == 0 else "nothing" if seen == {""} else "all")
        if seen != {""}:
            fleet.wait(ids)
            everything += [Task(id=UUID(id), capability="work", depends_on={parent.id}) for id in ids]
        everything.append(parent)
    stages = outcomes.count("nothing")
    assert outcomes == ["nothing"] * stages + ["all"] * (len(outcomes) - stages - 1) + ["lived"]
    assert stages >= 4  # four chunks
    assert outcomes.count("all") >= 3  # the commit, and each 256 commit waits
    until(lambda: fleet.view().open_batches == 0)
    intact(fleet, everything)
    assert stored(fleet) == len(everything)


def test_row_27_a_parent_that_ends_between_two_trips_leaves_nobody_stuck(make_fleet: MakeFleet) -> None:
    fleet = make_fleet()
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", pool="threads", slots=4)
    everything: list[Task] = []
    trip, over = 0, False
    while not over:
        trip += 1
        for ends in ("completed", "failed"):
            do = "nothing" if ends == "completed" else "fail"
            parent = Task(capability="work", input={"do": do}, max_retries=0, hold=True)
            fleet.submit(parent)
            new = [Task(capability="work", input={"do": "nothing"}, depends_on={parent.id}) for _ in range(300)]
            over = submit_and_end_parent(fleet, new, parent, trip, ends)
            fleet.wait([str(task.id) for task in new])
            expected = "completed" if ends == "completed" else "cancelled"
            assert set(fleet.statuses([str(task.id) for task in new])) == {expected}
            everything += [parent, *new]
    assert trip > 6
    intact(fleet, everything)


def submit_and_end_parent(fleet: Fleet, new: list[Task], parent: Task, trip: int, ends: str) -> bool:
    """Submit, letting the parent run and end after that trip; whether the submit had fewer trips."""
    operation = graphs.submit(str(uuid4()), [record(task, 1.0) for task in new])
    answer: Any = None
    trips = 0
    try:
        while True:
            answer = fleet.store.run(operation.send(answer))
            trips += 1
            if trips == trip:
                let_run(fleet, parent, ends)
    except StopIteration:
        if trips < trip:
            let_run(fleet, parent, ends)
    return trips < trip


def let_run(fleet: Fleet, parent: Task, ends: str) -> None:
    with fleet.api() as api:
        api.execute_task(parent.id, wait=False)
    fleet.until_status(str(parent.id), ends)


def test_row_35_two_edges_that_would_close_a_cycle_are_not_both_taken(make_fleet: MakeFleet) -> None:
    fleet = make_fleet()
    fleet.coordinator()
    pairs = [(Task(capability="work", hold=True), Task(capability="work", hold=True)) for _ in range(200)]
    everything = [task for pair in pairs for task in pair]
    fleet.submit(*everything)
    gate = threading.Barrier(2)
    refused: list[list[bool]] = [[], []]

    def add(side: int) -> None:
        with fleet.api() as api:
            for pair in pairs:
                gate.wait()
                try:
                    api.add_dependency(pair[side].id, pair[1 - side].id)
                    refused[side].append(False)
                except CircularDependencyError:
                    refused[side].append(True)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(add, side) for side in (0, 1)]:
            done.result()
    assert [one + two for one, two in zip(*refused, strict=True)] == [1] * 200
    fleet.worker("w", "-Q", "work", pool="threads")
    with fleet.api() as api:
        for task in everything:
            api.execute_task(task.id, wait=False)
    assert set(fleet.wait([str(task.id) for task in everything])) == {"completed"}
    intact(fleet, [fleet.task(str(task.id)) for task in everything])
