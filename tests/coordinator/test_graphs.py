"""Laws of a submit that dies: all of the graph or nothing, whatever trip was the last."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid4

import pytest

from taskengine.coordinator.duties import Batches, Commits
from taskengine.errors import ConflictError
from taskengine.models import Task
from taskengine.store import coordination, graphs
from taskengine.store.call import Operation
from taskengine.store.graphs import CHUNK

from .bench import Bench, lint, records, until


def graph() -> list[Task]:
    """Five chunks, layer on layer."""
    first = [lint(f"a{i}") for i in range(2 * CHUNK)]
    second = [lint(f"b{i}", first[i]) for i in range(2 * CHUNK)]
    return [*first, *second, lint("last", *second[:20])]


def trips(bench: Bench, operation: Operation[object], most: int) -> int:
    """Run an operation's first *most* trips and forget it; how many it made."""
    step = next(operation)
    for made in range(most):
        answer = bench.run(step)
        try:
            step = operation.send(answer)
        except StopIteration:
            return made + 1
    operation.close()
    return most


def wants(batch_seconds: float = 0.3) -> dict[str, float]:
    return {"batch_seconds": batch_seconds, "sweep_seconds": 0.05}


# Five chunks, the commit, two falls.
@pytest.mark.parametrize("last_trip", range(1, 9))
def test_a_graph_whose_submitter_died_runs_whole_or_leaves_nothing(bench: Bench, last_trip: int) -> None:
    hasty = Bench(bench.server, **wants())
    before = bench.elect("nobody") and hasty.key_names()
    bench.run(coordination.resign("nobody"))
    new = graph()
    made = trips(hasty, graphs.submit(str(uuid4()), records(new)), last_trip)
    assert made == last_trip
    committed = last_trip >= 6
    node = hasty.node()
    with hasty.coordinated():
        if committed:
            ran: list[str] = []
            until(lambda: ran.extend(node.work()) or len(ran) >= len(new), what="the whole graph")
            assert sorted(ran) == sorted(task.name for task in new)
            assert set(hasty.statuses([str(task.id) for task in new])) == {"completed"}
        else:
            until(lambda: not hasty.fleet.open_batches, what="the sweep")
            assert set(hasty.statuses([str(task.id) for task in new])) == {""}
            assert node.work() == []
    until(lambda: not hasty.server.client.scard(hasty.keys.fixed("commits")))
    if not committed:
        left = hasty.key_names() - before - {hasty.keys.of("node", "n1")}
        assert left <= {hasty.keys.fixed(name) for name in _FLEET} | _of_a_node(hasty)
    hasty.close()


_FLEET = ("arrivals", "counts", "free_nodes", "leader", "nodes", "offered_slots", "schema", "wake")


def _of_a_node(bench: Bench) -> set[str]:
    """What stays besides: the node itself, and the segment that arrivals are still numbered in."""
    return {bench.keys.of("offers", "lint"), bench.keys.of("offers", "@lint"), bench.keys.of("ids", 0)}


def test_an_abandoned_graph_leaves_the_dependents_of_stored_tasks_as_they_were(bench: Bench) -> None:
    hasty = Bench(bench.server, **wants())
    parent = lint("parent", hold=True)
    hasty.create(parent)
    before = hasty.key_names()
    staged = [lint(f"s{i}", parent) for i in range(200)]
    trips(hasty, graphs.submit(str(uuid4()), records(staged)), len(range(0, 200, CHUNK)))
    deps = hasty.keys.of("dependents", parent.id)
    assert hasty.server.client.llen(deps) == 200
    with hasty.coordinated():
        until(lambda: not hasty.fleet.open_batches, what="the sweep")
    assert hasty.server.client.llen(deps) == 0
    assert hasty.server.client.hget(hasty.keys.of("task", parent.id), "pin") is None
    assert hasty.key_names() - before == {hasty.keys.fixed(name) for name in ("leader", "schema")}
    hasty.close()


def test_a_graph_is_swept_only_when_it_is_old(bench: Bench) -> None:
    trips(bench, graphs.submit(str(uuid4()), records(graph())), 2)
    bench.run_duty(Batches())
    assert bench.fleet.open_batches == 1


def test_a_commit_after_the_sweep_began_is_refused(bench: Bench) -> None:
    hasty = Bench(bench.server, **wants(0.001))
    new = graph()
    operation = graphs.submit(str(uuid4()), records(new))
    step = next(operation)
    for _ in range(5):
        step = operation.send(hasty.run(step))
    assert step.name == "commit_graph"
    term = hasty.elect()
    (batch,) = until(lambda: hasty.run(coordination.abandoned(hasty.keys, 0.001)))
    hasty.run(coordination.sweep_batch(batch, term))
    with pytest.raises(ConflictError):
        _finish(hasty, operation, step)
    assert set(hasty.statuses([str(task.id) for task in new])) == {""}
    assert hasty.submit(*new) == [str(task.id) for task in new]
    hasty.close()


def _finish(bench: Bench, operation: Operation[object], step: object) -> None:
    while True:
        try:
            step = operation.send(bench.run(step))  # type: ignore[arg-type]
        except StopIteration:
            return


def test_ids_of_a_swept_graph_are_free_again(bench: Bench) -> None:
    hasty = Bench(bench.server, **wants(0.001))
    new = graph()
    trips(hasty, graphs.submit(str(uuid4()), records(new)), 3)
    until(lambda: hasty.run(coordination.abandoned(hasty.keys, 0.001)))
    hasty.run_duty(Batches())
    assert hasty.submit(*new) == [str(task.id) for task in new]
    assert _names(hasty.node().work()) == _names(task.name for task in new)
    hasty.close()


def _names(names: Iterable[str]) -> list[str]:
    return sorted(names)


def test_the_fall_of_commit_waits_may_be_shared_with_a_living_submitter(bench: Bench) -> None:
    new = graph()
    operation = graphs.submit(str(uuid4()), records(new))
    trips(bench, operation, 7)
    term = bench.elect()
    bench.run_duty(Commits(), term)
    assert not bench.run(coordination.committed(bench.keys))
    assert len(bench.node().work()) == len(new)
