"""Map steps: each item once, a few at a time, with as many failures as may be."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import Workflow, WorkflowExecutionError, WorkflowStep, agent
from taskengine.core.steps import outputs
from taskengine.testing import Engine

from .conftest import EXACT, START, work

WIDE = "map-work"


def each(items: Any, *steps: WorkflowStep, **more: Any) -> WorkflowStep:
    steps = steps or (WorkflowStep(name="x", task_template=work(gives={"got": "${item} ${index}"})),)
    return WorkflowStep(kind="map", name="each", items=items, steps=steps, **more)


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def after(source: str) -> WorkflowStep:
    return WorkflowStep(name="after", task_template=work(gives={"got": source}))


def result(engine: Engine, name: str) -> Any:
    (found,) = [one for one in engine.api.list_tasks(limit=1000) if one.name == name]
    task = engine.task(found.id)
    assert task.result is not None
    return task.result["got"]


def test_each_item_is_run_and_their_results_are_a_list(engine: Engine) -> None:
    engine.api.execute_workflow(workflow(each(["a", "b", 3]), after("${steps.each.output}")))
    assert engine.ran == ["x"] * 3 + ["after"]
    assert result(engine, "after") == [{"got": "a 0"}, {"got": "b 1"}, {"got": "3 2"}]


def test_items_come_from_an_expression_and_steps_from_a_sequence(engine: Engine) -> None:
    body = (
        WorkflowStep(name="x", task_template=work(gives={"n": "${item.n}"}), outputs={"last": "${output.n}"}),
        WorkflowStep(name="y", task_template=work(gives={"got": "${steps.x.output.n} ${index}"})),
    )
    first = WorkflowStep(name="list", task_template=work(gives={"found": [{"n": 5}, {"n": 6}]}))
    flow = workflow(first, each("steps.list.output.found", *body), after("${steps.each.output}"))
    engine.api.execute_workflow(flow)
    assert result(engine, "after") == [{"got": "5 0"}, {"got": "6 1"}]


def test_nothing_to_map_is_over_at_once(engine: Engine) -> None:
    engine.api.execute_workflow(workflow(each("context.none"), after("${steps.each.output}"), context={"none": []}))
    assert engine.ran == ["after"]
    assert result(engine, "after") == []


def test_what_is_no_list_or_too_long_a_one_fails_the_step(engine: Engine) -> None:
    with pytest.raises(WorkflowExecutionError, match="no list"):
        engine.api.execute_workflow(workflow(each("context.n"), context={"n": 1}))
    with pytest.raises(WorkflowExecutionError, match="a map of 10001 items is over the limit of 10000"):
        engine.api.execute_workflow(workflow(each("context.n"), context={"n": [0] * 10_001}))


def test_items_beyond_one_script_are_put_in_pieces(engine: Engine) -> None:
    engine.api.execute_workflow(workflow(each(list(range(200))), after("${size(steps.each.output)}")))
    assert result(engine, "after") == 200


@pytest.fixture
def crowd() -> Any:
    """An engine with many slots, and how many items ran at once at most."""
    seen: list[int] = []
    @agent("mapper", capabilities={WIDE})
    def mapper(task: Any, context: Any) -> dict[str, Any]:
        del context
        seen.append(len([one for one in made.api.list_tasks(limit=1000) if one.status in ("ready", "running")]))
        if task.input.get("n") in task.input.get("bad", []):
            raise OSError("bad")
        return {"n": task.input.get("n")}

    with Engine([mapper], start=START) as made:
        made.seen = seen  # type: ignore[attr-defined]
        yield made
        made.check()


def item(**more: Any) -> WorkflowStep:
    template = {"capability": WIDE, "input": {"n": "${index}", **more}, "max_retries": 0, "retry": EXACT.model_dump()}
    return WorkflowStep(name="x", task_template=template)


def test_never_more_than_max_parallel_may_run(crowd: Any) -> None:
    crowd.api.execute_workflow(workflow(each(list(range(150)), item(), max_parallel=8)))
    assert len(crowd.seen) == 150
    assert max(crowd.seen) <= 8


def test_a_window_opens_for_sequences_too(crowd: Any) -> None:
    body = (item(), WorkflowStep(name="y", task_template={"capability": WIDE, "input": {"n": 1}}))
    crowd.api.execute_workflow(workflow(each(list(range(20)), *body, max_parallel=3)))
    assert len(crowd.seen) == 40
    assert max(crowd.seen) <= 3


@pytest.mark.parametrize("window", [None, 2])
def test_as_many_items_may_fail_as_are_tolerated(crowd: Any, window: int | None) -> None:
    flow = workflow(
        each(list(range(10)), item(bad=[0, 1, 5]), tolerate=3, max_parallel=window),
        WorkflowStep(name="after", task_template={"capability": WIDE, "input": {"n": "${steps.each.failed}"}}),
        outputs={"each": "${steps.each.output}", "failed": "${steps.each.failed}"},
    )
    done = crowd.api.execute_workflow(flow)
    assert len(crowd.seen) == 11
    assert done.result["failed"] == 3
    assert [one and one["n"] for one in done.result["each"]] == [None, None, 2, 3, 4, None, 6, 7, 8, 9]


def test_one_failure_more_fails_the_map_and_nothing_else_starts(crowd: Any) -> None:
    flow = workflow(each(list(range(100)), item(bad=list(range(100))), tolerate=1, max_parallel=2))
    with pytest.raises(WorkflowExecutionError, match=r"step each\[\d\]/x failed"):
        crowd.api.execute_workflow(flow)
    assert len(crowd.seen) <= 6


def test_items_have_names_for_people(engine: Engine) -> None:
    engine.api.execute_workflow(workflow(each([{"id": "one"}, {"id": "two"}], label="item.id")))
    assert sorted(engine.ran) == ["one", "two"]


def test_maps_map_in_maps(engine: Engine) -> None:
    step = WorkflowStep(name="x", task_template=work(gives={"got": "${item}"}))
    inner = WorkflowStep(kind="map", name="inner", items="item", steps=[step])
    flow = workflow(each([[1, 2], [3]], inner), after("${steps.each.output}"))
    engine.api.execute_workflow(flow)
    assert result(engine, "after") == [[{"got": 1}, {"got": 2}], [{"got": 3}]]


def test_a_cancel_ends_a_map(crowd: Any) -> None:
    held = WorkflowStep(name="x", task_template={"capability": WIDE, "hold": True})
    id = crowd.api.start_workflow(workflow(each(list(range(100)), held, max_parallel=5)))
    crowd.run_until_idle()
    crowd.api.cancel_workflow(id)
    crowd.run_until_idle()
    assert crowd.api.get_workflow(id).status == "cancelled"


@pytest.mark.parametrize("tolerate", [0, 1])
@pytest.mark.parametrize("window", [None, 1])
@pytest.mark.parametrize("items", [[1, 2], []])
def test_its_outputs_see_the_results(engine: Engine, items: list[int], window: int | None, tolerate: int) -> None:
    step = WorkflowStep(name="x", task_template=work(gives={"n": "${item}"}))
    sets = {"v": "${output}", "was": "${variables.v}"}
    made = each(items, step, max_parallel=window, tolerate=tolerate, outputs=sets)
    done = engine.api.execute_workflow(workflow(made, variables={"v": 1}))
    assert done.variables == {"v": [{"n": n} for n in items], "was": 1}


@pytest.fixture
def sees_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expressions that see three items, not a thousand."""
    assert outputs.MOST_ITEMS == 1000
    monkeypatch.setattr(outputs, "MOST_ITEMS", 3)


TOO_MANY = "output of each: it is that of a map of 4 items, and an expression sees at most 3; map at most 3 items"


@pytest.mark.parametrize("read", ["${size(steps.each.output)}", "${steps.each.output[0].got}"])
@pytest.mark.usefixtures("sees_three")
def test_more_items_than_an_expression_sees_fail_the_step_that_reads_them(engine: Engine, read: str) -> None:
    done = engine.api.execute_workflow(workflow(each([1, 2, 3]), after(read)))
    assert done.status == "completed"
    with pytest.raises(WorkflowExecutionError, match=TOO_MANY) as caught:
        engine.api.execute_workflow(workflow(each([1, 2, 3, 4]), after(read)))
    assert caught.value.workflow.failed_step == "after"


@pytest.mark.usefixtures("sees_three")
def test_nor_does_an_output_see_them(engine: Engine) -> None:
    with pytest.raises(WorkflowExecutionError, match=TOO_MANY):
        engine.api.execute_workflow(workflow(each([1, 2, 3, 4], outputs={"all": "${output}"})))
    with pytest.raises(WorkflowExecutionError, match=TOO_MANY):
        engine.api.execute_workflow(workflow(each([1, 2, 3, 4]), outputs={"all": "${steps.each.output}"}))


@pytest.mark.usefixtures("sees_three")
def test_what_else_is_known_of_a_long_map_is_read_as_ever(engine: Engine) -> None:
    ready = WorkflowStep(kind="wait", name="ready", wait_condition={"field": "go", "operator": "equals", "value": 1})
    flow = workflow(each([1, 2, 3, 4]), ready, after("${steps.each.status} ${steps.each.failed}"), variables={"go": 1})
    engine.api.execute_workflow(flow)
    assert result(engine, "after") == "completed 0"
