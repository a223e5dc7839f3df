"""READY tasks that may not run now wait under their reason, with their place, out of everybody's way."""

from __future__ import annotations

from taskengine.store import coordination, tasks

from .world import World, eid

NEW = "lint=lint @lint=lint @new=new"


def parked(world: World, reason: str) -> int:
    return int(world.raw.zcard(world.keys.of("park", reason)))


def test_task_pinned_to_an_agent_that_no_node_offers_is_parked_with_its_reason(world: World) -> None:
    world.beat()
    task = world.new("a", assigned_to="new")
    assert parked(world, "offer:new") == 1
    assert world.read(task.id).status == "ready"
    assert world.read(task.id).reason == (
        "no worker offers agent 'new'; start one: taskengine worker --import MODULE (the module with its agent)"
    )
    assert world.claim(world.slot()).word == "nothing"


def test_beat_that_offers_the_agent_unparks(world: World) -> None:
    world.beat()
    task = world.new("a", assigned_to="new")
    world.beat("n2", queues=NEW)
    assert parked(world, "offer:new") == 0
    assert world.read(task.id).reason is None
    assert world.claim(world.slot("s1", "n2", NEW), eid(task)).assignment is not None


def test_unparking_goes_in_pieces_of_256_and_keeps_the_order(real: World) -> None:
    real.beat()
    real.submit(*(real.task(f"t{n}", assigned_to="new") for n in range(600)))
    real.elect()
    while real.ready("@new"):
        real.run(coordination.grant(real.term, ["@new"]))
    assert parked(real, "offer:new") == 600
    real.beat("n2", queues=NEW, slots=0)
    assert parked(real, "offer:new") == 344
    assert [real.run(coordination.unpark(real.term)).number() for _ in range(3)] == [256, 88, 0]
    assert [real.read(id).name for id in real.ready("@new")] == [f"t{n}" for n in range(600)]
    assert not real.raw.smembers(real.keys.fixed("suspending"))


def test_several_agents_of_one_beat_share_the_256(real: World) -> None:
    names = [f"n{n}" for n in range(3)]
    real.submit(*(real.task(f"t{n}", assigned_to=name) for name in names for n in range(150)))
    real.elect()
    while any(real.ready(f"@{name}") for name in names):
        real.run(coordination.grant(real.term, [f"@{name}" for name in names]))
    real.beat(queues=" ".join(f"@{name}={name}" for name in names), slots=0)
    assert sum(parked(real, f"offer:{name}") for name in names) == 450 - 256


def test_thousands_of_reasons_are_looked_at_a_few_in_one_script(real: World) -> None:
    """Also while many nodes live: what it costs is asked of who offers an agent, not of everybody."""
    for node in range(20):
        real.beat(f"n{node}", slots=0)
    real.submit(*(real.task(f"t{n}", assigned_to=f"a{n}") for n in range(1000)))
    real.elect()
    for at in range(0, 1000, 16):
        real.run(coordination.grant(real.term, [f"@a{n}" for n in range(at, min(at + 16, 1000))]))
    assert real.raw.scard(real.keys.fixed("suspending")) == 1000
    real.raw.sadd(real.keys.of("offers", "@a7"), "n3")
    at, most, moved = "0", 0, 0
    while True:
        before = real.raw.info("commandstats")
        answer = real.run(coordination.unpark(real.term, at))
        after = real.raw.info("commandstats")
        most = max(most, sum(stat["calls"] - before.get(name, {"calls": 0})["calls"] for name, stat in after.items()))
        at, moved = answer.text(1), moved + answer.number()
        if at == "0":
            break
    assert moved == 1
    assert most < 256
    assert real.status(real.run(tasks.find(0, 10, ["a:a7"]))[1][0]) == "ready"
    assert parked(real, "offer:a7") == 0
    real.broken = True  # the offer was made by hand


def test_unpark_leaves_what_is_still_not_offered(world: World) -> None:
    world.beat()
    world.new("a", assigned_to="new")
    world.elect()
    assert world.run(coordination.unpark(world.term)).number() == 0
    assert parked(world, "offer:new") == 1


def test_agent_whose_node_died_parks_again(world: World) -> None:
    world.beat("n2", queues=NEW, slots=0)
    task = world.new("a", assigned_to="new")
    assert parked(world, "offer:new") == 0
    world.age(60)
    world.elect()
    world.run(coordination.rescue(world.term))
    assert parked(world, "offer:new") == 1
    assert "no worker offers agent" in (world.read(task.id).reason or "")


def test_cancel_removes_a_parked_task(world: World) -> None:
    task = world.new("a", assigned_to="new")
    world.beat(queues="@other=other")
    assert world.run(tasks.cancel(str(task.id), "no")).ok
    assert parked(world, "offer:new") == 0
    world.beat("n2", queues=NEW)
    assert world.counts() == {"cancelled": 1}


def test_parked_tasks_do_not_stop_others(world: World) -> None:
    world.new("pinned", assigned_to="new")
    world.new("free")
    assert world.start().name == "free"


def test_more_than_16_blocked_heads_are_parked_in_pieces(world: World) -> None:
    world.beat()
    world.submit(*(world.task(f"t{n}", assigned_to="new") for n in range(40)))
    assert parked(world, "offer:new") == 16
    world.elect()
    for expected in (32, 40, 40):
        world.run(coordination.grant(world.term, ["@new"]))
        assert parked(world, "offer:new") == expected
    assert all("no worker offers" in (world.read(id).reason or "") for id in world.ready("@new"))


def test_capability_that_no_worker_offers_names_itself_as_the_reason(world: World) -> None:
    world.beat()
    task = world.new("a", capability="cobol")
    assert world.read(task.id).status == "ready"
    assert world.read(task.id).reason == (
        "no worker offers capability 'cobol'; "
        "start one: taskengine worker --queues cobol --import MODULE (the module with its agent)"
    )


def test_execute_on_another_agent_moves_a_parked_task(world: World) -> None:
    world.beat(slots=0)
    task = world.new("a", assigned_to="new")
    assert world.run(tasks.execute(str(task.id), "lint")).ok
    assert parked(world, "offer:new") == 0
    assert world.claim(world.slot()).assignment is not None
