"""Lists by filter: bitmaps and status codes over arrivals against a list kept by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskengine.core.containment import contains
from taskengine.models import TaskPriority, TaskType
from taskengine.store import coordination, graphs, tasks
from taskengine.store.codec import canonical
from taskengine.store.fields import TaskField
from taskengine.store.keys import CODES
from taskengine.store.records import index_names

from .world import World, steps


def found(world: World, *indexes: str, limit: int = 1000, start: int = 0) -> list[str]:
    """All ids that carry the indexes, however many calls it takes."""
    ids: list[str] = []
    below = start
    while True:
        below, piece = world.run(tasks.find(below, limit, indexes))
        ids += piece
        if below == 0:
            return ids


def test_filters_hold_together_newest_first(world: World) -> None:
    a = world.new("a", priority=TaskPriority.HIGH, created_by="bob")
    b = world.new("b", priority=TaskPriority.HIGH, task_type=TaskType.TESTING, capability="lint")
    c = world.new("c", assigned_to="x", created_by="bob")
    ids = {str(t.id): t.name for t in (a, b, c)}

    def names(*indexes: str) -> list[str]:
        return [ids[id] for id in found(world, *indexes)]

    assert names() == ["c", "b", "a"]
    assert names("p:3") == ["b", "a"]
    assert names("p:3", "b:bob") == ["a"]
    assert names("t:testing") == ["b"]
    assert names("a:x") == ["c"]
    assert names("a:x", "p:3") == names("b:eve") == []
    world.run(tasks.cancel(str(b.id), "no"))
    assert names("s:cancelled") == ["b"]
    assert names("s:ready") == ["c", "a"]
    assert names("s:ready", "b:bob", "p:3") == ["a"]
    assert names("s:ready", "s:cancelled") == []
    assert names("s:nonsense") == []


def test_clocks_that_jump_hide_nothing_from_who_asks_by_moment(world: World) -> None:
    """An arrival that is older says nothing of those below it."""
    new = [world.new(f"t{n}") for n in range(4)]
    for task, created in zip(new, (100, 900, 300, 600), strict=True):
        world.raw.hset(world.keys.of("task", task.id), TaskField.created, created)
    names = {str(task.id): task.name for task in new}

    def asked(*indexes: str) -> list[str]:
        return [names[id] for id in found(world, *indexes, limit=1)]

    assert asked(">:600") == ["t3", "t1"]
    assert asked("<:600") == ["t2", "t0"]
    assert asked(">:300", "<:900") == ["t3", "t2"]
    assert asked(">:900", "s:ready") == ["t1"]
    assert world.run(tasks.find_fitting(0, 9, ["failed"], [">:600"])) == (0, [], {"ready": 2})


@pytest.mark.parametrize("start", [4090, 4095, 4096, 8191, 5 * 4096 - 3])
def test_lists_cross_segments(world: World, start: int) -> None:
    world.raw.incrby(world.keys.fixed("arrivals"), start)
    new = [world.task(f"t{n}", created_by="bob" if n % 3 else "eve") for n in range(10)]
    world.submit(*new)
    newest = [str(t.id) for t in reversed(new)]
    assert found(world) == newest
    assert found(world, limit=3) == newest
    assert found(world, "b:eve", limit=1) == [str(t.id) for t in reversed(new) if t.created_by == "eve"]
    for task in new:
        world.run(tasks.cancel(str(task.id), "no"))
        assert world.run(tasks.delete(str(task.id), index_names(task), world.since())).ok
    assert found(world) == []
    kinds = {name.split(":")[1] for name in world.key_names()}
    assert not kinds & {"bits", "codes", "ids", "task"}


def test_pages_continue_where_the_last_one_ended(world: World) -> None:
    new = [world.new(f"t{n}") for n in range(7)]
    newest = [str(t.id) for t in reversed(new)]
    below, first = world.run(tasks.find(0, 3, []))
    assert first == newest[:3]
    world.new("newer")
    below, second = world.run(tasks.find(below, 3, []))
    assert second == newest[3:6]
    below, third = world.run(tasks.find(below, 3, []))
    assert (below, third) == (0, newest[6:])


def test_empty_stretch_of_a_hundred_thousand_arrivals_is_crossed_in_bounded_calls(real: World) -> None:
    old = real.new("old")
    real.raw.incrby(real.keys.fixed("arrivals"), 100_000)
    new = real.new("new")
    assert found(real) == [str(new.id), str(old.id)]


def calls(world: World, *indexes: str) -> tuple[int, int]:
    """Scripts that a whole list takes, and the most commands of one."""
    below, made, most = 0, 0, 0
    while made == 0 or below > 0:
        world.raw.config_resetstat()
        below, _ = world.run(tasks.find(below, 1000, indexes))
        commands = sum(int(each["calls"]) for each in world.raw.info("commandstats").values())
        made, most = made + 1, max(most, commands)
    return made, most


@pytest.mark.parametrize("indexes", [[], ["s:ready"], ["b:old"], ["b:old", "p:2"], ["b:nobody"]])
def test_list_passes_by_what_is_long_gone_in_bounded_commands(real: World, indexes: list[str]) -> None:
    real.new("old", created_by="old")
    real.raw.incrby(real.keys.fixed("arrivals"), 20_000_000)
    real.new("new", created_by="new")
    made, most = calls(real, *indexes)  # 4883 segments
    assert 5 <= made < 50  # a call ends after its milliseconds, too: a slow machine needs more of them
    assert most < 1300


def test_list_passes_by_segments_where_no_task_carries_its_index(real: World) -> None:
    for _ in range(40):
        real.new("other", created_by="other")
        real.raw.incrby(real.keys.fixed("arrivals"), 4096)
    assert (calls(real, "b:nobody")[0], calls(real)[0]) == (1, 1)


#: Arrivals that are all over, in 245 segments.
FINISHED = 245 * 4096


def with_finished(world: World) -> None:
    """A million COMPLETED tasks, as far as lists look before they name one."""
    codes = bytes([CODES["completed"] * 17]) * 2048
    for segment in range(FINISHED // 4096):
        world.raw.set(world.keys.of("codes", segment), codes)
        world.raw.set(world.keys.of("ids", segment), bytes(16 * 4096))
    world.raw.set(world.keys.fixed("arrivals"), FINISHED)
    world.broken = True


def test_a_status_that_nobody_has_is_not_searched_for(real: World) -> None:
    real.new("new")
    with_finished(real)
    made, most = calls(real, "s:paused")
    assert made == 1
    assert most <= 5, "the count of that status, and what asking costs"


def test_open_tasks_before_a_million_finished_ones_are_found_at_once(real: World) -> None:
    with_finished(real)
    new = [real.new(f"t{n}") for n in range(3)]
    assert calls(real, "s:ready")[0] == 1
    assert found(real, "s:ready") == [str(task.id) for task in reversed(new)]


def test_an_open_task_behind_a_million_finished_ones_is_found_in_few_short_scripts(real: World) -> None:
    old = real.new("old")
    codes = real.raw.get(real.keys.of("codes", 0))
    with_finished(real)
    real.raw.setrange(real.keys.of("codes", 0), 0, codes)
    real.raw.setrange(real.keys.of("ids", 0), 16, old.id.bytes)
    real.new("paused at the other end")
    assert found(real, "s:ready")[1:] == [str(old.id)]
    assert calls(real, "s:ready")[0] <= 12
    real.raw.config_set("slowlog-log-slower-than", 50_000)

    def is_quick() -> bool:
        real.raw.slowlog_reset()
        calls(real, "s:ready")
        return bool(real.raw.slowlog_len() == 0)

    # A busy machine stretches one or the other; a script that does not stop would be long each time.
    assert any(is_quick() for _ in range(5)), "each is over within 5 ms, here with ten times of it"


def test_a_run_is_listed_from_its_own_ranges(real: World) -> None:
    with_finished(real)
    run = str(uuid4())
    new = []
    for n in range(3):
        new.append(real.task(f"single{n}", created_by="eve"))
        real.create(new[-1], run)
        real.raw.incrby(real.keys.fixed("arrivals"), 40_000)
        graph = [real.task(f"g{n}-{at}", created_by="bob") for at in range(5)]
        real.submit(*graph, run=run)
        real.new("another run's")
        new += graph
    ids = [str(task.id) for task in reversed(new)]
    made, most = calls(real, f"r:{run}")
    assert made == 1
    assert most < 30
    assert found(real, f"r:{run}") == found(real, f"r:{run}", limit=2) == ids
    assert found(real, f"r:{run}", "s:ready") == ids
    assert found(real, f"r:{run}", "s:completed") == []
    assert found(real, f"r:{run}", "b:eve", limit=1) == [str(t.id) for t in reversed(new) if t.created_by == "eve"]


def test_a_run_whose_graph_has_just_been_committed_is_listed_whole(world: World) -> None:
    run = str(uuid4())
    first = world.task("first")
    world.create(first, run)
    graph = [world.task(f"t{n}") for n in range(300)]
    batch = world.staged(*graph, run=run)
    assert found(world, f"r:{run}") == [str(first.id)]
    world.run(graphs.commit(batch))
    ids = [str(task.id) for task in reversed([first, *graph])]
    assert found(world, f"r:{run}") == ids
    world.run(coordination.settle_batch(batch))
    assert found(world, f"r:{run}") == ids
    world.settle(batch)
    assert found(world, f"r:{run}") == ids


def test_list_beside_a_large_uncommitted_graph_stays_bounded(real: World) -> None:
    old = real.new("old")
    batch = real.staged(*(real.task(f"t{n}") for n in range(1500)))
    below, ids = real.run(tasks.find(0, 10, []))
    assert ids == []
    assert below > 1, "it stopped to look at 256 staged tasks"
    assert found(real) == [str(old.id)]
    steps(graphs.abandon(batch), real.run)
    assert real.run(tasks.find(0, 10, [])) == (0, [str(old.id)])


@dataclass
class Model:
    """A list kept by hand beside the store."""

    world: World
    alive: dict[str, Any]

    def matching(self, wanted: dict[str, Any]) -> list[str]:
        return [id for id, fields in reversed(self.alive.items()) if wanted.items() <= fields.items()]


_FIELDS = st.fixed_dictionaries(
    {"p": st.sampled_from(["2", "5"]), "b": st.sampled_from(["ann", "bob"]), "a": st.sampled_from([None, "x"])}
)
_STEP = st.one_of(
    st.tuples(st.just("create"), _FIELDS),
    st.tuples(st.just("graph"), st.lists(_FIELDS, min_size=1, max_size=5)),
    st.tuples(st.just("abandon"), st.lists(_FIELDS, min_size=1, max_size=3)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("delete"), st.integers(0, 30)),
    st.tuples(st.just("skip"), st.integers(0, 2)),
)


def make(world: World, fields: dict[str, Any]) -> Any:
    return world.task("t", priority=int(fields["p"]), created_by=fields["b"], assigned_to=fields["a"])


def play(model: Model, step: tuple[str, Any]) -> None:
    world, (verb, what) = model.world, step
    if verb == "create":
        task = make(world, what)
        assert world.create(task).ok
        model.alive[str(task.id)] = what | {"s": "ready"}
    elif verb in {"graph", "abandon"}:
        new = [make(world, fields) for fields in what]
        if verb == "graph":
            world.submit(*new)
            model.alive |= {str(t.id): f | {"s": "ready"} for t, f in zip(new, what, strict=True)}
        else:
            steps(graphs.abandon(world.staged(*new, batch=str(new[0].id))), world.run)
    elif verb == "skip":
        world.raw.incrby(world.keys.fixed("arrivals"), [1, 7, 4090][what])
    elif model.alive:
        id = list(model.alive)[what % len(model.alive)]
        if verb == "cancel" and model.alive[id]["s"] == "ready":
            assert world.run(tasks.cancel(id, "no")).ok
            model.alive[id]["s"] = "cancelled"
        elif verb == "delete" and model.alive[id]["s"] == "cancelled":
            index = index_names(world.read(id))
            assert world.run(tasks.delete(id, index, world.since())).ok
            del model.alive[id]


@given(st.integers(0, 9000), st.lists(_STEP, max_size=25), st.integers(1, 5))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_lists_agree_with_a_list_kept_by_hand(real: World, first: int, story: list[Any], limit: int) -> None:
    real.raw.flushall()
    real.raw.incrby(real.keys.fixed("arrivals"), first)
    model = Model(real, {})
    for step in story:
        play(model, step)
    for wanted in ({}, {"p": "5"}, {"b": "bob"}, {"s": "ready"}, {"s": "cancelled", "a": "x"}, {"p": "2", "b": "ann"}):
        names = [f"{k}:{v}" for k, v in wanted.items()]
        assert found(real, *names, limit=limit) == model.matching(wanted), names
    statuses = [fields["s"] for fields in model.alive.values()]
    assert real.counts() == {status: statuses.count(status) for status in set(statuses)}


def test_a_search_for_some_statuses_names_those_and_counts_the_others(world: World) -> None:
    world.raw.incrby(world.keys.fixed("arrivals"), 4090)
    new = [world.task(f"t{n}", capability="lint" if n % 2 else "test") for n in range(100)]
    world.submit(*new)
    over = {str(task.id) for task in new[:90]}
    for id in over:
        world.run(tasks.cancel(id, "no"))
    world.staged(world.task("staged", capability="lint"))
    for indexes, wanted in (((), new[90:]), (("c:lint",), new[91::2])):
        assert _counted(world, ["ready"], indexes) == (
            [str(task.id) for task in reversed(wanted)],
            {"cancelled": 90 if not indexes else 45},
        )
    assert _counted(world, ["cancelled"], ["s:ready"]) == ([], {"ready": 10})
    assert _counted(world, [], ["s:pending"]) == ([], {})


def _counted(world: World, fits: list[str], indexes: Iterable[str]) -> tuple[list[str], dict[str, int]]:
    ids: list[str] = []
    counts: Counter[str] = Counter()
    below, more = 0, True
    while more:
        below, piece, others = world.run(tasks.find_fitting(below, 3, fits, indexes))
        ids += piece
        counts.update(others)
        more = below > 0
    return ids, dict(counts)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([1.0, 2.5]) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=2), _JSON, max_size=3), st.data())
@settings(deadline=None)
def test_what_holds_a_part_has_all_texts_it_is_searched_by(whole: dict[str, Any], data: st.DataObject) -> None:
    """Else a list would miss it."""
    part = _part_of(whole, data)
    assert contains(whole, part)
    text = canonical(whole, "metadata")
    assert all(index.removeprefix("d:") in text for index in tasks.holding(part))


def _part_of(whole: Any, data: st.DataObject) -> Any:
    if isinstance(whole, dict):
        kept = data.draw(st.sets(st.sampled_from(sorted(whole)))) if whole else ()
        return {key: _part_of(whole[key], data) for key in kept}
    if isinstance(whole, list):
        kept = data.draw(st.lists(st.sampled_from(range(len(whole))), max_size=3)) if whole else ()
        return [_part_of(whole[at], data) for at in kept]
    return float(whole) if isinstance(whole, int) and not isinstance(whole, bool) else whole
