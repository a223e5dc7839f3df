"""Agents for the example; a worker imports this module (``--import example_agents``)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from taskengine import Task, agent


@agent("analyser", capabilities={"code_analysis"})
def analyse(task: Task, context: Any) -> dict[str, Any]:
    """Count the characters of a repository's address; a real one would clone it."""
    context.progress(0.5, "reading")
    context.log("analysed", repository=task.input["repository_url"])
    return {"score": len(str(task.input["repository_url"]))}


@agent("tester", capabilities={"testing"})
async def test(task: Task, context: Any) -> dict[str, Any]:
    """Wait a moment, then report on what the dependencies found."""
    await asyncio.sleep(0.1)
    return {"passed": True, "scores": sorted(result["score"] for result in context.results.values())}


@agent("flaky", capabilities={"flaky"})
def fail_at_first(task: Task, context: Any) -> str:
    """Fail until the attempt that the task names."""
    if context.attempt < int(task.input["succeed_at"]):
        raise ConnectionError("the other side is not there yet")
    return f"done at attempt {context.attempt}"


@agent("patient", capabilities={"patient"})
def wait_for_cancel(task: Task, context: Any) -> str:
    """Work until somebody cancels."""
    while not context.cancelled:
        time.sleep(0.05)
    return "cleaned up"
