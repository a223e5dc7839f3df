"""What a schedule would look like, without running it: list scheduling on equal slots.

Whenever a slot is free, the task with the smallest key of all that wait for nothing starts on it: what
grants and pulls do, minus capabilities, holds and the time that messages take. It answers
``TaskScheduler.order``, and here the order of :mod:`taskengine.core.order` is proven against the bound that
no schedule beats.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import Any

from taskengine.core import graph
from taskengine.core.graph import Frontier, Parents
from taskengine.core.order import score
from taskengine.errors import InvalidInputError


def scores(
    parents: Parents,
    seconds: Mapping[str, float],
    *,
    priorities: Mapping[str, int],
    deadlines: Mapping[str, float],
) -> dict[str, int]:
    """Return the score of every task; *deadlines* (seconds since the epoch) holds only those that have one."""
    longest = graph.longest_to_end(parents, seconds)
    return {task: score(priorities[task], deadlines.get(task), longest[task] * 1000) for task in parents}


def start_order(parents: Parents, scores: Mapping[str, int]) -> list[str]:
    """Return the order in which one slot would start the tasks; equal scores in the given order.

    With one slot no duration matters: what runs ends before the next choice. Raises
    CircularDependencyError.
    """
    return graph.execution_order(parents, key=scores.__getitem__)


def lower_bound(parents: Parents, seconds: Mapping[str, float], slots: int) -> float:
    """Seconds that no schedule on *slots* slots beats: the critical path, or the work spread evenly."""
    critical = sum(seconds[task] for task in graph.critical_path(parents, seconds))
    return max(critical, sum(seconds[task] for task in parents) / slots)


def makespan(
    parents: Parents, seconds: Mapping[str, float], slots: int, order_key: Callable[[str], Any] | None = None
) -> float:
    """Seconds from the first start to the last end; see :func:`starts`."""
    began = starts(parents, seconds, slots, order_key)
    return max((began[task] + seconds[task] for task in parents), default=0.0)


def starts(
    parents: Parents, seconds: Mapping[str, float], slots: int, order_key: Callable[[str], Any] | None = None
) -> dict[str, float]:
    """Return when each task starts, in seconds, on *slots* equal slots; keys in the order of the starts.

    *order_key*: the smallest starts first; equal keys, and all without it, first come, first served in the
    given order. Raises CircularDependencyError, and InvalidInputError without a slot.
    """
    if slots < 1:
        raise InvalidInputError(f"slots is {slots}; nothing runs without at least one", field="slots")
    ready = Frontier(parents, order_key)
    running: list[tuple[float, int, str]] = []
    began: dict[str, float] = {}
    now = 0.0
    while ready or running:
        while ready and len(running) < slots:
            task = ready.pop()
            began[task] = now
            heapq.heappush(running, (now + seconds[task], len(began), task))
        now = running[0][0]
        while running and running[0][0] == now:  # all that end at once are over before the next choice
            ready.finish(heapq.heappop(running)[2])
    graph.require_all(list(began), parents)
    return began
