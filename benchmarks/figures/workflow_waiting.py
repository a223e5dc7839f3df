"""What workflows cost that wait: for a time, for an answer, for a variable."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain

import psutil

from benchmarks import workflows
from benchmarks.figure import Figure, Must
from benchmarks.processes import until
from benchmarks.stack import Stack
from taskengine import Workflow, WorkflowStep

_WAITS = (
    WorkflowStep(kind="wait", name="time", wait_seconds=3600),
    WorkflowStep(kind="approval", name="answer", prompt="Go on?"),
    WorkflowStep(kind="wait", name="change", wait_condition="variables.go", timeout=3600),
)


def measure(stack: Stack) -> Iterator[Figure]:
    """Share of a core of the fleet and the server, more than when nothing is there; slots held."""
    n, span = stack.size(1000, 30), stack.size(20.0, 1.0)
    pids = [*chain(*stack.fleet().pids().values()), stack.server.pid]
    time.sleep(stack.size(3.0, 0.2))
    before = _share(pids, span)
    flows = [workflows.workflow(_WAITS[i % len(_WAITS)], variables={"go": False}) for i in range(n)]
    for flow in flows:
        stack.client.api.start_workflow(flow)
    until(lambda: _timers(stack) >= n * 2 // 3, 120, "all wait")
    time.sleep(stack.size(3.0, 0.2))
    waiting = _share(pids, span)
    running = int(stack.client.raw.hget(stack.client.keys.fixed("counts"), "running") or 0)
    _cancel(stack, flows)
    time.sleep(stack.size(3.0, 0.2))
    after = _share(pids, span)
    idle = (before + after) / 2
    shares = {"before": round(before, 2), "waiting": round(waiting, 2), "after": round(after, 2)}
    about = stack.describe() | {"workflows": n, "seconds": span, "percent_of_a_core": shares, "running": running}
    yield Figure("workflow.waiting", waiting - idle, "% of a core", must=Must("value", "<=", 2), config=about)
    yield Figure("workflow.waiting.slots", running, "slots", must=Must("value", "<=", 0), config=about)


def _share(pids: Sequence[int], span: float) -> float:
    """Percent of a core that processes took together."""
    used, begin = _used(pids), time.perf_counter()
    time.sleep(span)
    return 100 * (_used(pids) - used) / (time.perf_counter() - begin)


def _used(pids: Sequence[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


def _timers(stack: Stack) -> int:
    return int(stack.client.raw.zcard(stack.client.keys.fixed("timers")))


def _cancel(stack: Stack, flows: Sequence[Workflow]) -> None:
    for flow in flows:
        stack.client.api.cancel_workflow(flow.id, reason="measured")
    stack.client.see_the_end([flow.id for flow in flows])
