"""The agent of the demo: it does the steps of :mod:`taskengine.demo.steps`."""

from __future__ import annotations

from typing import Any

from taskengine.agent import TaskContext, agent
from taskengine.demo.steps import analyse
from taskengine.models.task import Task


@agent("code_analyser", capabilities={"code_analysis"})
def code_analyser(task: Task, context: TaskContext) -> dict[str, Any]:
    """Do the step of a planned code analysis that the task's input names."""
    return analyse(task.input, context.results)
