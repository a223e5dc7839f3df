"""Laws of leading: one at a time, fenced by its term, followed within a lease; and of a server that goes
away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from taskengine.coordinator import Coordinator, HookedStore
from taskengine.core.instructions import CloseTask
from taskengine.errors import StoreUnavailableError
from taskengine.models import TaskStatus
from taskengine.store import coordination, decisions, remote, tasks
from taskengine.store.call import Call

from .bench import Bench, lint, until

#: Calls that a standby may make.
HARMLESS = {"elect", "INFO"}


@pytest.fixture
def brief(bench: Bench) -> Iterator[Bench]:
    """Leadership changes within half a second."""
    made = Bench(bench.server, leader_seconds=0.4, sweep_seconds=0.1)
    yield made
    made.close()


def test_of_two_coordinators_only_the_leader_acts(bench: Bench) -> None:
    seen: dict[str, set[str]] = {"c1": set(), "c2": set()}

    def hooked(name: str) -> HookedStore:
        return HookedStore(bench.new_store(), before=lambda call: seen[name].add(call.name))

    calm = Bench(bench.server, leader_seconds=30.0)  # nobody falls silent, however busy the machine is
    with calm.coordinated("c1", hooked("c1")), calm.coordinated("c2", hooked("c2")):
        graph = [a := lint("a"), lint("b", a)]
        ids = bench.submit(*graph)
        leader = until(lambda: bench.fleet.leader)
        bench.node().work({"a": "failed"})
        bench.until_status(ids[1:], TaskStatus.CANCELLED)
        assert bench.fleet.leader == leader
    other = "c2" if leader == "c1" else "c1"
    assert seen[leader] > HARMLESS
    # At the end it may have followed for a moment, and told its settings.
    assert seen[other] <= HARMLESS | {"resign", "SET"}
    calm.close()


def test_a_standby_follows_a_leader_that_resigned(brief: Bench) -> None:
    with brief.coordinated("c2") as standby:
        until(lambda: brief.fleet.leader == "c2")
        with brief.coordinated("c1"):
            pass
        assert standby.leader.term == "1"
    assert brief.fleet.leader is None
    with brief.coordinated("c3"):
        until(lambda: brief.fleet.leader == "c3")
    assert brief.fleet.term == 2


def test_a_standby_follows_a_silent_leader_when_its_lease_lapses(bench: Bench) -> None:
    """Not when it asks again as if it led itself: that would be twenty seconds later."""
    patient = Bench(bench.server, leader_seconds=60.0)
    lease = 1.0
    bench.elect("dead", seconds=lease)
    start = time.monotonic()
    with patient.coordinated("c2"):
        until(lambda: bench.fleet.leader == "c2")
        assert lease * 0.9 <= time.monotonic() - start < 15
    patient.close()


def test_every_verb_of_a_superseded_leader_is_refused(brief: Bench) -> None:
    old = brief.elect("old", seconds=0.05)
    id = brief.create(lint("a"))
    brief.node()
    new = until(lambda: _lead(brief, "new"))
    assert new != old
    (decision,) = _decision(brief)
    (seen,) = brief.run(decisions.snapshots([decision]))
    assert seen is not None
    refused = [
        coordination.grant(old, ["lint"]), coordination.withdraw(old), coordination.rescue(old),
        remote.take_overdue(old, 1), coordination.fire_timers(old), coordination.continue_releases(old),
        coordination.unpark(old),
        coordination.sweep_batch("b", old),
        decisions.close_by_rule(old, decision.entry, seen, CloseTask(id, "no", id, failed_before=False)),
        decisions.reopen_closed(old, decision.entry, id, id),
        decisions.drop_decisions(old, [decision.entry]), decisions.poison(old, decision, "no"),
    ]  # fmt: skip
    assert [brief.run(verb).word for verb in refused] == ["stale"] * len(refused)
    assert brief.fleet.decisions == 1
    assert brief.run(coordination.grant(new, ["lint"])).ok


def _lead(bench: Bench, id: str) -> str:
    answer = bench.run(coordination.elect(id, 60_000))
    return answer.text() if answer.ok else ""


def _decision(bench: Bench) -> list[decisions.Decision]:
    client = bench.server.client
    task = bench.create(lint("asked"))
    client.xadd(bench.keys.fixed("decisions"), {"k": task, "b": "", "h": "counters"})
    return bench.run(decisions.decisions(bench.keys))


def test_a_leader_frozen_past_its_term_changes_nothing_when_it_thaws(brief: Bench) -> None:
    """It is stopped inside a turn, between its snapshot and its close; another one leads meanwhile."""
    frozen, thaw = Event(), Event()

    def freeze(call: Call[Any]) -> None:
        if call.name == "close_by_rule" and not frozen.is_set():
            frozen.set()
            assert thaw.wait(60)

    a = lint("a")
    ids = brief.submit(a, lint("b", a))
    with brief.coordinated("old", HookedStore(brief.new_store(), before=freeze)) as old:
        until(lambda: brief.fleet.leader == "old")
        brief.node().work({"a": "failed"})
        until(frozen.is_set)
        with brief.coordinated("new"):
            until(lambda: brief.fleet.leader == "new")
            brief.until_status(ids[1:], TaskStatus.CANCELLED)
            assert brief.run(tasks.reopen(ids[0])).ok
            brief.until_status(ids[1:], TaskStatus.PENDING)
            thaw.set()
            until(lambda: old.leader.term is None, what="it knows")
            assert brief.fleet.leader == "new"
            assert brief.statuses(ids) == ["ready", "pending"]


def test_a_lapsed_leader_without_a_rival_leads_again_in_a_new_term(brief: Bench) -> None:
    with brief.coordinated("c1") as coordinator:
        until(lambda: coordinator.leader.term == "1")
        brief.run(coordination.resign("c1"))
        until(lambda: coordinator.leader.term == "2")


def test_the_term_is_renewed_in_time_while_work_floods_in(bench: Bench) -> None:
    flooded = Bench(bench.server, leader_seconds=1.0)  # between a pause of the machine and the flood
    a = lint("a")
    ids = flooded.submit(a, *(lint(f"b{i}", a) for i in range(6000)))
    flooded.node().work({"a": "failed"})
    with flooded.coordinated("c1"):
        until(lambda: flooded.fleet.counts.get("cancelled") == 6000, 180.0)
        assert flooded.fleet.term == 1
    assert len(ids) == 6001
    flooded.close()


def test_the_coordinator_goes_on_after_the_server_was_killed(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "taskengine.coordinator")
    a = lint("a")
    with bench.coordinated("c1"):
        until(lambda: bench.fleet.leader == "c1")
        bench.server.kill()
        until(lambda: "lost server" in caplog.text)
        bench.server.restart()
        ids = bench.submit(a, lint("b", a))
        bench.node().work({"a": "failed"})
        bench.until_status(ids[1:], TaskStatus.CANCELLED)
        until(lambda: "found server" in caplog.text)
    assert caplog.text.count("lost server") == 1


def test_a_loading_or_failing_over_server_is_waited_for(bench: Bench) -> None:
    away = [StoreUnavailableError("Redis is loading the dataset in memory")] * 5

    def fail(call: Call[Any]) -> None:
        if call.name == "elect" and away:
            raise away.pop()

    with bench.coordinated("c1", HookedStore(bench.new_store(), before=fail)):
        until(lambda: bench.fleet.leader == "c1")
    assert not away


def test_a_replica_is_no_place_to_coordinate_and_is_waited_for(bench: Bench) -> None:
    client = bench.server.client
    with bench.coordinated("c1"):
        until(lambda: bench.fleet.leader == "c1")
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(StoreUnavailableError, match="replica"):
            bench.create(lint("refused"))
        client.execute_command("REPLICAOF", "NO", "ONE")
        term = bench.fleet.term
        a = lint("a")
        ids = bench.submit(a, lint("b", a))
        bench.node().work({"a": "failed"})
        bench.until_status(ids[1:], TaskStatus.CANCELLED)
        assert bench.fleet.term >= term


def test_whatever_one_duty_raises_the_others_go_on(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def fail(call: Call[Any]) -> None:
        if call.name in {"withdraw", "fire_timers", "SRANDMEMBER"}:
            raise RuntimeError("a bug")

    a = lint("a")
    with bench.coordinated("c1", HookedStore(bench.new_store(), before=fail)):
        ids = bench.submit(a, lint("b", a))
        bench.node().work({"a": "failed"})
        bench.until_status(ids[1:], TaskStatus.CANCELLED)
        until(lambda: "duty=withdraw" in caplog.text)  # whose first turn need not come before the tasks' end
        until(lambda: "duty=timers" in caplog.text)


def test_an_idle_coordinator_makes_few_calls(bench: Bench) -> None:
    calls: list[str] = []
    hooked = HookedStore(bench.new_store(), before=lambda call: calls.append(call.name))
    with bench.coordinated("c1", hooked):
        until(lambda: bench.fleet.leader == "c1")
        until(lambda: "XREAD" in calls)
        calls.clear()
        start = time.monotonic()
        until(lambda: calls.count("elect") >= 8)  # eight thirds of the leader's lease
        seconds = time.monotonic() - start
    # The default clocks are five times slower: a dozen calls a second.
    assert len(calls) / seconds < 100


def test_a_flood_of_hints_becomes_a_hundred_grants_a_second_at_most(bench: Bench) -> None:
    calls: list[tuple[str, float]] = []
    hooked = HookedStore(bench.new_store(), before=lambda call: calls.append((call.name, time.monotonic())))
    with bench.coordinated("c1", hooked):
        until(lambda: bench.fleet.leader == "c1")
        wake, client = bench.keys.fixed("wake"), bench.server.client
        calls.clear()
        start = time.monotonic()
        for _ in range(3000):
            client.xadd(wake, {"q": "lint"}, maxlen=1000)
        seconds = time.monotonic() - start
        grants = [at for name, at in calls if name == "grant" and at < start + seconds]
        reads = [at for name, at in calls if name == "XREAD" and at < start + seconds]
    assert 1 <= len(grants) <= seconds * 100 + 5
    assert len(reads) <= seconds * 210 + 10  # one for the hints of each grant, and one for decisions until it is due


def test_a_stopped_coordinator_resigns(bench: Bench) -> None:
    with bench.coordinated("c1"):
        until(lambda: bench.fleet.leader == "c1")
    assert bench.fleet.leader is None


def test_a_coordinator_that_cannot_resign_still_stops(bench: Bench) -> None:
    stop = Event()

    def fail(call: Call[Any]) -> None:
        if call.name == "resign":
            raise StoreUnavailableError("gone")
        if call.name == "XREAD":
            stop.set()

    Coordinator(HookedStore(bench.new_store(), before=fail), bench.settings, "c1").run(stop)
    assert bench.fleet.leader == "c1"
