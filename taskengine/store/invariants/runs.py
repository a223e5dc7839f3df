"""A run against its tasks, its history and the list of graphs."""

from __future__ import annotations

from uuid import UUID

from taskengine.core.replay import Replay, replay
from taskengine.models import Event
from taskengine.store import history, inspection
from taskengine.store.call import Operation
from taskengine.store.fields import RunField, TaskField
from taskengine.store.inspection import Run, TaskFacts
from taskengine.store.invariants.rules import Violation
from taskengine.store.invariants.statuses import is_over
from taskengine.store.invariants.walk import Walk
from taskengine.store.keys import Keys
from taskengine.store.step_rules import check_steps

#: Of a run that has one of these, some tasks were erased after their end.
_LETS_GO = frozenset({RunField.pruned, RunField.forgotten})


def check_runs(walk: Walk, runs: list[Run]) -> Operation[None]:
    """Compare *runs*, which did not move during the walk, with their tasks and histories."""
    of_run: dict[str, list[TaskFacts]] = {}
    for task in walk.tasks.values():
        if not task.is_staged:
            of_run.setdefault(task.fields[TaskField.run], []).append(task)
    for run in runs:
        tasks = of_run.get(run.id, [])
        _numbers(walk, run, tasks)
        if RunField.pruned not in run.fields:  # of which children may go before their steps
            walk.violations += [Violation(*found) for found in check_steps(tasks, walk.asked)]
        _compare(walk, run, tasks, replay((yield from _history(walk.keys, run))))


def _numbers(walk: Walk, run: Run, tasks: list[TaskFacts]) -> None:
    unfinished = sum(not is_over(task.status) for task in tasks)
    stored = (int(run.fields.get(RunField.total, 0)), int(run.fields.get(RunField.open, 0)))
    if stored != (len(tasks), unfinished):
        detail = f"total and open are stored as {stored}, its tasks say {(len(tasks), unfinished)}"
        walk.say("run", run.id, detail)
    if wrong := _listed_wrong(run):
        walk.say("graph", run.id, wrong)
    if run.finished != (unfinished == 0):
        finished = "finished" if run.finished else "not finished"
        walk.say("run", run.id, f"{unfinished} tasks are open and it is {finished}")


def _listed_wrong(run: Run) -> str:
    """Return what is wrong with its place among the graphs; one whose tasks were deleted may have fewer than two."""
    if run.listed and run.listed != run.fields.get(RunField.created):
        return f"it stands among the graphs by {run.listed} and was created at {run.fields.get(RunField.created)}"
    if not run.listed and (RunField.name in run.fields or int(run.fields.get(RunField.total, 0)) > 1):
        return "it has a name or more than one task, and is not among the graphs"
    return ""


def check_graphs(walk: Walk) -> Operation[None]:
    """Everybody among the graphs is a run."""
    listed = yield from inspection.names_by_score(walk.keys.fixed("graphs"))
    for run in set(listed) - walk.names.get("run", set()):
        if not (yield from history.run_exists(walk.keys, run)):  # else it came after the names were read
            walk.say("graph", run, "it stands among the graphs, and there is no such run")


def _history(keys: Keys, run: Run) -> Operation[list[Event]]:
    found: list[Event] = []
    after = 0
    while True:
        piece = yield from history.events(keys, run.id, after, history.PIECE)
        found += piece
        if len(piece) < history.PIECE:
            return found
        after = piece[-1].sequence


def _compare(walk: Walk, run: Run, tasks: list[TaskFacts], told: Replay) -> None:
    for sentence in told.wrong:
        walk.say("history", run.id, sentence)
    stored = {UUID(task.id): task for task in tasks}
    for id, task in stored.items():
        if TaskField.batch in task.fields or (id not in told.statuses and not told.whole):
            continue
        if told.statuses.get(id) != task.status:
            walk.say("history", task.id, f"it is {task.status}, its events say {told.statuses.get(id)}")
    for id, status in told.statuses.items():
        if id not in stored and not (is_over(status) and run.fields.keys() & _LETS_GO):
            walk.say("history", str(id), f"its events say {status}, and it is not there")
