"""Facts for the deep check: what records, sets and indexes say of each other, a bounded piece as of one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from taskengine.store.call import Call, Operation
from taskengine.store.codec import pairs
from taskengine.store.fields import TaskField
from taskengine.store.keys import CODES, Keys
from taskengine.store.verb import Verb

#: Tasks looked at in one script.
PIECE = 32
_STATUS_OF = {code: status for status, code in CODES.items()}

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task beside everything that must agree with it."""

    id: str
    #: Its record's fields, and ``in ready``, ``in park``, ``in schedule``, ``in retry``, ``in dead``, ``in
    #: releases`` (scores where it stands there), ``code``, ``at arrival``, ``unmarked`` (filters that do not
    #: find it), ``owner`` (of its idempotency key), ``batch state``; of a step that waits ``in condition_waiters`` and
    #: ``in signal_waiters``.
    fields: Fields
    #: Fields of the dependencies' records, ``id``, and ``place`` among the dependents where a cursor runs.
    dependencies: tuple[Fields, ...]
    #: Fields of the executions' records, ``id``, ``lease``, ``claim``, ``granted``, ``held`` (by its slot),
    #: and of slotless ones ``polled`` and ``overdue``.
    executions: tuple[Fields, ...]

    @property
    def status(self) -> str:
        """The stored status; '' when the record has none."""
        return self.fields[TaskField.status]

    @property
    def is_step(self) -> bool:
        """Whether it is a step of a workflow that no worker runs and no listing shows."""
        return self.queue.startswith("%") and self.queue != "%w"

    @property
    def queue(self) -> str:
        """The queue that it waits in; of a step what becomes of it when it waits for nothing more."""
        return self.fields.get(TaskField.queue, "")

    @property
    def attempts(self) -> int:
        """Attempts begun, a granted one included."""
        return self.number(TaskField.attempts)

    @property
    def depends_on(self) -> list[str]:
        """Ids of its dependencies."""
        return self.fields.get(TaskField.depends_on, "").split()

    @property
    def is_given_up(self) -> bool:
        """Whether its graph will never be committed."""
        return self.fields.get("batch state") in ("swept", "taken")

    @property
    def is_staged(self) -> bool:
        """Whether its graph is not committed."""
        return TaskField.batch in self.fields and self.fields["batch state"] != "committed"

    @property
    def listed_as(self) -> str:
        """The status under which lists find it; '' for none."""
        return _STATUS_OF.get(self.number("code"), "")

    def number(self, field: str) -> int:
        """Return a field as a number; 0 where it is unset."""
        return int(self.fields.get(field, 0))


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a set, and the task that it is about."""

    #: Set kind and name, as in ``store/keys.py``.
    kind: str
    name: str
    member: str
    #: Score, or the value of a hash field.
    value: str
    #: Status of the execution that it names, '' for none.
    execution: str
    task_id: str
    #: Fields of the task's record; empty when there is none.
    task: Fields


@dataclass(frozen=True, slots=True)
class Tally:
    """Arrivals by the status that lists see, beside the counts."""

    listed: Mapping[str, int]
    counts: Mapping[str, int]
    #: Whether commit waits fall: staged arrivals may then be PENDING tasks.
    settling: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A run's record as one moment shows it, with the tasks that its ranges name."""

    id: str
    fields: Fields
    #: Entry id of its latest event, or ''.
    last_event: str
    #: Whether it waits for its retention to end.
    finished: bool
    #: The moment by which it stands among the graphs, '' when it does not.
    listed: str


class _Member(NamedTuple):
    """The same, as ``inspect_members`` says it."""

    member: str
    value: str
    execution: str
    task_id: str
    fields: Sequence[str]


class LimitFacts(NamedTuple):
    """What a limit says of its executions, beside what they say."""

    #: Tokens that it counts as held, and that they hold.
    reserved: int
    held: int
    #: Execution that a half-open breaker let through and that does not run, or ''.
    probe: str
    #: Milliseconds when it opens by itself and nobody looks, or ''.
    unwatched: str


_INSPECT: Verb[list[Any]] = Verb("inspect", list)
_INSPECT_LIMITS: Verb[list[Any]] = Verb("inspect_limits", list, limit=LimitFacts)
_INSPECT_RUNS: Verb[list[Any]] = Verb("inspect_runs", list)
_INSPECT_MEMBERS: Verb[list[Any]] = Verb("inspect_members", list, member=_Member)
_INSPECT_TALLY: Verb[list[Any]] = Verb("inspect_tally", list)


def runs(ids: Sequence[str]) -> Operation[list[Run]]:
    """Return the records of runs; empty fields where there is none."""
    found: list[Run] = []
    for at in range(0, len(ids), PIECE):
        piece = ids[at : at + PIECE]
        raw = yield from _INSPECT_RUNS(runs=piece)
        found += [Run(id, pairs(r[0]), r[1], bool(r[2]), str(r[3])) for id, r in zip(piece, raw, strict=True)]
    return found


def look(tasks: Sequence[tuple[str, str]]) -> Call[list[TaskFacts]]:
    """Facts of up to ``PIECE`` tasks, each id with the list filters that must find it; those gone are left out."""

    def decode(raw: Sequence[Any]) -> list[TaskFacts]:
        found = zip((id for id, _ in tasks), raw, strict=True)
        return [_facts(id, *parts) for id, parts in found if parts]

    return _INSPECT.read(decode, {"tasks": [{"task": id, "index": index} for id, index in tasks]})


def _facts(id: str, fields: Sequence[Any], parents: Sequence[Any], executions: Sequence[Any]) -> TaskFacts:
    return TaskFacts(id, _texts(fields), tuple(map(_texts, parents)), tuple(map(_texts, executions)))


def _texts(flat: Sequence[Any]) -> Fields:
    return {name: str(value) for name, value in pairs(flat).items()}


def limits(names: Sequence[str]) -> Operation[list[tuple[str, LimitFacts]]]:
    """Limits by name, each with what must agree with it as of one moment."""
    found: list[tuple[str, LimitFacts]] = []
    for at in range(0, len(names), PIECE):
        piece = names[at : at + PIECE]
        raw = yield from _INSPECT_LIMITS(limits=piece)
        found += [(name, LimitFacts._make(row)) for name, row in zip(piece, raw, strict=True)]
    return found


def hash_of(key: str) -> Call[dict[str, str]]:
    """Fields of a hash."""

    def decode(raw: Any) -> dict[str, str]:
        return dict(raw) if isinstance(raw, Mapping) else pairs(raw)

    return Call("HGETALL", (key,), decode, command=True)


def members(kind: str, name: str = "") -> Operation[list[Member]]:
    """Everything in one of the engine's sets."""
    found: list[Member] = []
    at = 0
    while at >= 0:
        at, piece = yield from _members(kind, name, at)
        found += piece
    return found


def _members(kind: str, name: str, at: int) -> Call[tuple[int, list[Member]]]:
    def decode(raw: Sequence[Any]) -> tuple[int, list[Member]]:
        found = map(_Member._make, raw[1:])
        return int(raw[0]), [
            Member(kind, name, m.member, str(m.value), m.execution, m.task_id, pairs(m.fields)) for m in found
        ]

    return _INSPECT_MEMBERS.read(decode, {"kind": kind, "name": name, "start": at})


def tally() -> Operation[Tally]:
    """Arrivals by status beside the counts, exact while all arrivals fit into 32 segments."""
    listed: dict[str, int] = {}
    at, settling, counts = 0, False, dict[str, int]()
    while at >= 0:
        at, falling, counts, piece = yield from _tally(at)
        settling = settling or falling
        for status, n in piece.items():
            listed[status] = listed.get(status, 0) + n
    return Tally(listed, counts, settling)


def _tally(at: int) -> Call[tuple[int, bool, dict[str, int], dict[str, int]]]:
    def decode(raw: Sequence[Any]) -> tuple[int, bool, dict[str, int], dict[str, int]]:
        counts = {status: int(n) for status, n in pairs(raw[2]).items() if int(n)}
        codes = dict(zip(raw[3][::2], raw[3][1::2], strict=True))
        listed = {_STATUS_OF.get(int(code), f"code {code}"): int(n) for code, n in codes.items() if int(code)}
        return int(raw[0]), bool(raw[1]), counts, listed

    return _INSPECT_TALLY.read(decode, {"start": at})


def scan(keys: Keys, cursor: str) -> Call[tuple[str, list[str]]]:
    """Some more names of keys of the namespace, each at least once until the cursor is '0' again."""

    def decode(raw: Sequence[Any]) -> tuple[str, list[str]]:
        return str(raw[0]), list(raw[1])

    return Call("SCAN", (cursor, "MATCH", f"{keys.prefix}*", "COUNT", 1000), decode, command=True)


def entries(keys: Keys, kind: str, id: str) -> Operation[list[str]]:
    """Everything in a list, a thousand a call."""
    found: list[str] = []
    while True:
        where = (keys.of(kind, id), len(found), len(found) + 999)
        piece = yield from Call("LRANGE", where, _texts_of, command=True)
        found += piece
        if len(piece) < 1000:
            return found


def set_members(key: str) -> Call[list[str]]:
    """Members of a small set."""
    return Call("SMEMBERS", (key,), _texts_of, command=True)


def names_by_score(key: str) -> Call[list[str]]:
    """Members of a sorted set, without their scores."""
    return Call("ZRANGE", (key, 0, -1), _texts_of, command=True)


def _texts_of(raw: Any) -> list[str]:
    return sorted(raw) if isinstance(raw, set | frozenset) else list(raw)


def marks(key: str) -> Call[int]:
    """Bits set in a bitmap."""
    return Call("BITCOUNT", (key,), int, command=True)


def field_of(key: str, field: str) -> Call[str]:
    """Return a field of a hash; '' where it is not there."""
    return Call("HGET", (key, field), lambda raw: str(raw or ""), command=True)


def field_names(key: str) -> Call[list[str]]:
    """Names of the fields of a small hash."""
    return Call("HKEYS", (key,), _texts_of, command=True)


def seconds_left(key: str) -> Call[int]:
    """Seconds until a key goes; -1 when it stays, -2 when it is gone."""
    return Call("TTL", (key,), int, command=True)
