"""The agents of the demo: one does the steps of :mod:`taskengine.demo.steps`, one the tasks of a mosaic."""

from __future__ import annotations

from typing import Any

from taskengine.agent import TaskContext, agent
from taskengine.demo import mosaic
from taskengine.demo.steps import analyse
from taskengine.models.task import Task


@agent("code_analyser", capabilities={"code_analysis"})
def code_analyser(task: Task, context: TaskContext) -> dict[str, Any]:
    """Do the step of a planned code analysis that the task's input names."""
    return analyse(task.input, context.results)


@agent("mosaic_maker", capabilities={mosaic.CAPABILITY})
def mosaic_maker(task: Task, _: TaskContext) -> dict[str, Any]:
    """Take the few milliseconds that a task of a mosaic takes."""
    return mosaic.work(task.input)
