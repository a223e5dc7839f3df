"""Updates and the edges they move, outlines and outputs."""

from __future__ import annotations

from typing import Any

from taskengine.models import Task
from taskengine.store import results, tasks
from taskengine.store.outlines import dependents, outlines
from taskengine.store.records import index_names
from taskengine.store.replies import Reply
from taskengine.store.tasks import EdgeChange

from .world import World


def update(
    world: World, task: Task, revision: str = "0", edges: EdgeChange | None = None, **fields: Any
) -> Reply:
    new = world.record(task.model_copy(update=fields))
    score = int(world.fields("task", task.id)["sc"])
    return world.run(
        tasks.update(
            str(task.id), revision, new, score, index_names(task), before_first_run=edges is not None,
            edges=edges or EdgeChange(),
        )
    )  # fmt: skip


def test_update_sent_twice_changes_once(world: World) -> None:
    task = world.new("a")
    assert update(world, task, name="b").ok
    stored = world.dump()
    assert update(world, task, name="b").word == "stale"
    assert world.dump() == stored
    assert world.read(task.id).name == "b"


def test_update_of_an_older_revision_changes_nothing(world: World) -> None:
    task = world.new("a")
    assert update(world, task, name="b").ok
    assert update(world, task, revision="0", name="c").word == "stale"
    assert update(world, task, revision="1", name="c").ok
    assert world.read(task.id).name == "c"


def test_update_leaves_the_content_hash(world: World) -> None:
    task = world.new("a")
    update(world, task, name="b")
    assert world.create(task).word == "exists"


def test_edges_move_in_one_script(world: World) -> None:
    a, b = world.new("a"), world.new("b")
    c = world.new("c", a)
    swap = EdgeChange(world.run(tasks.edge_revision(world.keys)), (str(a.id),), (str(b.id),))
    assert update(world, c, edges=swap).ok
    assert world.run(dependents(world.keys, str(a.id))) == []
    assert world.run(dependents(world.keys, str(b.id))) == [str(c.id)]
    assert (world.fields("task", c.id)["w"], world.fields("task", b.id)["pin"]) == ("1", "1")
    assert "pin" not in world.fields("task", a.id)
    world.finish(b)
    assert world.status(c.id) == "ready"


def test_added_edge_at_an_older_edge_revision_is_stale(world: World) -> None:
    a, b, c = world.new("a"), world.new("b"), world.new("c")
    old = world.run(tasks.edge_revision(world.keys))
    assert world.run(tasks.add_dependency(str(b.id), str(a.id), old, "")).ok
    before = world.dump()
    assert update(world, c, edges=EdgeChange(old, (), (str(b.id),))).word == "stale"
    assert world.dump() == before


def test_outlines_and_outputs_keep_the_order_asked(world: World) -> None:
    a = world.new("a")
    b = world.new("b", a)
    told = world.start()
    world.report(told, output='{"n":1}')
    found = world.run(outlines([str(b.id), "nobody", str(a.id)]))
    assert [one and (one.name, one.status, one.depends_on) for one in found] == [
        ("b", "ready", (str(a.id),)),
        None,
        ("a", "completed", ()),
    ]
    read = [world.read(b.id), world.read(a.id)]
    assert [task.result for task in world.run(results.with_results(read))] == [None, {"n": 1}]


def test_outlines_and_outputs_come_in_pieces(real: World) -> None:
    wide = [real.new("x" * 400) for _ in range(600)]
    ids = [str(task.id) for task in wide]
    assert [one and one.id for one in real.run(outlines(ids))] == ids
    first = real.start()
    real.report(first, output='{"text":"' + "y" * 200_000 + '"}')
    same = [real.read(first.task_id)] * 30
    found = real.run(results.with_results(same))
    assert [len(task.result["text"]) for task in found if task.result] == [200_000] * 30
