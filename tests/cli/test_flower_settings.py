"""What Flower's list shows of our tasks, and what its metrics count."""

from __future__ import annotations

import json
from types import FunctionType

import pytest
from celery.events.state import Task

from taskengine.cli import flower_settings
from taskengine.store.replies import Assignment
from workers import events


def event_of(name: str) -> Task:
    """A task as Flower keeps it, made of the event that a worker sends."""
    note = events.started(Assignment("execution", "task", 1, 0, "run", name, "{}", 0, ""), "lint")
    received, _ = events.rendered(note, events.origin("node", 0, 1), lambda: 1)
    return Task(**json.loads(received))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("build docs", "build docs (lint)"),
        ("it's, task=x", "it's, task=x (lint)"),
        ("n" * 300, "n" * 80 + " (lint)"),
    ],
)
def test_the_list_shows_the_tasks_name_and_its_agent(name: str, shown: str) -> None:
    task = event_of(name)
    assert task.name == "lint", "Flower makes a label of its metrics of it"
    assert flower_settings.format_task(task).name == shown


@pytest.mark.parametrize("args", [None, "", "(1, 2)"])
def test_tasks_that_are_not_ours_stay_as_they_are(args: str | None) -> None:
    assert flower_settings.format_task(Task(uuid="x", name="other", args=args)).name == "other"


def test_flower_takes_a_function_and_nothing_else() -> None:
    assert type(flower_settings.format_task) is FunctionType
