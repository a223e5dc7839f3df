"""Tasks of the type WORKFLOW: each runs a registered workflow, holds no slot, and is seen as any task."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import (
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    Task,
    TaskCreateRequest,
    TaskFactory,
    TaskType,
    TriggerRule,
    WorkflowDefinition,
    WorkflowStep,
)  # fmt: skip
from taskengine.testing import Engine

from .conftest import QUEUE, work


def step(name: str, fails: int = 0, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(fails=fails, gives={"by": name}), **more)


def register(engine: Engine, *steps: WorkflowStep, **more: Any) -> None:
    engine.api.register_workflow(WorkflowDefinition(name="nightly", steps=steps, **more))


def ask(name: str = "w", *on: Task, **input: Any) -> Task:
    depends_on = {one.id for one in on}
    return Task(
        name=name, task_type=TaskType.WORKFLOW, input={"workflow": "nightly", **input}, depends_on=depends_on
    )


def plain(name: str, *on: Task) -> Task:
    return Task(name=name, capability=QUEUE, depends_on={one.id for one in on})


def test_it_runs_between_tasks_and_its_result_is_the_workflows(engine: Engine) -> None:
    got = WorkflowStep(name="x", task_template=work(gives={"got": "${context.branch} ${variables.n}"}))
    register(engine, got, outputs={"o": "${steps.x.output.got}"}, context={"branch": "main"})
    before = plain("before")
    task = ask("w", before, variables={"n": 5})
    after = plain("after", task)
    engine.submit(before, task, after)
    assert engine.task(task).status == "pending"
    engine.run_until_idle()
    assert engine.ran == ["before", "x", "after"]
    done = engine.task(task)
    assert (done.status, done.result) == ("completed", {"o": "main 5"})
    assert {one.name: one.status.value for one in engine.api.list_tasks()} == dict.fromkeys(
        ("before", "w", "after", "x"), "completed"
    )


def test_it_is_running_while_its_steps_are(engine: Engine) -> None:
    register(engine, WorkflowStep(name="held", task_template=work() | {"hold": True}))
    task = ask()
    engine.submit(task)
    engine.run_until_idle()
    assert engine.task(task).status == "running"
    assert [one.id for one in engine.api.list_tasks("running")] == [task.id]
    assert engine.api.cancel_task(task.id, "enough") is True
    engine.run_until_idle()
    over = engine.task(task)
    assert (over.status, over.reason) == ("cancelled", "enough")
    assert {one.status.value for one in engine.api.list_tasks()} == {"cancelled"}


def test_its_failure_is_the_tasks_and_a_retry_goes_on_where_it_failed(engine: Engine) -> None:
    wait = WorkflowStep(kind="wait", name="s", wait_condition="variables.go", timeout=5)
    register(engine, step("x"), wait, step("y"))
    task = ask()
    after = plain("after", task)
    engine.submit(task, after)
    engine.run_until_idle()
    engine.clock.advance(6)
    engine.run_until_idle()
    failed = engine.task(task)
    assert (failed.status, failed.error_kind) == ("failed", "timeout")
    assert engine.task(after).status == "cancelled"
    engine.api.retry_task(task.id, wait=False)
    engine.run_until_idle()
    assert engine.task(task).status == "running"
    assert engine.ran == ["x"]


def test_a_name_that_nobody_registered_fails_it_and_a_retry_finds_it(engine: Engine) -> None:
    task = ask()
    engine.submit(task)
    engine.run_until_idle()
    failed = engine.task(task)
    assert failed.status == "failed"
    assert "nightly" in str(failed.error_message)
    register(engine, step("x"))
    engine.api.retry_task(task.id, wait=False)
    engine.run_until_idle()
    assert (engine.task(task).status, engine.ran) == ("completed", ["x"])


def test_it_may_be_held_and_be_a_step_of_a_workflow(engine: Engine) -> None:
    register(engine, step("x"))
    task = ask().model_copy(update={"hold": True})
    engine.submit(task)
    engine.run_until_idle()
    assert engine.task(task).status == "pending"
    engine.api.execute_task(task.id, wait=False)
    engine.run_until_idle()
    assert engine.task(task).status == "completed"
    nested = WorkflowStep(name="n", task_template={"task_type": "workflow", "input": {"workflow": "nightly"}})
    engine.api.execute_workflow(WorkflowDefinition(name="outer", steps=[nested, step("y")]))
    assert engine.ran == ["x", "x", "y"]


def test_the_factory_makes_one(engine: Engine) -> None:
    register(engine, step("x"))
    task = TaskFactory.create_workflow_task("w", workflow="nightly", created_by="ann")
    engine.submit(task)
    engine.run_until_idle()
    assert engine.ran == ["x"]


def test_one_that_names_no_workflow_says_what_else_was_meant(engine: Engine) -> None:
    task = Task(task_type=TaskType.WORKFLOW, input={"name": "nightly"})
    engine.submit(task)
    engine.run_until_idle()
    assert 'name it: input={"workflow": NAME}' in str(engine.api.explain(task.id))


def test_rules_of_its_own_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="trigger_rule"):
        Task(task_type=TaskType.WORKFLOW, input={"workflow": "w"}, trigger_rule=TriggerRule.ALL_DONE)


@pytest.mark.parametrize(("own", "of_workflow"), [(60, None), (60, 90), (90, 60)])
def test_its_timeout_is_the_workflows_and_the_shorter_one_holds(
    engine: Engine, own: float, of_workflow: float | None
) -> None:
    held = WorkflowStep(name="held", task_template=work() | {"hold": True})
    register(engine, held, timeout=of_workflow)
    task = ask().model_copy(update={"timeout": own})
    engine.submit(task)
    engine.run_until_idle()
    for _ in range(2):
        engine.clock.advance(55)
        engine.run_until_idle()
        assert engine.task(task).status == "running"
        engine.clock.advance(6)
        engine.run_until_idle()
        over = engine.task(task)
        assert (over.status, over.error_kind) == ("failed", "timeout")
        assert "was not over within its timeout of 60 s" in str(over.error_message)
        engine.api.retry_task(task.id, wait=False)
        engine.run_until_idle()


@pytest.mark.parametrize(
    "field", [{"max_retries": 1}, {"retry": {}}, {"queue_timeout": 1}, {"heartbeat_timeout": 1}, {"total_timeout": 1}]
)
def test_what_says_how_workers_attempt_a_task_is_refused(field: dict[str, Any]) -> None:
    (name,) = field
    with pytest.raises(InvalidInputError, match=f"{name} is .*no worker attempts a task that runs a workflow"):
        Task(task_type=TaskType.WORKFLOW, input={"workflow": "w"}, **field)


@pytest.mark.parametrize("given", [{}, {"max_retries": 0}, {"total_timeout": None}])
def test_no_retries_are_as_good(given: dict[str, Any]) -> None:
    assert Task(task_type=TaskType.WORKFLOW, input={"workflow": "w"}, **given).runs_workflow


def test_a_number_of_retries_is_refused_at_submit_whoever_makes_the_task(engine: Engine) -> None:
    given = {"task_type": TaskType.WORKFLOW, "input": {"workflow": "nightly"}, "max_retries": 3}
    for make in (TaskCreateRequest, Task):
        with pytest.raises(InvalidInputError, match="max_retries is 3, but no worker attempts a task that runs a"):
            engine.api.create_task(make(**given))
    with pytest.raises(InvalidInputError, match=r"task_template.max_retries: max_retries is 3"):
        WorkflowStep(name="n", task_template={**given, "task_type": "workflow"})


@pytest.mark.parametrize("how", [{"timeout": 60}, {}])
def test_a_change_while_its_steps_run_leaves_their_time(engine: Engine, how: dict[str, Any]) -> None:
    hold = WorkflowStep(name="held", task_template=work() | {"hold": True})
    register(engine, hold, timeout=None if how else 60)
    task = ask().model_copy(update=how)
    engine.submit(task)
    engine.run_until_idle()
    engine.api.update_task(task.id, priority="critical", name="other")
    with pytest.raises(NotAllowedError, match="its timeout began with them"):
        engine.api.update_task(task.id, timeout=5)
    engine.check()
    engine.clock.advance(61)
    engine.run_until_idle()
    assert (engine.task(task).status, engine.task(task).error_kind) == ("failed", "timeout")
    engine.api.retry_task(task.id, wait=False)  # its time counts anew
    engine.run_until_idle()
    engine.clock.advance(59)
    engine.run_until_idle()
    assert engine.task(task).status == "running"
    engine.clock.advance(2)
    engine.run_until_idle()
    assert engine.task(task).error_kind == "timeout"


def test_one_whose_steps_run_is_paused_with_its_run(engine: Engine) -> None:
    register(engine, WorkflowStep(kind="wait", name="s", wait_seconds=60), step("x"))
    task = ask()
    engine.submit(task)
    engine.run_until_idle()
    run = engine.task(task).run_id
    with pytest.raises(NotAllowedError, match=f"pause its run, and the steps with it: pause\\(run_id='{run}'\\)"):
        engine.api.pause_task(task.id)
    engine.api.pause(run_id=run)
    engine.clock.advance(3600)
    engine.run_until_idle()
    assert engine.ran == []
    engine.api.resume(run_id=run)
    engine.run_until_idle()
    engine.clock.advance(61)
    engine.run_until_idle()
    assert (engine.ran, engine.task(task).status) == (["x"], "completed")


def test_what_it_runs_is_spoken_to_under_its_id(engine: Engine) -> None:
    asking = [
        WorkflowStep(kind="wait", name="go", signal="go"),
        WorkflowStep(kind="approval", name="ask", prompt="?"),
        WorkflowStep(kind="wait", name="set", wait_condition="variables.n == 1"),
    ]
    register(engine, *asking, variables={"n": 0}, outputs={"by": "${steps.ask.output.by}"})
    tasks = [ask("one"), ask("two")]
    engine.submit(*tasks)  # in one run: each has its own signals
    engine.run_until_idle()
    api = engine.api
    one, two = (api.get_workflow_status(task.id) for task in tasks)
    assert (one.steps[0].status, two.steps[0].status) == ("waiting", "waiting")
    api.signal_workflow(tasks[0].id, "go")
    engine.run_until_idle()
    assert api.get_workflow_status(tasks[1].id).steps[0].status == "waiting"
    assert api.approve(tasks[0].id, "ask", by="ann") is True
    assert api.update_context(tasks[0].id, {"n": 1}) == 1
    engine.run_until_idle()
    assert (engine.task(tasks[0]).status, engine.task(tasks[0]).result) == ("completed", {"by": "ann"})
    with pytest.raises(NotAllowedError, match=f"pause\\(run_id='{engine.task(tasks[1]).run_id}'\\)"):
        api.pause_workflow(tasks[1].id)
    assert api.cancel_workflow(tasks[1].id) is True


def test_before_it_begins_it_has_no_variables(engine: Engine) -> None:
    register(engine, step("a"))
    held = ask("held").model_copy(update={"hold": True})
    engine.submit(held)
    engine.run_until_idle()
    with pytest.raises(NotAllowedError, match="is pending and keeps its variables"):
        engine.api.update_context(held.id, {"n": 1})
    with pytest.raises(NotFoundError):
        engine.api.get_workflow_status(held.id)
