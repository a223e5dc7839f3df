"""Runs have names and makers and stand in a list; ids are found by their beginnings, whatever lies between."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskengine.store import graphs, runs, tasks
from taskengine.store.call import Call
from taskengine.store.records import index_names
from taskengine.store.retention import Pass, prune_range

from .world import World, steps


def listed(world: World) -> list[str]:
    return [entry.id for entry in world.run(runs.find(None, 100))[1]]


def stored(world: World, run: str) -> runs.StoredRun:
    (found,) = world.run(runs.read([run]))
    assert found is not None
    return found


def told(world: World, run: str) -> tuple[str, str, int, int]:
    found = stored(world, run)
    return found.name, found.created_by, found.total, found.open


def graph(world: World, n: int = 2, **label: str) -> str:
    return world.submit(*(world.task(f"t{i}") for i in range(n)), **label)


def test_graphs_have_names_and_makers_and_stand_in_a_list(world: World) -> None:
    first, second = graph(world, name="nightly", by="zoe"), graph(world, 3, by="bob")
    assert set(listed(world)) == {first, second}
    assert told(world, first) == ("nightly", "zoe", 2, 2)
    assert told(world, second) == ("", "bob", 3, 3)
    assert stored(world, first).finished_ms is None
    assert world.run(runs.read(["nobody"])) == [None]


def test_run_that_is_over_says_since_when(world: World) -> None:
    task = world.task("a")
    run = world.submit(task, name="nightly")
    world.finish(task)
    assert stored(world, run).finished_ms == int(world.fields("run", run)["fin"])
    assert world.run(runs.counts([run])) == [{"completed": 1}]


def test_lone_task_is_in_no_list_of_graphs_and_pays_nothing_for_it(world: World) -> None:
    task = world.new("lone", created_by="zoe")
    run = world.run_of(task.id)
    assert listed(world) == []
    assert set(world.fields("run", run)) == {"cr", "total", "open"}
    assert told(world, run) == ("", "zoe", 1, 1)
    assert graph(world, 1) not in listed(world)


def test_lone_task_with_a_name_is_a_graph(world: World) -> None:
    run = graph(world, 1, name="nightly", by="zoe")
    assert listed(world) == [run]


def test_run_becomes_a_graph_with_its_second_task_by_the_moment_of_its_first(world: World) -> None:
    run = world.run_of(world.new("first", created_by="zoe").id)
    world.raw.hincrby(world.keys.of("run", run), "cr", -5000)
    world.raw.zincrby(world.keys.fixed("runs"), -5000, run)
    world.create(world.task("second", created_by="bob"), run)
    (entry,) = world.run(runs.find(None, 10))[1]
    assert (entry.id, entry.at_ms) == (run, stored(world, run).created_ms)
    assert told(world, run) == ("", "zoe", 2, 2)
    world.create(world.task("third"), run)
    assert listed(world) == [run]


def test_run_keeps_its_first_name_and_maker(world: World) -> None:
    run = graph(world, by="zoe")
    graph(world, run=run, name="nightly", by="bob")
    graph(world, run=run, name="daily", by="eve")
    assert told(world, run) == ("nightly", "zoe", 6, 6)


def test_graph_of_which_all_was_there_before_is_nobodys(world: World) -> None:
    world.submit(world.task("a", idempotency_key="k"), name="nightly")
    run = world.submit(world.task("a", idempotency_key="k"), name="nightly")
    assert told(world, run) == ("", "", 0, 0)
    assert run not in listed(world)


def test_nothing_is_listed_of_a_graph_before_its_commit(world: World) -> None:
    run = str(uuid4())
    world.staged(world.task("a"), world.task("b"), run=run)
    assert (listed(world), world.run(runs.read([run]))) == ([], [None])
    assert world.run(graphs.commit("batch", label=graphs.Label("nightly", "ann"))).ok
    assert told(world, run) == ("nightly", "ann", 2, 2)
    world.settle("batch")
    assert world.run(runs.counts([run])) == [{"ready": 2}]


def test_pruned_run_leaves_the_list(world: World) -> None:
    task = world.task("a")
    run, other = world.submit(task, name="nightly"), graph(world)
    world.finish(task)
    finished = stored(world, run).finished_ms
    assert finished is not None
    assert world.run(prune_range(world.elect(), Pass(run, finished)))[1].over
    assert listed(world) == [other]


def test_counts_are_what_the_statuses_say_across_ranges_and_segments(real: World) -> None:
    real.raw.incrby(real.keys.fixed("arrivals"), 4096 - 100)
    wide = [real.task(f"w{n}", hold=bool(n % 3)) for n in range(150)]
    run = real.submit(*wide)
    for n in range(300):  # a range each
        real.create(real.task(f"l{n}", capability="other"), run)
    for task in wide[:40]:
        real.run(tasks.cancel(str(task.id), "no"))
    lone = real.run_of(real.new("lone").id)
    assert real.run(tasks.delete(str(wide[0].id), index_names(wide[0]), real.since())).ok
    ids = [lone, run, "nobody", lone]
    expected = Counter(real.statuses([task.id for task in wide[1:]]))
    expected["ready"] += 300
    assert real.run(runs.counts(ids)) == [{"ready": 1}, dict(expected), {}, {"ready": 1}]


def test_graphs_are_searched_by_every_filter_and_who_made_one_is_left_open_where_nobody_noted_it(world: World) -> None:
    done = world.task("done")
    nightly = graph(world, name="nightly", by="zoe")
    over = world.submit(done, name="nightly", by="bob")
    world.run(tasks.cancel(str(done.id), "no"))
    lone = world.run_of(world.new("lone", created_by="eve").id)
    world.submit(world.task("named"), run=lone, name="later")

    def ids(**wanted: Any) -> set[str]:
        last, entries = world.run(runs.find(None, 100, **wanted))
        assert last is None
        return {entry.id for entry in entries}

    assert ids() == {nightly, over, lone}
    assert ids(name="nightly") == {nightly, over}
    assert ids(name="night") == set()
    assert ids(finished=True) == {over}
    assert ids(name="nightly", finished=False) == {nightly}
    assert ids(created_by="zoe") == {nightly, lone}


def test_a_search_of_runs_looks_at_so_many_in_one_script_and_says_where_to_go_on(real: World) -> None:
    many = 5000
    pipe = real.raw.pipeline()
    for n in range(many):  # of ten in one millisecond
        run = str(UUID(int=n))
        pipe.hset(real.keys.of("run", run), mapping={"cr": 1000 + n // 10, "nm": "rare" if n in (3, 4000) else "often"})
        pipe.zadd(real.keys.fixed("graphs"), {run: 1000 + n // 10})
    pipe.execute()
    real.broken = True
    at, seen, trips = None, list[str](), 0
    while at is not None or not trips:
        real.raw.config_resetstat()
        at, entries = real.run(runs.find(at, 10, name="rare"))
        assert sum(int(each["calls"]) for each in real.raw.info("commandstats").values()) < 2200
        seen, trips = [*seen, *(entry.id for entry in entries)], trips + 1
    assert seen == [str(UUID(int=4000)), str(UUID(int=3))]
    assert trips >= 3


def test_page_of_graphs_goes_on_where_the_last_one_ended_also_when_that_run_went(real: World) -> None:
    made = [graph(real) for _ in range(7)]
    for n, run in enumerate(made):  # three of one moment
        moment = 1_000_000 + max(n, 2)
        real.raw.hset(real.keys.of("run", run), "cr", moment)
        real.raw.zadd(real.keys.fixed("runs"), {run: moment})
        real.raw.zadd(real.keys.fixed("graphs"), {run: moment})
    order = [*reversed(made[3:]), *sorted(made[:3], reverse=True)]
    last, seen = real.run(runs.find(None, 5))
    assert [entry.id for entry in seen] == order[:5]
    real.raw.zrem(real.keys.fixed("graphs"), order[4])
    assert last == seen[-1]
    assert [entry.id for entry in real.run(runs.find(last, 5))[1]] == order[5:]
    real.broken = True


def alike(world: World, beginning: str, most: int = 50) -> list[str]:
    return world.run(tasks.begin_alike(beginning, most))


def test_tasks_are_found_by_the_beginnings_of_their_ids(world: World) -> None:
    # The bytes of one begin in the middle of another.
    ids = [
        "abcd1000-0000-4000-8000-000000000000", "abcd2fff-0000-4000-8000-00000000abcd",
        "1234abcd-0000-4000-8000-000000000000",
    ]  # fmt: skip
    world.submit(*(world.task(id[:8], id=UUID(id)) for id in ids))
    for length in range(4, 36):
        for id in ids:
            digits = id[:length].replace("-", "")
            expected = [other for other in ids if other.replace("-", "").startswith(digits)]
            assert sorted(alike(world, digits)) == sorted(expected)
    assert alike(world, "abcd", 1) in ([ids[0]], [ids[1]])
    assert alike(world, "dcba") == alike(world, "abcd3") == []


@pytest.mark.parametrize("start", [4094, 8191, 70_000])
def test_ids_are_found_in_every_segment(world: World, start: int) -> None:
    old = world.new("old", id=UUID("abcd" + "1" * 28))
    world.raw.incrby(world.keys.fixed("arrivals"), start - 1)
    new = [world.task(f"t{n}", id=UUID(f"abcd{n:028x}")) for n in range(4)]
    world.submit(*new)
    assert set(alike(world, "abcd")) == {str(task.id) for task in (old, *new)}


def test_ids_that_went_that_are_not_committed_or_have_a_twin_are_not_found(world: World) -> None:
    gone, again, twin = (UUID(f"abcd{n:028x}") for n in range(3))
    task = world.new("gone", id=gone)
    kept = world.new("kept", id=UUID("abcd" + "f" * 28), idempotency_key="k")
    first = world.new("again", id=again)
    for each in (task, first):
        world.run(tasks.cancel(str(each.id), "no"))
        world.run(tasks.delete(str(each.id), index_names(each), world.since()))
    world.new("again", id=again)
    world.submit(world.task("kept", id=twin, idempotency_key="k"), world.task("other"))
    world.staged(world.task("staged", id=UUID("abcd" + "e" * 28)))
    assert sorted(alike(world, "abcd")) == sorted([str(kept.id), str(again)])


def calls(world: World, beginning: str, most: int) -> int:
    made = 0

    def send(call: Call[Any]) -> Any:
        nonlocal made
        made += 1
        return world.run(call)

    steps(tasks.begin_alike(beginning, most), send)
    return made


def test_search_for_an_id_looks_at_256_tasks_a_call(real: World) -> None:
    real.staged(*(real.task(f"t{n}", id=UUID(int=n + 1)) for n in range(600)))
    assert (calls(real, "0000", 50), alike(real, "0000")) == (3, [])
    last = UUID(int=600)
    real.run(graphs.commit("batch"))
    assert alike(real, last.hex[:31]) == [f"{last}"[:-1] + f"{n:x}" for n in range(0, 9)]


def test_search_for_an_id_passes_by_what_is_long_gone(real: World) -> None:
    old = real.new("old")
    real.raw.incrby(real.keys.fixed("arrivals"), 20_000_000)
    new = real.new("new")
    for task in (old, new):
        assert str(task.id) in alike(real, task.id.hex[:8])
    assert calls(real, "abcd", 50) == 5  # 4883 segments


def test_runs_are_found_by_the_beginnings_of_their_ids_graphs_before_others(world: World) -> None:
    graph_id, lone, other = (str(UUID(text + "0" * 24)) for text in ("abcd1000", "abcd2000", "abce0000"))

    def find(beginning: str, most: int = 5) -> list[str]:
        return world.run(runs.begin_alike(world.keys, beginning, most))

    world.create(world.task("lone"), lone)
    assert find("abcd") == find(lone[:20]) == [lone]
    graph(world, run=graph_id)
    assert (find("abcd"), find("abcd2")) == ([graph_id], [lone])
    graph(world, run=other)
    assert (find("abc"), find("abc", 1), find("ffff")) == ([graph_id, other], [graph_id], [])
