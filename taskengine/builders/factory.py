"""One maker per built-in task type, so that clients and agents agree on what a task of a type carries.

Every argument of a maker that is not a field of :class:`Task` becomes an entry of ``input`` under its own
name: that is what the agent reads. Those that say *what* is worked on (a repository, an environment, a kind
of check) stand in ``metadata`` as well, because listings filter by metadata. None is left out. Entries that
the caller passes as ``input`` or ``metadata`` are added and win.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from pydantic import BaseModel, JsonValue

from taskengine.errors import InvalidInputError
from taskengine.models.enums import TaskPriority, TaskType, TriggerRule
from taskengine.models.task import RetryRules, Task

NORMAL = TaskPriority.NORMAL


class CommonFields(TypedDict, total=False):
    """Request fields of :class:`Task` that every maker passes on as they are."""

    id: UUID
    description: str | None
    assigned_to: str | None
    template: bool | None
    depends_on: set[UUID]
    trigger_rule: TriggerRule
    input: dict[str, JsonValue]
    metadata: dict[str, JsonValue]
    execution_context: dict[str, JsonValue]
    resource_requirements: dict[str, JsonValue]
    deadline: datetime | None
    scheduled_at: datetime | None
    expires_at: datetime | None
    hold: bool
    timeout: float | None
    queue_timeout: float | None
    heartbeat_timeout: float | None
    total_timeout: float | None
    max_retries: int
    retry: RetryRules | None
    output_schema: dict[str, JsonValue] | type[BaseModel] | None
    max_total_tokens: int | None
    estimated_seconds: float
    idempotency_key: str | None


class TaskFields(CommonFields, total=False):
    """The same, for makers whose capability is the task type unless the caller says otherwise."""

    capability: str | None


class TaskFactory:
    """Makers of tasks that are ready to submit.

    ``created_by`` defaults to the user of the system. A wrong or unknown field raises InvalidInputError
    naming it.
    """

    @staticmethod
    def create_code_analysis_task(
        name: str,
        repository_url: str,
        analysis_type: str,
        created_by: str | None = None,
        *,
        priority: TaskPriority = NORMAL,
        **fields: Unpack[TaskFields],
    ) -> Task:
        """Analyse a repository; *analysis_type* says for what, such as ``complexity`` or ``security``."""
        about = _required(repository_url=repository_url, analysis_type=analysis_type)
        return _make(TaskType.CODE_ANALYSIS, name, created_by, priority, about, {}, fields)

    @staticmethod
    def create_code_generation_task(
        name: str,
        prompt: str,
        created_by: str | None = None,
        *,
        repository_url: str | None = None,
        language: str | None = None,
        target_path: str | None = None,
        priority: TaskPriority = NORMAL,
        **fields: Unpack[TaskFields],
    ) -> Task:
        """Write code as *prompt* says, in *repository_url* at *target_path* where they are given."""
        about = {"repository_url": repository_url, "language": language}
        arguments = {**_required(prompt=prompt), "target_path": target_path}
        return _make(TaskType.CODE_GENERATION, name, created_by, priority, about, arguments, fields)

    @staticmethod
    def create_code_review_task(
        name: str,
        pull_request_url: str,
        created_by: str | None = None,
        *,
        review_type: str = "general",
        priority: TaskPriority = NORMAL,
        **fields: Unpack[TaskFields],
    ) -> Task:
        """Review a pull request; *review_type* narrows it, such as ``security`` or ``style``."""
        about = _required(pull_request_url=pull_request_url, review_type=review_type)
        return _make(TaskType.CODE_REVIEW, name, created_by, priority, about, {}, fields)

    @staticmethod
    def create_testing_task(
        name: str,
        repository_url: str,
        test_type: str = "unit",
        created_by: str | None = None,
        *,
        test_command: str | None = None,
        priority: TaskPriority = NORMAL,
        **fields: Unpack[TaskFields],
    ) -> Task:
        """Run the tests of a repository; *test_command* where the agent should not find out by itself."""
        about = _required(repository_url=repository_url, test_type=test_type)
        return _make(
            TaskType.TESTING, name, created_by, priority, about, {"test_command": test_command}, fields
        )

    @staticmethod
    def create_deployment_task(
        name: str,
        repository_url: str,
        environment: str,
        created_by: str | None = None,
        *,
        version: str | None = None,
        priority: TaskPriority = NORMAL,
        **fields: Unpack[TaskFields],
    ) -> Task:
        """Deploy *version* (None: as the agent chooses) of a repository to an environment."""
        about = {**_required(repository_url=repository_url, environment=environment), "version": version}
        return _make(TaskType.DEPLOYMENT, name, created_by, priority, about, {}, fields)

    @staticmethod
    def create_monitoring_task(
        name: str,
        target: str,
        created_by: str | None = None,
        *,
        metrics: Sequence[str] = (),
        duration_seconds: float | None = None,
        priority: TaskPriority = NORMAL,
        **fields: Unpack[TaskFields],
    ) -> Task:
        """Watch *target* (a URL or a system's name); no *metrics* means all, no duration one look."""
        arguments: dict[str, JsonValue] = {"metrics": list(metrics), "duration_seconds": duration_seconds}
        about = _required(target=target)
        return _make(TaskType.MONITORING, name, created_by, priority, about, arguments, fields)

    @staticmethod
    def create_workflow_task(
        name: str,
        workflow: str,
        created_by: str | None = None,
        *,
        variables: Mapping[str, JsonValue] | None = None,
        priority: TaskPriority = NORMAL,
        **fields: Unpack[TaskFields],
    ) -> Task:
        """Have an agent carry out the workflow that it knows as *workflow*, with these *variables*."""
        arguments: dict[str, JsonValue] = {"variables": dict(variables or {})}
        about = _required(workflow=workflow)
        return _make(TaskType.WORKFLOW, name, created_by, priority, about, arguments, fields)

    @staticmethod
    def create_custom_task(
        name: str,
        capability: str | None = None,
        created_by: str | None = None,
        *,
        priority: TaskPriority = NORMAL,
        **fields: Unpack[CommonFields],
    ) -> Task:
        """Work for your own agents: those that offer *capability* (None: ``custom``); pass its ``input``."""
        return _make(
            TaskType.CUSTOM, name, created_by, priority, {}, {}, {**fields, "capability": capability}
        )


def _make(
    task_type: TaskType,
    name: str,
    created_by: str | None,
    priority: TaskPriority,
    about: Mapping[str, JsonValue],
    arguments: Mapping[str, JsonValue],
    fields: TaskFields,
) -> Task:
    """*about* goes to metadata and input, *arguments* to input alone."""
    return Task.model_validate(
        {
            **fields,
            **({} if created_by is None else {"created_by": created_by}),
            "name": name,
            "task_type": task_type,
            "priority": priority,
            "input": _with({**about, **arguments}, fields.get("input")),
            "metadata": _with(about, fields.get("metadata")),
        }
    )


def _with(made: Mapping[str, JsonValue], given: dict[str, JsonValue] | None) -> object:
    """Return what is made, unless None, under what was given; the model refuses what is given and is no dict."""
    kept = {key: value for key, value in made.items() if value is not None}
    return {**kept, **given} if isinstance(given, dict) else kept if given is None else given


def _required(**arguments: str) -> dict[str, JsonValue]:
    for field, value in arguments.items():
        if not isinstance(value, str) or not value.strip():
            raise InvalidInputError(f"{field} is {value!r}; give a text that is not empty", field=field)
    return dict(arguments)
