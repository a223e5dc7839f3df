"""Claim, report and pull: the path of every task."""

from __future__ import annotations

from .world import World, eid


def test_one_task_through_everything(world: World) -> None:
    world.beat()
    task = world.new("a", input={"x": 1})
    assert world.status(task.id) == "ready"
    assert [m["id"] for m in world.messages()] == [eid(task)]
    answer = world.claim(world.slot(), eid(task))
    assert answer.told is not None
    assert (answer.told.task_id, answer.told.attempt, answer.told.lane) == (str(task.id), 1, "lint")
    assert world.report(answer.told, output='{"n":1}').word == "ok"
    assert world.status(task.id) == "completed"
    assert world.happened(task.id) == ["created", "ready", "started", "completed"]
    assert world.counts() == {"completed": 1}
