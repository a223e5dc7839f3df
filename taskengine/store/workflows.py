"""Workflows as they are stored: a definition by its digest, a frame for each that runs, and its first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taskengine.store.call import Call
from taskengine.store.records import Record
from taskengine.store.replies import Reply, reply


def put_definition(digest: str, text: str) -> Call[Reply]:
    """Lay a definition by, for an hour unless a workflow that uses it starts; safe to repeat."""
    return Call("put_definition", (digest, text), reply)


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
