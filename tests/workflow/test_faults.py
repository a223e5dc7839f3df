"""Many changes at once, the same signal again and again, a frozen coordinator, and decisions that cannot be made."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import Workflow, WorkflowStep
from taskengine.coordinator import Coordinator, HookedStore
from taskengine.coordinator import steps as decisions
from taskengine.core.decide_step import decide_step
from taskengine.store import coordination
from taskengine.store.call import Call
from taskengine.testing import Engine

from .conftest import work
from .test_every_write import LONG, MOMENTS, Killed, Scene, scenes


def task(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(), **more)


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def test_a_condition_hears_of_a_thousand_changes_and_holds_once(engine: Engine) -> None:
    sets = {"seen": "${variables.n}"}
    wait = WorkflowStep(kind="wait", name="full", wait_condition="variables.n == 1000", outputs=sets)
    id = engine.api.start_workflow(workflow(wait, task("a")))
    engine.run_until_idle()
    for n in range(1, 1001):
        assert engine.api.update_context(id, {"n": n}) == n
        if not n % 100:
            engine.run_until_idle()
    engine.run_until_idle()
    done = engine.api.get_workflow(id)
    assert (done.status, done.variables) == ("completed", {"n": 1000, "seen": 1000})
    assert engine.ran == ["a"]  # type: ignore[attr-defined]


def test_one_signal_sent_fifty_times_lets_one_step_go_on(engine: Engine) -> None:
    listeners = [WorkflowStep(kind="wait", name=name, signal="go") for name in "xy"]
    id = engine.api.start_workflow(workflow(WorkflowStep(kind="parallel", name="p", sub_steps=listeners)))
    engine.run_until_idle()
    sent = []
    for _ in range(50):
        sent.append(engine.api.signal_workflow(id, "go", signal_id="one"))
        engine.run_until_idle()
    assert sent == [True] + [False] * 49
    assert sorted(one.status.value for one in engine.api.get_workflow_status(id).steps[0].children) == [
        "completed", "waiting",
    ]  # fmt: skip
    engine.api.signal_workflow(id, "go", signal_id="two")
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "completed"


def freeze(scene: Scene) -> None:
    """Another coordinator leads, and does everything; then this one goes on with what it was about to write."""
    scene.coordinate_by("next")
    scene.engine.run_for(LONG)
    assert scene.engine.api.get_workflow(scene.id).completed_at is not None


@pytest.mark.parametrize("moments", MOMENTS)
def test_a_coordinator_that_was_frozen_past_its_term_changes_nothing(moments: range) -> None:
    for scene in scenes(freeze, moments, before=True):
        scene.run()
        scene.check_end()


class Bearing(Coordinator):
    """Bears what a duty raises, as one does that is a process."""

    def run_all(self) -> None:
        while True:
            try:
                return super().run_all()
            except ZeroDivisionError as exc:
                self._raised(exc)


def lead(engine: Engine, id: str, store: Any) -> None:
    for old in ("inline", "first", "next"):
        engine._store.run(coordination.resign(old))
    engine._coordinator = Bearing(store, engine.settings, id, clock=engine.clock.seconds)


@pytest.fixture
def broken(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions about steps called ``bad`` raise."""

    def decide(seen: Any, *args: Any) -> Any:
        if seen.path.endswith("bad"):
            raise ZeroDivisionError("a fault of ours")
        return decide_step(seen, *args)

    monkeypatch.setattr(decisions, "decide_step", decide)
    lead(engine, "first", engine._coordinator._store)


BAD = WorkflowStep(kind="conditional", name="bad", condition="true", true_steps=[task("x")])
BESIDE = WorkflowStep(kind="parallel", name="p", sub_steps=[BAD, WorkflowStep(kind="wait", name="w", signal="go")])


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("steps", [[BAD], [BESIDE], [WorkflowStep(kind="sequential", name="q", sub_steps=[BESIDE])]])
def test_a_decision_that_raises_five_times_fails_its_workflow_with_the_error(
    engine: Engine, steps: list[WorkflowStep]
) -> None:
    id = engine.api.start_workflow(workflow(*steps, task("b"), finally_steps=[task("last")]))
    other = engine.api.start_workflow(workflow(task("c")))
    engine.run_for(60)
    failed = engine.api.get_workflow(id)
    assert failed.status == "failed"
    assert failed.error_kind == "engine"
    assert "a fault of ours" in str(failed.error_message)
    assert str(failed.failed_step).endswith("bad")
    assert engine.api.get_workflow(other).status == "completed"
    assert sorted(engine.ran) == ["c", "last"]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("broken")
def test_a_decision_that_failed_its_workflow_stands_first_in_why(engine: Engine) -> None:
    id = engine.api.start_workflow(workflow(BESIDE))
    engine.run_for(60)
    failed = next(one for one in engine.api.get_workflow_status(id).steps[0].children if one.name == "bad")
    for asked in (id, failed.task_id):
        first = engine.api.explain(asked).facts[0]
        assert first.kind == "poisoned"
        assert "a decision about it cannot be made: ZeroDivisionError('a fault of ours')" in first.text
        assert first.text.endswith(f"retry_workflow('{id}')")


@pytest.mark.usefixtures("broken")
def test_a_decision_that_was_put_aside_stands_first_in_why_whatever_else_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions.Steps, "fail", lambda *_: None)  # what raises there as well
    sleeper = WorkflowStep(name="s", task_template=work() | {"capability": "nobody"})
    both = WorkflowStep(kind="parallel", name="p", sub_steps=[sleeper, BAD])
    id = engine.api.start_workflow(workflow(both))
    engine.run_for(60)
    says = "a decision about it raised and was put aside: ZeroDivisionError('a fault of ours'); mend that, then: "
    assert str(engine.api.get_workflow_status(id).why).startswith(f"p/bad: {says}")
    assert engine.api.explain(id).facts[0].text.startswith(f"p/bad: {says}")
    assert engine.api.cancel_workflow(id) is True
    engine.run_for(60)
    assert engine.api.get_workflow(id).status == "cancelled"


@pytest.mark.slow
@pytest.mark.usefixtures("broken")
def test_it_fails_wherever_the_coordinator_dies_that_puts_it_aside(engine: Engine) -> None:
    inner = engine._coordinator._store
    for moment in range(2, 200):
        writes = 0

        def die(call: Call[Any], moment: int = moment) -> None:
            nonlocal writes
            writes += 1
            if writes == moment:
                raise Killed

        lead(engine, "first", HookedStore(inner, after=die))
        id = engine.api.start_workflow(workflow(BAD))
        died = False
        try:
            engine.run_for(60)
        except Killed:
            died = True
            lead(engine, "next", inner)
            engine.run_for(60)
        assert engine.api.get_workflow(id).status == "failed", moment
        if not died:
            assert moment > 20
            return
