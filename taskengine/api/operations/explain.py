"""Why a task is where it is. Bounded: whatever the graph, a few trips and twenty names."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from taskengine.api.arguments import Id, id_text
from taskengine.api.context import OperationContext
from taskengine.api.operations.expect import known
from taskengine.api.operations.explain_step import explain_part, is_workflow
from taskengine.api.operations.part import part_of
from taskengine.api.operations.workflow_read import get_workflow_status
from taskengine.core.demand import amounts
from taskengine.core.estimates import kind_of
from taskengine.core.explain.inputs import NAMED, Blocker, ExplainInputs, QueueView
from taskengine.core.explain.task import explain
from taskengine.core.lifecycle import CLOSABLE, EXECUTING, REOPENABLE, TERMINAL
from taskengine.core.peaks import Peak, names_of, peak_from
from taskengine.errors import NotFoundError
from taskengine.models import Explanation, Task, TaskStatus
from taskengine.models.agent import AgentRecord
from taskengine.models.host import HostInfo
from taskengine.store import agents, executions, hosts, steps, tasks
from taskengine.store.call import Operation
from taskengine.store.estimates import read_estimates
from taskengine.store.fields import TaskField
from taskengine.store.graph_nodes import PIECE, graph_nodes
from taskengine.store.queue_view import queue_view
from taskengine.store.results import whole

#: Dependencies looked at for those that are open.
_LOOKED_AT = 4 * PIECE
#: The queue of tasks that run a workflow.
_OF_WORKFLOWS = "%w"
#: Agents that are read.
_MOST_AGENTS = 500
#: Agents whose share is asked for.
_MOST_SHARES = 8
#: Steps up from a closed task to the root of it.
_MOST_STEPS = 100


def explain_task(context: OperationContext, task_id: Id) -> Operation[Explanation]:
    """Return the explanation of a task as it stands now."""
    id = id_text(task_id)
    while True:
        task = yield from whole(context.keys, id)
        if task is None or (yield from is_workflow(context, id)):
            return (yield from explain_part(context, id))
        now = yield from queue_view(id)
        if now is None:
            raise NotFoundError("task", id)
        latest = yield from executions.of_task(id, 1)
        blockers, steps_before = (yield from _blockers(task)) if task.status in CLOSABLE else ([], [])
        seconds = yield from known(context, [task, *blockers])
        queues = yield from context.estimates.of([task.queue])
        inputs = ExplainInputs(
            queue_view=now,
            blockers=[*(Blocker(one.id, one.name, one.status) for one in blockers), *steps_before],
            seconds={one.id: s for one, s in zip([task, *blockers], seconds, strict=True) if s is not None},
            queue_seconds=queues.get(task.queue),
            execution=latest[-1] if latest else None,
            causes=(yield from _causes(task)) if task.status in REOPENABLE else (),
            part=(yield from part_of(context, id)) if task.status in REOPENABLE else None,
            able=() if now.servers else (yield from _able(context, task)),
            hosts=(hosts_and_share := (yield from _hosts(task, now)))[0],
            share=hosts_and_share[1],
            peak=(yield from _peak(context, task)),
            steps=(yield from _steps(context, task)) if task.status in EXECUTING else None,
        )
        (again,) = yield from tasks.statuses([id])
        if again == task.status:  # else it moved on between two looks, and the answer would contradict itself
            return explain(task, inputs)


def _hosts(task: Task, now: QueueView) -> Operation[tuple[list[HostInfo], dict[str, int]]]:
    """Return hosts, and what agents reserve for a task, where it waits for room or may ask for more than there is."""
    is_short = now.park.startswith("room:")
    if task.status is not TaskStatus.READY or not (is_short or task.resource_requirements):
        return [], {}
    names = sorted({server.agent for server in now.servers})[:_MOST_SHARES]
    found = (yield from agents.read_all(names)).agents if is_short else {}
    shares = [amounts(found[name].record.resources, "resources") for name in names if name in found]
    return (yield from hosts.every_host()), next((share for share in shares if share), {})


def _peak(context: OperationContext, task: Task) -> Operation[Peak | None]:
    """Return what tasks like it used; None unless it reserves something and has work to do."""
    if not task.resource_requirements or task.status not in (TaskStatus.READY, TaskStatus.RUNNING):
        return None
    kind = kind_of(task.queue, task.name)
    return peak_from((yield from read_estimates(context.keys, names_of(kind))), kind)


def _able(context: OperationContext, task: Task) -> Operation[list[AgentRecord]]:
    """Return known agents that could run a task, the first of them by name where there are many."""
    pinned = task.queue.startswith("@")
    names = [task.queue[1:]] if pinned else (yield from agents.names(context.keys))[:_MOST_AGENTS]
    found = (yield from agents.read_all(names)).agents.values()
    return [each.record for each in found if pinned or task.queue in each.record.capabilities]


def _steps(context: OperationContext, task: Task) -> Operation[str | None]:
    """Return what the steps of the workflow wait for that a task runs."""
    if task.queue != _OF_WORKFLOWS:
        return None
    try:
        state = yield from get_workflow_status(context, task.id)
    except NotFoundError:  # they are not there yet
        return None
    return state.why or state.reason


def _blockers(task: Task) -> Operation[tuple[list[Task], list[Blocker]]]:
    """Dependencies that are not over, the first twenty found: tasks, and steps of its workflow."""
    open_ids: list[str] = []
    ids = sorted(map(str, task.depends_on))[:_LOOKED_AT]
    for at in range(0, len(ids), PIECE):
        seen = yield from graph_nodes(ids[at : at + PIECE])
        open_ids += [one.id for one in seen if one and one.status not in TERMINAL]
        if len(open_ids) >= NAMED:
            break
    named = open_ids[:NAMED]
    found = yield from tasks.read(named)
    others = [id for id, one in zip(named, found, strict=True) if one is None]
    before = yield from steps.read(others)
    return (
        [one for one in found if one is not None and one.status not in TERMINAL],
        [_blocking_step(id, one) for id, one in zip(others, before, strict=True) if one and one["st"] not in TERMINAL],
    )


def _blocking_step(id: str, fields: Mapping[str, str]) -> Blocker:
    return Blocker(UUID(id), fields.get(TaskField.path) or "workflow", TaskStatus(fields["st"]))


def _causes(task: Task) -> Operation[list[Task]]:
    """Whose end closed *task*, whose end closed that, up to the one that nobody else closed."""
    found: list[Task] = []
    at: Task | None = task
    while at is not None and at.closed_by is not None and len(found) < _MOST_STEPS:
        (at,) = yield from tasks.read([str(at.closed_by)])
        if at is not None:
            found.append(at)
    return found
