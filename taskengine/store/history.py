"""What happened in a run, as its scripts wrote it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from taskengine.models import Event
from taskengine.store.call import Arg, Call, Operation
from taskengine.store.codec import moment
from taskengine.store.connect import block_ms
from taskengine.store.keys import Keys

#: Events read by one call.
PIECE = 1000
#: Pieces searched for the history of one task before it is told as far as it was found.
_MOST_PIECES = 20


def events(keys: Keys, run_id: str, after: int, most: int, until: int | None = None) -> Call[list[Event]]:
    """Return the next *most* events of a run behind the sequence *after*, oldest first; none behind *until*."""
    args = (keys.of("events", run_id), f"(0-{after}", "+" if until is None else f"0-{until}", "COUNT", most)
    return Call("XRANGE", args, _events, command=True)


def history_of(keys: Keys, run_id: str, task_id: str, most: int) -> Operation[list[Event]]:
    """Return the latest *most* events of one task, oldest first."""
    before, found = "+", list[Event]()
    for _ in range(_MOST_PIECES):
        args = (keys.of("events", run_id), before, "-", "COUNT", PIECE)
        piece: list[Event] = yield from Call("XREVRANGE", args, _events, command=True)
        found += [event for event in piece if str(event.task_id) == task_id]
        if len(piece) < PIECE or len(found) >= most or any(event.what == "created" for event in found):
            break
        before = f"(0-{piece[-1].sequence}"
    return found[:most][::-1]


def follow(keys: Keys, after: Mapping[str, int], most: int, seconds: float) -> Call[dict[str, list[Event]]]:
    """Wait up to *seconds*, 5 at most, until a run has events behind its sequence; up to *most* of each that has."""
    runs: dict[str, str] = {keys.of("events", run): run for run in after}

    def decode(raw: Any) -> dict[str, list[Event]]:
        return {runs[key]: _events(entries) for key, entries in raw or ()}

    places = (f"0-{sequence}" for sequence in after.values())
    args: tuple[Arg, ...] = ("COUNT", most, "BLOCK", block_ms(seconds), "STREAMS", *runs, *places)
    return Call("XREAD", args, decode, command=True)


def last_sequence(keys: Keys, run_id: str) -> Call[int]:
    """Return the sequence of a run's latest event; 0 without one."""
    args = (keys.of("events", run_id), "+", "-", "COUNT", 1)
    return Call("XREVRANGE", args, lambda raw: int(raw[0][0].partition("-")[2]) if raw else 0, command=True)


def run_exists(keys: Keys, run_id: str) -> Call[bool]:
    """Return whether a run has, or had until its retention ended, any task."""
    return Call("EXISTS", (keys.of("run", run_id),), bool, command=True)


def _events(raw: Sequence[Any]) -> list[Event]:
    return [_event(entry, fields) for entry, fields in raw]


def _event(entry: str, stored: dict[str, str]) -> Event:
    what, task, ms, note = stored["e"].split(" ", 3)
    at = moment(ms)
    assert at is not None
    return Event(int(entry.partition("-")[2]), what, UUID(task) if task != "-" else None, at, note)
