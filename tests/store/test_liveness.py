"""Slots, beats, leases: who still runs what, and what happens when nobody does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from taskengine.settings import Settings
from taskengine.store import coordination, decisions, executions, graphs, nodes, tasks

from .world import World, became


def lease(world: World, slot: str) -> float:
    return float(world.raw.zscore(world.keys.fixed("leases"), f"n1/{slot}") or 0)


def test_beat_renews_exactly_what_live_slots_hold(world: World) -> None:
    slots = [world.slot("s1"), world.slot("s2")]
    for name, slot in zip("ab", slots, strict=True):
        world.new(name)
        world.start(slot)
    world.age(5)
    first, second = (float(s) for _, s in world.raw.zrange(world.keys.fixed("leases"), 0, -1, withscores=True))
    answer = world.beat(live=slots[:1])
    assert {h.message: lease(world, h.message[2:]) > first + 4000 for h in answer.held} == {"m-s1": True, "m-s2": True}
    assert answer.lost == ()
    world.age(5)
    answer = world.beat(live=slots[:1])
    assert [h.message for h in answer.held] == ["m-s1"]
    assert len(answer.lost) == 1
    assert first == pytest.approx(second, abs=1000)


def test_slot_absent_in_one_beat_is_not_lost_in_two_it_is(world: World) -> None:
    task = world.new("a")
    told = world.start()
    assert world.beat(live=()).lost == ()
    assert world.status(task.id) == "running"
    assert world.beat(live=[world.slot()]).lost == (), "it is back"
    assert world.beat(live=()).lost == ()
    assert became(world.beat(live=())) == {told.execution_id: "ready"}
    assert (world.status(task.id), world.read(task.id).lost_count) == ("ready", 1)
    assert world.happened(task.id) == ["created", "ready", "started", "lost", "ready"]
    execution = world.run(executions.read(world.keys, told.execution_id))
    assert execution is not None
    assert (execution.status, execution.error_message) == ("lost", "its slot vanished")


def test_a_slot_whose_process_was_seen_to_die_is_lost_at_once_and_since_then(world: World) -> None:
    task = world.new("a")
    told = world.start()
    world.raw.hincrby(world.keys.of("exec", told.execution_id), "s", -2000)
    slot = world.slot()
    death = f"{slot.message}|{slot.pid}|1500|its process was ended by SIGSEGV | really"
    answer = world.run(nodes.heartbeat("n1", 100, "{}", 2, slot.queues, "", [death]))
    assert became(answer) == {told.execution_id: "ready"}
    execution = world.run(executions.read(world.keys, told.execution_id))
    assert execution is not None
    assert (execution.status, execution.error_message) == ("lost", "its process was ended by SIGSEGV | really")
    assert execution.duration_seconds == pytest.approx(0.5, abs=0.4)
    assert world.status(task.id) == "ready"


def test_a_beat_tells_of_what_began_and_was_lost_since_the_last_one(world: World) -> None:
    task = world.new("a")
    world.beat()
    told, slot = world.start(), world.slot()
    answer = world.run(nodes.heartbeat("n1", 100, "{}", 2, slot.queues, "", [f"{slot.message}|{slot.pid}|10|it died"]))
    assert answer.lost == (nodes.Lost(told.execution_id, str(task.id), slot.pid, "ready", "it died"),)


def test_an_execution_ends_no_earlier_than_it_started(world: World) -> None:
    world.new("a")
    told = world.start()
    slot = world.slot()
    world.run(nodes.heartbeat("n1", 100, "{}", 2, slot.queues, "", [f"{slot.message}|{slot.pid}|60000|died"]))
    execution = world.run(executions.read(world.keys, told.execution_id))
    assert execution is not None
    assert execution.duration_seconds == 0


def test_two_copies_of_a_beat_are_one_absence(world: World) -> None:
    """A beat is sent again when its reply is lost; a claim between its list of slots and the first copy is no loss."""
    world.new("a")
    world.beat(number=1)
    told = world.start()
    for _ in range(3):
        answer = world.beat(live=(), number=2)
        assert ([held.execution_id for held in answer.held], answer.lost) == ([told.execution_id], ())
    assert became(world.beat(live=(), number=3)) == {told.execution_id: "ready"}


def test_late_copy_of_a_beat_changes_nothing(world: World) -> None:
    """What a link held back comes after newer beats: it neither revives a node that drains nor one that left."""
    world.new("a")
    world.beat(number=1)
    told = world.start()
    world.beat(live=[world.slot()], number=3)
    world.run(nodes.drain("n1", "SIGTERM"))
    before = world.dump()
    answer = world.beat(slots=9, queues="test=test", number=2)
    assert ([held.execution_id for held in answer.held], answer.lost) == ([told.execution_id], ())
    assert world.dump() == before
    world.report(told)
    world.run(nodes.remove_node("n1"))
    before = world.dump()
    world.beat(number=3)
    assert world.dump() == before


def test_beat_tells_what_the_node_holds(world: World) -> None:
    world.new("a", timeout=7.5)
    told = world.start()
    [held] = world.beat(live=[world.slot()]).held
    assert (held.execution_id, held.message, held.pid, held.token, held.task_id, held.cancel_ms) == (
        told.execution_id, "m-s1", 7, 1, told.task_id, None
    )  # fmt: skip
    assert held.deadline_ms == told.deadline_ms
    world.run(tasks.cancel(told.task_id, "no"))
    [held] = world.beat(live=[world.slot()]).held
    assert held.cancel_ms is not None


def test_timeout_of_a_task_or_the_default_sets_the_deadline(world: World) -> None:
    own, default = world.new("own", timeout=7.5), world.new("default")
    now = world.run(coordination.server_ms())
    first = world.start(world.slot("s1"))
    second = world.start(world.slot("s2"))
    assert (first.task_id, second.task_id) == (str(own.id), str(default.id))
    assert first.deadline_ms - now == pytest.approx(7500, abs=2000)
    assert second.deadline_ms - now == pytest.approx(3_600_000, abs=2000)


def test_execution_whose_lease_lapsed_is_lost_and_its_task_ready_at_its_place(world: World) -> None:
    first = world.new("first")
    world.start()
    for name in ("second", "third"):
        world.new(name)
    world.age(11)
    world.elect()
    silent_since = int(world.fields("node", "n1")["until"]) - world.store.settings.lease_seconds * 1000
    answer = world.run(coordination.rescue(world.term))
    assert (answer.number(0), answer.number(1)) == (1, 0)
    assert (answer.texts(2), answer.texts(3)) == ([str(first.id), "n1"], [])
    (execution,) = world.run(executions.of_task(str(first.id)))
    told = r"its worker fell silent at (\S+) UTC, (\d+\.\d) s before it was given up"
    said = re.fullmatch(told, execution.error_message or "")
    assert said is not None
    assert said[1] == f"{datetime.fromtimestamp(silent_since / 1000, UTC):%H:%M:%S}"
    assert float(said[2]) == pytest.approx(11, abs=2)
    assert world.ready()[0] == str(first.id)
    assert world.raw.hlen(world.keys.of("slots", "n1")) == 0
    assert world.run(coordination.rescue(world.term)).number() == 0


def test_dead_node_leaves_the_fleet_and_its_queues(world: World) -> None:
    world.beat()
    world.age(60)
    world.elect()
    answer = world.run(coordination.rescue(world.term))
    assert (answer.number(1), answer.texts(2), answer.texts(3)) == (1, [], ["n1"])
    fleet = world.run(nodes.fleet())
    assert fleet.nodes == ()
    assert not world.raw.exists(world.keys.of("offers", "lint"))
    world.beat()
    assert [node.name for node in world.run(nodes.fleet()).nodes] == ["n1"]
    assert world.raw.smembers(world.keys.of("offers", "lint")) == {b"n1"}


def test_silent_node_that_comes_back_goes_on(world: World) -> None:
    world.new("a")
    told = world.start()
    world.age(8)
    assert world.beat(live=[world.slot()]).lost == ()
    assert world.report(told).word == "ok"


def test_third_loss_is_a_dead_letter_with_its_story(world: World) -> None:
    task = world.new("a")
    for _ in range(2):
        world.start()
        world.beat()
        world.beat()
        assert world.status(task.id) == "ready"
    told = world.start()
    world.beat()
    world.beat()
    found = world.read(task.id)
    assert (found.status, found.error_kind, found.lost_count, found.retry_count) == ("failed", "poison", 3, 0)
    assert found.error_message == (
        "lost its worker 3 times, last on n1 (its slot vanished)"
    )
    assert world.run(nodes.fleet()).dead_letters == 1
    assert [e.status for e in world.run(executions.of_task(told.task_id))] == ["lost"] * 3
    assert world.run(tasks.reopen(str(task.id))).ok
    assert world.run(nodes.fleet()).dead_letters == 0
    assert world.read(task.id).lost_count == 0


def test_loss_spends_no_retry_and_retries_no_loss(world: World) -> None:
    task = world.new("a")
    told = world.start()
    world.report(told, disposition="retry", error="boom", retry_ms=0)
    world.age(1)
    world.elect()
    world.run(coordination.fire_timers(world.term))
    world.start()
    world.beat()
    world.beat()
    found = world.read(task.id)
    assert (found.retry_count, found.lost_count, found.attempt) == (1, 1, 2)


def test_number_of_losses_is_a_setting(world: World) -> None:
    task = world.new("a")
    world.store = world.other(Settings(namespace="te", max_lost=1))
    world.start()
    world.beat()
    world.beat()
    assert world.status(task.id) == "failed"


def test_handed_back_work_is_ready_again_and_nothing_is_counted(world: World) -> None:
    task = world.new("a")
    told = world.start()
    world.beat(drain="SIGQUIT", live=[world.slot()])
    assert world.run(executions.hand_back([(told.execution_id, 1)], "SIGQUIT"))[0].ok
    found = world.read(task.id)
    assert (found.status, found.retry_count, found.lost_count) == ("ready", 0, 0)
    assert world.happened(task.id)[-2:] == ["handed_back", "ready"]
    execution = world.run(executions.read(world.keys, told.execution_id))
    assert execution is not None
    assert (execution.status, execution.error_kind) == ("cancelled", "handed_back")


@pytest.mark.parametrize(("retry_ms", "status"), [(None, "failed"), (5000, "retrying")])
def test_timeout_fails_or_retries_the_task(world: World, retry_ms: int | None, status: str) -> None:
    task = world.new("a")
    told = world.start()
    assert world.run(executions.time_out(told.execution_id, 1, retry_ms=retry_ms, error="too long")).ok
    found = world.read(task.id)
    assert (found.status, found.error_kind, found.error_message) == (status, "timeout", "too long")
    execution = world.run(executions.read(world.keys, told.execution_id))
    assert execution is not None
    assert execution.status == "timed_out"
    assert "timed_out" in world.happened(task.id)


def test_node_that_leaves_loses_what_it_holds(world: World) -> None:
    task = world.new("a")
    world.start()
    assert world.run(nodes.remove_node("n1")).number() == 1
    assert world.status(task.id) == "ready"
    assert world.run(nodes.fleet()).nodes == ()
    assert world.claim(world.slot()).detail == "silent"
    world.run(nodes.remove_node("n1"))
    world.finish(task)


@pytest.mark.parametrize("end", ["it is killed", "it leaves"])
def test_a_draining_node_that_is_gone_costs_its_tasks_no_loss(world: World, end: str) -> None:
    """It had said that it goes; however often that happens, its tasks are no poison."""
    task = world.new("a")
    world.elect()
    for _ in range(Settings().max_lost + 1):
        world.beat()
        world.start()
        world.run(nodes.drain("n1", "SIGTERM"))
        if end == "it leaves":
            assert world.run(nodes.remove_node("n1")).number() == 1
        else:
            world.age(60)
            assert world.run(coordination.rescue(world.term)).number() == 1
    assert (world.status(task.id), world.read(task.id).lost_count) == ("ready", 0)
    assert [run.status for run in world.run(executions.of_task(str(task.id)))] == ["lost"] * 4


def test_a_child_that_dies_while_its_node_drains_counts_as_a_loss(world: World) -> None:
    task = world.new("a")
    world.start()
    world.run(nodes.drain("n1", "SIGTERM"))
    for _ in range(2):
        world.beat(live=(), drain="SIGTERM")
    assert (world.status(task.id), world.read(task.id).lost_count) == ("ready", 1)


def test_drained_node_takes_work_again_when_its_beat_says_so(world: World) -> None:
    world.beat()
    world.run(nodes.drain("n1", "SIGTERM"))
    assert world.run(nodes.fleet()).nodes[0].draining == "SIGTERM"
    world.new("a")
    assert world.claim(world.slot()).detail == "draining"
    world.beat(slots=0)
    assert world.claim(world.slot()).assignment is not None


def test_draining_unknown_node_makes_none(world: World) -> None:
    world.run(nodes.drain("nobody", "x"))
    assert world.key_names() == set()


def test_many_slots_are_renewed_in_one_beat(real: World) -> None:
    slots = [real.slot(f"s{n}") for n in range(300)]
    real.submit(*(real.task(f"t{n}") for n in range(300)))
    real.beat(slots=0)
    for slot in slots:
        assert real.claim(slot).assignment
    real.age(5)
    answer = real.beat(live=slots)
    assert (len(answer.held), answer.lost) == (300, ())
    assert real.run(coordination.rescue(real.elect())).number() == 0
    for _ in range(2):
        lost = len(real.beat(live=()).lost)
    assert lost == 16, "sixteen a beat, the others with their leases"


def test_slots_of_two_nodes_do_not_meet(world: World) -> None:
    world.new("a")
    world.new("b")
    one, two = world.slot("same", "n1"), world.slot("same", "n2")
    first, second = world.start(one), world.start(two)
    world.beat("n1", live=())
    assert became(world.beat("n1", live=())) == {first.execution_id: "ready"}
    assert world.beat("n2", live=[two]).lost == ()
    assert world.report(second, two).word == "ok"


def test_schedule_holds_a_task_until_its_time(world: World) -> None:
    late = world.new("late", scheduled_at=datetime.now(UTC) + timedelta(seconds=50))
    past = world.new("past", scheduled_at=datetime.now(UTC) - timedelta(seconds=50))
    assert world.statuses([late.id, past.id]) == ["pending", "ready"]
    assert world.read(late.id).reason == "waits for its scheduled time"
    world.elect()
    fired = world.run(coordination.fire_timers(world.term))
    assert fired.number(0) == 0
    assert 40_000 < fired.number(1) <= 50_000
    world.age(60)
    assert world.run(coordination.fire_timers(world.term)).number() == 1
    assert world.status(late.id) == "ready"


def test_schedule_of_an_uncommitted_graph_waits_for_the_commit(world: World) -> None:
    task = world.task("late", scheduled_at=datetime.now(UTC) + timedelta(seconds=5))
    batch = world.staged(task)
    world.age(60)
    world.raw.zadd(world.keys.fixed("batches"), {batch: world.run(coordination.server_ms())})
    world.elect()
    world.run(coordination.fire_timers(world.term))
    assert world.status(task.id) == ""
    world.run(graphs.commit(batch))
    world.settle(batch)
    assert world.status(task.id) == "pending"
    world.age(60)
    world.run(coordination.fire_timers(world.term))
    assert world.status(task.id) == "ready"


def test_held_task_starts_when_it_is_executed(world: World) -> None:
    task = world.new("a", hold=True)
    assert world.read(task.id).reason == "held; execute_task starts it"
    assert world.run(tasks.execute(str(task.id), None)).ok
    assert world.status(task.id) == "ready"
    world.finish(task)
    answer = world.run(tasks.execute(str(task.id), "other"))
    assert (answer.word, answer.text(0), answer.text(1)) == ("conflict", "completed", "lint")


def test_lead_is_one_at_a_time_and_every_new_leader_has_a_new_term(world: World) -> None:
    first = world.run(coordination.elect("c1", 60_000))
    assert (first.word, first.text(), first.number(1)) == ("ok", "1", 1)
    assert world.run(coordination.elect("c1", 60_000)).number(1) == 0
    standby = world.run(coordination.elect("c2", 60_000))
    assert (standby.word, standby.text()) == ("standby", "c1")
    assert 0 < standby.number(1) <= 60_000
    world.run(coordination.resign("c2"))
    assert world.run(coordination.elect("c2", 60_000)).word == "standby"
    world.run(coordination.resign("c1"))
    assert world.run(coordination.elect("c2", 60_000)).text() == "2"
    assert world.run(coordination.elect("c1", 60_000)).word == "standby"


@pytest.mark.parametrize(
    "verb",
    [
        lambda term: coordination.grant(term, ["lint"]),
        coordination.withdraw,
        coordination.rescue,
        coordination.fire_timers,
        coordination.continue_releases,
        coordination.unpark,
        lambda term: coordination.sweep_batch("b", term),
        lambda term: decisions.drop_decisions(term, ["0-1"]),
        lambda term: decisions.reopen_closed(term, "0-1", "id", "by"),
    ],
)
def test_terms_fence_what_a_former_leader_says(world: World, verb: object) -> None:
    old = world.elect("c1")
    world.run(coordination.resign("c1"))
    assert world.run(verb(old)).word == "stale", "lapsed"  # type: ignore[operator]
    world.elect("c2")
    before = world.dump()
    assert world.run(verb(old)).word == "stale"  # type: ignore[operator]
    assert world.dump() == before

