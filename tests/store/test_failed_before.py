"""A failure is passed on as failure: what could not start because of one counts as failed for whoever comes after it,
however far away that is, and takes the same word back when it is opened again.
"""

from __future__ import annotations

import pytest

from taskengine.models import Task, TriggerRule
from taskengine.store import coordination, tasks
from taskengine.store.records import index_names

from .world import World


def counted(world: World, task: Task) -> tuple[int, int, int]:
    """Waiting, failed and skipped dependencies of a plain task, as stored."""
    fields = world.fields("task", task.id)
    waiting, failed, skipped = (int(fields.get(name, 0)) for name in "wfc")
    return waiting, failed, skipped


def chain(world: World, length: int) -> list[Task]:
    """Tasks in a row, each on the one before."""
    row: list[Task] = []
    for n in range(length):
        row.append(world.task(f"t{n}", *row[-1:]))
    return row


@pytest.mark.parametrize("far", [2, 5])
@pytest.mark.parametrize(
    ("rule", "shows"),
    [("one_failed", "ready"), ("all_failed", "ready"), ("none_failed", "cancelled"), ("all_done", "ready")],
)
def test_a_failure_far_before_reaches_the_rule(world: World, far: int, rule: TriggerRule, shows: str) -> None:
    row = chain(world, far)
    last = world.task("last", row[-1], trigger_rule=rule)
    world.submit(*row, last)
    world.finish(row[0], disposition="failed")
    world.think()
    assert world.statuses(task.id for task in row[1:]) == ["cancelled"] * (far - 1)
    assert world.status(last.id) == shows


@pytest.mark.parametrize("rule", ["one_failed", "all_failed"])
def test_what_a_person_cancelled_far_before_is_no_failure(world: World, rule: TriggerRule) -> None:
    row = chain(world, 3)
    last = world.task("last", row[-1], trigger_rule=rule)
    clean = world.task("clean", row[-1], trigger_rule=TriggerRule.NONE_FAILED)
    world.submit(*row, last, clean)
    assert world.run(tasks.cancel(str(row[0].id), "no")).ok
    world.think()
    assert world.statuses([last.id, clean.id]) == ["cancelled", "ready"]


def test_a_rule_that_leaves_a_task_out_is_no_failure_although_one_stands_beside(world: World) -> None:
    """all_failed with a success, and one that failed: it was not needed, nothing kept it from starting."""
    good, bad = world.task("good"), world.task("bad")
    both = world.task("both", good, bad, trigger_rule=TriggerRule.ALL_FAILED)
    after = world.task("after", both, trigger_rule=TriggerRule.NONE_FAILED)
    world.submit(good, bad, both, after)
    world.finish(good)
    world.finish(bad, disposition="failed")
    world.think()
    assert world.statuses([both.id, after.id]) == ["cancelled", "ready"]


def test_a_failure_is_blamed_before_what_was_cancelled(world: World) -> None:
    bad, left = world.task("bad"), world.task("left")
    plain = world.task("plain", bad, left)
    after = world.task("after", plain, trigger_rule=TriggerRule.ONE_FAILED)
    world.submit(bad, left, plain, after)
    assert world.run(tasks.cancel(str(left.id), "no")).ok
    world.finish(bad, disposition="failed")
    world.think()
    assert (world.read(plain.id).reason, world.read(plain.id).closed_by) == ("dependency bad failed", bad.id)
    assert world.status(after.id) == "ready"


def test_reopening_takes_back_the_counter_that_was_given(world: World) -> None:
    first, middle, gate = world.task("first"), world.task("middle"), world.task("gate", hold=True)
    middle.depends_on = {first.id}
    last = world.task("last", middle, gate, trigger_rule=TriggerRule.ALL_DONE)
    plain = world.task("plain", middle, gate)
    world.submit(first, middle, gate, last, plain)
    for _ in range(2):
        world.finish(first, disposition="failed")
        world.think()
        assert counted(world, plain) == (1, 1, 0)
        assert world.run(tasks.reopen(str(first.id))).ok
        world.think()
        assert world.statuses([middle.id, plain.id]) == ["pending", "pending"]
        assert counted(world, plain) == (2, 0, 0)
        assert "fb" not in world.fields("task", middle.id)
    assert world.run(tasks.cancel(str(middle.id), "no")).ok
    assert counted(world, plain) == (1, 0, 1)
    assert world.run(tasks.reopen(str(middle.id))).ok
    assert counted(world, plain) == (2, 0, 0)


def test_edges_onto_what_failed_before_count_as_failed(world: World) -> None:
    first, closed, gate = world.task("first"), world.task("closed"), world.task("gate", hold=True)
    closed.depends_on = {first.id}
    world.submit(first, closed, gate)
    world.finish(first, disposition="failed")
    world.think()
    alone = world.task("alone", closed, gate)
    of_graph = world.task("of graph", closed, gate)
    later = world.task("later", gate)
    world.create(alone)
    world.submit(of_graph)
    world.create(later)
    revision = world.run(tasks.edge_revision(world.keys))
    assert world.run(tasks.add_dependency(str(later.id), str(closed.id), revision, "sha")).ok
    assert [counted(world, task) for task in (alone, of_graph, later)] == [(1, 1, 0)] * 3
    drop(world, later, closed)
    assert counted(world, later) == (1, 0, 0)
    world.think()
    assert world.statuses([alone.id, of_graph.id, later.id]) == ["cancelled", "cancelled", "pending"]


def drop(world: World, task: Task, dependency: Task) -> None:
    stored = world.read(task.id)
    kept = stored.model_copy(update={"depends_on": stored.depends_on - {dependency.id}})
    new = world.record(kept)
    edges = tasks.EdgeChange(world.run(tasks.edge_revision(world.keys)), dropped=(str(dependency.id),))
    revision = world.fields("task", task.id).get("rev", "0")
    update = tasks.update(
        str(task.id), revision, new, int(new.row["score"]), index_names(stored), before_first_run=True, edges=edges
    )
    assert world.run(update).ok


def test_more_dependents_than_a_script_tells_all_hear_the_same(real: World) -> None:
    first, closed, gate = real.task("first"), real.task("closed"), real.task("gate", hold=True)
    closed.depends_on = {first.id}
    many = [real.task(f"c{n}", closed, gate, trigger_rule=TriggerRule.ALL_DONE) for n in range(600)]
    real.submit(first, closed, gate, *many)
    real.finish(first, disposition="failed")
    real.think()
    assert {real.fields("task", task.id)["f"] for task in many} == {"1"}
    assert real.run(tasks.reopen(str(first.id))).ok
    real.think()
    tell_all(real)
    assert {real.fields("task", task.id)["f"] for task in many} == {"0"}


def test_a_failure_that_is_taken_back_leaves_the_word_of_what_was_cancelled(real: World) -> None:
    """While the failure takes its word back from hundreds, it cannot be blamed, and it hides the cancelled one."""
    bad, left = real.task("bad"), real.task("left")
    many = [real.task(f"c{n}", bad, hold=True) for n in range(600)]
    plain = real.task("plain", bad, left)
    real.submit(bad, left, *many, plain)
    real.finish(bad, disposition="failed")
    tell_all(real)
    assert real.run(tasks.cancel(str(left.id), "no")).ok
    assert counted(real, plain) == (0, 1, 1)
    assert real.run(tasks.reopen(str(bad.id))).ok
    assert real.fields("task", bad.id)["undo"] == "256"
    assert counted(real, plain) == (0, 1, 1)
    real.think()
    assert (real.status(plain.id), real.read(plain.id).closed_by) == ("cancelled", left.id)
    assert "fb" not in real.fields("task", plain.id)


def tell_all(world: World) -> None:
    world.elect()
    while world.run(coordination.continue_releases(world.term)).number():
        pass
