"""Laws of what the leader repairs: lost wake-ups, dead workers, due timers, free slots, parked tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from taskengine.coordinator.duties import Grant, Releases, Rescue, Timers, Unpark, Withdraw
from taskengine.coordinator.leader import Leader
from taskengine.models import TaskStatus
from taskengine.store import coordination, executions, graphs, nodes, tasks

from .bench import Bench, lint, records, until


@pytest.fixture
def mortal(bench: Bench) -> Iterator[Bench]:
    """A node that is silent for two seconds is taken for dead."""
    made = Bench(bench.server, lease_seconds=2.0)
    yield made
    made.close()


def test_a_grant_nobody_claims_is_withdrawn_and_given_again(bench: Bench) -> None:
    node = bench.node()
    id = bench.create(lint("a"))
    queue = bench.keys.queue_prefix() + "lint\x06\x163"
    assert bench.server.client.llen(queue) == 1
    with bench.coordinated():
        until(lambda: node.beat() and bench.server.client.llen(queue) == 2, what="a second wake-up")
        assert node.claim(node.slot(), id)
    assert [one.attempt for one in bench.run(executions.of_task(id))] == [1]


def test_a_withdrawn_task_keeps_its_place(bench: Bench) -> None:
    bench.node(slots=1)
    ids = [bench.create(lint(f"t{i}")) for i in range(3)]
    until(lambda: _lapsed(bench, "granted_all") == 1)
    node = bench.node(slots=1)
    bench.run_duty(Withdraw())
    assert node.work() == ["t0", "t1", "t2"]
    assert bench.statuses(ids) == ["completed"] * 3


def _lapsed(bench: Bench, key: str) -> int:
    return int(bench.server.client.zcount(bench.keys.fixed(key), "-inf", bench.run(coordination.server_ms())))


def test_what_a_dead_worker_held_runs_again_elsewhere_and_its_report_is_fenced(mortal: Bench) -> None:
    with mortal.coordinated():
        dead, alive = mortal.node("dead"), mortal.node("alive")
        id = mortal.create(lint("a"))
        told = dead.take(dead.slot())
        again = alive.take(alive.slot())
        assert (again.task_id, again.attempt) == (id, 2)
        assert dead.report(dead.slot(), told) is None
        alive.report(alive.slot(), again)
    assert [one.status.value for one in mortal.run(executions.of_task(id))] == ["lost", "completed"]
    assert mortal.task(id).lost_count == 1


def test_a_node_that_stopped_beating_leaves_the_fleet(mortal: Bench) -> None:
    mortal.node("gone")
    with mortal.coordinated():
        until(lambda: not mortal.fleet.nodes, what="an empty fleet")


def test_after_an_outage_lapsed_leases_are_believed_one_lease_later(mortal: Bench) -> None:
    leader = Leader("c1", mortal.settings)
    leader.ask(mortal.store, 100.0)
    assert leader.distrusts_for(100.0) == mortal.settings.lease_seconds
    for tick in range(1, 6):
        leader.ask(mortal.store, 100.0 + tick * 0.5)
    assert leader.distrusts_for(102.5) <= 0
    leader.ask(mortal.store, 103.2)  # 0.7 s after the last: longer than three quarters of the lease
    assert leader.distrusts_for(103.2) == mortal.settings.lease_seconds


def test_a_restarted_server_makes_leases_doubtful(mortal: Bench) -> None:
    leader = Leader("c1", mortal.settings)
    for tick in range(10):
        leader.ask(mortal.store, 100.0 + tick * 0.5)
    assert leader.distrusts_for(104.5) <= 0
    mortal.server.restart()
    leader.ask(mortal.store, 105.0)
    assert leader.distrusts_for(105.0) == mortal.settings.lease_seconds


def test_nobody_is_rescued_while_the_own_renewal_is_late(mortal: Bench) -> None:
    leader = Leader("c1", mortal.settings)
    for tick in range(10):
        leader.ask(mortal.store, 100.0 + tick * 0.5)
    assert leader.distrusts_for(104.5 + 0.61) > 0


def test_a_term_that_lapsed_between_two_renewals_is_an_outage(mortal: Bench) -> None:
    leader = Leader("c1", mortal.settings)
    for tick in range(10):
        leader.ask(mortal.store, 100.0 + tick * 0.5)
    mortal.run(coordination.resign("c1"))  # as if the server's clock had run past the lease
    assert leader.ask(mortal.store, 105.0)
    assert leader.distrusts_for(105.0) == mortal.settings.lease_seconds


def test_a_rescue_that_a_frozen_server_finds_in_its_socket_is_refused(bench: Bench) -> None:
    node = bench.node()
    id = bench.create(lint("a"))
    node.claim(node.slot(), id)
    term = bench.elect("c1", seconds=0.8)
    until(lambda: bench.run(coordination.rescue(term)).word == "stale")
    lease = f"{node.name}/{node.slot().nonce}"
    assert bench.server.client.zscore(bench.keys.fixed("leases"), lease) is not None
    assert bench.statuses([id]) == ["running"]


def test_a_server_frozen_for_two_leases_costs_no_healthy_execution(mortal: Bench) -> None:
    node = mortal.node()
    with mortal.coordinated() as coordinator:
        id = mortal.create(lint("a"))
        slot = node.slot()
        told = node.take(slot)

        def trusted() -> bool:
            node.beat(slot)
            return coordinator.leader.distrusts_for(time.monotonic()) <= 0

        until(trusted, what="trust in leases")
        mortal.server.freeze()
        try:
            until(_in(mortal.settings.lease_seconds * 2))
        finally:
            mortal.server.thaw()
        # The worker is late by another half lease: what rescues at once would find it.
        until(_in(mortal.settings.lease_seconds * 0.5))
        node.beat(slot)
        until(trusted, what="trust in leases again")
        node.report(slot, told)
    assert [one.status.value for one in mortal.run(executions.of_task(id))] == ["completed"]


def _in(seconds: float) -> Callable[[], bool]:
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() >= deadline


def test_the_next_attempt_starts_when_its_timer_says_and_not_before(bench: Bench) -> None:
    node = bench.node()
    id = bench.create(lint("a"))
    told = node.claim(node.slot(), id)
    assert told is not None
    node.report(node.slot(), told, "retry", pull=False, retry_ms=300)
    bench.run_duty(Timers())
    assert bench.statuses([id]) == ["retrying"]
    due = bench.task(id).next_attempt_at
    # Without its timer the next look would be ten seconds later.
    slow = Bench(bench.server, sweep_seconds=40.0)
    with slow.coordinated(id="test"):
        bench.until_status([id], TaskStatus.READY)
    slow.close()
    ready = bench.task(id).ready_at
    assert due is not None
    assert ready is not None
    assert 0 <= (ready - due).total_seconds() < 8
    assert node.work() == ["a"]


def test_many_timers_fire_in_one_turn(bench: Bench) -> None:
    node = bench.node(slots=1)
    ids = [bench.create(lint(f"t{i}")) for i in range(150)]
    slot = node.slot()
    told = node.claim(slot, ids[0])
    while told is not None:
        told = node.report(slot, told, "retry", retry_ms=1)
    open_ones = [id for id, status in zip(ids, bench.statuses(ids), strict=True) if status == "retrying"]
    assert len(open_ones) > 64
    until(_in(0.01))
    bench.run_duty(Timers())
    assert set(bench.statuses(open_ones)) == {"ready"}


def test_ready_tasks_without_a_hint_are_granted_by_the_sweep(bench: Bench) -> None:
    ids = [bench.create(lint(f"t{i}")) for i in range(19)]
    bench.node(slots=19)  # its first beat grants what one script may
    bench.server.client.delete(bench.keys.fixed("wake"))  # and its hint at the rest is lost
    assert bench.fleet.queues[0].granted <= 16
    bench.run_duty(Grant())
    assert bench.fleet.queues[0].granted == 19
    assert bench.statuses(ids) == ["ready"] * 19


def test_a_new_leader_sweeps_at_once_and_a_hint_grants_soon(bench: Bench) -> None:
    bench.create(lint("early"))
    slow = Bench(bench.server, sweep_seconds=600.0)
    bench.node()
    bench.server.client.delete(bench.keys.fixed("wake"))
    with slow.coordinated():
        until(lambda: bench.fleet.queues[0].granted == 1, what="the sweep on taking the leadership")
        for i in range(4):
            bench.create(lint(f"late{i}"))  # one more fits the slots of n1
        assert bench.fleet.queues[0].granted == 2
        bench.node("n2")  # its first beat leaves a hint
        until(lambda: bench.fleet.queues[0].granted == 4, what="a grant by hint")
    slow.close()


def test_a_pinned_task_is_parked_and_comes_back_with_its_agent(bench: Bench) -> None:
    bench.node("n1", queues="lint=lint")
    ids = [bench.create(lint(f"p{i}", assigned_to="expert")) for i in range(300)]
    with bench.coordinated():
        until(lambda: bench.fleet.parked.get("offer:expert") == 300, what="all parked")
        assert "no worker offers agent 'expert'" in str(bench.task(ids[0]).reason)
        expert = bench.node("n2", slots=1, queues="@expert=expert")
        until(lambda: not bench.fleet.parked, what="an empty park")
        assert len(expert.work()) == 300


def test_unpark_brings_back_only_whose_reason_is_gone(bench: Bench) -> None:
    bench.node("n1", queues="lint=lint")
    bench.create(lint("a", assigned_to="expert"))
    bench.create(lint("b", assigned_to="other"))
    term = bench.elect()
    bench.run_duty(Grant(), term)
    assert bench.fleet.parked == {"offer:expert": 1, "offer:other": 1}
    client, keys = bench.server.client, bench.keys
    client.sadd(keys.of("offers", "@expert"), "n1")  # as after a crash between its beat and its unpark
    bench.run_duty(Unpark(), term)
    assert bench.fleet.parked == {"offer:other": 1}


def test_a_wide_release_goes_on_without_further_reports(bench: Bench) -> None:
    a = lint("a")
    ids = bench.submit(a, *(lint(f"b{i}", a) for i in range(1000)))
    node = bench.node()
    node.beat()
    told = node.claim(node.slot(), ids[0])
    assert told is not None
    node.report(node.slot(), told, pull=False)
    assert bench.statuses(ids).count("ready") == 256
    bench.run_duty(Releases())
    assert bench.statuses(ids).count("ready") == 1000


def test_many_poisoned_tasks_with_many_dependents_each_lose_none_of_them(bench: Bench) -> None:
    """One script ends more tasks than it may tell dependents: the rest waits under cursors."""
    fans = 5
    parents = [lint(f"p{i}") for i in range(fans)]
    graph = [*parents, *(lint(f"c{i}.{j}", p) for i, p in enumerate(parents) for j in range(120))]
    strict = Bench(bench.server, max_lost=1, lease_seconds=2.0)
    ids = strict.submit(*graph)
    node = strict.node(slots=fans)
    for number, id in enumerate(ids[:fans]):
        assert node.claim(node.slot(number), id) or node.claim(node.slot(number))
    term = strict.elect()
    until(lambda: _lapsed(strict, "leases") == fans, what="all leases lapsed")
    assert strict.run(coordination.rescue(term)).number() == fans
    strict.run_duty(Releases(), term)
    assert strict.fleet.decisions == fans * 120
    with strict.coordinated(id="test"):
        strict.until_status(ids[fans:], TaskStatus.CANCELLED)
    strict.close()


def test_a_sweep_of_staged_dependents_makes_a_release_skip_nobody(bench: Bench) -> None:
    """300 dependents wait for one task, and 100 staged ones before them vanish while it tells them all."""
    from_start = lint("a")
    bench.create(from_start)
    staged = [lint(f"s{i}", from_start) for i in range(100)]
    assert bench.run(graphs.stage("abandoned", str(uuid4()), records(staged))).ok
    ids = bench.submit(*(lint(f"b{i}", from_start) for i in range(300)))
    node = bench.node()
    told = node.claim(node.slot(), str(from_start.id))
    assert told is not None
    node.report(node.slot(), told, pull=False)
    assert bench.statuses(ids).count("ready") == 156
    while bench.run(coordination.sweep_batch("abandoned", "")).number():
        pass
    bench.run_duty(Releases())
    assert bench.statuses(ids) == ["ready"] * 300


def test_a_dependent_submitted_while_its_dependency_is_being_reopened_runs_once(bench: Bench) -> None:
    a = lint("a")
    ids = bench.submit(a, *(lint(f"b{i}", a) for i in range(300)))
    node = bench.node()
    node.work({"a": "failed"})
    term = bench.elect()
    bench.run_duty(Releases(), term)
    assert bench.run(tasks.reopen(ids[0])).ok  # 256 of 300 have been told
    late = bench.create(lint("late", a))
    with bench.coordinated(id="test"):
        ran: list[str] = []
        until(lambda: ran.extend(node.work()) or set(bench.statuses([*ids, late])) == {"completed"})
    assert ran.count("late") == 1


def test_a_rescue_turn_leaves_the_rest_for_the_next_when_its_time_is_over(bench: Bench) -> None:
    leader = Leader("c1", bench.settings)
    context = bench.run_duty(Rescue(leader), seconds=-1)
    assert context.over


def test_beats_of_live_nodes_keep_their_executions(mortal: Bench) -> None:
    with mortal.coordinated() as coordinator:
        node = mortal.node()
        id = mortal.create(lint("a"))
        slot = node.slot()
        told = node.take(slot)
        deadline = time.monotonic() + mortal.settings.lease_seconds * 2.5

        def beat() -> bool:
            node.beat(slot)
            return time.monotonic() > deadline

        until(beat)
        assert coordinator.leader.distrusts_for(time.monotonic()) <= 0
        node.report(slot, told)
    assert mortal.task(id).lost_count == 0
    assert mortal.run(nodes.fleet()).counts["completed"] == 1
