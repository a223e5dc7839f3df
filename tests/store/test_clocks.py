"""Clocks that only some tasks have: what expires, waits too long for a worker, is silent too long, or takes too long in
all of its attempts together. They are the server's, and the coordinator's one set of timers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskengine.models import Task
from taskengine.store import coordination, executions, nodes, pauses, tasks
from taskengine.store.records import index_names
from taskengine.store.replies import Assignment, Reply

from .world import World, eid


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def fire(world: World) -> None:
    """What a coordinator does with due timers, and what it then thinks."""
    world.run(coordination.fire_timers(world.elect()))
    world.think()


def timers(world: World) -> set[str]:
    return {m.decode().partition(":")[0] for m in world.raw.zrange(world.keys.fixed("timers"), 0, -1)}


def deadline_of(world: World, told: Assignment) -> int:
    return int(world.fields("exec", told.execution_id)["dl"])


def update(world: World, task: Task, **changes: Any) -> Reply:
    """As the API does it."""
    stored = world.read(task.id)
    new = world.record(stored.model_copy(update=changes))
    due = new.row["due"] or 0
    verb = tasks.update(
        str(task.id), world.fields("task", task.id).get("rev", "0"), new, int(new.row["score"]), index_names(stored),
        before_first_run=bool({"scheduled_at", "expires_at"} & changes.keys()), edges=tasks.EdgeChange(),
        due=int(due) if "scheduled_at" in changes else None,
    )  # fmt: skip
    return world.run(verb)


def test_a_plain_task_carries_no_field_for_clocks_or_rules(world: World) -> None:
    a = world.new("a")
    world.start()
    assert not {"clk", "rule", "tend"} & world.fields("task", a.id).keys()
    assert not {"hb", "hbt"} & world.fields("exec", eid(a)).keys()
    assert timers(world) == set()


# -- expires_at


def test_what_has_not_started_when_it_expires_is_cancelled_wherever_it_waits(world: World) -> None:
    held = world.new("held", hold=True, expires_at=later(30))
    timed = world.new("timed", scheduled_at=later(20), expires_at=later(30))
    pinned = world.new("pinned", assigned_to="nobody", expires_at=later(30))
    ready = world.new("ready", capability="test", expires_at=later(30))
    granted = world.new("granted", expires_at=later(30))
    after = world.task("after", ready)
    graph = world.task("in a graph", after, expires_at=later(30))
    world.submit(after, graph)
    world.beat(slots=1)
    assert [m["id"] for m in world.messages()] == [eid(granted)]
    world.age(10)
    fire(world)
    assert "cancelled" not in world.counts()
    world.age(60)
    fire(world)
    late = [held, timed, pinned, ready, granted, graph]
    assert set(world.statuses([t.id for t in late])) == {"cancelled"}
    assert {world.read(t.id).reason for t in late} == {"had not started by its expires_at"}
    assert world.read(after.id).reason == "dependency ready was cancelled"
    assert world.claim(world.slot(), eid(granted), 1).assignment is None
    assert timers(world) == set()


def test_what_runs_or_ran_does_not_expire(world: World) -> None:
    a, b = world.new("a", expires_at=later(30)), world.new("b", expires_at=later(30))
    told = world.start()
    world.finish(b, slot=world.slot("s2"))
    assert timers(world) == set()
    world.age(60)
    world.run(coordination.rescue(world.elect()))  # its worker is lost: it is READY again, and had begun
    fire(world)
    assert world.statuses([a.id, b.id]) == ["ready", "completed"]
    assert told.task_id == str(a.id)
    world.finish(a)


def test_what_expired_and_is_opened_again_does_not_expire_again(world: World) -> None:
    a = world.new("a", hold=True, expires_at=datetime.now(UTC) + timedelta(milliseconds=1))
    world.age(60)
    fire(world)
    assert world.run(tasks.reopen(str(a.id))).ok
    assert world.run(tasks.execute(str(a.id), None)).ok
    fire(world)
    assert world.status(a.id) == "ready"
    assert update(world, a, name="other").ok
    fire(world)
    assert world.status(a.id) == "ready"
    world.finish(a)


def test_what_a_dependency_had_closed_expires_after_it_was_opened_again(world: World) -> None:
    a = world.new("a")
    b = world.new("b", a, expires_at=later(30))
    world.finish(a, disposition="failed")
    world.think()
    assert timers(world) == set()
    world.run(tasks.reopen(str(a.id)))
    world.think()
    assert timers(world) == {"expire"}
    world.age(60)
    fire(world)
    assert world.read(b.id).reason == "had not started by its expires_at"


def test_a_staged_task_does_not_expire_before_its_graph_is_there(world: World) -> None:
    a = world.task("a", expires_at=later(1))
    batch = world.staged(a)
    world.age(60)
    fire(world)
    assert timers(world) == {"expire"}
    while world.run(coordination.sweep_batch(batch, world.term)).number():
        pass
    assert timers(world) == set()


# -- queue_timeout


def test_what_no_worker_took_in_time_failed_and_says_so(world: World) -> None:
    a = world.new("a", queue_timeout=30)
    pinned = world.new("pinned", assigned_to="nobody", queue_timeout=2.5)
    world.beat(queues="other=x")
    world.run(coordination.grant(world.elect(), ["@nobody"]))
    world.age(10)
    fire(world)
    assert world.statuses([a.id, pinned.id]) == ["ready", "failed"]
    world.age(30)
    fire(world)
    one, other = world.read(a.id), world.read(pinned.id)
    assert (one.status.value, one.error_kind) == ("failed", "timeout")
    assert one.error_message == "no worker took it within its queue_timeout of 30 s"
    assert other.error_message == "no worker took it within its queue_timeout of 2.5 s (parked: offer:nobody)"


def test_the_queue_clock_counts_ready_time_alone_and_begins_anew(world: World) -> None:
    a = world.new("a", hold=True, queue_timeout=30)
    world.age(60)
    fire(world)
    assert world.status(a.id) == "pending"
    world.run(tasks.execute(str(a.id), None))
    told = world.start()
    assert timers(world) == set()
    world.report(told, disposition="retry", retry_ms=5000, error="broke", error_kind="crash")
    world.age(6)
    fire(world)
    assert (world.status(a.id), timers(world)) == ("ready", {"queue"})
    world.age(20)
    fire(world)
    assert world.status(a.id) == "ready"
    told = world.start()
    world.run(executions.hand_back([(told.execution_id, told.attempt)], "stop"))
    assert timers(world) == {"queue"}
    world.age(31)
    fire(world)
    assert world.status(a.id) == "failed"


def test_an_edge_added_to_a_ready_task_stops_its_queue_clock(world: World) -> None:
    a, b = world.new("a", queue_timeout=30), world.new("b", hold=True)
    revision = world.run(tasks.edge_revision(world.keys))
    assert world.run(tasks.add_dependency(str(a.id), str(b.id), revision, "sha")).ok
    assert timers(world) == set()


def test_a_task_that_is_held_back_stops_its_queue_clock(world: World) -> None:
    a = world.new("a", queue_timeout=30)
    world.run(tasks.hold(str(a.id), held=True))
    assert (world.status(a.id), timers(world)) == ("pending", set())


def test_clocks_that_are_over_together_end_a_task_once(world: World) -> None:
    """The first to act takes the others away, although they were read as due with it."""
    a = world.new("a", queue_timeout=30, expires_at=later(30))
    b = world.new("b", queue_timeout=30, total_timeout=30)
    world.run(pauses.pause("all", "ann", "why", None))
    world.age(40)
    world.run(pauses.resume("all", "ann"))
    world.age(300)
    fire(world)
    fire(world)
    assert {world.status(a.id), world.status(b.id)} <= {"cancelled", "failed"}
    assert timers(world) == set()


# -- total_timeout


def test_an_attempt_ends_with_the_total_of_all_attempts(world: World) -> None:
    world.new("a", timeout=600, total_timeout=60)
    told = world.start()
    began = int(world.fields("exec", told.execution_id)["s"])
    assert deadline_of(world, told) == told.deadline_ms == began + 60_000
    world.age(20)
    world.report(told, disposition="retry", retry_ms=1000, error="broke", error_kind="crash")
    world.age(2)
    fire(world)
    again = world.start()
    began = int(world.fields("exec", again.execution_id)["s"])
    assert 30_000 < again.deadline_ms - began <= 38_000


@pytest.mark.parametrize("disposition", ["retry", "not_now"])
def test_an_attempt_that_could_not_begin_in_time_is_not_waited_for(world: World, disposition: str) -> None:
    a = world.new("a", total_timeout=60)
    told = world.start()
    world.report(told, disposition=disposition, retry_ms=61_000, error="broke", error_kind="crash")
    ended = world.read(a.id)
    assert ended.status.value == "failed"
    assert ended.error_message == "broke; no further attempt: its total_timeout of 60 s ends before"
    assert ended.retry_count == 0
    assert timers(world) == set()


def test_a_timed_out_attempt_at_the_end_of_the_total_is_the_last(world: World) -> None:
    a = world.new("a", total_timeout=60)
    told = world.start()
    world.age(61)
    verb = executions.time_out(told.execution_id, told.attempt, retry_ms=100, error="took long")
    assert world.run(verb).ok
    ended = world.read(a.id)
    assert (ended.status.value, ended.error_kind) == ("failed", "timeout")
    assert world.fields("exec", told.execution_id)["st"] == "timed_out"


def test_what_waits_for_its_next_attempt_when_the_total_ends_failed(world: World) -> None:
    for wait in (5_000, 100):  # retrying, or ready again
        a = world.new("a", total_timeout=60)
        told = world.start()
        world.age(50)
        world.beat()
        world.report(told, disposition="retry", retry_ms=wait, error="broke", error_kind="crash")
        world.age(1)
        fire(world)
        world.age(9)
        fire(world)
        ended = world.read(a.id)
        assert (ended.status.value, ended.error_kind) == ("failed", "timeout"), wait
        assert "total_timeout of 60 s" in str(ended.error_message)
        assert timers(world) == set()


def test_a_running_attempt_is_left_to_its_node_when_the_total_ends(world: World) -> None:
    a = world.new("a", total_timeout=60)
    slot = world.slot()
    world.start(slot)
    world.age(61)
    world.beat(live=[slot])
    fire(world)
    assert (world.status(a.id), timers(world)) == ("running", {"total"})
    world.age(60)
    world.run(coordination.rescue(world.elect()))
    fire(world)
    assert world.status(a.id) == "failed"


def test_a_task_opened_again_has_its_whole_total_again(world: World) -> None:
    a = world.new("a", total_timeout=60)
    world.finish(a, disposition="failed")
    world.age(600)
    assert world.run(tasks.reopen(str(a.id))).ok
    told = world.start()
    began = int(world.fields("exec", told.execution_id)["s"])
    assert told.deadline_ms == began + 60_000


# -- heartbeat_timeout


def held(world: World, told: Assignment) -> nodes.Held:
    slot = world.slot()
    found = {one.execution_id: one for one in world.beat(live=[slot]).held}
    return found[told.execution_id]


def test_a_node_hears_until_when_an_agent_may_be_silent_and_each_word_moves_it(world: World) -> None:
    world.new("a", heartbeat_timeout=30)
    told = world.start()
    began = int(world.fields("exec", told.execution_id)["s"])
    assert held(world, told).silent_ms == began + 30_000
    world.age(20)
    assert held(world, told).silent_ms == began + 10_000
    world.run(executions.append_logs(told.execution_id, told.attempt, progress=0.5))
    moved = held(world, told).silent_ms
    assert moved is not None
    assert moved >= began + 30_000


def test_a_silent_attempt_ends_only_when_it_is_silent_still(world: World) -> None:
    a = world.new("a", heartbeat_timeout=30)
    told = world.start()
    verb = executions.time_out(told.execution_id, told.attempt, retry_ms=100, error="silent", silent=True)
    assert world.run(verb).word == "heard"
    assert world.status(a.id) == "running"
    world.age(31)
    assert world.run(verb).ok
    assert (world.status(a.id), world.fields("exec", told.execution_id)["st"]) == ("retrying", "timed_out")


# -- changes


def test_a_new_time_to_start_counts_at_once(world: World) -> None:
    a = world.new("a")
    world.beat(slots=1)  # it is granted
    assert update(world, a, scheduled_at=later(60)).ok
    assert (world.status(a.id), timers(world), world.granted()) == ("pending", {"schedule"}, [])
    assert update(world, a, scheduled_at=later(30)).ok
    world.age(40)
    fire(world)
    assert world.status(a.id) == "ready"
    assert update(world, a, scheduled_at=later(60)).ok
    assert update(world, a, scheduled_at=None).ok
    assert (world.status(a.id), timers(world)) == ("ready", set())


def test_a_change_of_something_else_leaves_a_released_schedule_released(world: World) -> None:
    a = world.new("a", scheduled_at=later(60))
    world.run(tasks.execute(str(a.id), None))
    assert update(world, a, description="more").ok
    assert (world.status(a.id), timers(world)) == ("ready", set())


def test_other_clocks_count_at_once_from_where_they_began(world: World) -> None:
    a = world.new("a", hold=True)
    assert update(world, a, expires_at=later(60), queue_timeout=100, total_timeout=50).ok
    assert timers(world) == {"expire"}
    assert update(world, a, expires_at=None).ok
    assert timers(world) == set()
    world.run(tasks.execute(str(a.id), None))
    assert timers(world) == {"queue"}
    ready = int(world.fields("task", a.id)["rdy"])
    assert update(world, a, queue_timeout=7).ok
    assert world.raw.zscore(world.keys.fixed("timers"), f"queue:{a.id}") == ready + 7000
    assert update(world, a, queue_timeout=None).ok
    assert timers(world) == set()
    told = world.start()
    began = int(world.fields("exec", told.execution_id)["s"])
    assert deadline_of(world, told) == began + 50_000
    for seconds, ends in ((20, 20), (None, 3600), (40, 40)):
        assert update(world, a, total_timeout=seconds).ok
        assert deadline_of(world, told) == began + ends * 1000
        assert timers(world) == ({"total"} if seconds else set())


def test_a_task_that_began_has_no_new_time_to_start_or_to_expire(world: World) -> None:
    a = world.new("a")
    world.start()
    for changes in ({"scheduled_at": later(60)}, {"expires_at": later(60)}):
        assert update(world, a, **changes).word == "conflict"


# -- pauses


def test_lengths_of_time_go_on_after_a_pause_with_what_was_left_of_them(world: World) -> None:
    a = world.new("a", queue_timeout=30)
    world.new("b", total_timeout=60)
    told = world.start(world.slot("s2"))
    if told.name == "a":
        world.report(told, world.slot("s2"))
        a, told = world.new("a", queue_timeout=30), world.start(world.slot("s2"))
    world.report(told, world.slot("s2"), disposition="retry", retry_ms=1, error="broke", error_kind="crash")
    world.run(pauses.pause("all", "ann", "why", None))
    world.age(600)
    fire(world)
    fire(world)
    assert world.statuses([a.id, told.task_id]) == ["ready", "retrying"]
    assert timers(world) == set()
    world.run(pauses.resume("all", "ann"))
    fire(world)
    now = world.run(coordination.server_ms())
    due = {m.decode().partition(":")[0]: at for m, at in world.raw.zrange(
        world.keys.fixed("timers"), 0, -1, withscores=True)}  # fmt: skip
    assert due.keys() == {"queue", "total"}
    assert 0 < due["queue"] - now <= 30_000
    assert 0 < due["total"] - now <= 60_000
    assert int(world.fields("task", told.task_id)["tend"]) == due["total"]
    assert world.statuses([a.id, told.task_id]) == ["ready", "ready"]


def test_a_pause_that_ends_before_lengths_of_time_are_over_lengthens_them_too(world: World) -> None:
    a = world.new("a", queue_timeout=60, total_timeout=300)
    told = world.start()
    world.report(told, disposition="retry", retry_ms=1, error="broke", error_kind="crash")
    world.age(1)
    fire(world)
    for pause_seconds, scope in ((30, "all"), (20, "cap:lint"), (10, f"run:{world.run_of(a.id)}")):
        world.run(pauses.pause(scope, "ann", "why", None))
        world.age(pause_seconds)
        world.run(pauses.resume(scope, "ann"))
        fire(world)
    world.age(50)  # 60 paused, 50 not
    fire(world)
    assert world.status(a.id) == "ready"
    told = world.start()
    left = deadline_of(world, told) - int(world.fields("exec", told.execution_id)["s"])
    assert 240_000 < left <= 251_000
    world.report(told, disposition="retry", retry_ms=1, error="broke", error_kind="crash")
    world.age(1)
    fire(world)
    world.age(61)
    fire(world)
    assert str(world.read(a.id).error_message).startswith("no worker took it within its queue_timeout")


def test_a_pause_before_its_time_lengthens_nothing(world: World) -> None:
    world.run(pauses.pause("all", "ann", "why", None))
    world.age(100)
    a = world.new("a", queue_timeout=60)
    world.run(pauses.resume("all", "ann"))
    world.age(61)
    fire(world)
    fire(world)
    assert world.status(a.id) == "failed"


def test_a_moment_that_passed_in_a_pause_is_over_when_it_ends(world: World) -> None:
    a = world.new("a", expires_at=later(30))
    world.run(pauses.pause("all", "ann", "why", None))
    world.age(60)
    fire(world)
    assert world.status(a.id) == "ready"
    world.run(pauses.resume("all", "ann"))
    fire(world)
    assert world.read(a.id).reason == "had not started by its expires_at"


def test_a_task_that_is_over_leaves_no_timer_under_a_pause(world: World) -> None:
    a = world.new("a", queue_timeout=30)
    world.run(pauses.pause("all", "ann", "why", None))
    world.age(60)
    fire(world)
    world.run(tasks.cancel(str(a.id), "no"))
    world.run(pauses.resume("all", "ann"))
    assert timers(world) == set()


def test_who_is_held_does_not_wait_for_a_worker(world: World) -> None:
    task = world.new("task", queue_timeout=10)
    assert world.run(tasks.hold(str(task.id), held=True)).ok
    world.check()
    world.age(20)
    world.elect()
    world.run(coordination.fire_timers(world.term))
    assert world.status(task.id) == "pending"
    assert world.run(tasks.hold(str(task.id), held=False)).ok
    assert world.status(task.id) == "ready"


def test_a_timer_of_a_newer_version_is_left_to_it_and_blocks_none_behind_it(world: World) -> None:
    task = world.new(scheduled_at=datetime.now(UTC) + timedelta(seconds=5))
    item = f"of_tomorrow:{task.id}"
    world.raw.zadd(world.keys.fixed("timers"), {item: 1})
    world.age(6)
    answer = world.run(coordination.fire_timers(world.elect()))
    assert (answer.word, world.status(task.id)) == ("ok", "ready")
    assert world.raw.zscore(world.keys.fixed("timers"), item) > world.run(coordination.server_ms())
    world.raw.zrem(world.keys.fixed("timers"), item)


def test_a_node_hears_until_when_somebody_follows_what_an_attempt_says(world: World) -> None:
    task = world.new("a")
    world.run(executions.watch_logs(str(task.id), 0))  # nothing runs yet
    told = world.start()
    assert held(world, told).watched_ms is None
    world.run(executions.watch_logs(str(task.id), 0))
    until = held(world, told).watched_ms
    assert until is not None
    world.age(executions.WATCH_MS / 2000 + 1)
    world.run(executions.watch_logs(str(task.id), told.attempt))
    again = held(world, told).watched_ms
    assert again is not None
    assert again > until - 1000
    world.report(told)
    assert world.run(executions.watch_logs(str(task.id), 0)).ok
