"""Loop steps: turn after turn while the condition holds, never more than their limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from taskengine import Task, Workflow, WorkflowExecutionError, WorkflowStep
from taskengine.coordinator import Coordinator, HookedStore
from taskengine.core.identity import step_id
from taskengine.store import inspection
from taskengine.store.call import Call
from taskengine.store.keys import Keys
from taskengine.testing import Engine

from .conftest import QUEUE, START, work


def loop(condition: str, *steps: WorkflowStep, **more: object) -> WorkflowStep:
    return WorkflowStep(
        kind="loop", name="again", **{"loop_condition": condition, "loop_steps": steps, "max_iterations": 10} | more
    )


def count(**more: object) -> WorkflowStep:
    template = work(gives={"n": "${iteration}"})
    return WorkflowStep(name="try_it", task_template=template, outputs={"n": "${output.n + 1}"}, **more)


def workflow(*steps: WorkflowStep, **more: object) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def test_it_turns_while_its_condition_holds(engine: Engine) -> None:
    after = WorkflowStep(name="after", task_template=work(gives={"got": "${steps.again.output}"}))
    flow = workflow(loop("variables.n < 3", count()), after, variables={"n": 0})
    done = engine.api.execute_workflow(flow)
    assert done.variables == {"n": 3}
    assert engine.ran == ["try_it"] * 3 + ["after"]
    (one,) = [task for task in engine.api.list_tasks() if task.name == "after"]
    last = {"n": 2}
    assert engine.task(one.id).result == {"got": {"turns": 3, "last": last, "results": [{"n": 0}, {"n": 1}, last]}}


def test_a_condition_that_never_holds_turns_nothing(engine: Engine) -> None:
    engine.api.execute_workflow(workflow(loop("variables.n < 0", count()), variables={"n": 0}))
    assert engine.ran == []


def test_reaching_the_limit_fails_unless_it_says_otherwise(engine: Engine) -> None:
    flow = workflow(loop("true", count(), max_iterations=2))
    with pytest.raises(WorkflowExecutionError, match=r"max_iterations \(2\)") as caught:
        engine.api.execute_workflow(flow)
    assert caught.value.workflow.error_kind == "limit"
    engine.api.execute_workflow(workflow(loop("true", count(), max_iterations=2, at_limit="complete")))
    assert engine.ran == ["try_it"] * 4


def test_a_failed_turn_ends_the_loop(engine: Engine) -> None:
    bad = WorkflowStep(name="bad", task_template=work(fails=1))
    flow = workflow(loop("true", bad, WorkflowStep(name="x", task_template=work())))
    with pytest.raises(WorkflowExecutionError, match=r"step again\[0\]/bad failed"):
        engine.api.execute_workflow(flow)
    assert engine.ran == ["bad"]


def test_it_waits_between_turns(engine: Engine) -> None:
    flow = workflow(loop("variables.n < 3", count(), interval=60), variables={"n": 0})
    engine.api.execute_workflow(flow)
    done = engine.api.get_workflow(flow.id)
    assert done.completed_at is not None
    assert timedelta(seconds=180) <= done.completed_at - START <= timedelta(seconds=181)


def test_loops_turn_in_loops(engine: Engine) -> None:
    inner = WorkflowStep(
        kind="loop", name="inner", loop_condition="iteration < 2", max_iterations=5,
        loop_steps=[WorkflowStep(name="x", task_template=work())],
    )
    flow = workflow(loop("iteration < 3", inner))
    engine.api.execute_workflow(flow)
    assert engine.ran == ["x"] * 6


@pytest.mark.parametrize("turns", [0, 2])
def test_its_outputs_see_how_often_it_turned(engine: Engine, turns: int) -> None:
    step = WorkflowStep(name="x", task_template=work())
    made = loop(f"iteration < {turns}", step, outputs={"turns": "${output.turns}", "was": "${variables.turns}"})
    done = engine.api.execute_workflow(workflow(made, variables={"turns": 9}))
    assert done.variables == {"turns": turns, "was": 9}


def kept(engine: Engine) -> Counter[str]:
    """How many keys there are of each kind, but those that lapse by themselves."""
    keys = Keys(engine.settings.namespace)
    names = [name for piece in pieces(engine, keys) for name in piece]
    kinds = (name.removeprefix(keys.prefix).partition(":")[0] for name in names)
    return Counter(kind for kind in kinds if kind != "claim")


def pieces(engine: Engine, keys: Keys) -> Iterator[Sequence[str]]:
    cursor = "0"
    while True:
        cursor, names = engine._store.run(inspection.scan(keys, cursor))
        yield names
        if cursor == "0":
            return


def size(engine: Engine, kind: str, id: UUID) -> int:
    """How many entries a list has."""
    return len(engine._store.run(inspection.entries(Keys(engine.settings.namespace), kind, str(id))))


def test_what_a_loop_keeps_does_not_grow_with_its_turns(engine: Engine) -> None:
    found: list[Counter[str]] = []
    lists: list[int] = []
    for turns in (50, 200):
        before = kept(engine)
        again = loop("true", count(), keep=5, max_iterations=turns, at_limit="complete")
        flow = workflow(again, outputs={"last": "${steps.again.output}"}, variables={"n": 0})
        done = engine.api.execute_workflow(flow)
        found.append(kept(engine) - before)
        lists.append(size(engine, "ranges", done.id))
        results = [{"n": n} for n in range(turns - 5, turns)]
        assert done.result == {"last": {"turns": turns, "last": results[-1], "results": results}}
    assert engine.ran == ["try_it"] * 250
    assert found[1]["task"] <= found[0]["task"] + 2 * 5 < 40
    assert sum(found[1].values()) <= sum(found[0].values()) + 40 < 200
    assert max(lists) < 30


def test_what_lies_in_a_turn_goes_with_it(engine: Engine) -> None:
    each = WorkflowStep(
        kind="map", name="each", items=[1, 2], steps=[WorkflowStep(name="x", task_template=work())], max_parallel=1
    )
    branch = WorkflowStep(kind="conditional", name="branch", condition="iteration >= 0", true_steps=[each])
    inner = Workflow(name="inner", steps=[branch.model_copy(update={"condition": "true"})], variables={"v": 1})
    sub = WorkflowStep(kind="sub_workflow", name="sub", workflow=inner)
    again = loop("true", branch, sub, keep=1, max_iterations=12, at_limit="complete")
    engine.api.execute_workflow(workflow(again))
    assert engine.ran == ["x"] * 48
    found = kept(engine)
    assert found["task"] <= 2 + 3 * 11
    assert found["frame"] <= 4


def test_turns_of_more_steps_than_one_script_erases_go_in_pieces(engine: Engine) -> None:
    wide = [WorkflowStep(name=f"x{n}", task_template=work()) for n in range(70)]
    engine.api.execute_workflow(workflow(loop("true", *wide, keep=1, max_iterations=5, at_limit="complete")))
    assert engine.ran == [f"x{n}" for n in range(70)] * 5
    assert kept(engine)["task"] <= 2 + 3 * 70


def test_the_laws_hold_after_each_piece_of_a_turn_that_is_erased_in_which_steps_failed(engine: Engine) -> None:
    """What failed or was called off is counted by the step around it, which is erased after all that lies in it."""
    bad = WorkflowStep(name="bad", task_template=work(fails=1))
    off = [WorkflowStep(name=f"x{n}", task_template=work(), depends_on=["bad"]) for n in range(140)]
    wide = WorkflowStep(kind="parallel", name="wide", sub_steps=[bad, *off], on_failure="continue")
    erased: list[int] = []

    def look(call: Call[Any]) -> None:
        if call.name == "erase_old_turns":
            erased.append(1)
            engine.check()

    store = HookedStore(engine._coordinator._store, after=look)
    engine._coordinator = Coordinator(store, engine.settings, "inline", clock=engine.clock.seconds)
    engine.api.start_workflow(workflow(loop("true", wide, keep=1, max_iterations=4, at_limit="complete")))
    engine.run_for(200)
    assert len(erased) > 3


def test_a_turn_stays_that_an_open_task_of_another_run_depends_on(engine: Engine) -> None:
    again = loop("true", count(), keep=1, max_iterations=12, at_limit="complete", interval=60)
    flow = workflow(again, variables={"n": 0})
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    first = step_id(str(flow.id), "again[0]/try_it~do")
    (waits,) = engine.submit(Task(name="waits", capability=QUEUE, depends_on={first}, hold=True))
    engine.run_for(60 * 13)
    assert engine.api.get_workflow(flow.id).status == "completed"
    engine.check()
    assert engine.task(first).status == "completed"
    assert 2 < kept(engine)["task"] < 12
    engine.api.execute_task(waits.id, wait=True)


def test_a_loop_at_its_limit_may_fail_without_failing_what_is_around_it(engine: Engine) -> None:
    after = WorkflowStep(name="after", task_template=work())
    done = engine.api.execute_workflow(workflow(loop("true", count(), max_iterations=1, on_failure="continue"), after))
    assert engine.api.get_workflow_status(done.id).steps[0].status == "failed"
    assert engine.ran == ["try_it", "after"]
