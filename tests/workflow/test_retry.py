"""A failed workflow goes on where it failed: what completed keeps its result, what had not begun begins."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import NotAllowedError, NotFoundError, Workflow, WorkflowDefinition, WorkflowStep, agent
from taskengine.coordinator import Coordinator, HookedStore
from taskengine.coordinator import steps as decisions
from taskengine.store.call import Call
from taskengine.testing import Engine

from .conftest import QUEUE, START


class Luck:
    """What fails, by name, and what ran."""

    def __init__(self) -> None:
        self.bad: set[str] = set()
        self.ran: list[str] = []


@pytest.fixture
def luck() -> Luck:
    return Luck()


@pytest.fixture
def engine(luck: Luck) -> Any:
    @agent("lucky", capabilities={QUEUE})
    def lucky(task: Any, context: Any) -> dict[str, Any]:
        del context
        luck.ran.append(task.name)
        if task.name in luck.bad:
            raise OSError("bad luck")
        return {"by": task.name}

    with Engine([lucky], start=START) as made:
        yield made
        made.check()


def task(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template={"capability": QUEUE, "max_retries": 0}, **more)


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    return Workflow(**{"name": "w", "steps": steps} | more)


def run_failing(engine: Engine, luck: Luck, flow: Workflow, *bad: str) -> None:
    luck.bad = set(bad)
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    assert engine.api.get_workflow(flow.id).status == "failed"
    luck.ran.clear()
    luck.bad.clear()


def go_on(engine: Engine, flow: Workflow) -> Workflow:
    assert engine.api.retry_workflow(flow.id) is True
    engine.run_until_idle()
    return engine.api.get_workflow(flow.id)


def kind(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(**{"kind": name, "name": name} | more)


KINDS = {
    "plain": task("bad"),
    "guarded": task("bad", outputs={"x": "${output.by}"}),
    "parallel": kind("parallel", sub_steps=[task("bad"), kind("sequential", sub_steps=[task("p1"), task("p2")])]),
    "wait_all": kind("parallel", mode="wait_all", sub_steps=[task("bad"), task("p1")]),
    "conditional": kind("conditional", condition="true", true_steps=[task("c1"), task("bad"), task("c2")]),
    "loop": kind("loop", loop_condition="iteration < 2", max_iterations=3, loop_steps=[task("l1"), task("bad")]),
    "map": kind("map", items=[1, 2, 3], steps=[task("bad")]),
    "map of sequences": kind("map", items=[1, 2, 3], max_parallel=1, steps=[task("m1"), task("bad")]),
    "sub_workflow": kind(
        "sub_workflow", workflow=WorkflowDefinition(name="i", steps=[task("s1"), task("bad"), task("s2")])
    ),
}  # fmt: skip


@pytest.mark.parametrize("step", KINDS.values(), ids=KINDS.keys())
def test_it_ends_as_one_that_never_failed(engine: Engine, luck: Luck, step: WorkflowStep) -> None:
    never = workflow(task("a"), step, task("z"), outputs={"o": "${steps.z.output.by}"})
    engine.api.execute_workflow(never)
    whole = sorted(luck.ran)
    luck.ran.clear()
    flow = workflow(task("a"), step, task("z"), outputs={"o": "${steps.z.output.by}"})
    luck.bad = {"bad"}
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    assert engine.api.get_workflow(flow.id).status == "failed"
    before = [name for name in luck.ran if name != "bad"]
    luck.ran.clear()
    luck.bad.clear()
    done = go_on(engine, flow)
    assert (done.status, done.result, done.error_message) == ("completed", {"o": "z"}, None)
    assert sorted(before + luck.ran) == whole
    assert "a" not in luck.ran


def test_one_with_more_steps_than_one_script_goes_on_at_the_unput(engine: Engine, luck: Luck) -> None:
    wide = kind("parallel", mode="wait_all", sub_steps=[task("bad"), *(task(f"t{n}") for n in range(150))])
    flow = workflow(wide, task("z"))
    run_failing(engine, luck, flow, "bad")
    assert go_on(engine, flow).status == "completed"
    assert luck.ran == ["bad", "z"]


def test_a_cancelled_one_goes_on_too(engine: Engine, luck: Luck) -> None:
    held = WorkflowStep(name="held", task_template={"capability": QUEUE, "hold": True})
    flow = workflow(task("a"), held, WorkflowStep(kind="wait", name="w", signal="go"), task("z"))
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    engine.api.cancel_workflow(flow.id)
    engine.run_until_idle()
    assert engine.api.get_workflow(flow.id).status == "cancelled"
    go_on(engine, flow)
    (one,) = [found for found in engine.api.list_tasks() if found.name == "held"]
    engine.api.execute_task(one.id, wait=False)
    engine.api.signal_workflow(flow.id, "go")
    engine.run_until_idle()
    assert engine.api.get_workflow(flow.id).status == "completed"
    assert luck.ran == ["a", "held", "z"]


def test_its_last_steps_run_again(engine: Engine, luck: Luck) -> None:
    flow = workflow(task("bad"), task("b"), finally_steps=[task("last")])
    run_failing(engine, luck, flow, "bad")
    assert go_on(engine, flow).status == "completed"
    assert luck.ran == ["bad", "b", "last"]
    assert engine.api.get_workflow_status(flow.id).finally_steps[0].status == "completed"


def test_it_may_fail_again_and_be_retried_again(engine: Engine, luck: Luck) -> None:
    flow = workflow(task("a"), task("bad"), task("worse"), finally_steps=[task("last")])
    run_failing(engine, luck, flow, "bad", "worse")
    luck.bad = {"worse"}
    assert go_on(engine, flow).failed_step == "worse"
    luck.bad = {"last"}
    assert go_on(engine, flow).failed_step == "~finally@3/last"
    luck.bad.clear()
    assert go_on(engine, flow).status == "completed"


def test_only_what_ended_badly_is_retried(engine: Engine, luck: Luck) -> None:
    done = engine.api.execute_workflow(workflow(task("a")))
    with pytest.raises(NotAllowedError, match="is completed; only a failed or cancelled one"):
        engine.api.retry_workflow(done.id)
    with pytest.raises(NotFoundError):
        engine.api.retry_workflow("00000000-0000-4000-8000-000000000000")


def test_a_restart_is_a_new_workflow_from_the_start(engine: Engine, luck: Luck) -> None:
    flow = workflow(task("a", outputs={"v": "changed"}), variables={"v": "first"}, context={"c": 1})
    engine.api.execute_workflow(flow)
    id = engine.api.restart_workflow(flow.id)
    assert id != flow.id
    assert engine.api.get_workflow(id).variables == {"v": "first"}
    engine.run_until_idle()
    again = engine.api.get_workflow(id)
    assert (again.status, again.context, again.variables) == ("completed", {"c": 1}, {"v": "changed"})
    assert luck.ran == ["a", "a"]


HELD = WorkflowStep(name="held", task_template={"capability": QUEUE, "hold": True})


def fails_late(engine: Engine, flow: Workflow, seconds: float) -> None:
    """It goes on, is not over within some seconds less than its time, and fails by it then."""
    engine.clock.advance(seconds - 5)
    engine.run_until_idle()
    assert engine.api.get_workflow(flow.id).status == "running"
    engine.check()
    engine.clock.advance(6)
    engine.run_until_idle()
    found = engine.api.get_workflow(flow.id)
    assert (found.status, found.error_kind) == ("failed", "timeout")


OF_A_STEP = {"steps": [task("bad"), kind("parallel", timeout=60, sub_steps=[HELD, task("late")])]}
TIMED = {
    "the workflow": {"steps": [task("bad"), HELD], "timeout": 60},
    "a step": OF_A_STEP,
    "a wait": {"steps": [task("bad"), kind("wait", signal="go", timeout=60)]},
    "a sub_workflow": {"steps": [kind("sub_workflow", workflow=WorkflowDefinition(name="i", timeout=60, **OF_A_STEP))]},
}  # fmt: skip


@pytest.mark.parametrize("what", TIMED.values(), ids=TIMED.keys())
def test_timeouts_count_anew(engine: Engine, luck: Luck, what: dict[str, Any]) -> None:
    flow = workflow(**what)
    run_failing(engine, luck, flow, "bad")
    engine.clock.advance(3600)
    for _ in range(3):
        assert engine.api.retry_workflow(flow.id) is True
        engine.run_until_idle()
        fails_late(engine, flow, 60)


def test_a_step_that_failed_inside_is_not_over_at_its_first_timeout(engine: Engine, luck: Luck) -> None:
    flow = workflow(kind("parallel", timeout=60, sub_steps=[task("bad"), HELD]))
    luck.bad = {"bad"}
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    engine.clock.advance(50)
    luck.bad.clear()
    assert go_on(engine, flow).status == "running"
    fails_late(engine, flow, 60)


MANY = 64 * 4


@pytest.fixture
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each decision opens a piece or two, and what is asked meanwhile the last one."""
    monkeypatch.setattr(decisions, "_MOST_LOOKS", 2)


def fail_all(engine: Engine, luck: Luck, **more: Any) -> Workflow:
    wide = kind("parallel", sub_steps=[task(f"bad{n}") for n in range(MANY)], mode="wait_all", **more)
    flow = workflow(wide)
    run_failing(engine, luck, flow, *(f"bad{n}" for n in range(MANY)))
    return flow


@pytest.mark.usefixtures("few_looks")
def test_what_is_cancelled_while_its_children_are_opened_again_runs_none_of_them(engine: Engine, luck: Luck) -> None:
    flow = fail_all(engine, luck)
    assert engine.api.retry_workflow(flow.id) is True
    assert engine.api.cancel_workflow(flow.id) is True
    engine.run_until_idle()
    assert (engine.api.get_workflow(flow.id).status, luck.ran) == ("cancelled", [])


@pytest.mark.usefixtures("few_looks")
def test_a_timeout_that_is_over_while_its_children_are_opened_again_counts(engine: Engine, luck: Luck) -> None:
    flow = fail_all(engine, luck, timeout=60)
    assert engine.api.retry_workflow(flow.id) is True
    engine.clock.advance(61)
    engine.run_until_idle()
    assert (engine.api.get_workflow(flow.id).error_kind, luck.ran) == ("timeout", [])


@pytest.mark.usefixtures("few_looks")
def test_a_child_that_fails_while_others_are_opened_again_fails_its_step(engine: Engine, luck: Luck) -> None:
    bad = [f"bad{n}" for n in range(MANY)]
    flow = workflow(kind("parallel", sub_steps=list(map(task, bad)), timeout=600), task("z"))
    engine.api.start_workflow(flow)
    engine._coordinator.run_all()
    engine.api.cancel_workflow(flow.id)  # so that all of them are opened again, piece by piece
    engine._coordinator.run_all()
    assert engine.run_until_idle() == 0
    luck.ran.clear()
    luck.bad = {"bad0"}
    worked: list[int] = []

    def work(call: Call[Any]) -> None:
        if call.name == "retry_scope" and not worked:
            worked.append(engine._worker.work(1))

    store = HookedStore(engine._coordinator._store, after=work)
    engine._coordinator = Coordinator(store, engine.settings, "inline", clock=engine.clock.seconds)
    assert engine.api.retry_workflow(flow.id) is True
    engine.run_until_idle()
    done = engine.api.get_workflow(flow.id)
    assert (done.status, done.failed_step, worked) == ("failed", "parallel/bad0", [1])


def test_the_wait_between_two_turns_begins_anew(engine: Engine, luck: Luck) -> None:
    flow = workflow(
        kind("loop", loop_condition="iteration < 2", max_iterations=3, interval=60, loop_steps=[task("l")])
    )
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    engine.api.cancel_workflow(flow.id)
    engine.run_until_idle()
    assert go_on(engine, flow).status == "running"
    engine.check()
    for _ in range(2):
        engine.clock.advance(61)
        engine.run_until_idle()
    assert (engine.api.get_workflow(flow.id).status, luck.ran) == ("completed", ["l", "l"])
