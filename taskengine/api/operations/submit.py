"""Submit: one task, or a whole graph, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from taskengine.api.arguments import Id, id_text, new_task, new_tasks, text
from taskengine.api.arguments import idempotency_key as argument_key
from taskengine.api.context import OperationContext
from taskengine.api.operations.expect import expected
from taskengine.api.operations.moments import refuse_past
from taskengine.api.operations.runs import LONGEST_NAME
from taskengine.api.operations.templates import refuse_templates
from taskengine.core import graph
from taskengine.core.schemas import LARGEST, refuse_schema
from taskengine.errors import (
    CircularDependencyError,
    ConflictError,
    IdempotencyConflictError,
    NotFoundError,
    PayloadTooLargeError,
    UnknownDependencyError,
)
from taskengine.models import Task, TaskCreateRequest
from taskengine.models.task import STATE_FIELDS
from taskengine.store import graphs, runs, tasks
from taskengine.store.call import Operation
from taskengine.store.codec import digest, dumps, moment
from taskengine.store.graph_nodes import GraphNode, graph_nodes, pieces
from taskengine.store.idempotency import owners
from taskengine.store.records import graph_digest, record
from taskengine.store.results import whole

#: Times that a graph is submitted again when another client submits the same one at the same moment.
_TRIES = 8
_BLANK: Mapping[str, Any] = {name: Task.model_fields[name].default for name in STATE_FIELDS}


def create_task(context: OperationContext, given: Task | TaskCreateRequest, run_id: Id | None) -> Operation[Task]:
    """Store one task and start its life; the first one's record when its id or key was used for the same
    content.
    """
    run = str(uuid4()) if run_id is None else id_text(run_id, "run_id")
    task = new_task(given)
    if task.id in task.depends_on:  # put in place, past the model
        raise CircularDependencyError([task.name, task.name])
    refuse_schemas([task])
    yield from refuse_past(context, [task])
    yield from refuse_templates([task], {})
    if len(task.depends_on) > graphs.EDGES:  # more than one script may touch
        (stored,) = yield from create_tasks(context, [task], run)
        id = str(stored.id)
    else:
        id = yield from _create(context, run, task)
    found = yield from whole(context.keys, id)
    if found is None:
        raise NotFoundError("task", id)
    return found


def _create(context: OperationContext, run: str, task: Task) -> Operation[str]:
    (seconds,) = yield from expected(context, [task])
    answer = yield from tasks.create(run, record(task, seconds))
    if answer.word == "missing":
        raise UnknownDependencyError(f"{task.name} ({task.id})", [answer.text()])
    if answer.word == "conflict":
        field = answer.text()
        value = str(task.id) if field == "id" else str(task.idempotency_key)
        raise IdempotencyConflictError(field, value, answer.text(1))
    return answer.text()


def create_tasks(
    context: OperationContext,
    given: Iterable[Task | TaskCreateRequest],
    run_id: Id | None,
    idempotency_key: str | None = None,
    name: str | None = None,
) -> Operation[list[Task]]:
    """Store a graph, all or nothing; its tasks in the order given, as they stand now. A graph whose key names the same
    one already is that one.
    """
    run = str(uuid4()) if run_id is None else id_text(run_id, "run_id")
    key = argument_key(idempotency_key)
    called = "" if name is None else text(name, "name", LONGEST_NAME)
    new = {str(task.id): task for task in new_tasks(given, context.settings.max_graph)}
    if not new:
        return []
    names = None if key is None else graphs.Name(digest(key), graph_digest(list(new.values())), list(new))
    first = yield from _named_before(names, key)
    if first is not None:
        return (yield from _as_stored(new, first, None))
    parents = {id: sorted(map(str, task.depends_on)) for id, task in new.items()}
    yield from _check(new, parents)
    refuse_schemas(new.values())
    yield from refuse_past(context, new.values())
    yield from refuse_templates(new.values(), new)
    if called and run_id is not None:
        yield from _refuse_other_name(run, called)
    label = graphs.Label(called, next(iter(new.values())).created_by)
    stored = yield from _submit(context, run, new, parents, names, key, label)
    return (yield from _as_stored(new, stored, run if run_id is None else None))


def refuse_schemas(given: Iterable[Task]) -> None:
    """Raise InvalidInputError where a task's result could not be held against its schema, or that is too large."""
    for task in given:
        if task.output_schema is None:
            continue
        if (size := len(dumps(task.output_schema, "output_schema").encode())) > LARGEST:
            raise PayloadTooLargeError("output_schema", size, LARGEST)
        refuse_schema(task.output_schema)


def _refuse_other_name(run: str, called: str) -> Operation[None]:
    (stored,) = yield from runs.read([run])
    if stored and stored.name not in ("", called):
        raise ConflictError(
            f"run {run} is called {stored.name!r} and keeps that name; leave the name out, or submit without run_id"
        )


def _check(new: Mapping[str, Task], parents: graph.Parents) -> Operation[None]:
    outside = sorted({id for wanted in parents.values() for id in wanted if id not in parents})
    known = set[str]()
    for piece in pieces(outside):
        seen = yield from tasks.statuses(piece)
        known |= {id for id, status in zip(piece, seen, strict=True) if status}
    graph.check(parents, known=known, names={id: task.name for id, task in new.items()})


def _named_before(name: graphs.Name | None, key: str | None) -> Operation[dict[str, str] | None]:
    """New id -> stored id of the graph that the key names already, None when it names none."""
    found = (yield from graphs.named(name.key)) if name else None
    if name is None or found is None:
        return None
    if found.sha != name.sha:
        raise IdempotencyConflictError("idempotency_key", str(key), found.run_id, kind="run")
    return dict(zip(name.order, found.ids, strict=True))


def _submit(
    context: OperationContext,
    run: str,
    new: Mapping[str, Task],
    parents: graph.Parents,
    name: graphs.Name | None,
    key: str | None,
    label: graphs.Label,
) -> Operation[dict[str, str]]:
    """Return the ids that the tasks are stored under; they differ where an idempotency key named an older twin."""
    order = graph.execution_order(parents)
    seconds = yield from expected(context, new.values())
    paths = graph.longest_to_end(parents, dict(zip(new, seconds, strict=True)))
    keyed = {task.idempotency_key: id for id, task in new.items() if task.idempotency_key}
    for _ in range(_TRIES):
        twins = yield from _twins(context, keyed)
        records = (record(new[id], paths[id], _renamed(parents[id], twins)) for id in order)
        try:
            ids = yield from graphs.submit(run, records, name, label)
            return dict(zip(order, ids, strict=True))
        except IdempotencyConflictError as exc:
            # Unless another client has just stored the twin that our edges should name, it is a conflict.
            if exc.field == "id" or (yield from _twins(context, keyed)) == twins:
                raise (yield from _named(context, exc, keyed)) from None
        except ConflictError:  # another client submits the same tasks right now
            first = yield from _named_before(name, key)
            if first is not None:
                return first
    raise ConflictError("another client keeps submitting tasks of this graph; submit it again")


def _twins(context: OperationContext, keyed: Mapping[str, str]) -> Operation[dict[str, str]]:
    """New id -> stored id, of tasks whose idempotency key names somebody already.

    Their dependents must name the stored ones, or the same graph, built again with new ids, would be other
    content.
    """
    if not keyed:
        return {}
    found = yield from owners(context.keys, list(keyed))
    return {keyed[key]: id for key, id in found.items()}


def _renamed(wanted: Iterable[str], twins: Mapping[str, str]) -> list[str]:
    return sorted({twins.get(id, id) for id in wanted})


def _named(
    context: OperationContext, exc: IdempotencyConflictError, keyed: Mapping[str, str]
) -> Operation[IdempotencyConflictError]:
    """Return the error with the key that the client gave: the store keeps only its hash."""
    if exc.field == "id":
        return exc
    found = yield from owners(context.keys, list(keyed))
    key = next((key for key, id in found.items() if id == exc.existing_id), "given")
    return IdempotencyConflictError(exc.field, key, exc.existing_id)


def _as_stored(new: Mapping[str, Task], stored: Mapping[str, str], run: str | None) -> Operation[list[Task]]:
    """Return the tasks as they stand; those not of the new *run* were there before and are read."""
    seen = yield from graph_nodes([stored[id] for id in new])
    older = [stored[id] for id, now in zip(new, seen, strict=True) if now is None or now.run_id != run]
    found = dict(zip(older, (yield from tasks.read(older)), strict=True))
    return [
        _required(found[stored[id]], stored[id]) if stored[id] in found else _fresh(task, now)
        for (id, task), now in zip(new.items(), seen, strict=True)
    ]


def _required(task: Task | None, id: str) -> Task:
    if task is None:
        raise NotFoundError("task", id)
    return task


def _fresh(task: Task, now: GraphNode | None) -> Task:
    assert now is not None  # None ones were read
    state = {"status": now.status, "run_id": UUID(now.run_id), "created_at": moment(now.created_ms)}
    return task.with_checked({**_BLANK, **state})
