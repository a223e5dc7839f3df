"""What changed since a moment, from histories and counters, so that whoever watches lists nothing again.

A watcher keeps a :class:`Position`: where it stands in the histories of the runs that it follows, and some counters of
the whole store. What happens in a run that it does not follow moves a counter, and :attr:`Changes.others` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from taskengine.store.call import Call, Operation
from taskengine.store.keys import Keys
from taskengine.store.verb import Row, Verb

#: New runs told of by one look.
_RUNS = 1000
#: Runs asked for in one script, and milliseconds by which looks overlap: a run is listed by the moment of its script.
_PIECE, _OVERLAP_MS = 128, 1000

_READ_CHANGES: Verb[list[Any]] = Verb("read_changes", list)


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has seen what happens."""

    now_ms: int
    #: Number of the newest task.
    arrivals: int
    #: How many scripts opened tasks again, and the latest note on pauses.
    counters: tuple[str, ...]
    #: Run -> sequence of its latest event that was seen.
    runs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened since a position."""

    position: Position
    #: Tasks of which the histories of the followed runs, and of new ones, told something.
    tasks: frozenset[str]
    #: Runs followed from now on: what happened to them before is not told.
    begun: frozenset[str]
    #: Whether something may have happened elsewhere: tasks were opened again, or a pause began or ended.
    others: bool
    #: New tasks of which no history told; less than none where it tells of earlier ones, whose graph was staged then.
    untold: int


def here(keys: Keys) -> Operation[Position]:
    """Return the position that is now, following nothing but what is new from now on."""
    at = yield from _counters(keys)
    new = yield from _new_runs(keys, at.now_ms)
    runs, _, _ = yield from _read(dict.fromkeys(new, -1))
    return replace(at, runs=runs)


def _new_runs(keys: Keys, since_ms: int) -> Call[list[str]]:
    span = (f"{since_ms - _OVERLAP_MS}", "+inf", "LIMIT", 0, _RUNS)
    return Call("ZRANGEBYSCORE", (keys.fixed("runs"), *span), _words, command=True)


def _counters(keys: Keys) -> Operation[Position]:
    names = tuple(map(keys.fixed, ("arrivals", "reopens")))
    arrivals, opened = yield from Call("MGET", names, _words, command=True)
    note = yield from Call("XREVRANGE", (keys.fixed("control"), "+", "-", "COUNT", 1), list, command=True)
    now = yield from Call("TIME", (), _ms, command=True)
    return Position(now, int(arrivals or 0), (opened, str(note[0][0]) if note else ""))


def since(keys: Keys, seen: Position, follow: Iterable[str]) -> Operation[Changes]:
    """Return what happened since *seen*; runs of *follow* are followed beside those that are new, others no more."""
    at = yield from _counters(keys)
    new = yield from _new_runs(keys, seen.now_ms)
    wanted = dict.fromkeys([*follow, *new])
    begun = frozenset(run for run in wanted if run not in seen.runs and run not in new)
    after = {run: -1 if run in begun else seen.runs.get(run, 0) for run in wanted}
    runs, tasks, created = yield from _read(after)
    return Changes(
        position=replace(at, runs=runs),
        tasks=tasks,
        begun=begun,
        others=at.counters != seen.counters or len(new) == _RUNS,
        untold=at.arrivals - seen.arrivals - created,
    )


def _read(after: Mapping[str, int]) -> Operation[tuple[dict[str, int], frozenset[str], int]]:
    left, reached, tasks, created = dict(after), dict(after), set[str](), 0
    while left:
        asked = list(left)[:_PIECE]
        words: list[Row] = [{"run": run, "after": left[run]} for run in asked]
        rows = yield from _READ_CHANGES(runs=words)
        for run, (last, more, new, *told) in zip(asked, rows, strict=False):
            reached[run] = int(last)
            created += int(new)
            tasks.update(told)
            if more:
                left[run] = int(last)
            else:
                del left[run]
    return reached, frozenset(tasks), created


def _words(raw: Any) -> list[str]:
    return [str(word or "") for word in raw]


def _ms(raw: Any) -> int:
    return int(raw[0]) * 1000 + int(raw[1]) // 1000
