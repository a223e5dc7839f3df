"""Grants: from computed free slots, at most twice as many, in the script that makes work READY."""

from __future__ import annotations

from taskengine.models import TaskPriority
from taskengine.store import coordination, executions, nodes

from .world import World, became, eid

THREE = "a=x b=x c=x @x=x"


def grant(world: World, *queues: str) -> int:
    world.elect()
    return world.run(coordination.grant(world.term, queues)).number()


def test_free_slots_are_computed_over_queues(world: World) -> None:
    """A node with ``-Q a,b,c -c 8`` has 8 slots, not 24; outstanding grants stay within twice the free slots."""
    world.beat(slots=8, queues=THREE)
    for queue in "abc":
        world.submit(*(world.task(f"{queue}{n}", capability=queue) for n in range(20)))
    for _ in range(4):
        grant(world, "a", "b", "c")
    assert len(world.granted()) == 16
    by_queue = [int(world.raw.scard(world.keys.of("granted", queue))) for queue in "abc"]
    assert max(by_queue) <= 8


def test_held_slots_are_not_free(world: World) -> None:
    slots = [world.slot(f"s{n}") for n in range(2)]
    world.beat(slots=3)
    world.submit(*(world.task(f"t{n}") for n in range(9)))
    for slot in slots:
        assert world.claim(slot, "none").assignment
    assert grant(world, "lint") == 0
    assert len(world.granted()) == 3, "granted before the slots were held; they lapse"
    for id in world.granted():
        world.raw.zadd(world.keys.fixed("granted_all"), {id: 1})
    world.run(coordination.withdraw(world.term))
    assert len(world.granted()) == 1


def test_nothing_is_granted_without_a_live_node(world: World) -> None:
    world.new("a")
    assert world.granted() == []
    world.beat()
    world.age(60)
    assert grant(world, "lint") == 0


def test_nothing_is_granted_to_a_draining_node(world: World) -> None:
    world.beat(drain="SIGTERM")
    world.new("a")
    assert world.granted() == []
    world.beat()
    assert len(world.granted()) == 1, "its next beat says that it takes work again"


def test_slots_of_a_node_that_does_not_offer_the_queue_are_not_counted(world: World) -> None:
    world.beat("n1", slots=8, queues="other=x")
    world.beat("n2", slots=1)
    world.submit(*(world.task(f"t{n}") for n in range(5)))
    assert len(world.granted()) == 1


def test_one_script_grants_16_and_leaves_the_rest_to_the_wake_stream(world: World) -> None:
    world.beat(slots=40)
    world.raw.delete(world.keys.fixed("wake"))
    world.submit(*(world.task(f"t{n}") for n in range(50)))
    assert len(world.granted()) == 16
    assert {f[b"q"] for _, f in world.raw.xrange(world.keys.fixed("wake"))} == {b"lint"}
    assert [grant(world, "lint") for _ in range(3)] == [16, 8, 0]


def test_best_ready_task_is_granted_and_its_message_carries_its_class(world: World) -> None:
    world.new("low", priority=TaskPriority.LOW)
    best = world.new("best", priority=TaskPriority.CRITICAL)
    world.beat(slots=1)
    assert grant(world, "lint") == 0, "the first beat granted it"
    [message] = world.messages()
    assert {k: v for k, v in message.items() if k != "tag"} == {
        "id": eid(best), "token": 1, "queue": "lint", "priority": 0
    }  # fmt: skip
    assert world.raw.llen(world.keys.queue_prefix() + "lint") == 1
    execution = world.run(executions.read(world.keys, eid(best)))
    assert execution is not None
    assert (execution.status, execution.attempt, execution.task_id) == ("queued", 1, best.id)
    task = world.read(best.id)
    assert (task.status, task.attempt, task.reason) == ("ready", 0, None)


def test_node_that_joins_is_put_to_work_without_a_coordinator(world: World) -> None:
    world.submit(*(world.task(f"t{n}") for n in range(5)))
    world.beat("n1", slots=2)
    assert len(world.granted()) == 2
    world.beat("n2", slots=1)
    assert len(world.granted()) == 3
    world.beat("n1", slots=4)
    assert len(world.granted()) == 5


def test_slice_that_ends_grants_what_waited_behind_full_slots(world: World) -> None:
    """Whoever became READY behind others was not granted by the script that made it so."""
    world.beat(slots=1)
    parent = world.task("p")
    children = [world.task(f"c{n}", parent) for n in range(3)]
    world.submit(parent, world.task("other"), *children)
    told = world.claim(world.slot(), eid(parent)).assignment
    assert told is not None
    other = world.report(told, pull=True).assignment
    assert other is not None
    assert (other.name, world.granted()) == ("other", [])
    assert world.report(other).assignment is None
    assert world.granted() == [eid(children[0])]


def test_first_beat_and_more_slots_wake_the_grant_duty(world: World) -> None:
    def hints() -> set[str]:
        found = {f[b"q"].decode() for _, f in world.raw.xrange(world.keys.fixed("wake"))}
        world.raw.delete(world.keys.fixed("wake"))
        return found

    world.beat(slots=1)
    assert hints() == {"lint", "@lint"}
    world.beat(slots=1)
    assert hints() == set()
    world.beat(slots=2)
    assert hints() == {"lint", "@lint"}
    world.beat(slots=2, queues="lint=lint @lint=lint test=test")
    assert "test" in hints()
    world.age(60)
    world.beat(slots=2)
    assert hints() == {"lint", "@lint"}


def test_slot_freed_by_a_loss_serves_the_other_queues_of_its_node(world: World) -> None:
    slot = world.slot(queues=THREE)
    world.beat(slots=1, queues=THREE)
    a = world.new("a", capability="a")
    assert world.claim(slot, eid(a)).assignment
    world.new("b", capability="b", priority=TaskPriority.CRITICAL)
    assert world.granted() == []
    world.beat(slots=1, queues=THREE)
    lost = world.beat(slots=1, queues=THREE)
    assert became(lost) == {eid(a): "ready"}
    assert len(world.granted()) >= 1
    assert {m["queue"] for queue in "ab" for m in world.messages(queue)} == {"a", "b"}


def test_ready_tasks_are_granted_by_the_script_that_makes_them_ready(world: World) -> None:
    world.beat(slots=4)
    parent = world.task("p")
    world.submit(parent, *(world.task(f"c{n}", parent) for n in range(5)))
    told = world.claim(world.slot(), eid(parent)).assignment
    assert told is not None
    world.report(told, pull=True)
    assert world.counts() == {"completed": 1, "running": 1, "ready": 4}
    assert len(world.granted()) == 3


def test_empty_queue_is_forgotten_until_it_is_used_again(world: World) -> None:
    world.beat()
    task = world.new("a")
    assert world.run(coordination.queues(world.keys)) == ["lint"]
    world.finish(task)
    grant(world, "lint")
    assert world.run(coordination.queues(world.keys)) == []
    world.new("b")
    assert world.run(coordination.queues(world.keys)) == ["lint"]


def test_grant_of_an_outdated_term_is_refused(world: World) -> None:
    world.elect("c1")
    old = world.term
    world.run(coordination.resign("c1"))
    world.elect("c2")
    assert world.run(coordination.grant(old, ["lint"])).word == "stale"


def test_fleet_shows_nodes_queues_and_parks(world: World) -> None:
    world.beat(slots=3)
    world.new("a")
    world.new("b", assigned_to="nobody")
    told = world.start()
    fleet = world.run(nodes.fleet())
    [node] = fleet.nodes
    assert (node.name, node.alive, node.slots, node.held, node.queues) == (
        "n1", True, 3, 1, {"lint": "lint", "@lint": "lint"}
    )  # fmt: skip
    assert fleet.counts == {"ready": 1, "running": 1, "pending": 0}
    assert fleet.parked == {"offer:nobody": 1}
    assert fleet.running == 1
    assert told.queue == "lint"
