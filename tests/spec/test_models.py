"""The manual's nouns: every field with its type, every word of the vocabularies, and the methods of a task."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import Enum
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import pytest
from pydantic import JsonValue

from taskengine import (
    CircularDependencyError,
    ExecutionLog,
    ExecutionStatus,
    InvalidInputError,
    ResourceUsage,
    Task,
    TaskCreateRequest,
    TaskExecution,
    TaskPriority,
    TaskStatus,
    TaskType,
    TaskUpdateRequest,
)
from taskengine.models import AgentStatus, LogLevel, TaskFilter, WorkflowStatus

from ..cases import each

JSON = dict[str, JsonValue]


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (
            Task,
            {
                "id": UUID,
                "name": str,
                "description": str | None,
                "task_type": TaskType,
                "status": TaskStatus,
                "priority": TaskPriority,
                "created_by": str,
                "assigned_to": str | None,
                "depends_on": set[UUID],
                "metadata": JSON,
                "execution_context": JSON,
                "resource_requirements": JSON,
                "max_retries": int,
                "retry_count": int,
                "error_message": str | None,
                "capability": str | None,
                "input": JSON,
                "deadline": datetime | None,
                "scheduled_at": datetime | None,
                "timeout": float | None,
                "created_at": datetime | None,
                "started_at": datetime | None,
                "completed_at": datetime | None,
                "result": JSON | None,
            },
        ),
        (
            TaskExecution,
            {
                "id": UUID,
                "task_id": UUID,
                "executor_id": str | None,  # nobody's while it is QUEUED
                "status": ExecutionStatus,
                "resource_usage": ResourceUsage,
                "result": JSON | None,
                "logs": list[ExecutionLog],
                "node": str | None,
                "attempt": int,
                "started_at": datetime | None,
                "completed_at": datetime | None,
                "error_message": str | None,
            },
        ),
        (ExecutionLog, {"timestamp": datetime, "level": LogLevel, "message": str, "metadata": JSON}),
        (ResourceUsage, {"cpu_percent": float | None, "memory_mb": float | None, "custom": dict[str, float]}),
    ],
)
def test_every_field_of_a_noun_has_its_type(model: type, fields: dict[str, Any]) -> None:
    hints = get_type_hints(model)
    assert {name: hints.get(name) for name in fields} == fields


@each(
    ("words", "expected"),
    [
        (
            TaskType,
            "code_analysis code_generation code_review testing deployment monitoring workflow custom",
        ),
        (TaskStatus, "pending ready running completed failed cancelled paused retrying"),
        (ExecutionStatus, "queued running completed failed cancelled timed_out lost"),
        (WorkflowStatus, "pending running paused completed failed cancelling cancelled"),
        (AgentStatus, "online busy paused draining offline"),
        (LogLevel, "debug info warning error"),
    ],
)
def test_vocabularies_are_closed_and_spelled_as_in_the_manual(words: type[Enum], expected: str) -> None:
    assert [word.value for word in words] == expected.split()
    assert [word.name.lower() for word in words] == expected.split()


def test_priorities_go_from_one_to_five() -> None:
    assert {word.name: word.value for word in TaskPriority} == {
        "LOW": 1, "NORMAL": 2, "HIGH": 3, "URGENT": 4, "CRITICAL": 5,
    }  # fmt: skip


@each("given", ["high", "HIGH", 3, "3", TaskPriority.HIGH])
def test_a_priority_may_be_given_by_name_wherever_one_is_asked_for(given: Any) -> None:
    for noun in (Task, TaskCreateRequest, TaskUpdateRequest, TaskFilter):
        assert noun(priority=given).priority is TaskPriority.HIGH
    assert Task.model_validate_json(json.dumps({"priority": given})).priority is TaskPriority.HIGH
    task = Task()
    task.priority = given
    assert task.priority is TaskPriority.HIGH
    for wrong in ("highest", "", "0", None):
        with pytest.raises(InvalidInputError) as refused:
            Task(priority=wrong)
        assert refused.value.field == "priority"
        assert "use one of low, normal, high, urgent, critical, got" in str(refused.value)


def test_a_task_needs_nothing_and_gets_its_defaults() -> None:
    task = Task()
    assert (task.name, task.capability, task.task_type) == ("custom", "custom", TaskType.CUSTOM)
    assert (task.status, task.priority) == (TaskStatus.PENDING, TaskPriority.NORMAL)
    assert task.created_by
    assert (task.depends_on, task.metadata, task.max_retries, task.retry_count) == (set(), {}, 3, 0)
    assert Task(task_type="testing").name == "testing"
    assert Task().id != task.id


def test_a_task_can_be_retried_until_its_retries_are_spent() -> None:
    task = Task(name="Retry Task", max_retries=2)
    counted = []
    while task.can_retry():
        task.increment_retry()
        counted.append(task.retry_count)
    assert counted == [1, 2]
    assert not Task(max_retries=0).can_retry()


def test_a_dependency_is_added_once_and_never_on_itself() -> None:
    task, other = Task(name="Test"), Task(name="Build")
    task.add_dependency(other.id)
    task.add_dependency(other.id)
    assert task.depends_on == {other.id}
    with pytest.raises(CircularDependencyError, match="Test -> Test") as refused:
        task.add_dependency(task.id)
    assert (refused.value.field, task.depends_on) == ("depends_on", {other.id})


def test_an_assignment_is_checked_like_a_field() -> None:
    task = Task(name="a")
    for field, value in {"priority": 9, "timeout": -1, "status": "done", "colour": "red"}.items():
        with pytest.raises(InvalidInputError) as refused:
            setattr(task, field, value)
        assert refused.value.field == field
    task.priority = "5"
    assert task.priority is TaskPriority.CRITICAL


def test_an_execution_knows_how_long_it_took() -> None:
    begin = datetime(2030, 1, 1, tzinfo=UTC)
    execution = TaskExecution(id=uuid4(), task_id=uuid4(), started_at=begin)
    assert execution.duration_seconds is None
    execution.completed_at = begin.replace(second=3)
    assert execution.duration_seconds == 3.0
    assert (execution.logs, execution.resource_usage) == ([], ResourceUsage())
