"""Laws of TaskFactory: a maker per type, what agents read in input, what listings filter by in metadata."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from taskengine.builders import TaskFactory
from taskengine.builders.factory import CommonFields, TaskFields
from taskengine.errors import InvalidInputError
from taskengine.models import RetryRules, Task, TaskPriority, TaskType
from taskengine.models.task import STATE_FIELDS

from ..cases import each

REPO = "https://github.com/example/repo"
PULL = "https://github.com/example/repo/pull/123"

#: Maker, its arguments, the input that must come of them, and which entries stand in metadata too.
MAKERS: list[tuple[TaskType, dict[str, Any], dict[str, Any], set[str]]] = [
    (
        TaskType.CODE_ANALYSIS,
        {"repository_url": REPO, "analysis_type": "complexity"},
        {"repository_url": REPO, "analysis_type": "complexity"},
        {"repository_url", "analysis_type"},
    ),
    (
        TaskType.CODE_GENERATION,
        {
            "prompt": "write a parser",
            "repository_url": REPO,
            "language": "python",
            "target_path": "src/parser.py",
        },
        {
            "prompt": "write a parser",
            "repository_url": REPO,
            "language": "python",
            "target_path": "src/parser.py",
        },
        {"repository_url", "language"},
    ),
    (TaskType.CODE_GENERATION, {"prompt": "write a parser"}, {"prompt": "write a parser"}, set()),
    (
        TaskType.CODE_REVIEW,
        {"pull_request_url": PULL},
        {"pull_request_url": PULL, "review_type": "general"},
        {"pull_request_url", "review_type"},
    ),
    (
        TaskType.TESTING,
        {"repository_url": REPO, "test_type": "integration", "test_command": "pytest -q"},
        {"repository_url": REPO, "test_type": "integration", "test_command": "pytest -q"},
        {"repository_url", "test_type"},
    ),
    (
        TaskType.TESTING,
        {"repository_url": REPO},
        {"repository_url": REPO, "test_type": "unit"},
        {"repository_url", "test_type"},
    ),
    (
        TaskType.DEPLOYMENT,
        {"repository_url": REPO, "environment": "staging", "version": "1.2.0"},
        {"repository_url": REPO, "environment": "staging", "version": "1.2.0"},
        {"repository_url", "environment", "version"},
    ),
    (
        TaskType.MONITORING,
        {"target": "https://example.com/health", "metrics": ["latency"], "duration_seconds": 60},
        {"target": "https://example.com/health", "metrics": ["latency"], "duration_seconds": 60},
        {"target"},
    ),
    (TaskType.MONITORING, {"target": "db1"}, {"target": "db1", "metrics": []}, {"target"}),
    (
        TaskType.WORKFLOW,
        {"workflow": "nightly", "variables": {"branch": "main"}},
        {"workflow": "nightly", "variables": {"branch": "main"}},
        {"workflow"},
    ),
    (TaskType.CUSTOM, {}, {}, set()),
]


def maker(task_type: TaskType) -> Any:
    return getattr(TaskFactory, f"create_{task_type.value}_task")


@each(("task_type", "arguments", "expected_input", "labels"), MAKERS)
def test_maker_fills_type_input_and_metadata(
    task_type: TaskType, arguments: dict[str, Any], expected_input: dict[str, Any], labels: set[str]
) -> None:
    id = uuid4()
    task = maker(task_type)(name="a task", created_by="user123", id=id, **arguments)
    assert task == Task(
        id=id,
        name="a task",
        created_by="user123",
        task_type=task_type,
        capability=task_type.value,
        input=expected_input,
        metadata={key: expected_input[key] for key in labels},
    )


def test_every_built_in_task_type_has_its_maker() -> None:
    assert {kind for kind, *_ in MAKERS} == set(TaskType)
    made = {
        name for name, _ in inspect.getmembers(TaskFactory, inspect.isfunction) if name.startswith("create_")
    }
    assert made == {f"create_{kind.value}_task" for kind in TaskType}


@each(("task_type", "arguments"), [case[:2] for case in MAKERS])
def test_maker_passes_every_request_field_on(task_type: TaskType, arguments: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "id": uuid4(),
        "description": "why",
        "capability": "special",
        "assigned_to": "agent_1",
        "depends_on": {uuid4()},
        "execution_context": {"dry": True},
        "resource_requirements": {"cpu_cores": 4},
        "deadline": datetime(2030, 1, 1, tzinfo=UTC),
        "scheduled_at": datetime(2029, 1, 1, tzinfo=UTC),
        "hold": True,
        "timeout": 5.0,
        "max_retries": 1,
        "retry": RetryRules(jitter=0),
        "estimated_seconds": 9.0,
        "idempotency_key": "once",
    }
    task = maker(task_type)(name="a task", priority=TaskPriority.URGENT, **arguments, **fields)
    assert {key: getattr(task, key) for key in fields} == fields
    assert task.priority is TaskPriority.URGENT


def test_spec_example_makes_a_high_priority_analysis() -> None:
    task = TaskFactory.create_code_analysis_task(
        name="Analyze Repository",
        repository_url=REPO,
        analysis_type="complexity",
        created_by="user123",
        priority=TaskPriority.HIGH,
    )
    assert (task.name, task.priority, task.queue) == ("Analyze Repository", TaskPriority.HIGH, "code_analysis")


def test_given_input_and_metadata_are_added_and_win() -> None:
    task = TaskFactory.create_testing_task(
        "t",
        REPO,
        input={"test_type": "smoke", "shard": 3},
        metadata={"team": "core", "repository_url": "mirror"},
    )
    assert task.input == {"repository_url": REPO, "test_type": "smoke", "shard": 3}
    assert task.metadata == {"repository_url": "mirror", "test_type": "unit", "team": "core"}


def test_custom_task_reaches_the_capability_it_names() -> None:
    task = TaskFactory.create_custom_task("Lint", "lint", input={"path": "src"})
    assert (task.task_type, task.capability, task.input) == (TaskType.CUSTOM, "lint", {"path": "src"})


def test_creator_defaults_to_the_user_of_the_system() -> None:
    assert TaskFactory.create_custom_task("t").created_by == Task().created_by


def test_two_tasks_of_a_maker_are_two_tasks() -> None:
    assert TaskFactory.create_custom_task("t").id != TaskFactory.create_custom_task("t").id


def test_task_of_a_maker_survives_json() -> None:
    task = TaskFactory.create_monitoring_task("m", "db1", metrics=("latency",), duration_seconds=1.5)
    assert Task.model_validate_json(task.model_dump_json()) == task


@pytest.mark.parametrize("empty", ["", "  ", None, 7])
def test_missing_text_is_refused_by_its_name(empty: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"repository_url is .*not empty") as caught:
        TaskFactory.create_code_analysis_task("t", empty, "complexity")
    assert caught.value.field == "repository_url"


@each(
    ("fields", "field"),
    [
        ({"timeout": -1}, "timeout"),
        ({"colour": "red"}, "colour"),
        ({"input": ["no", "object"]}, "input"),
        ({"metadata": {"when": object()}}, "metadata"),
        ({"capability": "two words"}, "capability"),
        ({"created_by": ""}, "created_by"),
        ({"priority": 6}, "priority"),
    ],
)
def test_wrong_or_unknown_field_is_refused_by_its_name(fields: dict[str, Any], field: str) -> None:
    make: Any = TaskFactory.create_deployment_task
    with pytest.raises(InvalidInputError, match=field) as caught:
        make("t", REPO, "staging", **fields)
    assert str(caught.value.field).startswith(field)


def test_declared_fields_are_the_request_fields_of_a_task() -> None:
    named_by_every_maker = {"name", "task_type", "created_by", "priority"}
    assert set(TaskFields.__annotations__) == set(Task.model_fields) - STATE_FIELDS - named_by_every_maker
    assert set(TaskFields.__annotations__) - set(CommonFields.__annotations__) == {"capability"}
