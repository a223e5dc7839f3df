"""A step for each item of a list, beside the same number of plain tasks in layers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event, Thread

from benchmarks import shapes, workflows
from benchmarks.figure import Figure, Must, rounded
from benchmarks.scripts import ScriptTimes
from benchmarks.stack import Stack
from benchmarks.turns import in_turns

_WINDOW = 8
#: Seconds between two looks at how many are at work.
_EVERY = 0.005


def measure(stack: Stack) -> Iterator[Figure]:
    """Items a second, start included; how many were READY or running at once; the longest script."""
    n, tasks = stack.size(10_000, 200), stack.size(10_000, 300)
    stack.fleet()
    watched = _Watched(stack)

    def items(max_parallel: int | None) -> float:
        flow = workflows.mapped(n, workflows.task("item"), max_parallel=max_parallel)
        return n / workflows.seconds(stack.client, flow)

    with ScriptTimes(stack.client, stack.server.pid) as times, times.fixed:
        sides = {
            "open": lambda: items(None),
            "window": lambda: watched.during(lambda: items(_WINDOW)),
            "layered": lambda: stack.run(shapes.layered(tasks)).rate,
        }
        found = in_turns(min(2, stack.options.rounds), sides)
        slow = times.take()
    best = {name: max(values) for name, values in found.items()}
    rounds = {name: [rounded(value) for value in values] for name, values in found.items()}
    about = stack.describe() | {"items": n, "layered_tasks": tasks, "peer": "layered", "all": rounds}
    yield Figure("workflow.map", best["open"], "items/s", best["layered"], Must("ratio", ">=", 0.5), about)
    more = about | {"max_parallel": _WINDOW, "looks": watched.looks}
    yield Figure("workflow.map.window", best["window"], "items/s", best["layered"], Must("ratio", ">=", 0.3), more)
    yield Figure("workflow.map.at_once", watched.most, "items", must=Must("value", "<=", _WINDOW), config=more)
    yield times.figure("workflow.map.script", slow, about)


class _Watched:
    """Looks how many tasks of the whole server are READY or running."""

    def __init__(self, stack: Stack) -> None:
        self._raw = stack.client.raw
        self._counts = stack.client.keys.fixed("counts")
        self.most = self.looks = 0

    def during(self, run: Callable[[], float]) -> float:
        """Look until *run* returned, and return what it did."""
        over = Event()
        thread = Thread(target=self._look, args=(over,), daemon=True)
        thread.start()
        try:
            return run()
        finally:
            over.set()
            thread.join()

    def _look(self, over: Event) -> None:
        while not over.is_set():
            found = self._raw.hmget(self._counts, ["ready", "running"])
            self.most = max(self.most, sum(int(value or 0) for value in found))
            self.looks += 1
            time.sleep(_EVERY)
