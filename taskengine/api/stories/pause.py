"""Hold back what should not start now, and let it go again."""

from __future__ import annotations

from datetime import datetime

from taskengine.api.arguments import Id, agent_name, capability_name, id_text, instant, text, user
from taskengine.api.scope import Scope
from taskengine.errors import InvalidInputError, NotFoundError
from taskengine.models import Pause, PauseScope
from taskengine.store import pauses
from taskengine.store.call import Story
from taskengine.store.codec import pause_from

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
) -> Story[Pause]:
    """Pause one scope; how it stands then."""
    scope = _scope(capability, agent_id, run_id, everything)
    why = None if reason is None else text(reason, "reason", _LONGEST_REASON)
    answer = yield from pauses.pause(scope, user(by, "by"), why, None if until is None else instant(until, "until"))
    if answer.word == "missing":
        raise NotFoundError("run", run_id)
    if answer.word == "late":
        raise InvalidInputError(f"until is {until}, which is over; name a time to come", field="until")
    counts = yield from pauses.running([scope])
    return pause_from(scope, answer.text(), counts[scope])


def resume(
    *, capability: str | None, agent_id: str | None, run_id: Id | None, everything: bool, by: str | None
) -> Story[bool]:
    """End the pause of one scope; whether it was paused."""
    answer = yield from pauses.resume(_scope(capability, agent_id, run_id, everything), user(by, "by"))
    return answer.number() == 1


def list_pauses(scope: Scope) -> Story[list[Pause]]:
    """Every pause that holds, the longest first."""
    stored = yield from pauses.stored(scope.keys)
    counts = yield from pauses.running(stored)
    found = [pause_from(name, story, counts[name]) for name, story in stored.items()]
    return sorted(found, key=lambda one: one.since)


def _scope(capability: str | None, agent_id: str | None, run_id: Id | None, everything: bool) -> str:
    """The one scope that is named."""
    named = [
        *([] if capability is None else [(PauseScope.CAPABILITY, capability_name(capability))]),
        *([] if agent_id is None else [(PauseScope.AGENT, agent_name(agent_id))]),
        *([] if run_id is None else [(PauseScope.RUN, id_text(run_id, "run_id"))]),
        *([(PauseScope.EVERYTHING, "")] if everything else []),
    ]
    if len(named) != 1:
        raise InvalidInputError(
            f"{len(named)} scopes are named; name one of capability, agent_id, run_id, or everything=True",
            field="capability",
        )
    return pauses.scope_of(*named[0])
