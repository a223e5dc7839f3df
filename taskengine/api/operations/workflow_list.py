"""Which workflows there are, in pages, newest first."""

from __future__ import annotations

from taskengine.api.arguments import cursor_at, member, number, place_of, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import MAX_PAGE
from taskengine.api.operations.runs import LONGEST_NAME
from taskengine.api.operations.workflow_read import definition_of, status_of, workflow_of
from taskengine.models import Workflow, WorkflowDefinition, WorkflowPage, WorkflowStatus
from taskengine.store import runs, workflows
from taskengine.store.by_moment import Entry
from taskengine.store.call import Operation
from taskengine.store.workflows import Stored

#: Workflows looked at in one trip.
PIECE = 64


def list_workflows(
    context: OperationContext,
    *,
    name: str | None,
    status: WorkflowStatus | str | None,
    created_by: str | None,
    limit: int,
    after: str | None,
) -> Operation[WorkflowPage]:
    """Return one page of the workflows that meet every filter."""
    most, place = number(limit, "limit", 1, MAX_PAGE), place_of(after)
    wanted = None if name is None else text(name, "name", LONGEST_NAME)
    by = None if created_by is None else text(created_by, "created_by")
    stands = None if status is None else member(WorkflowStatus, status, "status")
    found: list[tuple[Entry, Stored]] = []
    while len(found) <= most:  # one more than asked tells whether there is a next page
        entries = yield from workflows.page(context.keys, place, PIECE)
        seen = yield from runs.read([entry.id for entry in entries])
        for entry, run in zip(entries, seen, strict=True):
            if run is None or wanted not in (None, run.name) or by not in (None, run.created_by):
                continue
            stored = yield from workflows.read(entry.id)
            if stored is not None and stands in (None, status_of(stored)) and len(found) <= most:
                found.append((entry, stored))
        if len(entries) < PIECE:
            break
        place = entries[-1]
    made = yield from _with_definitions(context, found[:most])
    return WorkflowPage(made, cursor_at(found[most - 1][0]) if len(found) > most else None)


def _with_definitions(context: OperationContext, found: list[tuple[Entry, Stored]]) -> Operation[list[Workflow]]:
    """Workflows of what is stored; those of one definition read it once."""
    known: dict[str, WorkflowDefinition] = {}
    for _, stored in found:
        if (digest := stored.frame["def"]) not in known:
            known[digest] = yield from definition_of(context, stored)
    return [workflow_of(entry.id, stored, known[stored.frame["def"]]) for entry, stored in found]
