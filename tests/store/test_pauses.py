"""A pause is one flag: nothing of its scope starts, nothing is lost or moved, and others do not notice."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from taskengine.models import Pause, Task
from taskengine.store import coordination, inspection, pauses, tasks
from taskengine.store.pause_record import pause_from

from .world import World, eid

TWO = "lint=lint @lint=lint test=tester"
_SLOTS = itertools.count()
BOT = "lint=lint @bot=bot"


def pause(world: World, scope: str, until: datetime | None = None) -> Pause:
    answer = world.run(pauses.pause(scope, "ann", "why", until))
    assert answer.ok, answer
    return pause_from(scope, answer.text())


def resume(world: World, scope: str) -> None:
    assert world.run(pauses.resume(scope, "ann")).number() == 1


def nothing_starts(world: World, queues: str = TWO) -> bool:
    world.beat("n9", queues=queues)
    world.elect()
    world.run(coordination.grant(world.term, [queue.partition("=")[0] for queue in queues.split()]))
    return not world.granted() and world.claim(world.slot("s9", "n9", queues)).word == "nothing"


def names(world: World, count: int, queues: str = TWO) -> list[str]:
    """What starts next, one after the other."""
    return [world.start(world.slot(f"z{next(_SLOTS)}", "n9", queues)).name for _ in range(count)]


def scope_of(world: World, task: Task, kind: str) -> str:
    return {"all": "all", "cap": "cap:lint", "agent": "agent:lint", "run": f"run:{world.run_of(task.id)}"}[kind]


def open_queues(world: World) -> list[str]:
    return list(world.run(inspection.set_members(world.keys.fixed("open_queues"))))


@pytest.mark.parametrize("kind", ["all", "cap", "agent", "run"])
def test_nothing_of_a_paused_scope_starts_until_it_is_resumed(world: World, kind: str) -> None:
    task = world.new("a")
    scope = scope_of(world, task, kind)
    pause(world, scope)
    assert nothing_starts(world)
    assert world.status(task.id) == "ready"
    resume(world, scope)
    assert names(world, 1) == ["a"]


@pytest.mark.parametrize("kind", ["all", "cap", "agent", "run"])
def test_what_comes_into_a_paused_scope_waits_too(world: World, kind: str) -> None:
    first = world.new("a")
    scope = scope_of(world, first, kind)
    pause(world, scope)
    world.beat("n9", queues=TWO)
    world.create(world.task("b"), world.run_of(first.id))
    assert nothing_starts(world)
    resume(world, scope)
    assert sorted(names(world, 2)) == ["a", "b"]


@pytest.mark.parametrize("kind", ["all", "cap", "agent", "run"])
def test_granted_task_of_a_paused_scope_is_refused_to_its_worker_and_goes_back(world: World, kind: str) -> None:
    world.beat()
    task = world.new("a")
    assert world.granted() == [eid(task)]
    scope = scope_of(world, task, kind)
    pause(world, scope)
    assert world.claim(world.slot(), eid(task)).word == "nothing"
    assert (world.status(task.id), world.granted()) == ("ready", [])
    resume(world, scope)
    assert names(world, 1) == ["a"]


def test_slot_with_a_refused_grant_takes_another_task(world: World) -> None:
    world.beat(queues=TWO)
    world.new("a")
    pause(world, "cap:lint")
    granted = world.granted()[0]
    world.beat(queues=TWO, slots=0)
    world.new("b", capability="test")
    told = world.claim(world.slot(queues=TWO), granted).assignment
    assert told is not None
    assert told.name == "b"


@pytest.mark.parametrize("kind", ["all", "cap", "agent", "run"])
def test_what_runs_goes_on_and_its_result_counts(world: World, kind: str) -> None:
    a = world.task("a")
    b = world.task("b", a)
    world.submit(a, b)
    told = world.start()
    scope = scope_of(world, a, kind)
    pause(world, scope)
    assert world.run(pauses.running([scope]))[scope] == 1
    assert world.report(told, pull=True).assignment is None
    assert world.run(pauses.running([scope]))[scope] == 0
    assert world.statuses([a.id, b.id]) == ["completed", "ready"]
    assert nothing_starts(world)
    resume(world, scope)
    assert names(world, 1) == ["b"]


def test_other_scopes_do_not_notice(world: World) -> None:
    world.new("a")
    world.new("b", capability="test")
    pause(world, "cap:lint")
    pause(world, "cap:other")
    pause(world, "agent:nobody")
    pause(world, f"run:{world.run_of(world.new('c').id)}")
    assert names(world, 1) == ["b"]


def test_paused_run_does_not_hold_up_another_behind_it(world: World) -> None:
    first = world.submit(*(world.task(f"a{n}") for n in range(40)))
    world.new("b")
    pause(world, f"run:{first}")
    world.beat("n9", queues=TWO, slots=1)
    world.elect()
    for _ in range(3):
        world.run(coordination.grant(world.term, ["lint"]))
    assert names(world, 1) == ["b"]
    assert world.raw.zcard(world.keys.of("park", f"run:{first}")) == 40
    resume(world, f"run:{first}")
    assert sorted(names(world, 3)) == ["a0", "a1", "a2"]


def test_agent_is_paused_where_it_would_run_and_its_capability_goes_on_elsewhere(world: World) -> None:
    world.new("a")
    pause(world, "agent:lint")
    assert nothing_starts(world, "lint=lint")
    other = world.slot("s1", "n2", "lint=other")
    world.beat("n2", queues="lint=other")
    granted = world.granted()
    assert len(granted) == 1
    told = world.claim(other, granted[0]).assignment
    assert told is not None
    assert told.name == "a"


def test_task_pinned_to_an_agent_is_held_by_a_pause_of_its_capability(world: World) -> None:
    task = world.new("a", assigned_to="bot")
    other = world.new("b", assigned_to="bot", capability="test")
    pause(world, "cap:lint")
    assert names(world, 1, BOT) == ["b"]
    assert world.claim(world.slot("s7", "n9", BOT)).word == "nothing"
    assert world.status(task.id) == "ready"
    assert world.run(pauses.running(["cap:lint", "cap:test", "agent:bot"])) == {"cap:test": 1, "agent:bot": 1}
    resume(world, "cap:lint")
    assert names(world, 1, BOT) == ["a"]
    assert world.status(other.id) == "running"


def test_task_moved_to_another_agent_still_knows_its_capability(world: World) -> None:
    task = world.new("a")
    assert world.run(tasks.execute(str(task.id), "bot")).ok
    pause(world, "cap:lint")
    assert nothing_starts(world, BOT)


def test_each_of_two_pauses_must_end(world: World) -> None:
    world.new("a")
    pause(world, "all")
    pause(world, "cap:lint")
    resume(world, "all")
    assert nothing_starts(world)
    resume(world, "cap:lint")
    assert names(world, 1) == ["a"]


def test_coordinator_that_hears_of_a_resume_forgets_no_other_pause(world: World) -> None:
    world.new("a")
    pause(world, "cap:lint")
    pause(world, "all")
    resume(world, "all")
    heard = world.run(coordination.listen(world.keys, "0", "0", 0.01)).queues
    assert "lint" in heard
    world.elect()
    world.run(coordination.grant(world.term, [*heard, coordination.PAUSED]))
    assert nothing_starts(world)


def test_reason_of_a_waiting_task_names_the_pause(world: World) -> None:
    task = world.new("a")
    pause(world, "cap:lint")
    reason = world.read(task.id).reason or ""
    assert reason.startswith("paused: capability lint by ann since ")
    assert reason.endswith("(why)")
    resume(world, "cap:lint")
    assert "paused" not in (world.read(task.id).reason or "")


def test_pause_keeps_its_beginning_and_takes_new_terms(world: World) -> None:
    first = pause(world, "cap:lint")
    later = pause_from("cap:lint", world.run(pauses.pause("cap:lint", "bob", "other", None)).text())
    assert (later.since, later.by, later.reason) == (first.since, "bob", "other")


def test_pause_ends_by_itself_at_its_time(world: World) -> None:
    world.new("a")
    pause(world, "cap:lint", datetime.now(UTC) + timedelta(seconds=30))
    assert nothing_starts(world)
    world.age(60)
    world.elect()
    world.run(coordination.fire_timers(world.term))
    assert world.run(pauses.stored(world.keys)) == {}
    assert names(world, 1) == ["a"]


def test_end_in_the_past_is_refused_and_nothing_is_paused(world: World) -> None:
    answer = world.run(pauses.pause("all", "ann", None, datetime.now(UTC) - timedelta(seconds=5)))
    assert answer.word == "late"
    assert world.run(pauses.stored(world.keys)) == {}


def test_new_terms_without_an_end_take_the_end_away(world: World) -> None:
    pause(world, "all", datetime.now(UTC) + timedelta(seconds=30))
    pause(world, "all")
    world.age(60)
    world.elect()
    world.run(coordination.fire_timers(world.term))
    assert "all" in world.run(pauses.stored(world.keys))


def test_run_that_is_not_there_can_not_be_paused(world: World) -> None:
    assert world.run(pauses.pause("run:nothing", "ann", None, None)).word == "missing"


def test_pauses_are_in_the_history(world: World) -> None:
    task = world.new("a")
    run = world.run_of(task.id)
    pause(world, f"run:{run}")
    resume(world, f"run:{run}")
    pause(world, "all")
    resume(world, "all")
    assert [e["e"] for e in world.events(run)][-2:] == ["run_paused", "run_resumed"]
    told = [fields[b"e"].decode().split(" ")[:2] for _, fields in world.raw.xrange(world.keys.fixed("control"))]
    assert told == [["paused", "all"], ["resumed", "all"]]


@pytest.mark.parametrize("kind", ["all", "cap", "run"])
def test_timer_of_a_paused_scope_does_not_fire(world: World, kind: str) -> None:
    retried = world.new("a")
    told = world.start()
    assert world.report(told, disposition="retry", retry_ms=5000, error="x").word == "ok"
    scheduled = world.task("b", scheduled_at=datetime.now(UTC) + timedelta(seconds=5))
    world.create(scheduled, world.run_of(retried.id))
    scope = scope_of(world, retried, kind)
    pause(world, scope)
    world.age(60)
    world.elect()
    world.run(coordination.fire_timers(world.term))
    assert world.statuses([retried.id, scheduled.id]) == ["retrying", "pending"]
    world.check()
    resume(world, scope)
    world.run(coordination.fire_timers(world.term))
    assert world.statuses([retried.id, scheduled.id]) == ["ready", "ready"]


def test_cancelled_task_leaves_no_standing_timer(world: World) -> None:
    task = world.new("a", scheduled_at=datetime.now(UTC) + timedelta(seconds=5))
    pause(world, "all")
    world.age(60)
    world.elect()
    world.run(coordination.fire_timers(world.term))
    assert world.run(tasks.cancel(str(task.id), "no")).ok
    assert not world.raw.exists(world.keys.of("suspended", "all"))


def test_queue_of_a_paused_capability_is_none_that_slots_look_into(world: World) -> None:
    """And nothing else marks its pause there: a pull beside it looks up no pauses."""
    world.new("paused", capability="test")
    for name in ("a", "b"):
        world.new(name)
    pause(world, "cap:test")
    assert open_queues(world) == ["lint"]
    assert names(world, 2) == ["a", "b"]


def test_queue_that_an_older_release_made_is_opened_by_the_next_sweep(world: World) -> None:
    world.new("a")
    world.raw.delete(world.keys.fixed("open_queues"))
    world.beat("n9", slots=0, queues=TWO)
    world.elect()
    world.run(coordination.grant(world.term, ["lint"]))
    assert open_queues(world) == ["lint"]


def test_sweep_leaves_the_queue_of_a_paused_capability_closed(world: World) -> None:
    world.new("a")
    pause(world, "cap:lint")
    world.elect()
    world.run(coordination.grant(world.term, ["lint"]))
    assert not open_queues(world)


def test_timer_that_stood_under_an_agent_runs_again_when_its_task_moves_to_another(world: World) -> None:
    task = world.new("a", assigned_to="bot", hold=True, scheduled_at=datetime.now(UTC) + timedelta(seconds=5))
    pause(world, "agent:bot")
    world.age(60)
    world.elect()
    world.run(coordination.fire_timers(world.term))
    assert world.raw.exists(world.keys.of("suspended", "agent:bot"))
    assert world.run(tasks.execute(str(task.id), "lint")).ok
    assert not world.raw.exists(world.keys.of("suspended", "agent:bot"))
    assert world.start().name == "a"
