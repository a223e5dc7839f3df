"""What the workflows in this folder need: ``taskengine up --import step_agents``, started here."""

from __future__ import annotations

from typing import Any

from taskengine import Task, TaskContext, agent


@agent("step_echo", capabilities={"echo"})
def echo(task: Task, context: TaskContext) -> dict[str, Any]:
    """Give back what it was given."""
    context.log(f"{task.name}: {task.input}")
    return dict(task.input)


@agent("count", capabilities={"count"})
def count(task: Task, context: TaskContext) -> dict[str, Any]:
    """One more than it was given, and whether that is enough."""
    reached = int(task.input["from"]) + 1
    return {"reached": reached, "is_enough": reached >= int(task.input["enough"])}
