"""Several short tasks in one trip: what a slot gets at once, how it reports, and what becomes of the rest."""

from __future__ import annotations

import pytest

from taskengine.core.estimates import kind_of
from taskengine.models import Task, TaskPriority
from taskengine.store import coordination, estimates, executions, nodes, pauses, tasks
from taskengine.store.executions import Answer, BatchHint, Report, Slot
from taskengine.store.replies import Assignment

from .world import World, eid

#: What a slot says that just ran a task called t, which took half a millisecond.
PACE = BatchHint(kind_of("lint", "t"), 500, 8)


def end(world: World, *told: Assignment, slot: Slot | None = None, pull: bool = True, hint: BatchHint = PACE) -> Answer:
    done = [Report(one.task_id, one.attempt, "completed", "lint", output='{"n":1}') for one in told]
    return world.run(executions.report(slot or world.slot(), done, pull=pull, hint=hint))


def batch(world: World, n: int = 40, **fields: object) -> tuple[list[Task], tuple[Assignment, ...]]:
    """*n* tasks on a node of one slot, and the batch that this slot got after the first of them."""
    world.beat(slots=1)
    made = [world.new("t", **fields) for _ in range(n)]
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    return made, end(world, first).batch


def test_a_slot_of_short_tasks_gets_eight_in_order(world: World) -> None:
    made, told = batch(world)
    assert [one.task_id for one in told] == [str(task.id) for task in made[1:9]]
    assert world.counts() == {"completed": 1, "running": 8, "ready": 31}
    assert world.run(nodes.fleet()).running == 1  # slots held


@pytest.mark.parametrize(("waiting", "wanted"), [(1, 1), (3, 1), (4, 2), (9, 4), (16, 8), (100, 8)])
def test_no_slot_gets_more_than_half_of_its_share(world: World, waiting: int, wanted: int) -> None:
    assert len(batch(world, waiting + 1)[1]) == wanted


def test_a_share_is_that_of_all_nodes_that_offer_the_queue(world: World) -> None:
    for node in ("n2", "n3"):
        world.beat(node, slots=1)
        world.run(nodes.drain(node, "so that it is granted nothing"))
    assert len(batch(world, 25)[1]) == 4  # 24 ÷ (2 × 3)


def test_a_share_counts_the_slots_of_each_node_not_the_nodes(world: World) -> None:
    world.beat("large", slots=5)
    world.run(nodes.drain("large", "so that it is granted nothing"))
    assert len(batch(world, 25)[1]) == 2  # 24 ÷ (2 × (1 + 5))


def slots_behind(world: World, queue: str = "lint") -> int:
    return int(world.raw.hget(world.keys.fixed("offered_slots"), queue) or 0)


def test_the_slots_behind_a_queue_follow_who_offers_it(world: World) -> None:
    world.beat("a", slots=3)
    world.beat("b", slots=2)
    world.beat("b", slots=2)
    assert slots_behind(world) == slots_behind(world, "@lint") == 5
    world.beat("b", slots=4)
    assert slots_behind(world) == 7
    world.beat("b", slots=4, queues="test=test @test=test")
    assert (slots_behind(world), slots_behind(world, "test")) == (3, 4)
    world.run(nodes.remove_node("a"))
    world.run(nodes.remove_node("a"))
    assert slots_behind(world) == 0
    world.beat("a", slots=1)
    world.age(3600)
    world.elect()
    world.run(coordination.rescue(world.term))
    assert slots_behind(world) == slots_behind(world, "test") == 0
    world.beat("a", slots=2)
    assert slots_behind(world) == 2


@pytest.mark.parametrize(("each_us", "wanted"), [(500, 8), (1000, 5), (2500, 2), (2501, 1)])
def test_a_batch_is_five_milliseconds_of_work_at_most(world: World, each_us: int, wanted: int) -> None:
    world.beat(slots=1)
    for _ in range(40):
        world.new("t")
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    assert len(end(world, first, hint=BatchHint(PACE.kind, each_us, 8)).batch) == wanted


def test_a_slot_that_takes_one_gets_one(world: World) -> None:
    world.beat(slots=1)
    for _ in range(40):
        world.new("t")
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    assert len(end(world, first, hint=BatchHint(PACE.kind, 1, 1)).batch) == 1


def test_a_kind_that_nobody_ran_goes_alone(world: World) -> None:
    world.beat(slots=1)
    names = ["t", "t", "new", "t", "t", *["t"] * 30]
    made = [world.new(name) for name in names]
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    second = end(world, first).batch
    assert [one.task_id for one in second] == [str(made[1].id)]
    third = end(world, *second).batch
    assert [one.task_id for one in third] == [str(made[2].id)]
    assert len(end(world, *third).batch) == 8


def test_kinds_that_were_learned_fill_a_batch_as_far_as_they_fit(world: World) -> None:
    world.run(estimates.update_estimates({kind_of("lint", "slow"): 0.003, kind_of("lint", "quick"): 0.0}))
    world.beat(slots=1)
    made = [world.new(name) for name in ["t", "t", "quick", "slow", "slow", *["t"] * 30]]
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    assert [one.task_id for one in end(world, first).batch] == [str(task.id) for task in made[1:4]]


@pytest.mark.parametrize("why", ["tried before", "clocks of its own"])
def test_what_must_go_alone_goes_alone(world: World, why: str) -> None:
    world.beat(slots=1)
    first = world.new("t")
    fields = {"queue_timeout": 60.0} if why == "clocks of its own" else {}
    odd = world.new("t", **fields)
    for _ in range(30):
        world.new("t")
    told = world.claim(world.slot(), eid(first)).assignment
    assert told is not None
    if why == "tried before":
        (told,) = end(world, told, hint=BatchHint(PACE.kind, 1, 1)).batch
        world.run(executions.hand_back([(told.execution_id, 1)], "stop"))
        told = world.start()
        assert told.task_id == str(odd.id)
        world.run(executions.hand_back([(told.execution_id, told.attempt)], "stop"))
        told = world.start()
        after = end(world, told).batch
        assert len(after) == 8
        return
    alone = end(world, told).batch
    assert [one.task_id for one in alone] == [str(odd.id)]
    assert len(end(world, *alone).batch) == 8


def test_each_outcome_of_a_batch_counts_by_itself(world: World) -> None:
    made, told = batch(world)
    reports = [
        Report(told[0].task_id, 1, "completed", "lint", output="{}"),
        Report(told[1].task_id, 1, "failed", "lint", error="broke", error_kind="crash"),
        Report(told[2].task_id, 1, "retry", "lint", error="again", error_kind="crash", retry_ms=5000),
        Report(told[3].task_id, 1, "not_now", "lint", error="later", retry_ms=5000),
    ]
    answer = world.run(executions.report(world.slot(), reports, pull=True, hint=PACE))
    assert answer.outcomes == ("ok",) * 4
    assert not answer.batch  # it still holds the other four
    assert world.statuses([task.id for task in made[1:9]]) == [
        "completed", "failed", "retrying", "retrying", *["running"] * 4
    ]  # fmt: skip
    rest = end(world, *told[4:])
    assert rest.outcomes == ("ok",) * 4
    assert len(rest.batch) == 8


def test_a_fenced_outcome_leaves_its_neighbours_alone_and_ends_the_slot(world: World) -> None:
    made, told = batch(world)
    assert world.run(executions.time_out(told[3].execution_id, 1, retry_ms=None, error="too long")).ok
    answer = end(world, *told)
    assert answer.outcomes == ("ok", "ok", "ok", "timed_out", "ok", "ok", "ok", "ok")
    assert not answer.batch
    assert world.fields("exec", told[3].execution_id)["late"] == "completed"
    assert world.statuses([task.id for task in made[1:9]]).count("completed") == 7
    assert world.run(nodes.fleet()).running == 0


def test_outcome_of_another_slots_execution_is_fenced_also_in_a_batch(world: World) -> None:
    made, told = batch(world)
    other = world.slot("s2")
    answer = end(world, *told, slot=other)
    assert answer.outcomes == ("running",) * 8
    assert world.statuses([task.id for task in made[1:9]]) == ["running"] * 8


def test_repeated_report_of_a_batch_gets_the_same_batch(world: World) -> None:
    _, told = batch(world)
    answer = end(world, *told)
    assert len(answer.batch) == 8
    before = world.dump()
    assert end(world, *told) == answer
    assert world.dump() == before


def test_a_lost_batch_counts_no_loss_and_each_goes_alone(world: World) -> None:
    made, _ = batch(world)
    world.run(nodes.remove_node("n1"))
    assert world.statuses([task.id for task in made[1:9]]) == ["ready"] * 8
    assert [world.read(task.id).lost_count for task in made[1:9]] == [0] * 8
    world.beat("n2", slots=0)
    slot = world.slot("s2", "n2")
    one = world.claim(slot).assignment
    assert one is not None
    assert (one.task_id, one.attempt) == (str(made[1].id), 2)
    for task in made[2:9]:
        (one,) = end(world, one, slot=slot).batch
        assert (one.task_id, one.attempt) == (str(task.id), 2)
    assert len(end(world, one, slot=slot).batch) > 1


def test_a_poison_task_of_a_batch_is_a_dead_letter_after_its_own_three_losses(world: World) -> None:
    made, told = batch(world, 10)
    world.run(nodes.remove_node("n1"))
    for turn in range(3):
        world.beat(f"m{turn}", slots=0)
        lost = world.claim(world.slot("s", f"m{turn}")).assignment
        assert lost is not None
        assert lost.task_id == told[0].task_id
        world.run(nodes.remove_node(f"m{turn}"))
    poison = world.read(made[1].id)
    assert (poison.status, poison.lost_count) == ("failed", 3)
    assert [world.read(task.id).lost_count for task in made[2:5]] == [0, 0, 0]


@pytest.mark.parametrize("how", ["leave", "vanish", "lapse", "claim again"])
def test_whatever_takes_a_slot_takes_all_that_it_holds(world: World, how: str) -> None:
    _, told = batch(world)
    if how == "leave":
        world.run(nodes.remove_node("n1"))
    elif how == "vanish":
        world.beat(slots=0)
        lost = world.beat(slots=0).lost
        assert {one.execution_id for one in lost} == {one.execution_id for one in told}
        assert {one.why for one in lost} == {"its slot vanished; it was one of 8 in hand"}
    elif how == "lapse":
        world.elect()
        world.age(60)
        world.run(coordination.rescue(world.term))
    else:
        assert world.claim(world.slot(), request="another").assignment is not None
    assert {world.fields("exec", one.execution_id)["st"] for one in told} == {"lost"}


def test_a_beat_tells_of_every_execution_in_hand(world: World) -> None:
    _, told = batch(world)
    assert [held.execution_id for held in world.beat(live=[world.slot()]).held] == [one.execution_id for one in told]


def test_what_was_handed_back_runs_elsewhere_and_its_token_is_burnt(world: World) -> None:
    made, told = batch(world, 20)
    pairs = [(one.execution_id, one.attempt) for one in told[1:]]
    assert [answer.word for answer in world.run(executions.hand_back(pairs, "one lasts long"))] == ["ok"] * 7
    assert world.statuses([task.id for task in made[1:9]]) == ["running", *["ready"] * 7]
    late = end(world, told[1], pull=False)
    assert late.outcomes == ("cancelled",)
    assert world.read(made[2].id).status == "ready"
    world.beat("n2", slots=0)
    again = world.claim(world.slot("s2", "n2")).assignment
    assert again is not None
    assert (again.task_id, again.attempt) == (str(made[2].id), 2)
    assert end(world, told[0], pull=False).outcomes == ("ok",)
    assert world.run(nodes.fleet()).running == 1


def test_cancel_of_one_in_a_batch_is_asked_as_of_any_that_runs(world: World) -> None:
    made, told = batch(world)
    assert world.run(tasks.cancel(str(made[3].id), "no more")).word == "asked"
    end(world, *told)
    assert world.read(made[3].id).status == "cancelled"
    assert world.statuses([made[2].id, made[4].id]) == ["completed", "completed"]


def test_history_tells_ends_before_what_became_ready_and_what_began(world: World) -> None:
    world.beat(slots=1)
    made = [world.task("t") for _ in range(12)]
    behind = [world.task("t", task) for task in made]
    run = world.submit(*made, *behind)
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    told = end(world, first).batch
    before = len(world.events(run))
    assert len(told) == 6
    end(world, *told)
    kinds = [event["e"] for event in world.events(run)[before:]]
    assert kinds == sorted(kinds, key=["completed", "ready", "started", "trimmed"].index)
    numbers = [int(event["n"]) for event in world.events(run)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_large_documents_do_not_travel_together(world: World) -> None:
    _, told = batch(world, input={"x": "y" * 100_000})
    assert len(told) == 2


def test_the_only_dependent_begins_in_the_script_that_ends_its_dependency(world: World) -> None:
    world.beat(slots=1)
    a = world.task("t")
    b = world.task("t", a)
    world.submit(a, b)
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    assert end(world, first).assignment is not None
    assert world.happened(b.id) == ["created", "ready", "started"]
    assert world.ready() == []
    assert world.read(b.id).status == "running"


def test_what_waits_and_is_better_comes_before_what_became_ready(world: World) -> None:
    world.beat(slots=1)
    a = world.task("t", priority=TaskPriority.CRITICAL)
    b = world.task("t", a, priority=TaskPriority.LOW)
    world.submit(a, b)
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    urgent = world.new("t", priority=TaskPriority.CRITICAL)
    following = end(world, first).assignment
    assert following is not None
    assert following.task_id == str(urgent.id)


@pytest.mark.parametrize("scope", ["all", "cap:lint", "agent:lint", "run"])
def test_a_pause_keeps_a_dependent_from_being_handed_over(world: World, scope: str) -> None:
    world.beat(slots=1)
    a = world.task("t")
    b = world.task("t", a)
    run = world.submit(a, b)
    first = world.claim(world.slot(), world.granted()[0]).assignment
    assert first is not None
    world.run(pauses.pause(f"run:{run}" if scope == "run" else scope, "ann", "why", None))
    assert end(world, first).assignment is None
    assert world.read(b.id).status == "ready"
