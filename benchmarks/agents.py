"""What the workers run: next to nothing, so that the engine is measured and not the work."""

from __future__ import annotations

import time
from typing import Any

from taskengine import Task, TaskContext, agent

COUNT = "bench_count"
NAP = "bench_nap"
GIVE = "bench_give"


@agent("counter", capabilities={COUNT})
def count(task: Task, context: TaskContext) -> dict[str, Any]:  # noqa: ARG001  # an agent's signature
    """Return an empty result: the engine itself counts what ended."""
    return {}


@agent("giver", capabilities={GIVE})
def give(task: Task, context: TaskContext) -> dict[str, Any]:  # noqa: ARG001  # an agent's signature
    """Return what the next step of a workflow reads."""
    return {"x": 1}


@agent("napper", capabilities={NAP})
def nap(task: Task, context: TaskContext) -> dict[str, Any]:  # noqa: ARG001  # an agent's signature
    """Take the time that the traced task took, without the processor."""
    time.sleep(float(task.input["seconds"]))  # type: ignore[arg-type]  # the replay writes a number
    return {}
