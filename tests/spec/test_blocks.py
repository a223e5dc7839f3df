"""The manual's code blocks as they are written, against a server, a coordinator and workers; only the import differs.

``print`` and ``await`` stand as in the manual. Where a block continues another one's story, its names are handed in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from taskengine import (
    DependencyResolver,
    NotAllowedError,
    RetryRules,
    Task,
    TaskAPI,
    TaskCreateRequest,
    TaskExecutionError,
    TaskPriority,
    TaskScheduler,
    TaskStatus,
    TaskType,
    TaskUpdateRequest,
)

from ..fleet import Fleet
from .conftest import Run

NOW = RetryRules(initial_interval=0.05, jitter=0)


@pytest.fixture
async def api(here: Fleet) -> AsyncIterator[TaskAPI]:
    async with TaskAPI() as opened:
        yield opened


async def test_basic_task_creation(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    names = await run("""
        from taskengine import TaskAPI, TaskFactory, TaskPriority

        # Initialize the API
        api = TaskAPI()

        # Create a code analysis task
        task = TaskFactory.create_code_analysis_task(
            name="Analyze Repository",
            repository_url="https://github.com/example/repo",
            analysis_type="complexity",
            created_by="user123",
            priority=TaskPriority.HIGH
        )

        # Add to system
        task_response = await api.create_task(task)
        print(f"Created task: {task_response.id}")
        """)
    task, api = names["task"], names["api"]
    assert capsys.readouterr().out == f"Created task: {task.id}\n"
    (done,) = await api.wait([task.id], timeout=20)
    assert (done.status, done.created_by, done.priority) == (TaskStatus.COMPLETED, "user123", TaskPriority.HIGH)
    await api.close()


async def test_adding_dependencies(run: Run, api: TaskAPI) -> None:
    names = await run("""
        # Create tasks with dependencies
        task1 = Task(name="Setup")
        task2 = Task(name="Build", depends_on={task1.id})
        task3 = Task(name="Test", depends_on={task2.id})

        # Or add dependencies later
        task3.add_dependency(task2.id)
        """)
    tasks = [names[f"task{n}"] for n in (1, 2, 3)]
    assert [len(task.depends_on) for task in tasks] == [0, 1, 1]
    await api.create_tasks(tasks)
    first, second, third = await api.wait([task.id for task in tasks], timeout=20)
    assert first.completed_at <= second.started_at
    assert second.completed_at <= third.started_at


async def test_dependency_validation_and_execution_order(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    setup = Task(name="Setup")
    task = Task(name="Build", depends_on={setup.id})
    dependency_resolver = DependencyResolver()
    dependency_resolver.add_task(task)
    validate = """
        # Get validation errors
        errors = dependency_resolver.validate_dependencies(task)
        if errors:
            print(f"Validation failed: {errors}")
        """
    await run(validate, dependency_resolver=dependency_resolver, task=task)
    assert f"depends_on names {setup.id}" in capsys.readouterr().out
    dependency_resolver.add_task(setup)
    await run(validate, dependency_resolver=dependency_resolver, task=task)
    assert capsys.readouterr().out == ""
    names = await run(
        """
        # Get topological execution order
        execution_order = dependency_resolver.get_execution_order()
        print(f"Execute tasks in order: {execution_order}")
        """,
        dependency_resolver=dependency_resolver,
    )
    assert names["execution_order"] == [setup.id, task.id]
    assert str(setup.id) in capsys.readouterr().out


async def test_circular_dependencies_are_detected(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    chicken, egg = Task(name="chicken"), Task(name="egg")
    chicken.add_dependency(egg.id)
    egg.add_dependency(chicken.id)
    await run(
        """
        # Check for circular dependencies
        try:
            execution_order = dependency_resolver.get_execution_order()
        except CircularDependencyError as e:
            print(f"Circular dependency detected: {e}")
        """,
        dependency_resolver=DependencyResolver([chicken, egg]),
    )
    said = capsys.readouterr().out
    assert said.startswith("Circular dependency detected: dependencies form a cycle: ")
    assert "chicken -> egg -> chicken" in said or "egg -> chicken -> egg" in said


async def test_queue_statistics(run: Run, api: TaskAPI, capsys: pytest.CaptureFixture[str]) -> None:
    names = await run(
        """
        # Get task queue statistics
        stats = await api.get_queue_statistics()
        print(f"Pending: {stats['pending_tasks']}")
        print(f"Running: {stats['running_tasks']}")
        print(f"Completed: {stats['completed_tasks']}")
        """,
        api=api,
    )
    stats = names["stats"]
    assert capsys.readouterr().out.splitlines() == [
        f"Pending: {stats['pending_tasks']}", f"Running: {stats['running_tasks']}",
        f"Completed: {stats['completed_tasks']}",
    ]  # fmt: skip
    assert all(stats[f"{status.value}_tasks"] >= 0 for status in TaskStatus)


async def test_retry_mechanisms(run: Run, api: TaskAPI) -> None:
    names = await run("""
        task = Task(
            name="Retry Task",
            max_retries=3,  # Retry up to 3 times
            # ... other fields
        )

        # Check if task can be retried
        if task.can_retry():
            task.increment_retry()
            # Re-execute task
        """)
    task = names["task"]
    assert (task.retry_count, task.can_retry()) == (1, True)
    stored = await api.create_task(task)
    assert stored.retry_count == 0  # the engine keeps its own count


async def test_error_recovery(run: Run, api: TaskAPI) -> None:
    class Logger:
        said: list[str] = []  # noqa: RUF012  # one block, one list

        def log_error(self, message: str) -> None:
            self.said.append(message)

    new = Task(capability="work", input={"do": "fail", "times": 2}, max_retries=1, retry=NOW)
    task = await api.create_task(new)
    await run(
        """
        # Handle task execution errors
        try:
            execution = await api.execute_task(task_id)
        except Exception as e:
            # Log error and potentially retry
            logger.log_error(f"Task execution failed: {e}")

            # Check if retry is possible
            if task.can_retry():
                await api.retry_task(task_id)
        """,
        api=api,
        task=new,  # as it was made: the stored one may have failed once before it is told
        task_id=task.id,
        logger=Logger(),
    )
    assert "ValueError: no luck" in Logger.said[0]
    done = await api.get_task(task.id)
    assert (done.status, done.attempt) == (TaskStatus.COMPLETED, 3)


async def test_cancellation(run: Run, api: TaskAPI, here: Fleet) -> None:
    task = await api.create_task(Task(capability="work", input={"do": "patient"}))
    here.until_status(str(task.id), "running")
    names = await run(
        """
        # Cancel running task
        success = await api.cancel_task_execution(task_id, "User requested")
        """,
        api=api,
        task_id=task.id,
    )
    assert names["success"] is True
    (ended,) = await api.wait([task.id], timeout=20)
    assert (ended.status, ended.reason) == (TaskStatus.CANCELLED, "User requested")


async def test_resource_requirements(run: Run, api: TaskAPI) -> None:
    names = await run("""
        task = Task(
            name="Resource Intensive Task",
            resource_requirements={
                "cpu_cores": 4,
                "memory_gb": 8,
                "disk_gb": 20,
                "gpu_memory_gb": 2
            }
        )
        """)
    stored = await api.create_task(names["task"])
    assert stored.resource_requirements == {"cpu_cores": 4, "memory_gb": 8, "disk_gb": 20, "gpu_memory_gb": 2}


async def test_resource_monitoring(run: Run, api: TaskAPI, capsys: pytest.CaptureFixture[str]) -> None:
    task = await api.create_task(Task(task_type=TaskType.CODE_ANALYSIS))
    await api.wait([task.id], timeout=20)
    names = await run(
        """
        # Resource usage is automatically tracked
        execution = await api.get_task_execution(task_id)
        if execution:
            usage = execution.resource_usage
            print(f"CPU: {usage.cpu_percent}%")
            print(f"Memory: {usage.memory_mb}MB")
        """,
        api=api,
        task_id=task.id,
    )
    usage = names["usage"]
    assert usage.cpu_percent > 0
    assert usage.memory_mb > 1
    assert usage.wall_seconds > 0
    assert capsys.readouterr().out == f"CPU: {usage.cpu_percent}%\nMemory: {usage.memory_mb}MB\n"
    execution = names["execution"]
    assert (execution.executor_id, execution.task_id) == ("codegen_agent_1", task.id)
    assert [(line.message, line.metadata) for line in execution.logs] == [("analysed", {"repository": None})]


async def test_task_operations(run: Run, api: TaskAPI) -> None:
    names = await run(
        """
        # Create task
        task_response = await api.create_task(create_request)
        """,
        api=api,
        create_request=TaskCreateRequest(name="Held", hold=True, assigned_to="agent_id"),
    )
    task_id = names["task_response"].id
    names = await run(
        """
        # Get task
        task = await api.get_task(task_id)

        # Update task
        updated_task = await api.update_task(task_id, update_request)
        """,
        api=api,
        task_id=task_id,
        update_request=TaskUpdateRequest(name="Renamed", priority=TaskPriority.URGENT),
    )
    assert (names["task"].name, names["task"].status) == ("Held", TaskStatus.PENDING)
    assert (names["updated_task"].name, names["updated_task"].priority) == ("Renamed", TaskPriority.URGENT)
    delete = """
        # Delete task
        success = await api.delete_task(task_id)
        """
    with pytest.raises(NotAllowedError, match="cancel it first, or pass cascade=True"):
        await run(delete, api=api, task_id=task_id)
    await api.cancel_task_execution(task_id)
    assert (await run(delete, api=api, task_id=task_id))["success"] is True
    assert (await run(delete, api=api, task_id=task_id))["success"] is False


async def test_list_tasks_with_filtering(run: Run, api: TaskAPI, here: Fleet) -> None:
    mine = await api.create_task(Task(capability="work", assigned_to="worker", input={"do": "patient"}))
    here.until_status(str(mine.id), "running")
    names = await run(
        """
        # List tasks with filtering
        tasks = await api.list_tasks(
            status=TaskStatus.RUNNING,
            assigned_to="worker",
            limit=50
        )
        """,
        api=api,
    )
    assert [task.id for task in names["tasks"]] == [mine.id]
    await api.cancel_task_execution(mine.id)
    await api.wait([mine.id], timeout=20)


async def test_execution_operations(run: Run, api: TaskAPI) -> None:
    task = await api.create_task(Task(name="Review", task_type=TaskType.CODE_REVIEW, hold=True))
    names = await run(
        """
        # Execute task
        execution = await api.execute_task(task_id, agent_id)
        """,
        api=api,
        task_id=task.id,
        agent_id="claude_agent_1",
    )
    execution = names["execution"]
    assert (execution.task_id, execution.executor_id, execution.status) == (task.id, "claude_agent_1", "completed")
    names = await run(
        """
        # Cancel execution
        success = await api.cancel_task_execution(task_id, "reason")

        # Get execution status
        execution = await api.get_task_execution(task_id)
        """,
        api=api,
        task_id=task.id,
    )
    assert names["success"] is False  # it was over
    assert names["execution"] == execution


async def test_retry_of_a_failed_task(run: Run, api: TaskAPI) -> None:
    task = await api.create_task(Task(capability="work", input={"do": "fail", "times": 1}, max_retries=0))
    with pytest.raises(TaskExecutionError):
        await api.execute_task(task.id)
    names = await run(
        """
        # Retry failed task
        execution = await api.retry_task(task_id)
        """,
        api=api,
        task_id=task.id,
    )
    assert (names["execution"].status, names["execution"].attempt) == ("completed", 2)


async def test_failed_tasks(run: Run, api: TaskAPI, capsys: pytest.CaptureFixture[str]) -> None:
    broken = await api.create_task(Task(name="Broken", capability="work", input={"do": "fail"}, max_retries=0))
    await api.wait([broken.id], timeout=20)
    await run(
        """
        # Check failed tasks
        failed_tasks = await api.list_tasks(status=TaskStatus.FAILED)
        for task in failed_tasks:
            print(f"Failed task: {task.name} - {task.error_message}")
        """,
        api=api,
    )
    assert "Failed task: Broken - ValueError: no luck (fleet_agents.py:" in capsys.readouterr().out


async def test_monitoring_operations(run: Run, api: TaskAPI) -> None:
    setup = Task(name="Setup", hold=True)
    build = Task(name="Build", depends_on={setup.id})
    run_id = (await api.create_tasks([setup, build]))[0].run_id
    names = await run(
        """
        # Queue statistics
        stats = await api.get_queue_statistics()

        # Dependency graph
        graph = await api.get_dependency_graph()

        # Execution plan
        plan = await api.get_execution_plan(task_ids)
        """,
        api=api,
        task_ids=[setup.id, build.id],
    )
    assert names["stats"]["pending_tasks"] >= 2
    edge = {"source": str(setup.id), "target": str(build.id)}
    assert edge in names["graph"]["edges"]
    assert (await api.get_dependency_graph(run_id))["edges"] == [edge]
    assert names["plan"]["waves"] == [[str(setup.id)], [str(build.id)]]
    assert names["plan"]["critical_path"] == [str(setup.id), str(build.id)]
    await api.delete_task(build.id, cascade=True)
    await api.delete_task(setup.id, cascade=True)


async def test_scheduler_configuration(run: Run) -> None:
    names = await run(
        """
        # Configure scheduler
        scheduler = TaskScheduler(dependency_resolver)

        # Configure API
        api = TaskAPI()
        """,
        dependency_resolver=DependencyResolver(),
    )
    scheduler, api = names["scheduler"], names["api"]
    assert isinstance(scheduler, TaskScheduler)
    late, early = Task(name="late"), Task(name="early", priority=TaskPriority.CRITICAL)
    assert scheduler.order([late, early]) == [early, late]
    assert (await api.health_check())["status"]
    await api.close()


async def test_system_health(run: Run, api: TaskAPI, capsys: pytest.CaptureFixture[str]) -> None:
    names = await run(
        """
        health = await api.health_check()
        print(f"System status: {health['status']}")
        """,
        api=api,
    )
    assert capsys.readouterr().out == "System status: healthy\n", names["health"]


@pytest.mark.parametrize("kind", TaskType)
async def test_every_built_in_type_reaches_an_agent_that_offers_it(api: TaskAPI, kind: TaskType) -> None:
    task = await api.create_task(Task(task_type=kind, description="what it is about"))
    execution = await api.execute_task(task.id, timeout=20)
    assert execution.status.value == "completed"
    assert isinstance(execution.result, dict)
    assert isinstance(execution.id, UUID)
