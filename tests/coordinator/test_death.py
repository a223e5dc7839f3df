"""A coordinator may die at any instruction: before and after each of its calls, the next one comes to the
same end.

The same law with processes and SIGKILL is among the faults; here every single call is tried, one after the
other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from taskengine.coordinator import Coordinator, HookedStore
from taskengine.coordinator.duties import Decisions
from taskengine.models import Task, TriggerRule
from taskengine.store import coordination, executions, graphs, tasks
from taskengine.store.call import Call
from taskengine.store.replies import Assignment

from .bench import Bench, Node, lint, records, until

#: Above the number of calls that the scenario needs; a run ends unharmed well below.
MANY = 400


class Killed(BaseException):
    """Not an Exception: nothing in a process survives its SIGKILL."""


class Scenario:
    """Something for every duty: a failure, a reopening, a retry, a lost wake-up, a lost worker, half submits.
    """

    def __init__(self, server: Any) -> None:
        # Leases that lapse at once: whoever does not report is dead.
        self.bench = Bench(
            server, lease_seconds=0.05, claim_seconds=0.02, leader_seconds=3.0, sweep_seconds=0.01,
            batch_seconds=0.02, max_lost=100, retention_seconds=600.0,
        )  # fmt: skip
        bench = self.bench
        self.node = Node(bench, "n1", 4, "lint=lint")
        self.ids: list[str] = []
        d = lint("d")
        self._run(d, e := lint("e", d), lint("after e", e))
        self._end("failed")
        term = bench.elect("before")
        for _ in range(2):
            bench.run_duty(Decisions(), term)
        a, f, r = lint("a"), lint("f"), lint("r")
        self._run(
            a,
            b := lint("b", a),
            *(lint(f"c{i}", b) for i in range(3)),
            lint("alarm", a, trigger_rule=TriggerRule.ONE_FAILED),
            lint("clean", b, trigger_rule=TriggerRule.ALL_DONE),
            lint("never", a, trigger_rule=TriggerRule.ONE_SUCCESS),
            lint("expires", hold=True, expires_at=datetime(2001, 1, 1, tzinfo=UTC)),
        )
        self._end("failed")
        self._run(f)
        bench.submit(*(lint(f"fan{i}", f, hold=True) for i in range(300)))
        self._end("completed")
        self._run(r, lint("after r", r))
        self._end("retry")
        self._run(lint("w"))
        self._claim(Node(bench, "dead", 1, "lint=lint"))  # and never a beat or report
        assert bench.run(tasks.reopen(str(d.id))).ok
        bench.run(coordination.resign("before"))
        committed = [lint(f"s{i}") for i in range(3)]
        self._submit(committed, trips=2)
        self.ids += [str(task.id) for task in committed]
        self.abandoned = [lint(f"x{i}", b) for i in range(3)]
        self._submit(self.abandoned, trips=1)

    def over(self) -> bool:
        """Whether all that a coordinator must do is done, with a worker that takes what it gets."""
        self.node.work(most=20)
        done = set(self.bench.statuses(self.ids)) <= {"completed", "failed", "cancelled"}
        fleet = self.bench.fleet
        return done and not (fleet.decisions or fleet.open_batches or fleet.timers or fleet.running)

    def end(self) -> dict[str, tuple[object, ...]]:
        """What is left, by task name."""
        found = [self.bench.task(id) for id in self.ids]
        return {t.name: (t.status, t.reason, t.retry_count, self._accepted(str(t.id))) for t in found}

    def left(self) -> set[str]:
        """Whatever is still waiting for somebody."""
        bench, client = self.bench, self.bench.server.client
        zsets = ("batches", "leases", "granted_all", "releases", "timers")
        open_keys = (*zsets, "commits", "decisions", "poison")
        found = {name for name in open_keys if client.exists(bench.keys.fixed(name)) and _filled(bench, name)}
        found |= {id for id in bench.statuses([str(task.id) for task in self.abandoned]) if id}
        return found

    def _accepted(self, id: str) -> int:
        outcomes = self.bench.run(executions.of_task(id))
        return sum(one.status.value == "completed" for one in outcomes)

    def _run(self, *new: Task) -> None:
        self.ids += self.bench.submit(*new)

    def _claim(self, node: Node) -> Assignment:
        def ask() -> Assignment | None:
            node.beat()
            return node.claim_any(node.slot(2))

        told = until(ask)
        assert told is not None
        return told

    def _end(self, disposition: str) -> None:
        told = self._claim(self.node)
        self.node.report(self.node.slot(2), told, disposition, pull=False, retry_ms=10)

    def _submit(self, new: list[Task], trips: int) -> None:
        operation = graphs.submit(str(uuid4()), records(new))
        step = next(operation)
        for _ in range(trips):
            step = operation.send(self.bench.run(step))
        operation.close()


def _filled(bench: Bench, name: str) -> bool:
    client, key = bench.server.client, bench.keys.fixed(name)
    return bool(client.xlen(key)) if name == "decisions" else True


def coordinate(
    scenario: Scenario, id: str, hook: Callable[[Call[Any]], None], *, after: bool = False
) -> None:
    """One coordinator on this thread until the scenario is over; the leader before it has lapsed."""
    bench, stop, calls = scenario.bench, Event(), 0

    def look(call: Call[Any]) -> None:
        nonlocal calls
        calls += 1
        hook(call)
        if calls % 5 == 0 and scenario.over():
            stop.set()
        assert calls < MANY * 5, scenario.end()

    store = HookedStore(bench.store, after=look) if after else HookedStore(bench.store, before=look)
    Coordinator(store, bench.settings, id).run(stop)


def unharmed(scenario: Scenario) -> tuple[dict[str, tuple[object, ...]], set[str]]:
    coordinate(scenario, "whole", lambda _: None)
    return scenario.end(), scenario.left()


@pytest.mark.matrix
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_call_the_next_coordinator_comes_to_the_same_end(valkey: Any, after: bool) -> None:
    valkey.client.config_set("appendonly", "no")
    expected = unharmed(Scenario(valkey))
    assert expected[0]["b"][:2] == ("cancelled", "dependency a failed")
    assert expected[0]["never"][0] == "cancelled"
    assert expected[0]["expires"][:2] == ("cancelled", "had not started by its expires_at")
    assert expected[0]["alarm"][3] == expected[0]["clean"][3] == 1
    assert expected[0]["after e"][:2] == ("completed", None)
    assert expected[0]["after r"][3] == expected[0]["w"][3] == expected[0]["s0"][3] == 1
    assert expected[1] == set()
    for kill_at in range(1, MANY):
        valkey.client.flushall()
        scenario, calls = Scenario(valkey), 0

        def kill(_: Call[Any], kill_at: int = kill_at) -> None:
            nonlocal calls
            calls += 1
            if calls == kill_at:
                raise Killed

        try:
            coordinate(scenario, "killed", kill, after=after)
        except Killed:
            scenario.bench.run(coordination.resign("killed"))  # its lease lapses
            coordinate(scenario, "next", lambda _: None)
        assert (scenario.end(), scenario.left()) == expected, f"killed at call {kill_at}"
        scenario.bench.close()
        if calls < kill_at:
            return
    pytest.fail(f"no run ended unharmed within {MANY} calls")
