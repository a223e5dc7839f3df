"""Laws of retention: what is over goes, wholly; what somebody still needs stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from taskengine.coordinator import HookedStore
from taskengine.coordinator.duties import Decisions, Prune
from taskengine.models import Task, TaskPriority, TaskType
from taskengine.store import coordination, executions, retention, tasks
from taskengine.store.call import Call
from taskengine.store.executions import put_payload

from .bench import Bench, lint, until


@pytest.fixture
def hasty(bench: Bench) -> Iterator[Bench]:
    """A bench on which every finished run is due at once."""
    made = Bench(bench.server, retention_seconds=0.0, sweep_seconds=0.05)
    yield made
    made.close()


def varied() -> list[Task]:
    """Tasks with everything that leaves a key: filters, keys, inputs by reference, dependents."""
    a = lint("a", idempotency_key=f"key {uuid4()}", priority=TaskPriority.HIGH, created_by="somebody")
    b = lint("b", a, task_type=TaskType.TESTING, input={"text": "x" * 300_000})
    c = lint("c", a, assigned_to="lint")
    return [a, b, c, lint("d", b, c, metadata={"k": 1}), lint("e", max_retries=0)]


def finish_runs(bench: Bench) -> list[str]:
    """A graph, a failed one with its closed dependents, lone tasks, a cancelled one, one that was tried
    again.
    """
    node = bench.node()
    ids = bench.submit(*varied())
    bad = lint("bad")
    ids += bench.submit(bad, *(lint(f"x{i}", bad) for i in range(300)))
    run = str(uuid4())
    ids += [bench.create(lint(f"lone{i}"), run) for i in range(150)]
    cancelled = bench.create(lint("cancelled", hold=True))
    bench.run(tasks.cancel(cancelled, "no"))
    slot = node.slot()
    node.work({"bad": "failed"})
    again = bench.create(lint("again"))
    told = node.take(slot)
    bench.run(put_payload(told.execution_id, '"large"'))
    assert bench.run(executions.append_logs(told.execution_id, told.attempt, lines=['{"message":"x"}'])).ok
    node.report(slot, told, "failed")
    assert bench.run(tasks.reopen(again)).ok
    node.work()
    bench.run(tasks.watch(ids[0]))
    term = bench.elect()
    while bench.run(coordination.continue_releases(term)).number():
        pass
    bench.run_duty(Decisions(), term)
    done = {"completed", "failed", "cancelled"}
    assert set(bench.statuses([*ids, cancelled, again])) <= done
    return [*ids, cancelled, again]


def left(bench: Bench) -> set[str]:
    """Keys, without those that are there once for ever and the messages that no real worker consumes here."""
    fixed = {bench.keys.fixed(name) for name in ("arrivals", "counts", "decisions", "queues", "open_queues",
        "reopens", "wake")}
    queues = bench.keys.queue_prefix()
    return {name for name in bench.key_names() - fixed if not name.startswith(queues)}


def test_a_pruned_run_leaves_no_key_behind(bench: Bench, hasty: Bench) -> None:
    bench.node()
    before = bench.elect() and bench.key_names()
    ids = finish_runs(bench)
    assert len(bench.key_names()) > len(before) + len(ids)
    assert bench.fleet.counts["completed"] > 0
    hasty.run_duty(Prune())
    assert bench.statuses(ids) == [""] * len(ids)
    assert left(bench) - before == set()
    assert {int(n) for n in bench.server.client.hvals(bench.keys.fixed("counts"))} == {0}


def test_segments_of_arrivals_go_with_their_last_task(bench: Bench, hasty: Bench) -> None:
    new = [lint(f"t{i}") for i in range(4200)]
    bench.submit(*new)
    bench.node().work()
    hasty.run_duty(Prune())
    ids = [name for name in bench.key_names() if name.startswith(bench.keys.of("ids", ""))]
    assert ids == []
    assert not [name for name in bench.key_names() if name.startswith(bench.keys.of("bits", ""))]


def test_an_idempotency_key_is_free_after_its_task_was_pruned(bench: Bench, hasty: Bench) -> None:
    first = bench.create(lint("a", idempotency_key="once"))
    bench.node().work()
    hasty.run_duty(Prune())
    second = lint("b", idempotency_key="once")
    assert bench.create(second) == str(second.id) != first


def test_nothing_of_an_open_run_or_inside_its_retention_is_touched(bench: Bench, hasty: Bench) -> None:
    run = str(uuid4())
    ids = [bench.create(lint("a"), run), bench.create(lint("held", hold=True), run)]
    bench.node().work()
    hasty.run_duty(Prune())
    assert bench.statuses(ids) == ["completed", "pending"]
    bench.run(tasks.execute(ids[1], None))
    bench.node().work()
    bench.run_duty(Prune())  # its retention is a day
    assert bench.statuses(ids) == ["completed", "completed"]
    hasty.run_duty(Prune())
    assert bench.statuses(ids) == ["", ""]


def test_a_task_that_an_open_one_of_another_run_needs_stays_until_that_is_over(
    bench: Bench, hasty: Bench
) -> None:
    needed = lint("needed")
    ids = bench.submit(needed, *(lint(f"o{i}") for i in range(100)))
    node = bench.node()
    node.work()
    later = bench.create(lint("later", needed, hold=True))
    term = hasty.elect()
    (one,) = hasty.run(retention.expired(hasty.keys, 0.0))
    word, one = hasty.run(retention.prune_range(term, one))
    assert (word, one.erased, one.kept, one.over) == ("ok", 100, 1, True)
    assert bench.statuses(ids) == ["completed", *[""] * 100]
    bench.run(tasks.execute(later, None))
    told = node.take(node.slot())
    assert told.inputs == ((ids[0], "needed", "{}"),)
    node.report(node.slot(), told)
    hasty.run_duty(Prune(), term)
    until(lambda: bench.statuses([ids[0], later]) == ["", ""])


def test_a_run_that_gets_work_while_it_is_pruned_keeps_the_new_work(bench: Bench, hasty: Bench) -> None:
    run = str(uuid4())
    old = [bench.create(lint(f"t{i}"), run) for i in range(200)]
    node = bench.node()
    node.work()
    fresh: list[str] = []

    def submit(call: Call[Any]) -> None:
        if call.name == "prune" and not fresh:
            fresh.extend(bench.submit(lint("fresh"), run=run))
            node.work()

    hasty.run_duty(Prune(), store=HookedStore(hasty.store, after=submit))
    assert set(bench.statuses(fresh)) <= {"completed", ""}
    hasty.run_duty(Prune())
    assert bench.statuses([*old, *fresh]) == [""] * 201
    assert not hasty.run(retention.expired(hasty.keys, 0.0))


def test_staging_into_a_finished_run_keeps_its_results(bench: Bench) -> None:
    run = str(uuid4())
    id = bench.create(lint("a"), run)
    bench.node().work()
    finished = bench.keys.fixed("finished")
    before = bench.server.client.zscore(finished, run)
    until(lambda: bench.run(coordination.server_ms()) > before)
    bench.submit(lint("b", hold=True), run=str(uuid4()))
    assert bench.server.client.zscore(finished, run) == before
    bench.submit(lint("c", hold=True), run=run)
    assert bench.server.client.zscore(finished, run) is None
    assert bench.statuses([id]) == ["completed"]


@pytest.mark.parametrize("dies_after", range(1, 12))
def test_a_prune_that_died_anywhere_is_finished_by_the_next(
    bench: Bench, hasty: Bench, dies_after: int
) -> None:
    bench.node()
    before = bench.elect() and bench.key_names()
    ids = bench.submit(*(lint(f"t{i}") for i in range(200)))
    bench.node().work()
    calls: list[str] = []

    def die(call: Call[Any]) -> None:
        calls.append(call.name)
        if len(calls) == dies_after:
            raise KeyboardInterrupt

    try:
        hasty.run_duty(Prune(), store=HookedStore(hasty.store, after=die))
    except KeyboardInterrupt:
        assert len(calls) == dies_after
    hasty.run_duty(Prune())
    assert bench.statuses(ids) == [""] * 200
    assert left(bench) - before == set()


def test_a_run_whose_pass_raises_holds_up_nobody(bench: Bench, hasty: Bench) -> None:
    bad, good = bench.create(lint("bad")), bench.create(lint("good"))
    bench.node().work()
    bench.server.client.hset(bench.keys.of("task", bad), "rt", "not a number")
    with hasty.coordinated():
        until(lambda: bench.statuses([good]) == [""])
        assert bench.statuses([bad]) == ["completed"]


def test_the_coordinator_prunes_by_itself(bench: Bench) -> None:
    brief = Bench(bench.server, retention_seconds=0.3, sweep_seconds=0.05)
    with brief.coordinated():
        ids = brief.submit(*(lint(f"t{i}") for i in range(300)))
        brief.node().work()
        assert set(brief.statuses(ids)) == {"completed"}
        until(lambda: set(brief.statuses(ids)) == {""}, what="an empty Redis")
    brief.close()
