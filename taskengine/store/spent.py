"""What agents used of services: noted by execution, counted by agent, model and day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from taskengine.models.spent import Spent
from taskengine.store.call import Call
from taskengine.store.codec import pairs
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

#: Days for which it is kept.
KEPT_DAYS = 400
_LONGEST_MODEL = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()
_FIELDS = {
    "requests": "requests", "input": "input_tokens", "output": "output_tokens", "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
}  # fmt: skip

_NOTE = Verb("note_spent", reply)


def spent_text(spent: Iterable[Spent]) -> str:
    """Return what an execution used so far, as scripts read it: a line for each model."""
    return "\n".join(
        f"{one.requests} {one.input_tokens} {one.output_tokens} {one.cache_read_tokens} {one.cache_write_tokens} "
        + " ".join(one.model[:_LONGEST_MODEL].split())
        for one in spent
    )


def note(execution: str, token: int, spent: Iterable[Spent]) -> Call[Reply]:
    """Note all that an execution used so far; it counts also where the answer is ``fenced`` (status)."""
    return _NOTE(execution=execution, token=token, spent=spent_text(spent))


def merged(known: Mapping[str, Spent], more: Iterable[Spent]) -> dict[str, Spent]:
    """Return both; of a model that both name the greater of each number, for both are all so far."""
    found = dict(known)
    for one in more:
        before = found.get(one.model)
        found[one.model] = one if before is None else Spent(
            one.model, *(max(getattr(before, name), getattr(one, name)) for name in _FIELDS.values())
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Used:
    """What one agent used of one model on one day."""

    day: date
    agent: str
    spent: Spent


def of_day(keys: Keys, day: date) -> Call[list[Used]]:
    """Return what was used on a day, in UTC."""

    def decode(raw: Any) -> list[Used]:
        counted: dict[tuple[str, str], dict[str, int]] = {}
        for name, number in (raw if isinstance(raw, dict) else pairs(raw)).items():
            agent, model, unit = name.split("\n")
            if unit in _FIELDS:
                counted.setdefault((agent, model), {})[_FIELDS[unit]] = int(number)
        return [Used(day, agent, Spent(model, **numbers)) for (agent, model), numbers in counted.items()]

    return Call("HGETALL", (keys.of("spent", (day - _EPOCH) // timedelta(days=1)),), decode, command=True)
