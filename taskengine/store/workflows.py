"""Workflows as they are stored: a definition by its digest, a frame for each that runs, and its first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taskengine.errors import StoreError
from taskengine.store.call import Call
from taskengine.store.codec import pairs
from taskengine.store.inspection import Fields
from taskengine.store.keys import Keys
from taskengine.store.records import Record
from taskengine.store.replies import Reply, reply


def put_definition(digest: str, text: str) -> Call[Reply]:
    """Lay a definition by, for an hour unless a workflow that uses it starts; safe to repeat."""
    return Call("put_definition", (digest, text), reply)


def definition(keys: Keys, digest: str) -> Call[str]:
    """The text of a definition; StoreError when it is not there."""

    def decode(raw: Any) -> str:
        if raw is None:
            raise StoreError(f"the definition {digest} of a workflow is gone")
        return str(raw)

    return Call("GET", (keys.of("def", digest),), decode, command=True)


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


def start(new: Start) -> Call[Reply]:
    """Start a workflow: ok (id), exists (id), conflict (field, id) or undefined (lay the definition by first)."""
    variables = (word for pair in new.variables.items() for word in pair)
    head = (new.run_id, new.digest, new.context, new.name, new.created_by, new.record.raw_id)
    return Call("start_workflow", (*head, *new.record.row, *variables), reply)


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
    #: The scope and the story of a pause; '' and '' without one.
    pause: tuple[str, str]


def read(id: str) -> Call[Stored | None]:
    """A workflow; None where there is no such one."""

    def decode(raw: Any) -> Stored | None:
        if not raw:
            return None
        own, frame, variables, result, pause = raw
        return Stored(pairs(own), pairs(frame), pairs(variables), result, (pause[0], pause[1]) if pause else ("", ""))

    return Call("read_workflow", (id,), decode)
