"""A graph is all or nothing: staged where nobody sees it, visible at once, set free in pieces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from taskengine.errors import ConflictError, IdempotencyConflictError, UnknownDependencyError
from taskengine.models import Task
from taskengine.store import coordination, deadlines, graphs, tasks
from taskengine.store.call import Call

from .world import World, steps


def lines(world: World, n: int) -> list[Task]:
    """*n* tasks of which each second one depends on the one before."""
    made: list[Task] = []
    for i in range(n):
        made.append(world.task(f"t{i}", *made[-1:] if i % 2 else ()))
    return made


def seen(world: World, *indexes: str) -> list[str]:
    return world.run(tasks.find(0, 1000, indexes))[1]


def test_staged_graph_is_invisible_until_its_commit_and_all_visible_at_once_after(world: World) -> None:
    world.beat(slots=0)
    graph = lines(world, 20)
    batch = world.staged(*graph, chunk=6)
    ids = [str(task.id) for task in graph]
    assert world.statuses(ids) == [""] * 20
    assert world.run(tasks.read(ids)) == [None] * 20
    assert seen(world) == seen(world, "s:pending") == seen(world, "t:custom") == []
    assert world.counts() == {}
    assert world.claim(world.slot()).word == "nothing"
    assert world.run(tasks.cancel(ids[0], "x")).word == "missing"
    assert world.run(tasks.execute(ids[0], None)).word == "missing"
    assert world.run(graphs.commit(batch)).ok
    assert world.statuses(ids) == ["pending"] * 20
    assert [task.name for task in world.run(tasks.read(ids)) if task] == [task.name for task in graph]
    assert sorted(seen(world)) == sorted(seen(world, "s:pending", "b:ann")) == sorted(ids)
    assert world.counts() == {"pending": 20}
    world.settle(batch)
    assert world.statuses(ids) == ["ready", "pending"] * 10
    assert world.counts() == {"pending": 10, "ready": 10}
    assert sorted(seen(world, "s:ready")) == sorted(ids[::2])


def test_commit_waits_fall_in_pieces_and_anybody_may_go_on(world: World) -> None:
    graph = lines(world, 300)
    batch = world.staged(*graph)
    world.run(graphs.commit(batch))
    assert world.run(coordination.committed(world.keys)) == [batch]
    assert world.run(coordination.settle_batch(batch)).number() == 1
    assert world.counts() == {"pending": 172, "ready": 128}  # 256 touched
    world.settle(batch)
    assert world.run(coordination.committed(world.keys)) == []
    assert world.counts() == {"pending": 150, "ready": 150}


def test_marks_of_a_graph_find_its_tasks_whatever_its_place_and_size(world: World) -> None:
    """Neighbours are marked together: across words of 32 places and segments of 4096, with gaps of other filters."""
    world.raw.set(world.keys.fixed("arrivals"), 4096 - 40)
    graph = [world.task(f"t{n}", created_by="bob" if n % 7 == 3 else "ann") for n in range(130)]
    world.settle(batch := world.staged(*graph))
    world.run(graphs.commit(batch))
    world.settle(batch)
    for who in ("ann", "bob"):
        wanted = [str(task.id) for task in graph if task.created_by == who]
        assert sorted(seen(world, f"b:{who}")) == sorted(wanted)


def test_verbs_settle_a_committed_graph_themselves(world: World) -> None:
    graph = lines(world, 20)
    batch = world.staged(*graph, chunk=6)
    world.run(graphs.commit(batch))
    assert world.run(tasks.cancel(str(graph[18].id), "no")).ok
    assert world.counts() == {"pending": 10, "ready": 9, "cancelled": 1}


def test_commit_may_be_repeated(world: World) -> None:
    graph = lines(world, 4)
    batch = world.staged(*graph)
    first = world.run(graphs.commit(batch))
    before = world.dump()
    assert world.run(graphs.commit(batch)) == first
    assert world.dump() == before
    world.settle(batch)
    before = world.dump()
    assert world.run(graphs.commit(batch)) == first
    assert world.dump() == before


def test_every_step_of_a_submit_may_be_sent_twice(world: World) -> None:
    old = world.new("old")
    graph = [*lines(world, 9), world.task("on old", old), world.task("keyed", idempotency_key="k")]
    sent: list[str] = []

    def twice(call: Call[object]) -> object:
        sent.append(call.name)
        first = world.run(call)
        before = world.dump()
        again = world.run(call)
        if call.name != "settle_batch":
            assert again == first, call.name
            assert world.dump() == before, call.name
        return again

    run = str(uuid4())
    stored = steps(graphs.submit(run, [world.record(task) for task in graph]), twice)
    assert sent == ["stage", "commit_graph", "settle_batch"]
    assert stored == [str(task.id) for task in graph]
    assert world.counts() == {"pending": 5, "ready": 7}
    assert world.fields("run", run)["total"] == world.fields("run", run)["open"] == "11"
    world.beat()
    world.finish(old, *graph)
    assert world.counts() == {"completed": 12}


def test_same_id_twice_in_one_graph_is_refused(world: World) -> None:
    a = world.task("a")
    for second in (a, world.task("b", id=a.id)):
        with pytest.raises(IdempotencyConflictError):
            world.submit(a, second)
    filler = [world.task(f"f{n}") for n in range(graphs.CHUNK)]
    with pytest.raises(IdempotencyConflictError):
        world.submit(a, *filler, a)
    assert world.counts() == {}


@pytest.mark.parametrize("chunk", [1, 3, 128])
def test_abandoned_graph_leaves_not_one_key(world: World, chunk: int) -> None:
    world.beat(slots=0)
    old, failed = world.new("old"), world.new("failed")
    world.finish(failed, disposition="failed")
    before = world.dump()
    graph = [
        world.task("a", old, priority=5, assigned_to="x"),
        world.task("b", failed, idempotency_key="k", created_by="bob"),
        world.task("c", scheduled_at="2100-01-01T00:00:00Z", task_type="testing"),
    ]
    graph.append(world.task("d", *graph))
    batch = world.staged(*graph, chunk=chunk)
    steps(graphs.abandon(batch), world.run)
    after = world.dump()
    del before["te:arrivals"], after["te:arrivals"], before["te:ids:0"], after["te:ids:0"]
    assert after == before


def test_graph_that_crosses_a_segment_is_abandoned_whole(world: World) -> None:
    world.new("old")
    world.raw.incrby(world.keys.fixed("arrivals"), 4090)
    before = world.key_names()
    batch = world.staged(*lines(world, 20))
    steps(graphs.abandon(batch), world.run)
    assert world.key_names() == before


@pytest.mark.parametrize("wrong", ["unknown dependency", "conflict"])
def test_refused_graph_leaves_not_one_key(world: World, wrong: str) -> None:
    old = world.new("old")
    before = world.key_names()
    graph = lines(world, 6)
    if wrong == "conflict":
        graph.append(world.task("other content", id=old.id))
        with pytest.raises(IdempotencyConflictError) as refused:
            world.submit(*graph)
        assert refused.value.existing_id == str(old.id)
    else:
        nobody = uuid4()
        graph.append(world.task("orphan", nobody))
        with pytest.raises(UnknownDependencyError, match=str(nobody)):
            world.submit(*graph)
    assert world.key_names() == before
    assert world.counts() == {"ready": 1}


def test_swept_graph_can_not_be_committed(world: World) -> None:
    graph = lines(world, 4)
    batch = world.staged(*graph)
    world.age(700)
    world.elect()
    assert world.run(coordination.abandoned(world.keys, 600)) == [batch]
    while world.run(coordination.sweep_batch(batch, world.term)).number():
        pass
    assert not world.run(graphs.commit(batch)).ok
    assert not world.run(graphs.stage(batch, "r" * 36, [world.record(world.task("late"))])).ok
    assert world.counts() == {}
    assert world.statuses(task.id for task in graph) == [""] * 4


def test_graph_whose_first_chunk_was_swept_never_becomes_half_a_graph(world: World) -> None:
    graph = lines(world, 8)
    batch = world.staged(*graph[:4], chunk=4, run="r" * 36)
    world.elect()
    assert world.run(coordination.sweep_batch(batch, world.term)).number() == 1
    assert world.run(graphs.stage(batch, "r" * 36, [world.record(t) for t in graph[4:]])).word == "taken"
    assert world.run(graphs.commit(batch)).word == "conflict"


def test_young_batch_is_not_abandoned_and_a_committed_one_is_not_swept(world: World) -> None:
    graph = lines(world, 4)
    batch = world.staged(*graph)
    assert world.run(coordination.abandoned(world.keys, 600)) == []
    world.run(graphs.commit(batch))
    assert world.run(coordination.sweep_batch(batch, "")).word == "committed"
    world.settle(batch)
    assert world.counts() == {"pending": 2, "ready": 2}


def finish_parent(world: World, parent: Task, how: str) -> None:
    if how == "cancelled":
        assert world.run(tasks.cancel(str(parent.id), "no")).ok
    else:
        world.finish(parent, disposition=how)


@pytest.mark.parametrize("moment", ["before", "after one chunk", "after staging", "after commit", "after one fall"])
@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
def test_parent_may_end_between_any_two_trips_of_a_submit(world: World, how: str, moment: str) -> None:
    world.beat(slots=0)
    parent = world.new("parent")
    graph = [world.task(f"t{n}", parent) for n in range(4)]
    graph.append(world.task("last", *graph))
    records = [world.record(task) for task in graph]

    def now(name: str) -> None:
        if name == moment:
            finish_parent(world, parent, how)

    run = str(uuid4())
    now("before")
    assert world.run(graphs.stage("b", run, records[:2])).ok
    now("after one chunk")
    assert world.run(graphs.stage("b", run, records[2:])).ok
    now("after staging")
    world.think()
    assert world.run(graphs.commit("b")).ok
    now("after commit")
    world.think()
    world.run(coordination.settle_batch("b"))
    now("after one fall")
    world.settle("b")
    world.think()
    if how == "completed":
        assert world.statuses(task.id for task in graph) == ["ready"] * 4 + ["pending"]
        world.finish(*graph)
    else:
        assert world.statuses(task.id for task in graph) == ["cancelled"] * 5
        for task in graph[:4]:
            closed = world.read(task.id)
            assert closed.closed_by == parent.id
            assert (closed.reason or "").startswith("dependency parent")
    assert world.fields("run", run)["open"] == "0"
    assert "run_finished" in [e["e"] for e in world.events(run)]


@pytest.mark.parametrize("how", ["completed", "failed"])
def test_parent_with_many_dependents_may_be_telling_them_while_a_graph_is_staged(real: World, how: str) -> None:
    """600 dependents: three pieces. The new graph registers before, between and behind the cursor."""
    real.beat(slots=0)
    parent = real.task("parent")
    real.submit(parent, *(real.task(f"c{n}", parent) for n in range(600)))
    early = real.task("early", parent)
    real.staged(early, batch="early")
    told = real.start()
    assert told.name == "parent"
    assert real.report(told, disposition=how).word == "ok"
    assert real.fields("task", parent.id)["rel"] == "256"
    middle = real.task("middle", parent)
    real.staged(middle, batch="middle")
    steps(graphs.abandon(real.staged(real.task("gone", parent), batch="gone")), real.run)
    real.run(coordination.continue_releases(real.elect()))
    late = real.task("late", parent)
    real.staged(late, batch="late")
    while real.run(coordination.continue_releases(real.term)).number():
        pass
    for batch in ("early", "middle", "late"):
        assert real.run(graphs.commit(batch)).ok
        real.settle(batch)
    real.think()
    expected = "ready" if how == "completed" else "cancelled"
    assert real.statuses(task.id for task in (early, middle, late)) == [expected] * 3
    assert real.counts()[expected] == 603


def test_removing_a_dependent_behind_the_cursor_skips_nobody(real: World) -> None:
    parent = real.task("parent")
    gone = real.task("gone", parent)
    real.submit(parent)
    real.staged(gone, batch="gone")
    rest = [real.task(f"c{n}", parent) for n in range(300)]
    real.submit(*rest)
    real.finish(parent)
    assert real.fields("task", parent.id)["rel"] == "256"
    steps(graphs.abandon("gone"), real.run)
    assert real.fields("task", parent.id)["rel"] == "255"
    real.run(coordination.continue_releases(real.elect()))
    assert real.statuses(task.id for task in rest) == ["ready"] * 300


def test_later_batch_takes_over_uncommitted_ids(world: World) -> None:
    """The older one's commit answers conflict; no edge is there twice, and the counters are right."""
    parent, other = world.new("parent"), world.new("other")
    a = world.task("a", parent, other)
    b = world.task("b", a)
    older = world.staged(a, b, batch="older")
    newer = world.staged(a, b, batch="newer")
    assert world.raw.lrange(world.keys.of("dependents", parent.id), 0, -1) == [str(a.id).encode()]
    assert world.run(graphs.commit(older)).word == "conflict"
    assert world.run(graphs.commit(newer)).ok
    world.settle(newer)
    steps(graphs.abandon(older), world.run)
    assert world.fields("task", a.id)["w"] == "2"
    world.finish(parent, other, a, b)
    assert world.counts() == {"completed": 4}
    assert "pin" not in world.fields("task", parent.id) | world.fields("task", other.id)


def test_lone_task_takes_over_an_uncommitted_id(world: World) -> None:
    parent = world.new("parent")
    a = world.task("a", parent, idempotency_key="old", scheduled_at="2100-01-01T00:00:00Z")
    older = world.staged(a, world.task("b", a), batch="older")
    new = world.task("a", parent, id=a.id)
    assert world.create(new).word == "ok"
    assert world.run(graphs.commit(older)).word == "conflict"
    steps(graphs.abandon(older), world.run)
    world.finish(parent, new)
    assert world.counts() == {"completed": 2}
    assert "pin" not in world.fields("task", parent.id)
    assert world.create(world.task("other", idempotency_key="old")).word == "ok", "the older one's key is free"


def test_take_over_that_is_refused_harms_nobody(world: World) -> None:
    a = world.task("a")
    older = world.staged(a, batch="older")
    broken = world.task("a", uuid4(), id=a.id)
    assert world.create(broken).word == "missing"
    assert world.run(graphs.commit(older)).ok


def test_submit_that_lost_its_ids_leaves_nothing_and_says_so(world: World) -> None:
    a, b = world.task("a"), world.task("b")
    operation = graphs.submit(str(uuid4()), [world.record(a), world.record(b)])

    def meddle(call: Call[object]) -> object:
        if call.name == "commit_graph":
            assert world.create(a).word == "ok"
        return world.run(call)

    with pytest.raises(ConflictError):
        steps(operation, meddle)
    assert world.counts() == {"ready": 1}
    assert world.status(b.id) == ""
    assert not world.raw.zcard(world.keys.fixed("batches"))


def test_graph_on_an_already_failed_task_is_accepted_and_closed(world: World) -> None:
    failed = world.new("failed")
    world.finish(failed, disposition="failed")
    a = world.task("a", failed)
    b = world.task("b", a)
    world.submit(a, b)
    world.think()
    assert [world.read(t.id).reason for t in (a, b)] == [
        "dependency failed failed",
        "dependency a could not start because of a failure",
    ]
    assert [world.read(t.id).closed_by for t in (a, b)] == [failed.id, a.id]


def test_graph_on_a_completed_task_counts_it_as_done(world: World) -> None:
    done = world.new("done")
    world.finish(done)
    world.submit(world.task("a", done))
    told = world.start()
    assert [name for _, name, _ in told.inputs] == ["done"]


def test_empty_and_all_known_graphs_are_accepted(world: World) -> None:
    a = world.new("a")
    assert world.submit() is not None
    run = world.submit(a)
    assert world.fields("run", run)["total"] == "0"
    assert world.counts() == {"ready": 1}


def test_later_submit_may_name_an_existing_run(world: World) -> None:
    run = world.submit(world.task("a"))
    world.finish(world.task("x", id=world.ready()[0]))
    assert world.raw.zscore(world.keys.fixed("finished"), run)
    world.submit(world.task("b"), run=run)
    assert world.fields("run", run)["total"] == "2"
    assert world.fields("run", run)["open"] == "1"
    assert not world.raw.zscore(world.keys.fixed("finished"), run)


def test_task_with_a_thousand_dependencies_waits_for_all_of_them(real: World) -> None:
    """Registered in pieces: no script touches more than a few hundred tasks."""
    parents = [real.task(f"p{n}") for n in range(1000)]
    last = real.task("last", *parents)
    real.submit(*parents, last)
    assert real.fields("task", last.id)["w"] == "1000"
    real.finish(*parents)
    assert real.status(last.id) == "ready"
    told = real.start()
    assert (len(told.inputs), told.more_inputs) == (64, True)


def test_a_deadline_of_a_graph_that_never_comes_leaves_no_history(world: World) -> None:
    late = world.task("late", deadline=datetime.now(UTC) - timedelta(seconds=9))
    world.staged(late, batch="batch", run="run")
    term = world.elect()
    _, due = world.run(deadlines.due(world.keys))
    [weight] = world.run(deadlines.read_weights([str(late.id)]))
    assert weight is not None
    assert due == [str(late.id)]
    found = deadlines.Finding(str(late.id), weight.deadline or 0, "risk", 1)
    assert world.run(deadlines.note(term, [found])).number() == 0
    assert world.run(deadlines.due(world.keys))[1] == []  # looked at again, but not at once
    world.run(graphs.abandon("batch"))
    world.check()
