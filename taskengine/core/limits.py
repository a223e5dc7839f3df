"""What a limit without room says to people: which bound it is, until when, and what they may do."""

from __future__ import annotations

from taskengine.core import remedy
from taskengine.models.limit import Closed

_OWN = "agent:"
#: Characters of an error that are repeated.
_LONGEST_WHY = 300
#: Failures that say that a credential was refused.
_REFUSED = ("auth", "billing")
_RATES = {"requests": "requests", "input_tokens": "input tokens", "output_tokens": "output tokens"}


def why_closed(closed: Closed, secret: str | None = None) -> str:
    """Return one clause; *secret* is the name of the agent's credential, where it is known."""
    closed = closed.model_copy(update={"why": closed.why.partition("\n")[0][:_LONGEST_WHY]})
    until = f" until {closed.until:%H:%M:%S} UTC" if closed.until else ""
    name = closed.limit
    match closed.bound:
        case "in_flight" if name.startswith(_OWN):
            return f"as many executions of agent {name.removeprefix(_OWN)!r} run as it may have (max_concurrency)"
        case "in_flight":
            return f"limit {name!r} has as many executions in flight as it may"
        case "tokens_per_day":
            ends = f"is used up{until}, the end of the day" if until else "is reserved by what runs"
            return f"the tokens_per_day of limit {name!r} {ends}"
        case "paused":
            return f"the provider behind limit {name!r} takes nothing{until} ({closed.why})"
        case "breaker":
            return _breaker(name.removeprefix(_OWN), closed, secret)
        case _:
            return f"limit {name!r} has no {_RATES[closed.bound]} a minute left{until}"


def _breaker(agent: str, closed: Closed, secret: str | None) -> str:
    kind, _, where = closed.why.partition(" on ")
    worker, _, error = where.partition(": ")
    tried = f"one is tried at {closed.until:%H:%M:%S} UTC" if closed.until else "one is being tried"
    call = remedy.named(f"resume_agent({agent!r})", f"taskengine agents resume {agent}")
    if kind in _REFUSED:
        credential = f"secret {secret}" if secret else "its credential"
        said = f"{credential} was refused on worker {worker} ({kind}: {error})"
        return f"{said}; mend it, and let it go on: {call}; else {tried}"
    said = f"five or more of its executions failed in a row, last on worker {worker} ({kind}: {error})"
    return f"{said}; {tried}; or at once: {call}"
