"""Replies of scripts, words first, as Python data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply whose first word says what came of it, with the rest behind it."""

    word: str
    rest: tuple[Any, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it was done (or had been done before by the same request)."""
        return self.word == "ok"

    def text(self, at: int = 0) -> str:
        """Return the word at position *at* behind the first, or ''."""
        return str(self.rest[at]) if len(self.rest) > at else ""

    def number(self, at: int = 0) -> int:
        """Return the number at position *at* behind the first, or 0."""
        return int(self.rest[at]) if len(self.rest) > at else 0

    def texts(self, at: int = 0) -> list[str]:
        """Return the words of the list at position *at* behind the first, or none."""
        return list(map(str, self.rest[at])) if len(self.rest) > at else []


def reply(raw: Sequence[Any]) -> Reply:
    """Decode a reply whose first word says what came of it."""
    return Reply(str(raw[0]), tuple(raw[1:]))


def replies(raw: Sequence[Any]) -> list[Reply]:
    """Decode ``{{'word', …} …}``: what a verb says of each task."""
    return [reply(each) for each in raw]


def only(raw: Sequence[Any]) -> Reply:
    """Decode what a verb says of the one task that it was told."""
    (each,) = replies(raw)
    return each


@dataclass(frozen=True, slots=True)
class Assignment:
    """All that a worker is told about the execution it got."""

    execution_id: str
    task_id: str
    #: Attempt and fencing token.
    attempt: int
    #: Milliseconds on the server's clock.
    deadline_ms: int
    run_id: str
    name: str
    #: The client's fields as JSON.
    doc: str
    retries: int
    #: Key of an input by reference, or ''.
    big: str
    #: (dependency id, name, output JSON or None) of the first 64 dependencies.
    inputs: tuple[tuple[str, str, str | None], ...] = field(default=())
    #: Of these the ids of those whose output is fetched when somebody asks, for it is large.
    large_inputs: frozenset[str] = frozenset()
    #: Whether there are more dependencies than those.
    more_inputs: bool = False
    queue: str = ""
    #: What only some tasks have (:mod:`taskengine.store.kept`), by the words of ``parts/kept.lua``.
    extra: Mapping[str, str] = field(default_factory=dict)


#: Of most tasks.
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NONE: frozenset[str] = frozenset()


class AssignmentReply(NamedTuple):
    """The same, as the scripts say it."""

    execution_id: str
    task_id: str
    attempt: int
    deadline_ms: int
    run_id: str
    name: str | None
    doc: str | None
    retries: int | str
    big: str
    inputs: Sequence[Sequence[str]]
    more_inputs: int
    queue: str
    extra: Sequence[str] = ()


def assignment(raw: Sequence[Any]) -> Assignment:
    """Decode what ``claim`` and ``report`` hand to a worker."""
    found = AssignmentReply(*raw)
    return Assignment(
        execution_id=found.execution_id,
        task_id=found.task_id,
        attempt=int(found.attempt),
        deadline_ms=int(found.deadline_ms),
        run_id=found.run_id,
        name=found.name or "",
        doc=found.doc or "{}",
        retries=int(found.retries),
        big=found.big,
        inputs=tuple((d[0], d[1], d[2] if len(d) > 2 and d[2] else None) for d in found.inputs),
        large_inputs=frozenset(d[0] for d in found.inputs if len(d) > 3) if found.inputs else _NONE,
        more_inputs=bool(found.more_inputs),
        queue=found.queue,
        extra=dict(zip(found.extra[::2], found.extra[1::2], strict=True)) if found.extra else _NOTHING,
    )
