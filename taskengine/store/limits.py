"""Limits: what agents may use together, at once, a minute and a day.

What an execution holds of its agent's limits stands on it (``hold``), and whatever ends it gives that back; whether a
limit has room is computed from that, never stored. ``parts/limit.lua`` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from taskengine.models.agent import Limit
from taskengine.models.limit import Closed
from taskengine.store.call import Call, Operation
from taskengine.store.codec import moment, pairs
from taskengine.store.fields import LimitField
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

#: Limits that may be stored.
MOST_LIMITS = 10_000
#: Of these a script reads.
PIECE = 32
_DAY_MS = 86_400_000
#: Bounds of which somebody said why.
_TOLD = frozenset({"paused", "breaker"})
_BOUNDS = {
    "in_flight": LimitField.in_flight, "requests_per_minute": LimitField.requests,
    "input_tokens_per_minute": LimitField.input, "output_tokens_per_minute": LimitField.output,
    "tokens_per_day": LimitField.day_cap,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredLimit:
    """A limit as of one moment; of an agent's own one, ``agent:NAME``, *limit* is None."""

    name: str
    limit: Limit | None
    #: Executions that count against it.
    in_flight: int
    #: That share it.
    agents: int
    tokens_today: int
    #: Executions that may start; None without a bound.
    room: int | None
    #: Of one without room.
    closed: Closed | None


class _Row(NamedTuple):
    name: str
    fields: Sequence[str]
    in_flight: int
    agents: int
    room: int
    opens_ms: str
    what: str


_SET = Verb("set_limit", reply)
_REMOVE = Verb("remove_limit", reply)
_PERMIT = Verb("permit", reply)
_OBSERVE = Verb("observe", reply)
_READ: Verb[list[Any]] = Verb("read_limits", list, limit=_Row)


def put(limit: Limit, agent: str = "") -> Call[Reply]:
    """Set the bounds of a limit: ok (1 when that is news), full, or differs (agent that shares it) of an inline one."""
    return _SET(
        limit=limit.name, in_flight=limit.in_flight or "", requests=limit.requests_per_minute or "",
        input=limit.input_tokens_per_minute or "", output=limit.output_tokens_per_minute or "",
        day_cap=limit.tokens_per_day or "", agent=agent, most=MOST_LIMITS,
    )  # fmt: skip


def remove(name: str) -> Call[Reply]:
    """Forget a limit: ok, missing, held (executions), or shared (how many agents, three of them)."""
    return _REMOVE(limit=name)


def permit(execution: str, token: int, number: int, costs: tuple[int, int, int]) -> Call[Reply]:
    """Take requests, input and output tokens for a running execution: ok (ms until they may be used), later (ms until
    to ask again), fenced or missing. *number* counts the permits of one execution from 1; the same one is taken once.
    """
    requests, input, output = costs
    return _PERMIT(execution=execution, token=token, number=number, requests=requests, input=input, output=output)


def observe(agent: str, requests: int | None, input: int | None, output: int | None) -> Call[Reply]:
    """Tell the limits of an agent what its provider says is left; None where it does not say."""
    left = ("" if each is None else max(0, each) for each in (requests, input, output))
    return _OBSERVE(**dict(zip(("requests", "input", "output"), left, strict=True)), agent=agent)


def read(names: Sequence[str]) -> Call[list[StoredLimit]]:
    """Return limits by name, :data:`PIECE` at most; those that are none are left out."""
    return _READ.read(lambda raw: _piece(raw)[1], {"start": "0", "limits": names})


def every_limit() -> Operation[list[StoredLimit]]:
    """Return all that have a name, in its order, as of moments some trips apart."""
    found: dict[str, StoredLimit] = {}
    at = "0"
    while True:
        at, piece = yield from _READ.read(_piece, {"start": at, "limits": ()})
        found |= {limit.name: limit for limit in piece}
        if at == "0":
            return [found[name] for name in sorted(found)]


def _piece(raw: Sequence[Any]) -> tuple[str, list[StoredLimit]]:
    return str(raw[0]), [_stored(_Row._make(row), int(raw[1])) for row in raw[2:]]


def _stored(row: _Row, now: int) -> StoredLimit:
    fields = pairs(row.fields)
    bounds = {name: int(fields[stored]) for name, stored in _BOUNDS.items() if stored in fields}
    is_today = int(fields.get(LimitField.day, -1)) == now // _DAY_MS
    return StoredLimit(
        name=row.name,
        limit=None if ":" in row.name else Limit(name=row.name, **bounds),
        in_flight=row.in_flight,
        agents=row.agents,
        tokens_today=int(fields.get(LimitField.day_spent, 0)) if is_today else 0,
        room=None if row.room < 0 else row.room,
        closed=closed_from((row.name, row.what, row.opens_ms, fields.get(LimitField.why, "")) if row.what else ()),
    )


def closed_from(words: Sequence[Any]) -> Closed | None:
    """Return what ``closed`` says in a script: {limit, bound, ms until, why} or nothing."""
    if not words:
        return None
    name, bound, opens_ms, why = words
    return Closed(limit=name, bound=bound, until=moment(opens_ms), why=why if bound in _TOLD else "")
