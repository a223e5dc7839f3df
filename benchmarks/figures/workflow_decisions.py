"""What one coordinator decides in a second, and how long a decision lies between a report and the next step."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import quantiles
from uuid import UUID

from benchmarks import workflows
from benchmarks.figure import Figure, Must
from benchmarks.run import moments
from benchmarks.scripts import ScriptTimes
from benchmarks.stack import Stack
from taskengine.core.identity import step_id

#: Seconds between two workflows; odd, to meet every timer's phase.
_PAUSE = 0.0137


def measure(stack: Stack) -> Iterator[Figure]:
    """Conditionals side by side, turns one after the other, and one conditional between two tasks."""
    stack.fleet()
    with ScriptTimes(stack.client, stack.server.pid) as times, times.fixed:
        yield _conditionals(stack)
        yield _turns(stack)
        yield from _across(stack)
        slow = times.take()
    yield times.figure("workflow.decisions.script", slow, stack.describe())


def _conditionals(stack: Stack) -> Figure:
    """One decision each: nothing is taken, so nothing else is done."""
    n = stack.size(2000, 100)
    nothing = workflows.branch("index < 0", workflows.task("never"))
    took = min(
        workflows.seconds(stack.client, workflows.mapped(n, nothing)) for _ in range(stack.options.rounds)
    )
    must = Must("value", ">=", 500)
    about = stack.describe() | {"conditionals": n}
    return Figure("workflow.decisions.conditional", n / took, "decisions/s", must=must, config=about)


def _turns(stack: Stack) -> Figure:
    """Two decisions each, that of the turn and that of the conditional in it, one after the other."""
    n = stack.size(500, 50)
    nothing = workflows.branch("iteration < 0", workflows.task("never"))
    took = min(workflows.seconds(stack.client, workflows.loop(n, nothing)) for _ in range(stack.options.rounds))
    must = Must("value", ">=", 500)
    return Figure(
        "workflow.decisions.turn", 2 * n / took, "decisions/s", must=must, config=stack.describe() | {"turns": n}
    )


def _across(stack: Stack) -> Iterator[Figure]:
    """From the end of a task to the start of the one in the branch behind it, by the server's clock."""
    n = stack.size(300, 30)
    ids: list[tuple[UUID, UUID]] = []
    for _ in range(n):
        branch = workflows.branch("context.go", workflows.task("after"))
        flow = workflows.workflow(workflows.task("before"), branch, context={"go": True})
        workflows.seconds(stack.client, flow)
        ids.append((step_id(str(flow.id), "before"), step_id(str(flow.id), "branch/after")))
        time.sleep(_PAUSE)
    ended = moments(stack.client, [before for before, _ in ids], "fin")
    began = moments(stack.client, [after for _, after in ids], "sta")
    spans = [start - end for (end,), (start,) in zip(ended, began, strict=True)]
    about = stack.describe() | {"workflows": n}
    found = quantiles(spans, n=100, method="inclusive")
    yield Figure("workflow.next.p50", found[49], "ms", must=Must("value", "<=", 10), config=about)
    yield Figure("workflow.next.p99", found[98], "ms", config=about)
