"""What must hold when a fault is over: asked of the records and of the side file that the agents wrote."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from taskengine.models import ExecutionStatus, Task, TaskExecution, TaskStatus, TriggerRule
from taskengine.store import executions, tasks
from taskengine.store.invariants import check_at_rest

from ..fleet import Effect, Fleet, until

_OPEN = {ExecutionStatus.QUEUED, ExecutionStatus.RUNNING}
_ENDED_WITHOUT_REPORT = {ExecutionStatus.LOST, ExecutionStatus.TIMED_OUT, ExecutionStatus.CANCELLED}


def intact(fleet: Fleet, new: Sequence[Task], seconds: float = 15.0) -> dict[str, list[TaskExecution]]:
    """Assert that nothing was lost, accepted twice, begun too early or left behind; executions by task id."""
    found = fleet.store.run(tasks.read([str(task.id) for task in new]))
    assert not [task.name for task, stored in zip(new, found, strict=True) if stored is None], "lost"
    stored = {str(task.id): task for task in found if task is not None}
    assert {task.status for task in stored.values()} <= {
        TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED
    }  # fmt: skip
    ran = {id: fleet.store.run(executions.of_task(id)) for id in stored}
    for id, task in stored.items():
        _check_attempts(task, ran[id])
        _check_order(task, ran)
    _check_effects(fleet.effects(), stored)
    at_rest(fleet, seconds)
    return ran


def at_rest(fleet: Fleet, seconds: float = 15.0) -> None:
    """Assert that nothing is left behind, and that everything stored agrees, as the engine's deep check sees it."""
    until(lambda: not leftovers(fleet), seconds, "nothing left behind")
    assert fleet.store.run(check_at_rest(fleet.keys)) == []


def leftovers(fleet: Fleet) -> list[str]:
    """What lies where nothing may lie once all is done."""
    client, keys, view = fleet.server.client, fleet.keys, fleet.view()
    found = [
        name
        for name in ("granted_all", "leases", "timers", "releases", "commits", "batches", "suspending")
        if client.exists(keys.fixed(name))
    ]
    for kind in ("ready", "granted", "park", "slots"):
        found += [key.decode() for key in client.scan_iter(keys.of(kind, "*"), count=1000)]
    found += [f"{view.decisions} decisions"] * bool(view.decisions)
    found += [f"{view.poison_decisions} poison decisions"] * bool(view.poison_decisions)
    return found


def _check_attempts(task: Task, ran: Sequence[TaskExecution]) -> None:
    assert [one.attempt for one in ran] == list(range(1, len(ran) + 1)), f"gap in attempts of {task.id}: {ran}"
    assert not [one for one in ran if one.status in _OPEN], f"open execution of {task.id}"
    accepted = [one for one in ran if one.status is ExecutionStatus.COMPLETED]
    assert len(accepted) == (task.status is TaskStatus.COMPLETED), f"accepted of {task.id}: {accepted}"
    for before, after in pairwise(ran):
        assert before.completed_at <= after.started_at, f"attempts of {task.id} overlap: {before} {after}"  # type: ignore[operator]  # ended ones have both


def _check_order(task: Task, ran: dict[str, list[TaskExecution]]) -> None:
    if task.trigger_rule is not TriggerRule.ALL_SUCCESS:
        return  # some of these begin before a dependency ended
    begins = [one.started_at for one in ran[str(task.id)] if one.started_at]
    for dependency in task.depends_on:
        ends = [one.completed_at for one in ran.get(str(dependency), ()) if one.completed_at]
        assert not begins or not ends or min(begins) >= max(ends), f"{task.id} began before {dependency} ended"


def _check_effects(effects: Iterable[Effect], stored: dict[str, Task]) -> None:
    """Every completed task left a whole run of its accepted attempt; no attempt began twice."""
    began: set[tuple[str, int]] = set()
    ended: set[tuple[str, int]] = set()
    for effect in effects:
        run = (effect.task, effect.attempt)
        if effect.what == "begin":
            assert run not in began, f"attempt began twice: {effect}"
            began.add(run)
        elif effect.what == "end":
            ended.add(run)
    whole = began & ended
    for id, task in stored.items():
        if task.status is TaskStatus.COMPLETED:
            assert (id, task.attempt) in whole, f"completed without a run: {task}"
