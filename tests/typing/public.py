"""The types of what ``taskengine`` offers beside its clients; mypy reads this, and nobody runs it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_type
from uuid import UUID

from taskengine import (
    BlockingTaskAPI,
    Dependency,
    DependencyResolver,
    NotNow,
    Outcome,
    Settings,
    Task,
    TaskAPI,
    TaskContext,
    TaskExecutor,
    TaskGraph,
    TaskScheduler,
    agent,
    load_graph,
)


@agent
def bare(task: Task, context: TaskContext) -> dict[str, int]:
    return {"warnings": 0}


@agent("lint", capabilities={"lint"}, batch=False)
async def named(task: Task, context: TaskContext) -> str | Outcome:
    return "done"


def agents(task: Task, context: TaskContext) -> None:
    """A declared agent stays the function that it was."""
    assert_type(bare(task, context), dict[str, int])
    assert_type(NotNow(5, scope="agent").delay, float)
    agent(7)  # type: ignore[call-overload]


async def coroutines(task: Task, context: TaskContext) -> None:
    assert_type(await named(task, context), str | Outcome)


def asked(context: TaskContext) -> None:
    assert_type(context.execution_id, UUID)
    assert_type(context.attempt, int)
    assert_type(context.deadline, datetime | None)
    assert_type(context.cancelled, bool)
    assert_type(context.results, Mapping[str, dict[str, Any]])
    assert_type(context.dependencies, tuple[Dependency, ...])
    assert_type(context.progress(0.5, "half"), None)
    context.progress("half")  # type: ignore[arg-type]


def read_late() -> None:
    """Names that are imported when they are first asked for are no Any."""
    assert_type(TaskAPI, type[TaskAPI])
    assert_type(BlockingTaskAPI().settings, Settings)
    assert_type(Settings().lease_seconds, float)
    assert_type(TaskExecutor(2).is_running, bool)


def graphs(tasks: list[Task]) -> None:
    assert_type(load_graph("nightly.yaml"), TaskGraph)
    resolver = DependencyResolver(tasks)
    assert_type(resolver.tasks, tuple[Task, ...])
    assert_type(TaskScheduler(resolver).order(tasks), list[Task])
