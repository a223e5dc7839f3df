"""Which workflows there are, in pages, newest first."""

from __future__ import annotations

from taskengine.api.arguments import cursor_at, member, number, place_of, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import MAX_PAGE, MAX_SEARCHES
from taskengine.api.operations.runs import LONGEST_NAME
from taskengine.api.operations.workflow_read import definition_of, status_of, workflow_of
from taskengine.models import Workflow, WorkflowDefinition, WorkflowPage, WorkflowStatus
from taskengine.store import workflows
from taskengine.store.by_moment import Entry
from taskengine.store.call import Operation
from taskengine.store.workflows import Stored


def list_workflows(
    context: OperationContext,
    *,
    name: str | None,
    status: WorkflowStatus | str | None,
    created_by: str | None,
    limit: int,
    after: str | None,
) -> Operation[WorkflowPage]:
    """Return one page of the workflows that meet every filter; short where it would search for longer."""
    most, place = number(limit, "limit", 1, MAX_PAGE), place_of(after)
    wanted = None if name is None else text(name, "name", LONGEST_NAME)
    by = None if created_by is None else text(created_by, "created_by")
    stands = None if status is None else member(WorkflowStatus, status, "status")
    found: list[Entry] = []
    more, searches = True, 0
    while more and len(found) <= most and searches < MAX_SEARCHES:  # one more than asked tells whether there is more
        place, entries = yield from workflows.find(
            place, most + 1 - len(found), name=wanted or "", created_by=by or "", status=stands
        )
        found += entries
        more, searches = place is not None, searches + 1
    seen = yield from workflows.read_all([entry.id for entry in found[:most]])
    last = found[most - 1] if len(found) > most else place
    meant = [
        (entry, one)
        for entry, one in zip(found, seen, strict=False)
        if one is not None and stands in (None, status_of(one))  # it may have moved since it was found
    ]
    made = yield from _with_definitions(context, meant)
    return WorkflowPage(made, cursor_at(last) if last else None)


def _with_definitions(context: OperationContext, found: list[tuple[Entry, Stored]]) -> Operation[list[Workflow]]:
    """Workflows of what is stored; those of one definition read it once."""
    known: dict[str, WorkflowDefinition] = {}
    for _, stored in found:
        if (digest := stored.frame["def"]) not in known:
            known[digest] = yield from definition_of(context, stored)
    return [workflow_of(entry.id, stored, known[stored.frame["def"]]) for entry, stored in found]
