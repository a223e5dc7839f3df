"""Dependents: told when a task ends, told back when it is opened again, 256 at a time."""

from __future__ import annotations

import pytest

from taskengine.models import Task
from taskengine.store import coordination, graphs, tasks
from taskengine.store.replies import Reply

from .world import World, steps


def fan(world: World, n: int, name: str = "parent") -> tuple[Task, list[Task]]:
    """A stored task and *n* dependents of it."""
    parent = world.task(name)
    children = [world.task(f"c{i}", parent) for i in range(n)]
    world.submit(parent, *children)
    return parent, children


def release_all(world: World) -> None:
    world.elect()
    while world.run(coordination.continue_releases(world.term)).number():
        pass


def reopen(world: World, task: Task) -> Reply:
    return world.run(tasks.reopen(str(task.id)))


def test_dependents_wait_for_all_of_their_dependencies(world: World) -> None:
    a, b = world.task("a"), world.task("b")
    both = world.task("both", a, b)
    world.submit(a, b, both)
    world.finish(a)
    assert world.read(both.id).reason == "waits for 1 of its dependencies"
    world.finish(b)
    assert world.status(both.id) == "ready"


@pytest.mark.parametrize("n", [255, 256, 257, 512, 700])
def test_a_report_tells_256_dependents_and_leaves_a_cursor(real: World, n: int) -> None:
    parent, children = fan(real, n)
    real.finish(parent)
    told = min(n, 256)
    assert real.counts().get("ready", 0) == told
    assert ("rel" in real.fields("task", parent.id)) == (n >= 256)
    release_all(real)
    assert real.counts() == {"completed": 1, "ready": n}
    assert "rel" not in real.fields("task", parent.id)
    assert not real.raw.exists(real.keys.of("dependents", parent.id))
    assert not real.raw.exists(real.keys.fixed("releases"))
    assert [real.read(id).name for id in real.ready()[:5]] == [child.name for child in children[:5]]


def test_later_reports_take_the_next_256(real: World) -> None:
    parent, children = fan(real, 700)
    real.finish(parent)
    real.finish(children[0])
    assert real.counts() == {"completed": 2, "ready": 511, "pending": 188}
    real.finish(children[1])
    assert real.counts() == {"completed": 3, "ready": 698}


def test_several_tasks_may_leave_cursors_at_once(real: World) -> None:
    parents = [real.task(f"p{n}") for n in range(3)]
    real.submit(*parents)
    real.submit(*(real.task(f"c{n}", parents[n % 3]) for n in range(900)))
    for parent in parents:
        told = real.start(real.slot(parent.name))
        assert told.task_id == str(parent.id)
    for parent in parents:
        real.report(real.assignment(parent), real.slot(parent.name))
    release_all(real)
    assert real.counts() == {"completed": 3, "ready": 900}


def test_list_of_dependents_goes_when_the_task_completed_and_stays_when_it_failed(world: World) -> None:
    done, _ = fan(world, 3, "done")
    failed, children = fan(world, 3, "failed")
    world.finish(done)
    world.finish(failed, disposition="failed")
    assert not world.raw.exists(world.keys.of("dependents", done.id))
    assert world.raw.lrange(world.keys.of("dependents", failed.id), 0, -1) == [str(c.id).encode() for c in children]


def test_failure_closes_its_dependents_down_to_the_leaves(world: World) -> None:
    a = world.task("a")
    b = world.task("b", a)
    c = world.task("c", b)
    free = world.task("free")
    world.submit(a, b, c, free)
    world.finish(a, disposition="failed")
    world.think()
    assert world.statuses(t.id for t in (a, b, c, free)) == ["failed", "cancelled", "cancelled", "ready"]
    assert (world.read(b.id).reason, world.read(b.id).closed_by) == ("dependency a failed", a.id)
    assert world.read(c.id).reason == "dependency b could not start because of a failure"
    assert world.read(c.id).closed_by == b.id


def test_task_with_two_failed_dependencies_is_closed_once(world: World) -> None:
    a, b = world.task("a"), world.task("b")
    both = world.task("both", a, b)
    run = world.submit(a, b, both)
    world.finish(a, b, disposition="failed")
    world.think()
    assert world.happened(both.id) == ["created", "cancelled"]
    assert world.fields("run", run)["open"] == "0"


@pytest.mark.parametrize("how", ["failed", "cancelled"])
@pytest.mark.parametrize("n", [3, 700])
def test_reopening_reopens_what_the_end_closed(real: World, how: str, n: int) -> None:
    real.beat(slots=0)
    parent, _children = fan(real, n)
    if how == "failed":
        real.finish(parent, disposition="failed", error="boom", error_kind="crash")
    else:
        assert real.run(tasks.cancel(str(parent.id), "no")).ok
    real.think()
    assert real.counts() == ({"failed": 1} if how == "failed" else {}) | {"cancelled": n + (how == "cancelled")}
    assert reopen(real, parent).ok
    real.think()
    assert real.status(parent.id) == "ready"
    assert real.counts() == {"ready": 1, "pending": n}
    task = real.read(parent.id)
    assert (task.error_message, task.reason, task.completed_at, task.retry_count) == (None, None, None, 0)
    real.finish(parent)
    release_all(real)
    assert real.counts() == {"completed": 1, "ready": n}


def test_dependent_closed_by_another_stays_closed(world: World) -> None:
    a, b = world.task("a"), world.task("b")
    both = world.task("both", a, b)
    world.submit(a, b, both)
    world.finish(a, disposition="failed")
    world.think()
    world.finish(b, disposition="failed")
    world.think()
    assert reopen(world, b).ok
    world.think()
    assert world.status(both.id) == "cancelled"
    assert reopen(world, a).ok
    world.think()
    assert world.status(both.id) == "pending"
    world.finish(a, b, both)


def test_dependent_of_two_failures_is_closed_again_when_only_its_closer_is_reopened(world: World) -> None:
    a, b = world.task("a"), world.task("b")
    both = world.task("both", a, b)
    world.submit(a, b, both)
    world.finish(a, b, disposition="failed")
    world.think()
    assert world.read(both.id).closed_by == a.id
    assert reopen(world, a).ok
    world.think()
    closed = world.read(both.id)
    assert (closed.status, closed.closed_by, closed.reason) == ("cancelled", b.id, "dependency b failed")
    assert reopen(world, b).ok
    world.think()
    world.finish(a, b, both)


def test_closed_task_can_not_be_opened_while_its_dependency_is_failed(world: World) -> None:
    parent, [child] = fan(world, 1)
    world.finish(parent, disposition="failed")
    world.think()
    answer = reopen(world, child)
    assert (answer.word, answer.text()) == ("blocked", str(parent.id))


def test_only_failed_and_cancelled_tasks_are_opened_again(world: World) -> None:
    parent, [child] = fan(world, 1)
    assert reopen(world, parent).word == "conflict"
    told = world.start()
    assert reopen(world, parent).word == "conflict"
    world.report(told)
    assert reopen(world, parent).word == "conflict"
    assert reopen(world, world.task("nobody")).word == "missing"
    assert world.status(child.id) == "ready"


def test_repeated_reopening_changes_nothing(world: World) -> None:
    parent, _ = fan(world, 3)
    world.finish(parent, disposition="failed")
    world.think()
    assert reopen(world, parent).ok
    before = world.dump()
    assert reopen(world, parent).word == "conflict"
    assert world.dump() == before


@pytest.mark.parametrize("meddle", ["cancel", "submit", "add_dependency", "abandon", "delete"])
def test_dependents_may_change_while_an_end_is_taken_back(real: World, meddle: str) -> None:
    """700 dependents: the taking back pauses at 256 and 512, and whoever comes then must get it right."""
    parent, children = fan(real, 700)
    real.finish(parent, disposition="failed")
    real.think()
    gone = real.task("gone", parent)
    real.staged(gone, batch="gone")
    extra = real.new("extra", hold=True)
    answer = real.run(next(tasks.reopen(str(parent.id))))
    assert answer.ok
    assert real.fields("task", parent.id)["undo"] == "256"
    late: Task | None = None
    match meddle:
        case "cancel":
            assert real.run(tasks.cancel(str(parent.id), "no, really")).ok
        case "submit":
            late = real.task("late", parent)
            real.submit(late)
        case "add_dependency":
            late = extra
            revision = real.run(tasks.edge_revision(real.keys))
            assert real.run(tasks.add_dependency(str(extra.id), str(parent.id), revision, "sha")).ok
        case "abandon":
            steps(graphs.abandon("gone"), real.run)
        case "delete":
            real.run(tasks.delete(str(children[3].id), "t:custom\np:2\nb:ann", real.since()))
    real.think()
    release_all(real)
    real.think()
    if meddle == "cancel":
        assert set(real.statuses(child.id for child in children)) == {"cancelled"}
        assert real.status(parent.id) == "cancelled"
        assert reopen(real, parent).ok
        real.think()
    real.finish(parent)
    release_all(real)
    expected = {"ready"} | ({""} if meddle == "delete" else set())
    assert set(real.statuses(child.id for child in children)) == expected
    if late:
        assert real.run(tasks.execute(str(late.id), None)).ok
        assert real.status(late.id) == "ready"


def test_edge_to_a_task_that_is_being_opened_again_waits_for_it(world: World) -> None:
    parent, _ = fan(world, 3)
    world.finish(parent, disposition="failed")
    world.think()
    assert reopen(world, parent).ok
    child = world.new("late", parent)
    world.finish(parent)
    assert world.status(child.id) == "ready"


def add(world: World, task: Task, dependency: Task) -> Reply:
    revision = world.run(tasks.edge_revision(world.keys))
    return world.run(tasks.add_dependency(str(task.id), str(dependency.id), revision, "sha"))


def test_added_dependency_takes_a_ready_task_back(world: World) -> None:
    world.beat(slots=0)
    a, b = world.new("a"), world.new("b")
    assert add(world, b, a).ok
    assert world.statuses([a.id, b.id]) == ["ready", "pending"]
    assert world.read(b.id).depends_on == {a.id}
    assert world.ready() == [str(a.id)]
    world.finish(a, b)
    assert world.happened(b.id) == ["created", "ready", "pending", "depends", "ready", "started", "completed"]


def test_added_dependency_withdraws_a_grant(world: World) -> None:
    world.beat()
    a, b = world.new("a"), world.new("b")
    assert len(world.granted()) == 2
    assert add(world, b, a).ok
    assert len(world.granted()) == 1
    assert world.read(b.id).attempt == 0
    world.finish(a, b)


def test_added_dependency_on_ended_tasks_acts_at_once(world: World) -> None:
    done, failed = world.new("done"), world.new("failed")
    world.finish(done)
    world.finish(failed, disposition="failed")
    a, b = world.new("a"), world.new("b")
    assert add(world, a, done).ok
    assert world.status(a.id) == "ready"
    assert add(world, b, failed).ok
    world.think()
    assert (world.status(b.id), world.read(b.id).closed_by) == ("cancelled", failed.id)


def test_dependency_is_refused_once_the_task_started(world: World) -> None:
    a, b = world.new("a"), world.new("b", hold=True)
    told = world.start()
    assert add(world, a, b).word == "conflict"
    world.report(told, disposition="retry", retry_ms=1000)
    assert add(world, a, b).word == "conflict"


def test_of_two_dependencies_that_would_close_a_cycle_one_is_refused(world: World) -> None:
    """Both were checked at the same edge revision."""
    a, b = world.new("a", hold=True), world.new("b", hold=True)
    revision = world.run(tasks.edge_revision(world.keys))
    first = world.run(tasks.add_dependency(str(a.id), str(b.id), revision, "sha"))
    second = world.run(tasks.add_dependency(str(b.id), str(a.id), revision, "sha"))
    assert (first.word, second.word) == ("ok", "stale")


def test_finished_run_says_so_and_reopening_takes_it_back(world: World) -> None:
    a = world.task("a")
    run = world.submit(a)
    world.finish(a, disposition="failed")
    assert world.raw.zscore(world.keys.fixed("finished"), run)
    assert reopen(world, a).ok
    assert not world.raw.zscore(world.keys.fixed("finished"), run)
    assert "fin" not in world.fields("run", run)
    world.finish(a)
    assert [e["e"] for e in world.events(run)].count("run_finished") == 2


def test_task_that_left_its_last_parent_in_another_run_has_nobody_to_tell_at_its_end(world: World) -> None:
    """A cursor over no parents at all would never reach its end, and a report would go on for ever with it."""
    parent = world.new("parent")
    task = world.new("task", parent)
    edges = tasks.EdgeChange("", (str(parent.id),))
    new = world.record(task.model_copy(update={"depends_on": set()}))
    updated = tasks.update(str(task.id), "0", new, int(new.row["score"]), "", before_first_run=True, edges=edges)
    assert world.run(updated).ok
    assert world.run(tasks.cancel(str(task.id), "no")).ok
    assert "pins" not in world.fields("task", task.id)
    assert not world.raw.exists(world.keys.fixed("releases"))
    world.finish(parent)
