"""A walk through the API: one task, a pipeline, a retry, a cancel, a workflow, agents, statistics.

    python examples/task_management_example.py

It brings its own worker (TaskExecutor) and, without TASKENGINE_REDIS_URL, its own server. A coordinator runs beside
it: retries and the closing of dependents are its work.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from taskengine import (  # noqa: E402
    DependencyResolver,
    RetryRules,
    Task,
    TaskAPI,
    TaskExecutionError,
    TaskExecutor,
    TaskFactory,
    TaskPriority,
    TaskScheduler,
    TaskStatus,
    TaskType,
    WorkflowBuilder,
    WorkflowStep,
)


async def one_task(api: TaskAPI) -> None:
    task = TaskFactory.create_code_analysis_task(
        name="Analyze Repository",
        repository_url="https://github.com/example/repo",
        analysis_type="complexity",
        created_by="user123",
        priority=TaskPriority.HIGH,
    )
    created = await api.create_task(task)
    print(f"Created task: {created.id}")
    execution = await api.execute_task(created.id, timeout=60)
    print(f"{execution.status}: {execution.result}, CPU {execution.resource_usage.cpu_percent} %")


async def pipeline(api: TaskAPI) -> None:
    analyses = [
        TaskFactory.create_code_analysis_task(
            name=f"Analyze {name}", repository_url=f"https://github.com/example/{name}",
            analysis_type="size", created_by="user123",
        )
        for name in ("a", "bb", "ccc")
    ]  # fmt: skip
    report = Task(name="Report", task_type=TaskType.TESTING, depends_on={task.id for task in analyses})
    resolver = DependencyResolver([*analyses, report])
    print("Order:", [task.name for task in TaskScheduler(resolver).order([*analyses, report])])
    await api.create_tasks([*analyses, report])
    done = await api.wait([report.id], timeout=60)
    print("Report:", done[0].result)
    plan = await api.get_execution_plan([report.id])
    print("Plan:", plan)


async def failure_and_retry(api: TaskAPI) -> None:
    rules = RetryRules(initial_interval=0.1)
    task = await api.create_task(Task(capability="flaky", input={"succeed_at": 3}, max_retries=5, retry=rules))
    execution = await api.execute_task(task.id, timeout=60)
    print(f"{execution.status} at attempt {execution.attempt}: {execution.result}")
    task = await api.create_task(Task(capability="flaky", input={"succeed_at": 9}, max_retries=1, retry=rules))
    try:
        await api.execute_task(task.id, timeout=60)
    except TaskExecutionError as exc:
        print(f"Failed, as expected: {exc}")
    for failed in await api.list_tasks(status=TaskStatus.FAILED):
        print(f"Failed task: {failed.name} - {failed.error_message}")


async def cancel(api: TaskAPI) -> None:
    task = await api.create_task(Task(capability="patient"))
    while (await api.get_task(task.id)).status is not TaskStatus.RUNNING:
        await asyncio.sleep(0.05)
    print("Cancelled:", await api.cancel_task_execution(task.id, "User requested"))
    ended = await api.wait([task.id], timeout=60)
    print(ended[0].status, "-", ended[0].reason)


async def workflow(api: TaskAPI) -> None:
    """Analyse each repository, test, and go on when somebody says so."""
    analyse = {"task_type": TaskType.CODE_ANALYSIS, "input": {"repository_url": "${item}"}}
    builder = WorkflowBuilder(
        "Check a release", created_by="user123",
        context={"repositories": ["https://github.com/example/a", "https://github.com/example/bb"]},
        outputs={"best": "${variables.best}", "passed": "${steps.tests.output.passed}"},
    )  # fmt: skip
    builder.add_map_step(
        "analyses", items="context.repositories", label="item",
        steps=[WorkflowStep(name="analyse", task_template=analyse)],
    )  # fmt: skip
    best = "${steps.analyses.output[1].score}"
    builder.add_task_step("tests", {"task_type": TaskType.TESTING}, outputs={"best": best})
    builder.add_conditional_step(
        "is_good", condition="steps.tests.output.passed",
        true_steps=[WorkflowStep(kind="wait", name="word", signal="release", timeout=60)],
    )  # fmt: skip
    handle = await api.start_workflow(builder.build())
    await handle.signal("release")  # a signal that comes before its step is kept for it
    done = await handle.result(timeout=60)
    print(f"Workflow {done.status}: {done.result}")
    print("Steps:", {step.path: step.status.value for step in (await handle.status()).steps})


async def agents(api: TaskAPI) -> None:
    """Who could run what, and one more, known by name before any worker serves it."""
    await api.register_agent("claude_agent_1", "claude", {"code_review"}, config={"model": "claude-sonnet-5"})
    for agent in await api.list_agents():
        can = ", ".join(sorted(agent.record.capabilities))
        print(f"Agent {agent.record.id} ({can}): {agent.status}, {agent.reason}")
    await api.unregister_agent("claude_agent_1")


async def main() -> None:
    async with TaskAPI() as api:
        await one_task(api)
        await pipeline(api)
        await failure_and_retry(api)
        await cancel(api)
        await workflow(api)
        await agents(api)
        statistics = await api.get_queue_statistics()
        print({name: statistics[name] for name in ("pending_tasks", "running_tasks", "completed_tasks")})
        print("Health:", (await api.health_check())["status"])


if __name__ == "__main__":
    coordinator = subprocess.Popen([sys.executable, "-m", "taskengine.coordinator"])
    try:
        with TaskExecutor(max_concurrent_tasks=2, resource_monitor_interval=1.0, imports=["example_agents"]):
            asyncio.run(main())
    finally:
        coordinator.terminate()
        coordinator.wait()
