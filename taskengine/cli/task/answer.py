"""``taskengine task answer``: say what a task asks for, which lets it go on."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import JsonValue

from taskengine.api.arguments import user
from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption
from taskengine.cli.output import answer as show
from taskengine.cli.place import asking
from taskengine.cli.task import view
from taskengine.cli.task.options import Id
from taskengine.cli.task.values import arguments
from taskengine.models import Task
from taskengine.models.question import QuestionKind

app = typer.Typer()


@command(
    app,
    "taskengine task answer ID yes",
    "taskengine task answer ID '{\"hosts\": 3}' --by ann     where it asks for a form; @FILE and - too",
    "taskengine task list --asking                       what waits for an answer",
)
def answer(
    id: Id,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Text, one of the options, or the form as JSON.")],
    question: Annotated[
        str | None, typer.Option(metavar="QUESTION", help="Only this question.", show_default="what it asks now")
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who says so.", show_default="you")] = None,
    output: OutputOption = None,
) -> None:
    """Answer what a task asks, so that it goes on. Who says so is recorded, not proven."""
    with asking() as api:
        task = api.answer(id, _given(api.get_task(id), value), question_id=question, by=user(by, "by"))
    show(view.as_json(task), f"{task.id} was answered, and is {task.status.value}")


def _given(task: Task, value: str) -> JsonValue:
    is_form = task.question is not None and task.question.kind is QuestionKind.FORM
    return arguments(value, "VALUE") if is_form else value
