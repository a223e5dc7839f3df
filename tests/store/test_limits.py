"""Limits: what agents may use at once, a minute and a day, and that whatever ends an execution gives its share back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from taskengine.agents import Reference
from taskengine.models import Task
from taskengine.models.agent import AgentRecord, Limit
from taskengine.models.limit import Closed
from taskengine.store import agents, coordination, executions, limits, nodes, pauses, remote, tasks
from taskengine.store.executions import Report
from taskengine.store.limits import StoredLimit
from taskengine.store.replies import Reply

from .world import World, eid


def register(world: World, agent: str = "lint", type: str = "function", **fields: Any) -> Reply:
    record = AgentRecord(id=agent, type=type, capabilities={agent}, **fields)
    known = world.run(agents.read([agent])).agents.get(agent)
    return world.run(agents.register(record, known.record.revision if known else 0))


def limit(world: World, name: str = "key", agent: str = "lint", **bounds: int) -> None:
    """A limit that the agent shares."""
    assert world.run(limits.put(Limit(name=name, **bounds))).ok
    assert register(world, agent, limits=(name,)).ok


def own(world: World, most: int | None, *, breaks: bool = False, agent: str = "lint") -> None:
    assert register(world, agent, "claude" if breaks else "function", max_concurrency=most).ok


def seen(world: World, name: str = "key") -> StoredLimit:
    (found,) = world.run(limits.read([name]))
    return found


def closed(world: World, name: str = "key") -> Closed:
    found = seen(world, name)
    assert found.room == 0
    assert found.closed is not None
    return found.closed


def fire(world: World) -> None:
    world.elect()
    world.run(coordination.fire_timers(world.term))


def starts(world: World, most: int) -> int:
    """How many of so many slots get something, granted or not."""

    def claim(name: str) -> bool:
        granted = world.granted()
        return bool(world.claim(world.slot(name), granted[0] if granted else "none").batch)

    return sum(claim(f"s{n}") for n in range(most))


def test_no_more_run_at_once_than_the_limit_says(world: World) -> None:
    world.beat(slots=9)
    limit(world, in_flight=2)
    for _ in range(5):
        world.new()
    assert starts(world, 5) == 2
    assert seen(world).in_flight == 2
    assert closed(world) == Closed(limit="key", bound="in_flight")


def test_an_agents_own_bound_is_a_limit_of_its_own(world: World) -> None:
    world.beat(slots=9)
    own(world, 3)
    for _ in range(5):
        world.new()
    assert starts(world, 5) == 3
    assert seen(world, "agent:lint").in_flight == 3


def test_a_slot_that_ends_one_pulls_the_next_in_the_same_trip(world: World) -> None:
    world.beat(slots=0)
    limit(world, in_flight=1)
    a, b = world.new("a"), world.new("b")
    told = world.start()
    answer = world.report(told, pull=True)
    assert [one.task_id for one in answer.batch] == [str(b.id)]
    assert (world.status(a.id), seen(world).in_flight) == ("completed", 1)


def test_a_slotless_execution_counts_until_its_service_is_done(world: World) -> None:
    world.beat(slots=0)
    limit(world, in_flight=1)
    world.new("a")
    told = world.start()
    world.new("b")
    posted = Reference("codegen", "posted", "17")
    answer = world.run(
        remote.detach(world.slot(), told.execution_id, 1, posted, pull=True, poll_ms=5000, taken_up=False)
    )
    assert (answer.word, answer.batch, seen(world).in_flight) == ("ok", (), 1)
    world.beat(slots=2)
    assert world.granted() == []
    done = Report(told.task_id, 1, "completed", "lint")
    assert world.run(executions.report(remote.slot_of(told.execution_id), [done], pull=False)).outcomes == ("ok",)
    assert (seen(world).in_flight, len(world.granted())) == (0, 1)


ENDS: dict[str, Callable[[World, Any], object]] = {
    "completed": lambda w, t: w.report(t),
    "failed": lambda w, t: w.report(t, disposition="failed", error="x", error_kind="crash"),
    "retry": lambda w, t: w.report(t, disposition="retry", retry_ms=60_000, error="x"),
    "not now": lambda w, t: w.report(t, disposition="not_now", retry_ms=60_000, error="x"),
    "timed out": lambda w, t: w.run(executions.time_out(t.execution_id, 1, retry_ms=None, error="x")),
    "handed back": lambda w, t: w.run(executions.hand_back([(t.execution_id, 1)], "x")),
    "node left": lambda w, _: w.run(nodes.remove_node("n1")),
}


@pytest.mark.parametrize("end", sorted(ENDS))
def test_whatever_ends_it_gives_its_place_back(world: World, end: str) -> None:
    limit(world, in_flight=1, requests_per_minute=600, tokens_per_day=10**6)
    world.new("a")
    told = world.start()
    assert seen(world).in_flight == 1
    ENDS[end](world, told)
    assert (seen(world).in_flight, world.fields("exec", told.execution_id).get("hold")) == (0, None)
    assert world.fields("limit", "key")["rs"] == "0"


def test_a_cancel_and_a_lapsed_lease_give_it_back(world: World) -> None:
    limit(world, in_flight=2)
    a, _ = world.new("a"), world.new("b")
    first, second = world.start(world.slot("s1")), world.start(world.slot("s2"))
    world.run(tasks.cancel(str(a.id), "no"))
    world.run(executions.end_cancelled(first.execution_id, 1))
    assert seen(world).in_flight == 1
    world.age(60)
    world.run(coordination.rescue(world.elect()))
    assert (seen(world).in_flight, world.status(second.task_id)) == (0, "ready")


def test_a_granted_task_whose_agent_got_full_meanwhile_goes_back_and_is_not_granted_again(world: World) -> None:
    world.beat(slots=2)
    a, b = world.new("a"), world.new("b")
    assert len(world.granted()) == 2
    own(world, 1)
    assert world.claim(world.slot("s1"), eid(a), 1).batch
    assert world.claim(world.slot("s2"), eid(b), 1).word == "nothing"
    assert (world.granted(), world.ready()) == ([], [str(b.id)])


def test_no_more_is_granted_than_there_is_room(world: World) -> None:
    own(world, 2)
    world.beat(slots=5)
    for _ in range(5):
        world.new()
    assert len(world.granted()) == 2


def test_an_end_elsewhere_grants_what_waits_for_the_place(world: World) -> None:
    world.beat(slots=5)
    own(world, 1)
    world.new("a")
    told = world.start()
    b = world.new("b")
    assert world.granted() == []
    world.run(executions.time_out(told.execution_id, 1, retry_ms=None, error="x"))
    assert world.granted() == [eid(b)]


def test_agents_that_share_a_limit_wait_for_each_other_and_hear_of_its_room(world: World) -> None:
    both = "lint=lint @lint=lint"
    world.beat("n1", slots=5, queues=both)
    world.beat("n2", slots=5, queues="test=tester @tester=tester")
    limit(world, in_flight=1)
    limit(world, agent="tester", in_flight=1)
    world.new("a")
    told = world.start()
    b = world.new("b", capability="test")
    assert world.granted() == []
    world.report(told)
    assert world.granted() == [eid(b)]


def test_a_full_limit_holds_back_nobody_else(world: World) -> None:
    queues = "lint=lint test=tester @lint=lint @tester=tester"
    world.beat(slots=5, queues=queues)
    own(world, 1)
    slots = [world.slot(f"s{n}", queues=queues) for n in range(3)]
    world.new("a"), world.new("b")
    assert world.claim(slots[0]).batch
    other = world.new("c", capability="test")
    assert world.claim(slots[1], eid(other), 1).batch
    assert world.claim(slots[2]).word == "nothing"


def test_another_agent_of_the_capability_goes_on_and_its_slots_alone_are_woken(world: World) -> None:
    world.beat("n1", slots=2)
    world.beat("n2", slots=2, queues="lint=other @other=other")
    own(world, 1)
    a = world.new("a")
    assert world.claim(world.slot("s1"), eid(a)).batch
    b, c = world.new("b"), world.new("c")
    assert {message["id"] for message in world.messages("@other")} >= {eid(b), eid(c)}
    assert world.messages("lint") == []
    assert world.claim(world.slot("s2")).word == "nothing"
    assert world.claim(world.slot("s3", "n2", "lint=other @other=other"), eid(b)).batch


def test_of_agents_with_free_slots_the_preferred_one_is_woken_until_it_has_none(world: World) -> None:
    world.beat("n1", slots=2)
    world.beat("n2", slots=2, queues="lint=other @other=other")
    assert register(world, "other", preference=2).ok
    a, b, c = world.new("a"), world.new("b"), world.new("c")
    assert [message["id"] for message in world.messages("@other")] == [eid(a), eid(b)]
    assert [message["id"] for message in world.messages("@lint")] == [eid(c)]
    assert world.messages("lint") == []


def test_the_preferred_agent_is_not_woken_where_its_limits_have_no_room(world: World) -> None:
    world.beat("n1", slots=2)
    world.beat("n2", slots=2, queues="lint=other @other=other")
    assert register(world, "other", preference=2, max_concurrency=1).ok
    a, b = world.new("a"), world.new("b")
    assert [message["id"] for message in world.messages("@other")] == [eid(a)]
    assert [message["id"] for message in world.messages("@lint")] == [eid(b)]


def test_a_preference_that_was_taken_back_is_obeyed_no_more(world: World) -> None:
    world.beat("n1", slots=2)
    world.beat("n2", slots=2, queues="lint=other @other=other")
    assert register(world, "other", preference=9).ok
    a = world.new("a")
    assert [message["id"] for message in world.messages("@lint")] == [eid(a)]
    assert register(world, "other").ok
    b = world.new("b")
    assert [message["id"] for message in world.messages("lint")] == [eid(b)]
    assert world.raw.exists(world.keys.fixed("limited")) == 0


def test_a_cap_lowered_under_load_stays_closed_until_it_is_below(world: World) -> None:
    limit(world, in_flight=3)
    for _ in range(5):
        world.new()
    told = [world.start(world.slot(f"s{n}")) for n in range(3)]
    world.run(limits.put(Limit(name="key", in_flight=1)))
    for n in range(2):
        world.report(told[n], world.slot(f"s{n}"))
        assert world.claim(world.slot("s9")).word == "nothing"
    world.report(told[2], world.slot("s2"))
    assert world.claim(world.slot("s9")).batch


def test_a_cap_raised_grants_what_waits(world: World) -> None:
    world.beat(slots=5)
    limit(world, in_flight=1)
    world.new("a")
    world.start()
    b = world.new("b")
    assert world.granted() == []
    world.run(limits.put(Limit(name="key", in_flight=2)))
    assert world.granted() == [eid(b)]


def test_requests_go_on_as_their_minute_allows(world: World) -> None:
    world.beat(slots=99)
    limit(world, requests_per_minute=60)
    for _ in range(20):
        world.new()
    assert starts(world, 20) == 7  # a tenth at once, and one
    assert closed(world).bound == "requests"
    assert closed(world).until is not None
    world.age(12)
    world.beat(slots=99)
    assert starts(world, 20) == 7


def test_a_limit_that_opens_by_itself_grants_what_waits(world: World) -> None:
    limit(world, requests_per_minute=1)
    world.new("a")
    world.report(world.start())
    world.beat(slots=2)
    b = world.new("b")
    assert world.granted() == []
    fire(world)
    assert world.granted() == []
    world.age(65)
    world.beat(slots=2)
    fire(world)
    assert world.granted() == [eid(b)]


def test_what_was_expected_is_put_right_by_what_was_used(world: World) -> None:
    limit(world, input_tokens_per_minute=60_000)
    world.new("a")
    told = world.start()
    before = int(world.fields("limit", "key")["it"])
    world.report(told, more='{"used":"1 30500 10"}')
    after = int(world.fields("limit", "key")["it"])
    assert 33_000_000 < after - before < 34_000_000  # 30 000 more, at 900 a second
    assert world.fields("limit", "key")["mi"] == "30500"
    world.new("b")
    assert world.claim(world.slot()).word == "nothing"
    assert closed(world).bound == "input_tokens"


def test_nobody_waits_longer_than_a_minute_for_what_was_taken(world: World) -> None:
    limit(world, input_tokens_per_minute=1000)
    world.new("a")
    world.report(world.start(), more='{"used":"1 900000 10"}')
    until = closed(world).until
    assert until is not None
    assert 58 < until.timestamp() - world.run(coordination.server_ms()) / 1000 <= 60.1


def test_a_limit_that_is_closed_by_two_bounds_is_watched_when_one_of_them_opens(world: World) -> None:
    limit(world, in_flight=1, input_tokens_per_minute=60_000)
    world.new("a")
    world.report(world.start(), more='{"used":"1 90000 10"}')
    assert closed(world).bound == "input_tokens"
    assert world.raw.zscore(world.keys.fixed("timers"), "open:key") is not None


def test_what_a_refused_request_did_not_use_is_given_back(world: World) -> None:
    limit(world, input_tokens_per_minute=600)
    world.new("a")
    told = world.start()
    assert seen(world).room == 0
    world.report(told, disposition="not_now", error="busy", retry_ms=60_000)
    assert seen(world).room == 1


def test_tokens_of_a_day_close_the_limit_until_the_next(world: World) -> None:
    world.beat(slots=9)
    limit(world, tokens_per_day=5_000)
    world.new("a")
    world.report(world.start(), more='{"used":"1 4000 1500"}')
    assert (seen(world).tokens_today, closed(world).bound) == (5500, "tokens_per_day")
    assert f"{closed(world).until:%H%M%S}" == "000000"
    b = world.new("b")
    assert world.granted() == []
    world.raw.hincrby(world.keys.of("limit", "key"), "day", -1)
    world.raw.zadd(world.keys.fixed("timers"), {"open:key": 1})
    fire(world)
    assert world.granted() == [eid(b)]


def test_no_more_starts_than_what_a_day_has_left_for(world: World) -> None:
    world.beat(slots=9)
    limit(world, tokens_per_day=2_500)
    for _ in range(5):
        world.new()
    assert starts(world, 5) == 3  # 1 000 each, as long as nobody knows better


def test_a_provider_that_says_later_pauses_all_that_share_the_key(world: World) -> None:
    world.beat("n1", slots=5)
    world.beat("n2", slots=5, queues="test=tester @tester=tester")
    limit(world, in_flight=9)
    limit(world, agent="tester", in_flight=9)
    world.new("a")
    told = world.start()
    world.report(told, disposition="credential_not_now", error="429", error_kind="not_now", retry_ms=30_000)
    world.new("b", capability="test"), world.new("c")
    assert world.granted() == []
    assert (closed(world).bound, closed(world).why) == ("paused", "429")
    assert world.run(pauses.stored(world.keys)) == {}
    assert world.read(told.task_id).retry_count == 0
    world.age(31)
    world.beat("n1", slots=5)
    world.beat("n2", slots=5, queues="test=tester @tester=tester")
    fire(world)
    assert len(world.granted()) == 3


def test_an_agent_without_limits_backs_off_alone(world: World) -> None:
    world.new("a")
    world.report(world.start(), disposition="credential_not_now", error="429", error_kind="not_now", retry_ms=30_000)
    assert set(world.run(pauses.stored(world.keys))) == {"agent:lint"}


def test_a_permit_waits_for_its_limits_and_a_copy_takes_nothing(world: World) -> None:
    limit(world, requests_per_minute=6, input_tokens_per_minute=6000)
    world.new("a")
    told = world.start()
    answers = [world.run(limits.permit(told.execution_id, 1, n, (1, 100, 0))) for n in (1, 2, 2)]
    waits = [answer.number() for answer in answers]
    assert all(answer.ok for answer in answers)
    assert 4_000 < waits[0] < 5_000
    assert 15_000 < waits[1] < 16_000
    assert abs(waits[2] - waits[1]) < 500
    assert world.fields("exec", told.execution_id)["hold"] == "key=3,700,500"
    later = world.run(limits.permit(told.execution_id, 1, 3, (5, 0, 0)))
    assert later.ok
    assert world.run(limits.permit(told.execution_id, 1, 4, (1, 0, 0))).word == "later"
    world.report(told, more='{"used":"3 500 0"}')
    assert world.run(limits.permit(told.execution_id, 1, 5, (1, 0, 0))).word == "fenced"


def test_what_a_provider_says_is_left_counts_where_it_is_less(world: World) -> None:
    limit(world, requests_per_minute=60)
    assert seen(world).room == 7
    world.run(limits.observe("lint", 50, None, None))
    assert seen(world).room == 7
    world.run(limits.observe("lint", 2, None, None))
    assert seen(world).room == 2
    world.run(limits.observe("lint", 0, None, None))
    assert closed(world).bound == "requests"


def fails(world: World, kind: str = "network", disposition: str = "retry") -> Task:
    task = world.new("f")
    told = world.start()
    world.report(told, disposition=disposition, retry_ms=3_600_000, error="no", error_kind=kind)
    return task


def test_a_breaker_opens_after_five_in_a_row_and_lets_one_through_at_a_time(world: World) -> None:
    own(world, None, breaks=True)
    for _ in range(4):
        fails(world)
    assert seen(world, "agent:lint").room is None
    fails(world, "timeout")
    found = closed(world, "agent:lint")
    assert (found.bound, found.why) == ("breaker", "timeout on n1: no")
    world.beat(slots=9)
    world.new("a"), world.new("b")
    assert world.granted() == []
    world.age(31)
    world.beat(slots=9)
    fire(world)
    assert len(world.granted()) == 1
    probe = world.start()
    assert world.claim(world.slot("s2")).word == "nothing"
    world.report(probe, disposition="failed", error="no", error_kind="crash")
    assert seen(world, "agent:lint").room == 0
    world.age(31)
    assert seen(world, "agent:lint").room == 0, "twice as long"
    world.age(31)
    world.beat(slots=9)
    fire(world)
    world.report(world.start())
    assert seen(world, "agent:lint").room is None


def test_a_probe_that_was_lost_lets_another_one_through(world: World) -> None:
    own(world, None, breaks=True)
    for _ in range(5):
        fails(world)
    world.age(31)
    world.new("a")
    told = world.start()
    assert world.fields("limit", "agent:lint")["pr"] == told.execution_id
    world.run(executions.hand_back([(told.execution_id, 1)], "x"))
    assert "pr" not in world.fields("limit", "agent:lint")
    assert seen(world, "agent:lint").room == 1


def test_an_answer_between_failures_begins_the_row_anew(world: World) -> None:
    own(world, None, breaks=True)
    for kind in ("network", "network", "network", "network", "invalid_output", "network"):
        fails(world, kind, "failed")
    assert seen(world, "agent:lint").room is None


@pytest.mark.parametrize("disposition", ["failed", "retry"])
def test_a_refused_key_opens_it_at_once_and_the_task_is_anybodys(world: World, disposition: str) -> None:
    own(world, None, breaks=True)
    task = fails(world, "auth", disposition)
    assert world.status(task.id) == "ready"
    assert (world.read(task.id).retry_count, world.happened(task.id)[-2:]) == (0, ["refused", "ready"])
    assert world.claim(world.slot()).word == "nothing"
    assert world.start(world.slot("s1", "n2", "lint=other @other=other")).task_id == str(task.id)
    assert world.run(pauses.resume("agent:lint", "ann")).number() == 1
    assert seen(world, "agent:lint").room is None


def test_without_a_breaker_a_refused_key_is_a_failure(world: World) -> None:
    own(world, 5)
    assert world.status(fails(world, "auth", "failed").id) == "failed"


def test_a_limit_that_agents_share_is_not_removed(world: World) -> None:
    limit(world, in_flight=1)
    answer = world.run(limits.remove("key"))
    assert (answer.word, answer.number(), answer.text(1)) == ("shared", 1, "lint")
    own(world, None)
    assert world.run(limits.remove("key")).ok
    assert world.run(limits.every_limit()) == []
    assert world.run(limits.remove("key")).word == "missing"


def test_an_agent_shares_no_limit_that_is_not_there(world: World) -> None:
    answer = register(world, limits=("nothing",))
    assert (answer.word, answer.text()) == ("unknown", "nothing")
    assert world.raw.exists(world.keys.fixed("limited"), world.keys.fixed("agents")) == 0


def test_inline_limits_that_disagree_for_one_secret_are_refused(world: World) -> None:
    assert world.run(limits.put(Limit(name="KEY", in_flight=2), "a")).ok
    register(world, "a", limits=("KEY",))
    assert world.run(limits.put(Limit(name="KEY", in_flight=2), "b")).ok
    answer = world.run(limits.put(Limit(name="KEY", in_flight=3), "b"))
    assert (answer.word, answer.text()) == ("differs", "a")
    assert world.run(limits.put(Limit(name="KEY", in_flight=3), "a")).ok


def test_a_script_sends_as_much_whatever_waits_behind_a_full_limit(real: World) -> None:
    def claims() -> int:
        before = sum(stat["calls"] for stat in real.raw.info("commandstats").values())
        assert real.claim(real.slot("s9")).word == "nothing"
        real.beat(slots=3, live=[real.slot()])
        return int(sum(stat["calls"] for stat in real.raw.info("commandstats").values()) - before)

    limit(real, in_flight=1)
    real.new("a")
    real.start()
    real.new("b")
    claims()  # its node offers more slots than before
    few = claims()
    real.raw.zadd(real.keys.of("ready", "lint"), {f"{n + 10**9:012}{UUID(int=n)}": 2**53 for n in range(10_000)})
    real.broken = True
    assert claims() == few
    assert real.granted() == []


def test_a_fleet_without_limits_has_no_trace_of_them(world: World) -> None:
    own(world, 3)
    world.new("a")
    world.report(world.start())
    own(world, None)
    names = {name.partition(":")[2].partition(":")[0] for name in world.key_names()}
    assert names.isdisjoint({"limit", "limits", "limited", "flight", "sharing"})
    assert world.raw.sismember(world.keys.fixed("open_queues"), "!limits") == 0
