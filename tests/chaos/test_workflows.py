"""A workflow of every kind of step on real processes, whose coordinator is killed or stopped at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from taskengine import BlockingTaskAPI, Workflow, WorkflowDefinition, WorkflowStep
from taskengine.store.invariants import check_invariants

from ..fleet import Fleet, until
from .conftest import MakeFleet
from .test_coordinators import dying, freeze_leader

OVER = {"completed", "failed", "cancelled"}


def task(name: str, do: str = "nothing", **more: Any) -> WorkflowStep:
    template = {"capability": "play", "input": {"do": do}, "max_retries": 0}
    return WorkflowStep(name=name, task_template=template, **more)


def step(kind: str, name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(kind=kind, name=name, **more)


def every_kind() -> Workflow:
    first = task("i", outputs={"v": "${context.n + 1}"})
    inner = WorkflowDefinition(name="inner", steps=[first], outputs={"n": "${variables.v}"})
    side = step("parallel", "side", mode="wait_all", on_failure="continue", sub_steps=[task("s"), task("bad", "fail")])
    waits = step(
        "parallel", "waits",
        sub_steps=[
            step("wait", "time", wait_seconds=0.05), step("wait", "hear", signal="go"),
            step("wait", "change", wait_condition="variables.go"), step("approval", "word", prompt="?"),
        ],
    )  # fmt: skip
    branch = step("conditional", "branch", condition="variables.n == 1", true_steps=[task("yes")])
    again = step("loop", "again", loop_condition="iteration < 2", max_iterations=3, loop_steps=[task("turn")])
    each = step("map", "each", items=[1, 2, 3], max_parallel=2, steps=[task("x"), task("y")])
    sub = step("sub_workflow", "sub", workflow=inner, context={"n": "${variables.n}"})
    return Workflow(
        name="every", steps=[task("a", outputs={"n": "${1}"}), side, waits, branch, again, each, sub, task("z")],
        outputs={"n": "${steps.sub.output.n}"}, finally_steps=[task("end")],
    )  # fmt: skip


RUNS = sorted(["a", "s", "bad", "yes", "turn", "turn", *"xyxyxy", "i", "z", "end"])


def start(api: BlockingTaskAPI) -> Workflow:
    """Everything is said before anything runs."""
    flow = every_kind()
    api.start_workflow(flow)
    api.signal_workflow(flow.id, "go")
    api.approve(flow.id, "waits/word", by="ann")
    api.update_context(flow.id, {"go": True})
    return flow


def ran(api: BlockingTaskAPI, fleet: Fleet, flow: Workflow) -> list[str]:
    ours = {str(one.id): one.name for one in api.list_tasks(run_id=flow.id, limit=100)}
    return [ours[effect.task] for effect in fleet.effects("begin") if effect.task in ours]


def check_end(api: BlockingTaskAPI, fleet: Fleet, flow: Workflow, moment: int) -> None:
    """It came to what its definition says, and each task ran once."""
    done = api.get_workflow(flow.id)
    assert (done.status, done.result) == ("completed", {"n": 2}), (moment, done.error_message)
    assert done.variables == {"go": True, "n": 1}
    assert sorted(ran(api, fleet, flow)) == RUNS, moment


def test_a_workflow_whose_coordinator_is_killed_at_any_moment_comes_to_its_end(
    make_fleet: MakeFleet, moments: Iterator[int]
) -> None:
    fleet = make_fleet(leader_seconds=0.4)
    fleet.worker("w", "-Q", "play", pool="threads", slots=4)
    api = fleet.api()
    unharmed, moment = False, 0
    with dying(fleet) as coordinators:
        while not unharmed:
            moment = max(moment + 7, next(moments))
            coordinators.make(moment)
            flow = start(api)
            until(lambda id=flow.id: coordinators.died.is_set() or api.get_workflow(id).status in OVER, 30)
            unharmed = not coordinators.died.is_set()
            if not unharmed:
                coordinators.make(0)
                until(lambda id=flow.id: api.get_workflow(id).status in OVER)
            check_end(api, fleet, flow, moment)
        assert coordinators.died.wait(60)
        coordinators.make(0)


def test_a_workflow_comes_to_its_end_beside_a_leader_that_is_stopped_past_its_term(make_fleet: MakeFleet) -> None:
    """It goes on with what it was about to write, while the other decides or when all is over."""
    fleet = make_fleet(leader_seconds=0.4, lease_seconds=None)
    pair = [fleet.coordinator("c0"), fleet.coordinator("c1")]
    fleet.worker("w", "-Q", "play", pool="threads", slots=4)
    fleet.await_leader()
    api = fleet.api()
    for turn in range(len(RUNS) - 1):
        flow = start(api)
        until(lambda flow=flow, turn=turn: len(ran(api, fleet, flow)) >= turn)
        leader, term = freeze_leader(fleet, pair)
        until(lambda term=term: fleet.view().term > term)
        if turn % 2:
            leader.thaw()
        until(lambda flow=flow: api.get_workflow(flow.id).status in OVER, 30)
        leader.thaw()
        check_end(api, fleet, flow, turn)
    assert fleet.store.run(check_invariants(fleet.keys)) == []
