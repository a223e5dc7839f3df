"""*Not now*: the task goes back for a while, and neither a retry nor a loss is counted."""

from __future__ import annotations

from taskengine.models.pause import PausedBy
from taskengine.settings import Settings
from taskengine.store import coordination, executions, pauses, tasks
from taskengine.store.executions import Report
from taskengine.store.pause_record import pause_from

from .world import World, eid


def refuse(world: World, delay_ms: int = 60_000) -> None:
    told = world.start()
    answer = world.report(told, disposition="not_now", error="rate limit", error_kind="not_now", retry_ms=delay_ms)
    assert answer.word == "ok"


def fire(world: World) -> int:
    world.elect()
    return world.run(coordination.fire_timers(world.term)).number()


def test_not_now_waits_for_its_timer_and_spends_no_retry(world: World) -> None:
    a = world.new("a", max_retries=0)
    refuse(world)
    task = world.read(a.id)
    assert (task.status, task.retry_count, task.lost_count) == ("retrying", 0, 0)
    assert task.next_attempt_at is not None
    assert task.reason == "its agent said not now: rate limit"
    execution = world.fields("exec", eid(a))
    assert (execution["st"], execution["knd"], execution["err"]) == ("failed", "not_now", "rate limit")
    assert world.events(task.run_id)[-1]["x"] == "1 60000 not_now"
    assert fire(world) == 0
    world.age(61)
    assert fire(world) == 1
    again = world.start()
    assert (again.attempt, again.retries) == (2, 0)
    world.report(again)
    task = world.read(a.id)
    assert (task.status, task.error_message, task.error_kind) == ("completed", None, None)


def test_not_now_holds_no_slot(world: World) -> None:
    world.beat(slots=1)
    world.new("a")
    refuse(world)
    assert world.fields("slots", "n1") == {}
    b = world.new("b")
    assert world.start().task_id == str(b.id)


def test_slot_goes_on_with_the_next_task_behind_a_not_now(world: World) -> None:
    world.beat(slots=0)
    world.new("a")
    told = world.start()
    b = world.new("b")
    answer = world.report(told, disposition="not_now", error="busy", retry_ms=1000, pull=True)
    assert answer.assignment is not None
    assert answer.assignment.task_id == str(b.id)


def test_not_now_said_too_often_fails_the_task_with_the_number_and_the_reason(real: World) -> None:
    real.store = real.other(Settings(redis_url=None, namespace="te", max_not_now=2))
    a = real.new("a")
    for _ in range(3):
        refuse(real, 0)
        fire(real)
    task = real.read(a.id)
    assert (task.status, task.error_kind) == ("failed", "not_now")
    assert task.error_message == "its agent said not now 3 times, last because of: rate limit"
    assert real.run(tasks.reopen(str(a.id))).ok
    assert "nn" not in real.fields("task", a.id)


def test_not_now_of_a_cancelled_task_cancels_it(world: World) -> None:
    a = world.new("a")
    told = world.start()
    world.run(tasks.cancel(str(a.id), "no"))
    world.report(told, disposition="not_now", error="busy", retry_ms=1000)
    assert world.status(a.id) == "cancelled"


def test_repeated_not_now_counts_once(world: World) -> None:
    a = world.new("a")
    told = world.start()
    call = executions.report(
        world.slot(), [Report(told.task_id, 1, "not_now", "lint", error="x", retry_ms=50)], pull=False
    )
    assert [world.run(call).word for _ in range(2)] == ["ok", "ok"]
    assert world.fields("task", a.id)["nn"] == "1"
    assert world.happened(a.id).count("retrying") == 1


def test_cancel_of_a_task_that_waits_after_a_not_now_is_immediate(world: World) -> None:
    a = world.new("a")
    refuse(world)
    assert world.run(tasks.cancel(str(a.id), "no")).ok
    world.age(61)
    assert fire(world) == 0


def agent_refuses(world: World, delay_ms: int) -> None:
    world.report(world.start(), disposition="agent_not_now", error="quota", error_kind="not_now", retry_ms=delay_ms)


def pause_of_agent(world: World) -> tuple[str, str | None, float]:
    """Who, why, and in how many seconds it ends; it tells what kind of one paused."""
    story = world.run(pauses.stored(world.keys))["agent:lint"]
    found = pause_from("agent:lint", story)
    assert found.until is not None
    assert found.by_kind is (PausedBy.AGENT if found.by == "the agent itself" else PausedBy.CLIENT)
    now = world.run(coordination.server_ms()) / 1000
    return found.by, found.reason, found.until.timestamp() - now


def test_agent_that_can_do_nothing_is_paused_until_then(world: World) -> None:
    first, other = world.new("a"), world.new("b")
    agent_refuses(world, 60_000)
    by, why, seconds = pause_of_agent(world)
    assert (by, why, 55 < seconds <= 60) == ("the agent itself", "quota", True)
    world.beat()
    assert world.claim(world.slot()).assignment is None
    assert world.status(other.id) == "ready"
    world.age(61)
    while fire(world):
        pass
    world.beat()
    assert world.run(pauses.stored(world.keys)) == {}
    started = {world.start(world.slot(name)).task_id for name in ("s1", "s2")}
    assert started == {str(first.id), str(other.id)}


def test_slot_of_an_agent_that_backs_off_pulls_no_sibling(world: World) -> None:
    world.beat(slots=0)
    world.new("a")
    told = world.start()
    world.new("b")
    answer = world.report(told, disposition="agent_not_now", error="quota", retry_ms=60_000, pull=True)
    assert (answer.word, answer.assignment) == ("ok", None)


def test_pause_of_its_own_only_gets_longer(world: World) -> None:
    for _ in range(3):
        world.new("a")
    first, second, third = (world.slot(f"s{n}") for n in range(3))
    told = [world.start(slot) for slot in (first, second, third)]
    for slot, one, delay in zip((first, second, third), told, (30_000, 90_000, 10_000), strict=True):
        world.report(one, slot, disposition="agent_not_now", error="quota", retry_ms=delay)
    assert 85 < pause_of_agent(world)[2] <= 90


def test_pause_of_an_operator_keeps_its_word(world: World) -> None:
    world.new("a")
    told = world.start()
    world.run(pauses.pause("agent:lint", "ann", "deploy", None))
    before = world.run(pauses.stored(world.keys))
    world.report(told, disposition="agent_not_now", error="quota", retry_ms=60_000)
    assert world.run(pauses.stored(world.keys)) == before
    assert pause_from("agent:lint", before["agent:lint"]).by_kind is PausedBy.CLIENT


def test_pause_of_a_client_keeps_its_word_whatever_he_is_called(world: World) -> None:
    world.new("a")
    told = world.start()
    world.run(pauses.pause("agent:lint", "the agent itself", "deploy", None))
    before = world.run(pauses.stored(world.keys))
    world.report(told, disposition="agent_not_now", error="quota", retry_ms=60_000)
    assert world.run(pauses.stored(world.keys)) == before


def test_pause_that_says_nothing_of_a_kind_is_a_clients() -> None:
    for kind in ("", '"kind":"quota",'):
        found = pause_from("all", f'1 {{"by":"ann",{kind}"until":null,"why":null}}')
        assert found.by_kind is PausedBy.CLIENT
