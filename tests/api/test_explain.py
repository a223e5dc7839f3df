"""Why a task is where it is: each place that it can be in, told through the client, in a sentence for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskengine import NotFoundError, Task
from taskengine.agents import Reference
from taskengine.core.peaks import Peak
from taskengine.models import Explanation
from taskengine.store import coordination, deadlines, estimates, executions, nodes, remote
from taskengine.store.executions import Report

from ..store.world import World


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


def kinds(found: Explanation) -> list[str]:
    return [fact.kind for fact in found.facts]


def test_pending_names_what_it_waits_for(api: Any, world: World) -> None:
    done = api.create_task(lint("done"))
    world.finish(done)
    first, second = api.create_tasks([lint("first"), lint("second", hold=True)])
    last = api.create_task(lint("last", depends_on={first.id, second.id, done.id}))
    found = api.explain(last.id)
    said = {f"{x!r} ({y})" for x, y in (("first", world.status(first.id)), ("second", "pending"))}
    assert found.headline.startswith("'last' is pending: it waits for 2 of its 3 dependencies: ")
    assert set(found.headline.split(": ")[2].split(", ")) == said
    assert kinds(found) == ["dependencies"]
    assert {one["id"] for one in found.facts[0].details["named"]} == {str(first.id), str(second.id)}


def test_pending_names_twenty_and_counts_the_others(one: Any, world: World) -> None:
    parents = one.create_tasks([lint(f"p{n}") for n in range(30)])
    last = one.create_task(lint("last", depends_on={p.id for p in parents}))
    found = one.explain(last.id)
    assert found.headline.endswith(" and 10 more")
    assert len(found.facts[0].details["named"]) == 20


def test_rule_of_its_own_is_said(api: Any, world: World) -> None:
    parent = api.create_task(lint("parent"))
    other = api.create_task(lint("other", hold=True))
    child = api.create_task(lint("child", depends_on={parent.id, other.id}, trigger_rule="all_done"))
    world.finish(parent, disposition="failed")
    found = api.explain(child.id)
    assert found.headline == "'child' is pending: it waits for 1 of its 2 dependencies: 'other' (pending)"
    assert found.facts[1].text == (
        "it starts by its trigger rule all_done: when all of its dependencies are over, however they end"
    )


def test_held(api: Any) -> None:
    found = api.explain(api.create_task(lint(hold=True)).id)
    assert found.headline == "'a' is pending: it is held; execute_task starts it"


def test_scheduled_and_nobody_coordinates(api: Any, world: World) -> None:
    at = datetime.now(UTC) + timedelta(hours=2)
    task = api.create_task(lint(scheduled_at=at))
    found = api.explain(task.id)
    assert found.headline == f"'a' is pending: its scheduled time is {at:%Y-%m-%d %H:%M:%S} UTC (in 2 h)"
    assert kinds(found) == ["scheduled", "coordinator"]
    assert found.facts[1].text == (
        "no coordinator leads, so it will not start by itself; start one: taskengine coordinator"
    )
    world.elect()
    assert kinds(api.explain(task.id)) == ["scheduled"]


def test_dependency_that_failed_is_about_to_be_decided(api: Any, world: World) -> None:
    parent = api.create_task(lint("parent"))
    child = api.create_task(lint("child", depends_on={parent.id}))
    world.finish(parent, disposition="failed")
    found = api.explain(child.id)
    why = "of its 1 dependency 1 failed (or a failure came before it), so by its rule all_success it cannot start"
    assert found.headline.startswith(f"'child' is pending: {why}")
    assert kinds(found) == ["undecided", "coordinator"]


def test_no_worker_offers_it_says_what_is_offered(api: Any, world: World) -> None:
    task = api.create_task(lint(capability="gpu"))
    assert api.explain(task.id).headline == (
        "'a' is ready: no living worker offers capability 'gpu' (nor anything else); "
        "start one: taskengine worker --queues gpu --import MODULE (the module with its agent)"
    )
    world.beat(queues="lint=lint test=tester @lint=lint")
    found = api.explain(task.id)
    assert "(those that live offer lint, test)" in found.headline
    assert found.facts[0].details == {"queue": "gpu", "offered": ["@lint", "lint", "test"], "agents": []}


def test_no_worker_has_its_agent(api: Any, world: World) -> None:
    world.beat()
    task = api.create_task(lint(assigned_to="bot"))
    found = api.explain(task.id)
    assert found.headline.startswith("'a' is ready: no living worker offers agent 'bot' (those that live offer lint)")
    assert found.headline.endswith("; start one: taskengine worker --import MODULE (the module with its agent)")
    assert kinds(found) == ["unoffered"]


def test_paused_says_by_whom_and_how_to_let_it_go(api: Any, world: World) -> None:
    world.beat(slots=0)
    task = api.create_task(lint())
    for scope, name in (("capability", "lint"), ("agent", "lint"), ("everything", None), ("run", str(task.run_id))):
        given = {"everything": True} if name is None else {f"{scope}{'' if scope == 'capability' else '_id'}": name}
        held = api.pause(**given, reason="deploy", by="ann")
        found = api.explain(task.id)
        (call,) = (f"resume({argument}={value!r})" for argument, value in given.items())
        assert found.headline == f"'a' is ready: paused is {held}; let it go: {call}"
        assert "by ann since" in found.headline
        assert found.facts[0].details["reason"] == "deploy"
        api.resume(**given)
    assert kinds(api.explain(task.id)) == ["queue"]


def test_a_pause_that_ends_by_itself_names_the_call_that_ends_it_sooner(api: Any, world: World) -> None:
    world.run(estimates.update_estimates({"lint": 10.0}))
    world.beat(slots=0)
    task = api.create_task(lint())
    until = datetime.now(UTC) + timedelta(hours=2)
    held = api.pause(agent_id="lint", until=until)
    found = api.explain(task.id)
    assert found.headline == (
        f"'a' is ready: paused is {held}; it ends by itself then, or sooner: resume(agent_id='lint')"
    )
    assert not [fact.text for fact in found.facts if "starts in about" in fact.text or "may take it" in fact.text]


def test_offered_slot_is_no_promise_under_a_pause(api: Any, world: World) -> None:
    world.beat(slots=1)
    task = api.create_task(lint())
    assert kinds(api.explain(task.id)) == ["granted"]
    api.pause(capability="lint")
    assert kinds(api.explain(task.id)) == ["paused"]


def test_moment_within_a_pause_is_no_promise(one: Any, world: World) -> None:
    def scheduled() -> str:
        return next(fact.text for fact in one.explain(task.id).facts if fact.kind == "scheduled")

    now = datetime.now(UTC)
    task = one.create_task(lint(scheduled_at=now + timedelta(hours=1)))
    assert scheduled().endswith("(in 60 min)")
    one.pause(capability="lint", until=now + timedelta(minutes=30))
    assert scheduled().endswith("(in 60 min)")
    until = now + timedelta(hours=2)
    one.pause(capability="lint", until=until)
    assert scheduled().endswith(f"(in 60 min), but not before its pause ends at {until:%Y-%m-%d %H:%M:%S} UTC")
    one.pause(capability="lint")
    assert scheduled().endswith("(in 60 min), but not before its pause ends")


def test_next_attempt_within_a_pause_is_no_promise(one: Any, world: World) -> None:
    task = one.create_task(lint())
    told = world.start()
    world.report(told, disposition="retry", error="boom", retry_ms=60_000)
    one.pause(capability="lint")
    first, paused, *_ = one.explain(task.id).facts
    assert ", but not before its pause ends, retry 1 of 3, because of: boom" in first.text
    assert paused.text.endswith("let it go: resume(capability='lint')")


def test_pause_by_name_says_how_to_let_it_go(api: Any) -> None:
    task = api.create_task(lint())
    api.pause_task(task.id, until=datetime.now(UTC) + timedelta(hours=2))
    assert api.explain(task.id).headline == (
        f"'a' is paused: {api.get_task(task.id).reason}; let it go: resume_task('{task.id}')"
    )


def test_paused_run_is_a_fact_of_what_is_pending_too(api: Any) -> None:
    task = api.create_task(lint(hold=True))
    api.pause(run_id=task.run_id)
    assert kinds(api.explain(task.id)) == ["held", "paused"]


def test_place_in_the_queue(api: Any, world: World) -> None:
    world.beat(slots=1)
    first, *others = api.create_tasks([lint(f"t{n}") for n in range(4)])
    world.start()
    world.beat(slots=1, live=[world.slot()])
    found = api.explain(others[-1].id)
    assert world.status(first.id) == "running"
    assert found.headline == (
        "'t3' is ready: it is number 3 of 3 that wait for 'lint'; 1 of 1 slots are busy on 1 worker"
    )


def test_expected_start_and_durations_are_told_where_they_are_known(one: Any, world: World) -> None:
    world.run(estimates.update_estimates({"lint": 10.0, "lint t#": 40.0}))
    parent = one.create_task(lint("t1", hold=True))
    child = one.create_task(lint("child", depends_on={parent.id}))
    assert one.explain(child.id).headline == (
        "'child' is pending: it waits for 1 of its 1 dependency: 't1' (pending, takes about 40 s)"
    )
    running = one.create_task(lint("t2"))
    world.start()
    assert ", takes about 40 s; it is ended as timed out at" in one.explain(running.id).headline
    world.beat(slots=1, live=[world.slot()])
    _, queued = one.create_tasks([lint("t3"), lint("t4")])
    assert one.explain(queued.id).headline == (
        "'t4' is ready: it is number 2 of 2 that wait for 'lint'; 1 of 1 slots are busy on 1 worker; "
        "by what such tasks took it starts in about 20 s"
    )
    assert one.explain(queued.id).facts[0].details["starts_in_seconds"] == 20.0


def test_place_that_it_came_to_by_waiting(one: Any, world: World) -> None:
    world.beat(slots=0)
    task = one.create_task(lint(priority=1))
    world.raw.hincrby(world.keys.of("task", task.id), "rdy", -700_000)
    assert world.run(coordination.lift_aged(world.elect(), "lint", 0, 600_000)).number() == 1
    assert one.explain(task.id).headline.endswith("; by its waiting it stands among the NORMAL ones")


def test_offered_to_a_worker(api: Any, world: World) -> None:
    world.beat(slots=1)
    task = api.create_task(lint())
    found = api.explain(task.id)
    assert found.headline.startswith("'a' is ready: a free slot was offered to it; its worker may take it until ")
    assert kinds(found) == ["granted"]


def test_its_worker_takes_nothing_of_what_it_is_granted(api: Any, world: World) -> None:
    world.beat()
    task = api.create_task(Task(name="a", capability="lint"))
    for id in world.granted():
        world.raw.zadd(world.keys.fixed("granted_all"), {id: 1})
    world.raw.hset(world.keys.of("node", "n1"), "un", 2)
    world.elect()
    world.run(coordination.withdraw(world.term))
    found = api.explain(task.id)
    assert found.headline.startswith(
        "'a' is ready: worker n1 offers 'lint' and took nothing of what it was granted 3 times in a row: "
    )
    assert "untaken" in kinds(found)


@pytest.mark.parametrize(
    ("slots", "drain", "said"),
    [(0, "", ["stuck", "queue"]), (1, "", ["queue", "stuck"]), (0, "stuck", ["stuck", "draining", "coordinator"])],
)
def test_slots_that_agents_hold_after_their_end_are_named(
    api: Any, world: World, slots: int, drain: str, said: list[str]
) -> None:
    world.run(nodes.heartbeat("n1", 1, '{"stuck": 2}', slots, "lint=lint", drain, []))
    _, last = (api.create_task(lint(name)) for name in ("first", "last"))
    found = api.explain(last.id)
    assert kinds(found) == said, "the most telling first"
    (stuck,) = (fact for fact in found.facts if fact.kind == "stuck")
    assert stuck.text == (
        f"2 of {slots + 2} slots of worker n1 are held by agents that do not return after their end; "
        "mend the agent, or run it in a prefork pool"
    )
    assert stuck.details == {"node": "n1", "stuck": 2}


HOSTS = {"n1": "h1 cpu_cores=4000,memory_gb=16000", "n2": "h3 cpu_cores=16000,memory_gb=8000"}


@pytest.mark.parametrize(
    ("demand", "text"),
    [
        ({"cpu_cores": 32}, "it needs 32 cpu_cores; the largest host has 16 (h3)"),
        (
            {"gpu": 0.5},
            "it needs 0.5 gpu; no living host has any; a worker tells it by TASKENGINE_RESOURCES=gpu=0.5",
        ),
        (
            {"cpu_cores": 8, "memory_gb": 12},
            "it needs 8 cpu_cores and 12 memory_gb; no living host has all of that at once",
        ),
    ],
)
def test_what_no_host_can_hold_says_what_the_largest_has(
    api: Any, world: World, demand: dict[str, float], text: str
) -> None:
    for node, host in HOSTS.items():
        world.beat(node, host=host)
    task = api.create_task(lint(resource_requirements=demand))
    for _ in range(2):
        found = api.explain(task.id)
        assert (found.facts[0].kind, found.facts[0].text) == ("too_large", text)
        for execution in world.granted():
            world.claim(world.slot(), execution, 1)
    assert api.get_task(task.id).status == "ready"


def test_what_waits_for_room_says_which_host_lacks_what(api: Any, world: World) -> None:
    world.beat(slots=2, host=HOSTS["n1"])
    api.create_task(lint("first", resource_requirements={"memory_gb": 12}))
    world.start()
    task = api.create_task(lint(resource_requirements={"memory_gb": 8, "cpu_cores": 1}))
    world.claim(world.slot("s2"), world.granted()[0], 1)
    found = api.explain(task.id)
    assert found.headline == (
        "'a' is ready: it waits for 1 cpu_cores and 8 memory_gb: host h1 has 4 of 16 memory_gb free"
    )
    assert found.facts[0].kind == "room"
    assert api.get_task(task.id).reason == "no host has room for it now (1 cpu_cores and 8 memory_gb)"


def test_an_agents_share_counts_in_what_it_waits_for(api: Any, world: World) -> None:
    api.register_agent("lint", "function", {"lint"}, resources={"memory_gb": 10})
    world.beat(slots=2, host=HOSTS["n1"])
    api.create_task(lint("first"))
    world.start()
    task = api.create_task(lint())
    world.claim(world.slot("s2"), world.granted()[0], 1)
    assert api.explain(task.id).facts[0].text == "it waits for 10 memory_gb: host h1 has 6 of 16 memory_gb free"


def test_what_is_reserved_is_told_beside_what_such_tasks_used(api: Any, world: World) -> None:
    world.run(estimates.update_estimates(Peak(50, 1.9, 0.25).as_estimates("lint chunk #")))
    world.beat(host=HOSTS["n1"])
    task = api.create_task(lint("chunk 7", resource_requirements={"memory_gb": 8}))
    text = "it reserves 8 memory_gb, and used at most 1.9 in 50 runs"
    assert [fact.text for fact in api.explain(task.id).facts if fact.kind == "reserved"] == [text]
    world.start()
    assert [fact.text for fact in api.explain(task.id).facts if fact.kind == "reserved"] == [text]


def test_an_agent_shows_what_its_executions_used_beside_what_they_reserve(api: Any, world: World) -> None:
    world.run(estimates.update_estimates(Peak(1, 0.5, 0.25).as_estimates("@lint")))
    api.register_agent("lint", "function", {"lint"}, resources={"memory_gb": 2})
    assert api.get_agent("lint").used == "it reserves 2 memory_gb, and used at most 0.5 in 1 run"


def test_only_a_draining_worker_offers_it(api: Any, world: World) -> None:
    world.beat(drain="SIGTERM")
    found = api.explain(api.create_task(lint()).id)
    assert found.headline == (
        "'a' is ready: worker n1 offers 'lint' and drains (SIGTERM): it takes nothing new"
    )


def test_running_says_where_since_when_and_how_far(api: Any, world: World) -> None:
    task = api.create_task(lint(timeout=60))
    told = world.start()
    world.run(executions.append_logs(told.execution_id, 1, progress=0.4, note="chapter 2"))
    found = api.explain(task.id)
    assert found.headline.startswith("'a' is running: agent 'lint' runs attempt 1 on n1 since ")
    assert "; it is ended as timed out at " in found.headline
    assert (found.facts[1].kind, found.facts[1].text) == ("progress", "it says that it is 40% done: chapter 2")
    assert found.facts[0].details["node"] == "n1"


def test_running_with_a_cancel_on_a_worker_that_drains(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.start()
    api.cancel_task(task.id, "wrong branch")
    world.run(nodes.drain("n1", "SIGTERM"))
    found = api.explain(task.id)
    assert found.headline.startswith("'a' is running: its cancel was asked (wrong branch); ")
    assert kinds(found) == ["cancel", "running", "draining"]


def test_retrying_says_when_which_attempt_and_why(api: Any, world: World) -> None:
    world.elect()
    task = api.create_task(lint(max_retries=3))
    world.report(world.start(), disposition="retry", error="boom", error_kind="crash", retry_ms=42_400)
    found = api.explain(task.id)
    at = api.get_task(task.id).next_attempt_at
    assert found.headline == (
        f"'a' is retrying: attempt 2 starts at {at:%Y-%m-%d %H:%M:%S} UTC (in 42 s), retry 1 of 3, because of: boom"
    )
    assert kinds(found) == ["retry"]


def test_not_now_says_that_no_retry_is_spent(api: Any, world: World) -> None:
    world.elect()
    task = api.create_task(lint())
    world.report(world.start(), disposition="not_now", error="rate limit", retry_ms=30_000)
    found = api.explain(task.id)
    assert found.headline.startswith("'a' is retrying: its agent said not now (rate limit); attempt 2 starts at ")
    assert found.headline.endswith("no retry is spent")


def test_completed(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.finish(task)
    found = api.explain(task.id)
    at = api.get_task(task.id).completed_at
    assert found.headline == f"'a' is completed: it completed at {at:%Y-%m-%d %H:%M:%S} UTC"


def test_failed_says_its_error_and_what_to_do(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.finish(task, disposition="failed", error="boom", error_kind="crash")
    assert api.explain(task.id).headline == (
        f"'a' is failed: after 1 attempt it failed: boom; open it again: retry_task('{task.id}')"
    )


def test_dead_letter_says_so(api: Any, world: World) -> None:
    task = api.create_task(lint())
    for _ in range(3):
        world.start()
        world.run(nodes.remove_node("n1"))
    found = api.explain(task.id)
    assert kinds(found) == ["failed", "dead_letter"]
    assert "lost its worker 3 times" in found.headline
    assert f"get_task_executions('{task.id}')" in found.facts[1].text


def test_closed_by_a_failure_tells_the_way_to_its_root(api: Any, world: World) -> None:
    root = api.create_task(lint("root"))
    middle = api.create_task(lint("middle", depends_on={root.id}))
    last = api.create_task(lint("last", depends_on={middle.id}))
    world.finish(root, disposition="failed", error="boom", error_kind="crash")
    world.think()
    found = api.explain(last.id)
    assert found.headline == (
        "'last' is cancelled: it was closed because 'middle' was cancelled, because 'root' failed: boom; "
        f"open them all again: retry_task('{root.id}')"
    )
    assert found.facts[0].details["chain"] == [str(middle.id), str(root.id)]


def test_cancelled_by_a_person_says_the_reason(api: Any) -> None:
    task = api.create_task(lint())
    api.cancel_task(task.id, "wrong branch")
    assert api.explain(task.id).headline == "'a' is cancelled: wrong branch"


def test_deadline_is_a_fact(api: Any, world: World) -> None:
    late, soon = datetime.now(UTC) + timedelta(seconds=1), datetime.now(UTC) + timedelta(hours=3, minutes=1)
    task = api.create_task(lint(deadline=soon))
    assert api.explain(task.id).facts[-1].text == f"its deadline {soon:%Y-%m-%d %H:%M:%S} UTC is in 3 h"
    task = api.create_task(lint(deadline=late))
    assert "its deadline" in api.explain(task.id).facts[-1].text


def test_nobody_there(api: Any) -> None:
    with pytest.raises(NotFoundError):
        api.explain("00000000-0000-4000-8000-000000000000")


def test_answer_is_json(api: Any, world: World) -> None:
    found = api.explain(api.create_task(lint()).id)
    assert Explanation.model_validate_json(found.model_dump_json()) == found


def test_the_report_that_came_between_two_looks_does_not_make_it_contradict_itself(api: Any, world: World) -> None:
    task = api.create_task(lint())
    told = world.start()
    world.run(executions.report(world.slot(), [Report(told.task_id, 1, "completed", "lint")], pull=False))
    assert api.explain(task.id).status == "completed"


def test_what_may_expire_says_until_when_it_must_start(api: Any, world: World) -> None:
    at = datetime.now(UTC) + timedelta(hours=3)
    task = api.create_task(lint(expires_at=at, hold=True))
    fact = next(fact for fact in api.explain(task.id).facts if fact.kind == "expires")
    assert fact.text == f"it is cancelled unless it starts by {at:%Y-%m-%d %H:%M:%S} UTC (in 3 h)"
    api.execute_task(task.id, wait=False)
    world.start()
    assert not [fact for fact in api.explain(task.id).facts if fact.kind == "expires"]


def test_deadline_at_risk_is_said(api: Any, world: World) -> None:
    task = api.create_task(lint(deadline=datetime.now(UTC) + timedelta(minutes=2)))
    [weight] = world.run(deadlines.read_weights([str(task.id)]))
    assert weight is not None
    finding = deadlines.Finding(str(task.id), weight.deadline or 0, "risk", 60_000)
    assert world.run(deadlines.note(world.elect(), [finding])).number() == 1
    fact = api.explain(task.id).facts[-1]
    since = api.get_task(task.id).deadline_at_risk_since
    told = f", and since {since:%Y-%m-%d %H:%M:%S} UTC it is expected to miss it, by what such tasks took"
    assert fact.text.endswith(told)
    assert fact.details["at_risk_since"] == since.isoformat()


def test_running_at_a_service_says_where_and_who_asks(api: Any, world: World) -> None:
    task = api.create_task(lint())
    told = world.start()
    posted = Reference("codegen", "posted", "17")
    world.run(remote.detach(world.slot(), told.execution_id, 1, posted, poll_ms=0, taken_up=False, pull=False))
    found = api.explain(task.id)
    assert found.headline.startswith("'a' is running: agent 'lint' runs attempt 1 at codegen 17, in no slot, since ")
    assert found.facts[1].kind == "unpolled"
    assert found.facts[1].text.startswith("nobody polls agent 'lint': ")
    world.run(remote.poll_take("lint", "n7", 10_000))
    world.run(remote.note_polled([remote.Polled(told.execution_id, 1, 5000, "ACTIVE")]))
    polled = api.explain(task.id).facts[1]
    assert (polled.kind, polled.text) == ("polled", "worker n7 asks its service; it said: ACTIVE")
    world.age(11)
    assert "nobody polls agent 'lint' since " in api.explain(task.id).facts[1].text
