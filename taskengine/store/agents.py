"""What is stored of agents: who was registered, with what, and how often that was changed.

What scripts decide by has fields of its own; everything else of a record is one JSON object. Each change names the
revision that it rests on, so that a copy of it which comes late changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from taskengine.agents.types import FUNCTION
from taskengine.core.demand import amounts, to_words
from taskengine.errors import StoreError
from taskengine.models.agent import AgentRecord
from taskengine.models.limit import Closed
from taskengine.store.call import Call, Operation
from taskengine.store.codec import dumps, loads_object, moment, pairs
from taskengine.store.fields import AgentField
from taskengine.store.keys import Keys
from taskengine.store.limits import closed_from
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

#: Agents that are stored at most.
MOST_AGENTS = 10_000
#: Of these a script reads.
PIECE = 32
#: Fields of a record that lie in its document.
_IN_DOC = ("resources", "secret", "executor", "config", "preference", "drain_seconds", "description")
_USUAL = AgentRecord.model_fields["preference"].default


@dataclass(frozen=True, slots=True)
class StoredAgent:
    """An agent as it is stored."""

    record: AgentRecord
    #: Record of the pause of its name; '' without one.
    pause: str
    #: What its limits say when they let nothing of it start; None while they do.
    closed: Closed | None
    #: Milliseconds since when it drains, and when a node of it left or fell silent; None: it does not, none did.
    draining_ms: int | None
    seen_ms: int | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What little can be said of an agent whose record cannot be read."""

    #: One sentence, with what to do.
    why: str
    #: As they are stored; '' and 0 where they are not.
    type: str
    capabilities: frozenset[str]
    revision: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Agents as of one moment."""

    server_ms: int
    #: Counts the changes of all of them.
    revision: int
    #: Record of the pause of everything; '' without one.
    pause: str
    #: Those that are stored, by name.
    agents: Mapping[str, StoredAgent]
    #: The same, of which that cannot be read.
    unreadable: Mapping[str, Unreadable] = field(default_factory=dict)

    def refuse_unreadable(self, names: Iterable[str]) -> None:
        """StoreError of the first of these whose record cannot be read."""
        for name in names:
            if name in self.unreadable:
                raise StoreError(self.unreadable[name].why)


_REGISTER = Verb("register_agent", reply)
_DRAIN = Verb("drain_agent", reply)
_UNREGISTER = Verb("unregister_agent", reply)
_READ: Verb[Any] = Verb("read_agents", list)


def register(record: AgentRecord, if_revision: int) -> Call[Reply]:
    """Store a record in place of the one of that revision, 0 for none: ok (revision), changed (revision), full, or
    unknown (limit that is none). Its executions count against its limits from then on, and its breaker closes.
    """
    doc = record.model_dump(mode="json", include=set(_IN_DOC), exclude_defaults=True)
    return _REGISTER(
        agent=record.id, type=record.type, capabilities=" ".join(sorted(record.capabilities)),
        most=record.max_concurrency or "", limits=" ".join(record.limits), doc=dumps(doc, "config"),
        origin=record.origin, if_revision=if_revision, fits=MOST_AGENTS,
        breaks="1" if has_breaker(record) else "", share=to_words(amounts(record.resources, "resources")),
        preference="" if record.preference == _USUAL else record.preference,
    )  # fmt: skip


def has_breaker(record: AgentRecord) -> bool:
    """Return whether an agent takes nothing for a while after failures in a row."""
    asked = record.config.get("breaker")
    return record.type != FUNCTION if asked is None else bool(asked)


def drain(agent: str, by: str, why: str | None) -> Call[Reply]:
    """Let an agent take nothing new: ok (1 when that is news) or missing."""
    return _DRAIN(agent=agent, why=dumps({"by": by, "why": why}, "reason"))


def end_drain(agent: str) -> Call[Reply]:
    """Let it take work again: ok (1 when it drained) or missing."""
    return _DRAIN(agent=agent, why="")


def unregister(agent: str) -> Call[Reply]:
    """Forget an agent: ok, serves (live nodes) or missing."""
    return _UNREGISTER(agent=agent)


def read(names: Sequence[str]) -> Call[Reading]:
    """Return what is stored of these, :data:`PIECE` at most; StoreError when it cannot be read."""

    def decode(raw: Sequence[Any]) -> Reading:
        found = _decoded(names, raw)
        found.refuse_unreadable(names)
        return found

    return _READ.read(decode, {"agents": names})


def faults(names: Sequence[str]) -> Call[list[tuple[str, str]]]:
    """Return those of known agents, :data:`PIECE` at most, whose records are not there or cannot be read, and why."""

    def decode(raw: Sequence[Any]) -> list[tuple[str, str]]:
        found = _decoded(names, raw)
        gone = [name for name in names if name not in found.agents and name not in found.unreadable]
        return [
            *((name, "it is known and has no record") for name in gone),
            *((name, one.why) for name, one in found.unreadable.items()),
        ]

    return _READ.read(decode, {"agents": names})


def read_all(names: Iterable[str]) -> Operation[Reading]:
    """Return what is stored of any number, as of moments some trips apart; one that cannot be read hides no other."""
    names = list(names)
    found: dict[str, StoredAgent] = {}
    unreadable: dict[str, Unreadable] = {}
    for at in range(0, max(1, len(names)), PIECE):
        piece = yield from _read(names[at : at + PIECE])
        found |= piece.agents
        unreadable |= piece.unreadable
    return Reading(piece.server_ms, piece.revision, piece.pause, found, unreadable)


def _read(names: Sequence[str]) -> Call[Reading]:
    return _READ.read(lambda raw: _decoded(names, raw), {"agents": names})


def _decoded(names: Sequence[str], raw: Sequence[Any]) -> Reading:
    found: dict[str, StoredAgent] = {}
    unreadable: dict[str, Unreadable] = {}
    for name, each in zip(names, raw[4:], strict=True):
        try:
            if each:
                found[name] = _stored(name, *each)
        except StoreError as exc:
            unreadable[name] = _unreadable(str(exc), pairs(each[0]))
    return Reading(int(raw[1]), int(raw[2]), str(raw[3]), found, unreadable)


def _unreadable(why: str, fields: Mapping[str, str]) -> Unreadable:
    revision = fields.get(AgentField.revision, "")
    return Unreadable(
        why, fields.get(AgentField.type, ""), frozenset(fields.get(AgentField.capabilities, "").split()),
        int(revision) if revision.isdecimal() else 0,
    )  # fmt: skip


def revision(keys: Keys) -> Call[int]:
    """Return how many changes of agents there were."""
    return Call("GET", (keys.fixed("agent_revision"),), lambda raw: int(raw or 0), command=True)


def names(keys: Keys) -> Call[list[str]]:
    """Names of all agents that are stored, in their order."""
    return Call("ZRANGE", (keys.fixed("agents"), 0, -1), lambda raw: sorted(map(str, raw)), command=True)


def _stored(name: str, flat: Sequence[str], pause: str, closed: Sequence[Any]) -> StoredAgent:
    fields = pairs(flat)
    try:
        doc = loads_object(fields.get(AgentField.doc, "{}"))
        since, _, terms = fields.get(AgentField.draining, "").partition(" ")
        record = AgentRecord(
            id=name,
            type=fields[AgentField.type],
            capabilities=frozenset(fields[AgentField.capabilities].split()),
            max_concurrency=int(fields[AgentField.most]) if fields.get(AgentField.most) else None,
            limits=tuple(fields.get(AgentField.limits, "").split()),
            origin=fields[AgentField.origin],
            revision=int(fields[AgentField.revision]),
            created_at=moment(_ms(fields.get(AgentField.created))),
            updated_at=moment(_ms(fields.get(AgentField.updated))),
            draining=_said(terms) if since else None,
            **{key: doc[key] for key in _IN_DOC if key in doc},  # what a newer version added is not ours to read
        )
    except (KeyError, ValueError, ValidationError) as exc:
        raise StoreError(f"what is stored of agent {name!r} cannot be read: {exc}; register it again") from exc
    return StoredAgent(record, pause, closed_from(closed), _ms(since), _ms(fields.get(AgentField.seen)))


def _said(terms: str) -> str:
    said = loads_object(terms)
    return f"{said.get('by')}: {said['why']}" if said.get("why") else str(said.get("by"))


def _ms(text: str | None) -> int | None:
    return int(text) if text else None
