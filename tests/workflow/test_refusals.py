"""What may not be done to a part of a workflow, or to a workflow in some state; each refusal says what may."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, NotAllowedError, Task, TaskExecutionError, Workflow, WorkflowStep
from taskengine.testing import Engine

from .conftest import QUEUE, work

VERBS: dict[str, Callable[[BlockingTaskAPI, Any], Any]] = {
    "cancel": lambda api, id: api.cancel_task_execution(id),
    "hold": lambda api, id: api.hold_task(id),
    "release": lambda api, id: api.release_task(id),
    "pause": lambda api, id: api.pause_task(id),
    "resume": lambda api, id: api.resume_task(id),
    "update": lambda api, id: api.update_task(id, priority=1),
    "execute": lambda api, id: api.execute_task(id, wait=False),
    "retry": lambda api, id: api.retry_task(id, wait=False),
    "delete": lambda api, id: api.delete_task(id),
    "delete with all": lambda api, id: api.delete_task(id, cascade=True),
    "add_dependency": lambda api, id: api.add_dependency(id, api.create_task(Task(name="t", capability=QUEUE)).id),
}


def deep() -> Workflow:
    hold_on = WorkflowStep(kind="wait", name="hold_on", signal="go")
    group = WorkflowStep(
        kind="parallel", name="both", mode="wait_all",
        sub_steps=[hold_on, WorkflowStep(name="a", task_template=work(fails=9))],
    )  # fmt: skip
    return Workflow(name="release", steps=[group])


@pytest.mark.parametrize("verb", VERBS)
def test_a_step_is_steered_by_its_workflow(engine: Engine, verb: str) -> None:
    flow = deep()
    handle = engine.api.start_workflow(flow)
    engine.run_until_idle()
    step = handle.status().steps[0].children[0]
    with pytest.raises(NotAllowedError, match=re.escape(f"step both/hold_on of workflow 'release' ({flow.id})")):
        VERBS[verb](engine.api, step.task_id)
    with pytest.raises(NotAllowedError, match=f"{flow.id} is workflow 'release'"):
        VERBS[verb](engine.api, handle)
    assert handle.status().steps[0].children[0].status == "waiting"


def test_a_task_of_a_workflow_is_deleted_with_its_run_alone(engine: Engine) -> None:
    handle = engine.api.start_workflow(deep())
    engine.run_until_idle()
    (task,) = engine.api.list_tasks()
    assert task.status == "failed"
    for cascade in (False, True):
        with pytest.raises(NotAllowedError, match=r"step both/a of workflow 'release'.* deleted with its run"):
            engine.api.delete_task(task.id, cascade=cascade)
    assert engine.api.delete_tasks(run_id=handle).skipped == {"step": 1}
    assert handle.cancel() is True
    engine.run_until_idle()
    assert handle.retry() is True
    engine.run_until_idle()
    assert engine.executions(task.id)[-1].attempt == 2


OVER = {
    "pause": lambda handle: handle.pause(),
    "signal": lambda handle: handle.signal("go"),
    "update_context": lambda handle: handle.update_context({"n": 1}),
    "retry": lambda handle: handle.retry(),
}


def asking(**more: Any) -> Workflow:
    return Workflow(name="w", steps=[WorkflowStep(kind="approval", name="ask", prompt="?"), *more.pop("then", ())])


@pytest.mark.parametrize("verb", OVER)
def test_a_completed_workflow_says_that_it_may_be_restarted(engine: Engine, verb: str) -> None:
    handle = engine.api.start_workflow(asking())
    handle.approve("ask")
    handle.result()
    with pytest.raises(NotAllowedError, match=r"is completed.*; allowed: restart_workflow$"):
        OVER[verb](handle)


@pytest.mark.parametrize("verb", sorted(OVER.keys() - {"retry"}))
def test_a_failed_workflow_says_that_it_may_be_retried(engine: Engine, verb: str) -> None:
    handle = engine.api.start_workflow(asking())
    handle.approve("ask", approved=False)
    engine.run_until_idle()
    with pytest.raises(NotAllowedError, match=r"is failed.*; allowed: retry_workflow, restart_workflow$"):
        OVER[verb](handle)


def test_what_runs_is_not_retried(engine: Engine) -> None:
    handle = engine.api.start_workflow(asking())
    engine.run_until_idle()
    with pytest.raises(NotAllowedError, match="only a failed or cancelled one is retried; allowed: pause_workflow, "):
        handle.retry()


def test_verbs_say_whether_they_did_something(engine: Engine) -> None:
    handle = engine.api.start_workflow(asking())
    engine.run_until_idle()
    assert [handle.pause(), handle.pause(), handle.resume(), handle.resume()] == [True, False, True, False]
    assert [handle.signal("x", signal_id="1"), handle.signal("x", signal_id="1")] == [True, False]
    assert [handle.approve("ask"), handle.approve("ask")] == [True, False]
    assert handle.cancel() is True
    engine.run_until_idle()
    assert [handle.cancel(), handle.retry()] == [False, True]


def test_a_failed_task_of_a_workflow_is_retried_with_it(engine: Engine) -> None:
    bad, behind = WorkflowStep(name="bad", task_template=work(fails=1)), WorkflowStep(name="b", task_template=work())
    flow = Workflow(name="release", steps=[WorkflowStep(kind="sequential", name="s", sub_steps=[bad, behind])])
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    for task in engine.api.list_tasks():
        says = f"of workflow 'release' ({flow.id}); it is opened with what else failed there, once that is over: "
        with pytest.raises(NotAllowedError, match=re.escape(f"{says}retry_workflow('{flow.id}')")):
            engine.api.retry_task(task.id)
    assert dict(engine.api.retry_tasks(everything=True).skipped) == {"part": 2}
    assert {one.status.value for one in engine.api.list_tasks()} == {"failed", "cancelled"}


def test_what_a_task_runs_is_retried_with_that_task(engine: Engine) -> None:
    engine.api.register_workflow(Workflow(name="inner", steps=[WorkflowStep(name="a", task_template=work(fails=1))]))
    outer = Task(name="w", task_type="workflow", input={"workflow": "inner"})
    engine.submit(outer)
    engine.run_until_idle()
    (task,) = [one for one in engine.api.list_tasks() if one.name == "a"]
    with pytest.raises(NotAllowedError, match=re.escape(f"is step a of workflow 'w' ({outer.id})")):
        engine.api.retry_task(task.id)


@pytest.mark.parametrize("verb", ["retry_task", "retry_workflow"])
def test_a_workflow_that_a_step_runs_is_retried_with_that_of_the_step(engine: Engine, verb: str) -> None:
    engine.api.register_workflow(Workflow(name="inner", steps=[WorkflowStep(name="a", task_template=work(fails=1))]))
    runs = WorkflowStep(name="n", task_template={"task_type": "workflow", "input": {"workflow": "inner"}})
    flow = Workflow(name="release", steps=[runs])
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    (task,) = [one for one in engine.api.list_tasks() if one.name == "n"]
    with pytest.raises(NotAllowedError, match=re.escape(f"retry_workflow('{flow.id}')")):
        getattr(engine.api, verb)(task.id)


def test_whoever_waits_for_a_task_of_a_workflow_hears_how_it_is_opened_again(engine: Engine) -> None:
    flow = Workflow(name="release", steps=[WorkflowStep(name="a", task_template=work(fails=1) | {"hold": True})])
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    (task,) = engine.api.list_tasks()
    with pytest.raises(TaskExecutionError, match=re.escape(f"retry_workflow('{flow.id}') opens it again")):
        engine.api.execute_task(task.id)


def test_a_dead_letter_of_a_workflow_is_left_with_the_reason(engine: Engine) -> None:
    flow = Workflow(name="release", steps=[WorkflowStep(name="a", task_template=work())])
    plain = Task(name="plain", capability=QUEUE)
    for start in (lambda: engine.api.start_workflow(flow), lambda: engine.submit(plain)):
        start()
        engine.lose_worker(times=5)
        engine.run_until_idle()
    (letter,) = [one.task for one in engine.api.list_dead_letters() if one.task.id != plain.id]
    done = engine.api.requeue_dead_letters(everything=True)
    assert done == [plain.id]
    assert list(done.skipped) == [letter.id]
    assert done.skipped[letter.id].endswith(f"retry_workflow('{flow.id}')")
    assert engine.api.requeue_dead_letters(letter.id) == []
