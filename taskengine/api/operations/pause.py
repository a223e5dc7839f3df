"""Hold back what should not start now, and let it go again."""

from __future__ import annotations

from datetime import datetime

from taskengine.api.arguments import Id, agent_name, capability_name, id_text, instant, text, user
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import required
from taskengine.api.operations.refusals import missing_task, not_allowed
from taskengine.core import remedy
from taskengine.core.lifecycle import EXECUTING, TERMINAL
from taskengine.errors import InvalidInputError, NotFoundError, TaskEngineError
from taskengine.models import Pause, PauseScope
from taskengine.store import pauses, tasks
from taskengine.store.call import Operation
from taskengine.store.pause_record import pause_from
from taskengine.store.replies import Reply

_LONGEST_REASON = 1000


def pause(
    *,
    capability: str | None,
    agent_id: str | None,
    run_id: Id | None,
    everything: bool,
    reason: str | None,
    until: datetime | None,
    by: str | None,
) -> Operation[Pause]:
    """Pause one scope; how it stands then."""
    scope = _scope(capability, agent_id, run_id, everything)
    answer = yield from pauses.pause(scope, *pause_terms(reason, until, by))
    if answer.word == "missing":
        raise NotFoundError("run", run_id)
    if answer.word == "late":
        raise _over(until)
    counts = yield from pauses.running([scope])
    return pause_from(scope, answer.text(), counts[scope])


def resume(
    *, capability: str | None, agent_id: str | None, run_id: Id | None, everything: bool, by: str | None
) -> Operation[bool]:
    """End the pause of one scope; whether it was paused."""
    answer = yield from pauses.resume(_scope(capability, agent_id, run_id, everything), user(by, "by"))
    return answer.number() == 1


def list_pauses(context: OperationContext) -> Operation[list[Pause]]:
    """Return every pause that holds, the longest first."""
    stored = yield from pauses.stored(context.keys)
    counts = yield from pauses.running(stored)
    found = [pause_from(name, record, counts[name]) for name, record in stored.items()]
    return sorted(found, key=lambda one: one.since)


def pause_terms(reason: str | None, until: datetime | None, by: str | None) -> tuple[str, str | None, datetime | None]:
    """Who pauses, why, and until when."""
    why = None if reason is None else text(reason, "reason", _LONGEST_REASON)
    return user(by, "by"), why, None if until is None else instant(until, "until")


def _over(until: datetime | None) -> InvalidInputError:
    return InvalidInputError(f"until is {until}, which is over; name a time to come", field="until")


def _scope(capability: str | None, agent_id: str | None, run_id: Id | None, everything: bool) -> str:
    """Return the one scope that is named."""
    named = [
        *([] if capability is None else [(PauseScope.CAPABILITY, capability_name(capability))]),
        *([] if agent_id is None else [(PauseScope.AGENT, agent_name(agent_id))]),
        *([] if run_id is None else [(PauseScope.RUN, id_text(run_id, "run_id"))]),
        *([(PauseScope.EVERYTHING, "")] if everything else []),
    ]
    if len(named) != 1:
        scopes = remedy.named(
            "capability, agent_id, run_id, or everything=True", "--capability, --agent, --run or --everything"
        )
        raise InvalidInputError(
            f"{len(named)} scopes are named; name one of {scopes}",
            field="capability",
        )
    return pauses.scope_of(*named[0])


def pause_task(
    context: OperationContext, task_id: Id, reason: str | None, until: datetime | None, by: str | None
) -> Operation[Pause]:
    """Pause one task by name; how it stands then."""
    id = id_text(task_id)
    answer = yield from tasks.pause(id, *pause_terms(reason, until, by))
    if answer.word == "late":
        raise _over(until)
    if answer.word == "workflow":
        task = yield from required(context, id)
        run = remedy.named(f"pause(run_id='{task.run_id}')", f"taskengine pause --run {task.run_id}")
        raise (yield from not_allowed(context, task, f"runs a workflow; pause its run, and the steps with it: {run}"))
    if not answer.ok:
        raise (yield from _refused(context, id, answer, f"what is over is not paused; {remedy.reopen(id)}"))
    (status,) = yield from tasks.statuses([id])
    return pause_from(f"task:{id}", answer.text(), int(status in EXECUTING))


def resume_task(context: OperationContext, task_id: Id) -> Operation[bool]:
    """Let one task go on; whether it was paused."""
    id = id_text(task_id)
    answer = yield from tasks.resume(id)
    if answer.word == "asks":
        task = yield from required(context, id)
        raise (yield from not_allowed(context, task, f"asks, so it is not resumed; answer it: {remedy.answer(id)}"))
    if not answer.ok and (answer.word != "conflict" or answer.text() in TERMINAL):
        raise (yield from _refused(context, id, answer, f"what is over is not resumed; {remedy.reopen(id)}"))
    return answer.ok


def hold_task(context: OperationContext, task_id: Id, *, held: bool) -> Operation[bool]:
    """Hold one task back, or release it; whether that changed anything."""
    id = id_text(task_id)
    answer = yield from tasks.hold(id, held=held)
    if not answer.ok:
        pause = remedy.named("pause_task", f"taskengine task pause {id}")
        instead = f"only what has not started is held or released; {pause} stops its next attempt"
        raise (yield from _refused(context, id, answer, instead))
    return answer.number(1) == 1


def _refused(context: OperationContext, id: str, answer: Reply, instead: str) -> Operation[TaskEngineError]:
    if answer.word == "missing":
        return (yield from missing_task(context, id))
    task = yield from required(context, id)
    return (yield from not_allowed(context, task, f"is {answer.text()}; {instead}"))
