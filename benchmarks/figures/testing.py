"""A user's test with the engine in one process: no server, no fleet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.figure import Figure, Must
from benchmarks.stack import Stack
from taskengine import RetryRules, Task, agent
from taskengine.testing import Engine

_TASKS = 20
_RETRIED = ("3", "11")


def measure(stack: Stack) -> Iterator[Figure]:
    """Seconds from the making of an engine to its closing, with 20 tasks between, two of which are retried; the
    median of some. The first one also imports.
    """
    first = _one_test()
    spans = sorted(_one_test() for _ in range(stack.size(25, 5)))
    about = {"quick": stack.options.quick, "tasks": _TASKS, "retries": len(_RETRIED)}
    limit = Must("value", "<=", 0.3)
    yield Figure("testing", spans[len(spans) // 2], "s a test", must=limit, config=about)
    yield Figure("testing.worst", spans[-1], "s a test", config=about)
    yield Figure("testing.first", first, "s a test", config=about)


def _one_test() -> float:
    begin = time.perf_counter()
    with Engine() as engine:

        @agent("figure", capabilities={"figure"})
        def figure(task: Any, context: Any) -> dict[str, str]:
            if task.name in _RETRIED and context.attempt == 1:
                raise OSError("not yet")
            return {"name": task.name}

        tasks = _graph()
        engine.submit(*tasks)
        done = engine.run_until_done(*tasks)
        assert {task.status.value for task in done} == {"completed"}
    return time.perf_counter() - begin


def _graph() -> list[Task]:
    """Each task waits for two of the row above: five rows of four."""
    made: list[Task] = []
    for n in range(_TASKS):
        above = made[n - n % 4 - 4 : n - n % 4][:2] if n >= 4 else []
        on = {task.id for task in above}
        made.append(Task(name=str(n), capability="figure", depends_on=on, retry=RetryRules(jitter=0)))
    return made
