"""The workflows that are measured, and how long one takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from benchmarks.agents import COUNT, GIVE
from benchmarks.client import Client
from taskengine import Workflow, WorkflowStep


def task(name: str, capability: str = COUNT, **input: Any) -> WorkflowStep:
    """A step that is an empty task."""
    return WorkflowStep(name=name, task_template={"capability": capability, "max_retries": 0, "input": input})


def chain(n: int, *, reads: bool) -> Workflow:
    """*n* task steps one after the other; each *reads* what the one before gave, or none does."""
    if not reads:
        return workflow(*(task(f"s{i}") for i in range(n)))
    later = (task(f"s{i}", GIVE, x=f"${{steps.s{i - 1}.output.x}}") for i in range(1, n))
    return workflow(task("s0", GIVE), *later)


def mapped(n: int, *steps: WorkflowStep, max_parallel: int | None = None) -> Workflow:
    """The same *steps* for each of *n* items."""
    more = {} if max_parallel is None else {"max_parallel": max_parallel}
    return workflow(WorkflowStep(kind="map", name="each", items=list(range(n)), steps=steps, **more))


def branch(condition: str, *steps: WorkflowStep) -> WorkflowStep:
    """Steps that are taken where a condition holds."""
    return WorkflowStep(kind="conditional", name="branch", condition=condition, true_steps=steps)


def loop(turns: int, *steps: WorkflowStep) -> Workflow:
    """Some steps, *turns* times."""
    again = {"loop_condition": "true", "max_iterations": turns, "at_limit": "complete"}
    return workflow(WorkflowStep(kind="loop", name="again", loop_steps=steps, **again))


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    """A workflow of these steps."""
    return Workflow(name="benchmark", steps=steps, **more)


def seconds(client: Client, what: Workflow) -> float:
    """From before the call that starts it until a waiting client saw its end; RuntimeError when it did not complete."""
    begin = time.perf_counter()
    client.api.start_workflow(what)
    client.see_the_end([what.id])
    took = time.perf_counter() - begin
    require_completed(client, [what])
    return took


def require_completed(client: Client, flows: Sequence[Workflow]) -> None:
    """Raise RuntimeError where one of them did not complete."""
    for flow in flows:
        found = client.api.get_workflow(flow.id)
        if found.status != "completed":
            raise RuntimeError(f"workflow {flow.id} is {found.status}: {found.error_message}")
