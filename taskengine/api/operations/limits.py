"""Limits by name: what agents that share one may use together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskengine.api.arguments import mapping
from taskengine.core import remedy
from taskengine.core.limits import why_closed
from taskengine.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from taskengine.models.agent import Limit
from taskengine.models.limit import LimitInfo
from taskengine.store import limits
from taskengine.store.call import Operation
from taskengine.store.limits import StoredLimit

#: What a limit may bound.
BOUNDS = tuple(name for name in Limit.model_fields if name != "name")
_NAMED = 20


def set_limit(name: str, bounds: Mapping[str, int | None]) -> Operation[LimitInfo]:
    """Set all bounds of a limit; how it stands then."""
    limit = _limit(name, bounds)
    _refuse_full((yield from limits.put(limit)).word)
    (found,) = yield from limits.read([limit.name])
    return _info(found)


def list_limits() -> Operation[list[LimitInfo]]:
    """Return all limits, by name."""
    return [_info(each) for each in (yield from limits.every_limit())]


def remove_limit(name: str) -> Operation[None]:
    """Forget a limit that no agent shares."""
    answer = yield from limits.remove(Limit(name=name).name)
    if answer.word == "missing":
        raise (yield from no_limit(name))
    if answer.word == "held":
        raise NotAllowedError(f"limit {name!r} still counts {answer.number()} executions; wait for their end", id=name)
    if answer.word == "shared":
        agents, named = answer.number(), ", ".join(map(repr, answer.rest[1:]))
        raise NotAllowedError(
            f"limit {name!r} is shared by {agents} agents, such as {named}; register or update these without it first",
            id=name,
        )


def no_limit(name: str) -> Operation[NotFoundError]:
    """Return the error for a name that no limit has; it names some that there are."""
    known = [each.name for each in (yield from limits.every_limit())]
    shown = f"there are {', '.join(known[:_NAMED])}{', …' if len(known) > _NAMED else ''}"
    others = shown if known else "there is none"
    call = remedy.named(f"set_limit({name!r}, in_flight=N)", f"taskengine agents limits set {name} --in-flight N")
    return NotFoundError("limit", name, says=f"there is no limit {name!r} ({others}); set it: {call}")


def inline_limit(agent: str, bounds: Mapping[str, int | None], secret: object) -> Operation[str]:
    """Set the limit that an agent brings along, called like its secret; its name.

    ConflictError where another agent with that secret says something else.
    """
    given = mapping(bounds, "limits")
    if secret is None:
        raise InvalidInputError(
            f"agent {agent!r}: limits is a dict, which is the limit of a credential, and it names no secret; name the "
            "secret, or set a limit apart and name that",
            field="limits",
        )
    limit = _limit(str(secret), given)
    answer = yield from limits.put(limit, agent)
    if answer.word == "differs":
        (there,) = yield from limits.read([limit.name])
        raise ConflictError(
            f"agents {answer.text()!r} and {agent!r} share the secret {limit.name} and say different limits for it: "
            f"{_said(there.limit)} and {_said(limit)}; give both the same, or set one limit and name it in both"
        )
    _refuse_full(answer.word)
    return limit.name


def _limit(name: str, bounds: Mapping[str, Any]) -> Limit:
    unknown = sorted(map(str, bounds.keys() - set(BOUNDS)))
    if unknown or all(value is None for value in bounds.values()):
        what = f"knows no {unknown[0]!r:.80}" if unknown else "bounds nothing"
        raise InvalidInputError(
            f"limit {name!r:.80} {what}; give one or more of {', '.join(BOUNDS)}",
            field=unknown[0] if unknown else "in_flight",
        )
    return Limit(name=name, **bounds)


def _refuse_full(word: str) -> None:
    if word == "full":
        most = limits.MOST_LIMITS
        raise ConflictError(f"there are {most} limits, which is the most; remove those that nobody shares")


def _said(limit: Limit | None) -> str:
    bounds = limit.model_dump(exclude={"name"}, exclude_none=True) if limit else {}
    return ", ".join(f"{name} {value}" for name, value in bounds.items()) or "nothing"


def _info(stored: StoredLimit) -> LimitInfo:
    assert stored.limit is not None
    return LimitInfo(
        limit=stored.limit, in_flight=stored.in_flight, agents=stored.agents, tokens_today=stored.tokens_today,
        closed=stored.closed, reason=why_closed(stored.closed) if stored.closed else "",
    )  # fmt: skip
