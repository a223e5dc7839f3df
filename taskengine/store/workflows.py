"""Workflows as they are stored: a definition by its digest, a frame for each that runs, and its first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from taskengine.errors import StoreError
from taskengine.models.enums import WorkflowStatus
from taskengine.store import by_moment
from taskengine.store.by_moment import Entry, Found
from taskengine.store.call import Call, Operation
from taskengine.store.codec import dumps, loads_object, pairs
from taskengine.store.fields import FrameField
from taskengine.store.inspection import Fields
from taskengine.store.keys import Keys
from taskengine.store.records import Record
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Row, Verb

#: Workflows read by one script.
PIECE = 64

_PUT_DEFINITION = Verb("put_definition", reply)
_START_WORKFLOW = Verb("start_workflow", reply)


def put_definition(digest: str, text: str) -> Call[Reply]:
    """Lay a definition by, for an hour unless a workflow that uses it starts; safe to repeat."""
    return _PUT_DEFINITION(digest=digest, text=text)


def definition(keys: Keys, digest: str) -> Call[str]:
    """Return the text of a definition; StoreError when it is not there."""

    def decode(raw: Any) -> str:
        if raw is None:
            raise StoreError(f"the definition {digest} of a workflow is gone")
        return str(raw)

    return Call("GET", (keys.of("definition", digest),), decode, command=True)


@dataclass(frozen=True, slots=True)
class Start:
    """What starts with a workflow."""

    run_id: str
    #: Of its definition.
    digest: str
    #: JSON of its context.
    context: str
    name: str
    created_by: str
    #: Its first step.
    record: Record
    #: Name -> JSON.
    variables: Mapping[str, str]
    #: Workflow name -> digest of what its steps run by name.
    names: Mapping[str, str] = field(default_factory=dict)
    #: Digests of all that they run.
    definitions: Sequence[str] = ()


def start(new: Start) -> Call[Reply]:
    """Start a workflow: ok (id), exists (id), conflict (field, id) or undefined (digest, to be laid by first)."""
    variables: list[Row] = [{"name": name, "value": value} for name, value in new.variables.items()]
    definitions = " ".join(dict.fromkeys([new.digest, *new.definitions]))
    return _START_WORKFLOW(
        run=new.run_id, digest=new.digest, context=new.context,
        begun_with="{" + ",".join(f'"{name}":{value}' for name, value in sorted(new.variables.items())) + "}",
        names=dumps(dict(new.names), "names"),
        definitions=definitions, name=new.name, by=new.created_by, raw=new.record.raw_id, task=new.record.row,
        variables=variables,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stored:
    """A workflow as it is stored."""

    #: Of its first step, and of its frame.
    fields: Fields
    frame: Fields
    #: Name -> JSON.
    variables: Fields
    #: JSON of its outputs; '' before its end, or without some.
    result: str
    #: The scope and the record of a pause; '' and '' without one.
    pause: tuple[str, str]


class _Workflow(NamedTuple):
    """The same, as ``read_workflows`` says it; each record is a flat list."""

    fields: Sequence[str]
    frame: Sequence[str]
    variables: Sequence[str]
    result: str
    pause: Sequence[str]


def _stored(raw: Sequence[Any]) -> Stored | None:
    if not raw:
        return None
    found = _Workflow._make(raw)
    return Stored(
        fields=pairs(found.fields),
        frame=pairs(found.frame),
        variables=pairs(found.variables),
        result=found.result,
        pause=(found.pause[0], found.pause[1]) if found.pause else ("", ""),
    )


def _all_stored(raw: Sequence[Any]) -> list[Stored | None]:
    return [_stored(each) for each in raw]


_READ_WORKFLOWS = Verb("read_workflows", _all_stored, workflow=_Workflow)
_FIND_WORKFLOWS = Verb("find_workflows", by_moment.found)


def read(id: str) -> Operation[Stored | None]:
    """Return a workflow; None where there is no such one."""
    (found,) = yield from _READ_WORKFLOWS(workflows=[id])
    return found


def read_all(ids: Sequence[str]) -> Operation[list[Stored | None]]:
    """Return workflows in the order asked; None where there is no such one."""
    found: list[Stored | None] = []
    while len(found) < len(ids):
        found += yield from _READ_WORKFLOWS(workflows=ids[len(found) : len(found) + PIECE])
    return found


def find(
    after: Entry | None, most: int, *, name: str = "", created_by: str = "", status: WorkflowStatus | None = None
) -> Call[Found]:
    """Return workflows behind *after* (None: from the newest) that meet every filter, and where to go on (None: no
    more). Newest first, *most* or fewer where a script may look no further.
    """
    stands = "" if status is None else status.value
    return _FIND_WORKFLOWS(**by_moment.behind(after), limit=most, name=name, by=created_by, status=stands)


#: Signals of one name that may wait in a workflow.
MOST_SIGNALS = 1000
_SIGNAL = Verb("signal", reply)
_SET_VARIABLES = Verb("set_variables", reply)


def signal(id: str, name: str, signal_id: str, text: str, *, is_kept: bool = False) -> Call[Reply]:
    """Send a workflow a signal: ok (1 when it is new), full, conflict (status) or missing.

    *is_kept*: :func:`kept_signal` knows it from then on.
    """
    kept = "1" if is_kept else ""
    return _SIGNAL(workflow=id, name=name, signal=signal_id, text=text, most=MOST_SIGNALS, is_kept=kept)


def kept_signal(keys: Keys, id: str, name: str, signal_id: str) -> Call[str | None]:
    """Return the text of a signal that is kept, whether or not a step took it; None when none was sent."""

    def decode(raw: Any) -> str | None:
        return str(raw) if str(raw or "").startswith("{") else None

    return Call("HGET", (keys.of("received_signals", id), f"{name}:{signal_id}"), decode, command=True)


def set_variables(id: str, values: Mapping[str, str], if_revision: int | None) -> Call[Reply]:
    """Set variables of a workflow: ok (revision), changed (revision), conflict (status) or missing."""
    words = [word for pair in values.items() for word in pair]
    return _SET_VARIABLES(workflow=id, revision="" if if_revision is None else if_revision, words=words)


_PUT_FRAME = Verb("put_frame", reply)
_REGISTER = Verb("register", reply)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a step that runs another definition begins with."""

    step: str
    workflow: str
    digest: str
    #: JSON.
    context: str
    path: str
    #: Frames around it.
    depth: int
    #: Name -> JSON.
    variables: Mapping[str, str]
    #: As of a :class:`Start`, where it pins what it runs by itself.
    names: Mapping[str, str] = field(default_factory=dict)
    definitions: Sequence[str] = ()


def put_frame(term: str, new: Frame) -> Call[Reply]:
    """Give a step variables of its own, unless it has some: ok, undefined (digest, to be laid by first) or stale."""
    variables: list[Row] = [{"name": name, "value": value} for name, value in new.variables.items()]
    return _PUT_FRAME(
        term=term, step=new.step, workflow=new.workflow, digest=new.digest, context=new.context, path=new.path,
        depth=new.depth, names=dumps(dict(new.names), "names"), definitions=" ".join(new.definitions),
        variables=variables,
    )  # fmt: skip


def names_of(keys: Keys, workflow: str, frame: str) -> Operation[tuple[dict[str, str], int]]:
    """Workflow name -> digest, as they were when a workflow started, and how many frames are around one of it."""
    names = yield from Call("HGET", (keys.of("frame", workflow), FrameField.names), _text, command=True)
    depth = yield from Call("HGET", (keys.of("frame", frame), FrameField.depth), _text, command=True)
    return loads_object(names or "{}"), int(depth or 0)


def _text(raw: Any) -> str:
    return str(raw or "")


def register(name: str, digest: str, by: str) -> Call[Reply]:
    """Register a definition that was laid by: ok (version) or undefined."""
    return _REGISTER(name=name, digest=digest, by=by)


def names(keys: Keys) -> Call[list[str]]:
    """Names under which definitions are registered, in their order."""
    return Call("HKEYS", (keys.fixed("definitions"),), sorted, command=True)


def registered(keys: Keys, name: str) -> Call[tuple[str, int] | None]:
    """Digest and version of the latest definition of a name; None where there is none."""

    def decode(raw: Any) -> tuple[str, int] | None:
        digest, _, version = str(raw or "").partition(" ")
        return (digest, int(version)) if digest else None

    return Call("HGET", (keys.fixed("definitions"), name), decode, command=True)
