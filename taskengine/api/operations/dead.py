"""Dead letters: list them, tell the history of one, give them another life, or strike them off the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from taskengine.api.arguments import Id, cursor_at, id_text, id_texts, instant, number, place_of, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import MAX_PAGE, MAX_SEARCHES
from taskengine.api.operations.execute import retry_task
from taskengine.core import remedy
from taskengine.errors import InvalidInputError, NotAllowedError, NotFoundError
from taskengine.models import DeadLetter, DeadLetterPage, ExecutionStatus, RequeuedLetters, Task
from taskengine.store import dead_letters, executions, tasks
from taskengine.store.by_moment import Entry
from taskengine.store.call import Operation
from taskengine.store.codec import millis, moment
from taskengine.store.history import history_of
from taskengine.store.results import whole

#: Entries found in one trip.
_PIECE = 100
_LOST = frozenset({ExecutionStatus.LOST})
#: Latest executions and events that its history shows.
_TOLD = 100


def list_dead_letters(
    *, capability: str | None, since: datetime | None, limit: int, after: str | None
) -> Operation[DeadLetterPage]:
    """One page of dead letters that meet every filter, newest first, without their history; short where it would
    search for longer.
    """
    most, place = number(limit, "limit", 1, MAX_PAGE), place_of(after)
    queue, from_ms = _filters(capability, since)
    found: list[tuple[Entry, Task]] = []
    more, searches = True, 0
    while more and len(found) <= most and searches < MAX_SEARCHES:  # one more than asked tells whether there is more
        place, entries = yield from dead_letters.find(place, from_ms, most + 1 - len(found), queue)
        seen = yield from tasks.read([entry.id for entry in entries])
        found += [(entry, task) for entry, task in zip(entries, seen, strict=True) if task is not None]
        more, searches = place is not None, searches + 1
    last = found[most - 1][0] if len(found) > most else place
    return DeadLetterPage((_letter(entry, task) for entry, task in found[:most]), cursor_at(last) if last else None)


def get_dead_letter(context: OperationContext, task_id: Id) -> Operation[DeadLetter]:
    """Return a dead letter with its history."""
    id = id_text(task_id)
    at = yield from dead_letters.died_at(context.keys, id)
    task = yield from whole(context.keys, id)
    if at is None or task is None:
        raise NotFoundError("dead letter", id)
    ran = yield from executions.of_task(id, _TOLD)
    events = yield from history_of(context.keys, str(task.run_id), id, _TOLD)
    lost = tuple(one for one in ran if one.status in _LOST)
    return _letter(Entry(id, at), task).model_copy(update={"lost": lost, "events": tuple(events)})


def requeue_dead_letters(
    context: OperationContext,
    task_ids: Iterable[Id] | Id | None,
    capability: str | None,
    since: datetime | None,
    everything: bool,
) -> Operation[RequeuedLetters]:
    """Open dead letters again, each as ``retry_task`` does; those that were opened, and why others were not."""
    skipped: dict[UUID, str] = {}

    def requeue(id: str) -> Operation[bool]:
        try:
            yield from retry_task(context, id, False, None)
        except (NotAllowedError, NotFoundError) as exc:  # a part of a workflow, or somebody else was faster
            skipped[UUID(id)] = str(exc)
            return False
        return True

    return RequeuedLetters((yield from _each(context, task_ids, capability, since, everything, requeue)), skipped)


def drop_dead_letters(
    context: OperationContext,
    task_ids: Iterable[Id] | Id | None,
    capability: str | None,
    since: datetime | None,
    everything: bool,
) -> Operation[list[UUID]]:
    """Strike dead letters off the list; those that were on it."""

    def drop(id: str) -> Operation[bool]:
        answer = yield from dead_letters.drop(id)
        return answer.ok

    return (yield from _each(context, task_ids, capability, since, everything, drop))


def _each(
    context: OperationContext, task_ids: Iterable[Id] | Id | None, capability: str | None, since: datetime | None,
    everything: bool, act: Callable[[str], Operation[bool]],
) -> Operation[list[UUID]]:  # fmt: skip
    """Return those of the chosen letters for which *act* said that it did something."""
    done: list[UUID] = []
    if task_ids is not None:
        if capability is not None or since is not None or everything:
            raise InvalidInputError("ids and a filter exclude each other; pass one of them", field="task_ids")
        wanted = list(dict.fromkeys(id_texts(task_ids)))
        for id in wanted:
            if (yield from dead_letters.died_at(context.keys, id)) is None:
                raise NotFoundError("dead letter", id)
        for id in wanted:
            if (yield from act(id)):
                done.append(UUID(id))
        return done
    if capability is None and since is None and not everything:
        ways = remedy.named(
            "task_ids, capability or since, or everything=True", "ids, --capability or --since, or --all"
        )
        raise InvalidInputError(
            f"nothing says which dead letters; pass {ways}",
            field="task_ids",
        )
    queue, from_ms = _filters(capability, since)
    place, more = None, True
    while more:
        place, entries = yield from dead_letters.find(place, from_ms, _PIECE, queue)
        for entry in entries:
            if (yield from act(entry.id)):
                done.append(UUID(entry.id))
        more = place is not None
    return done


def _filters(capability: str | None, since: datetime | None) -> tuple[str, int]:
    queue = "" if capability is None else text(capability, "capability")
    return queue, 0 if since is None else millis(instant(since, "since")) or 0


def _letter(entry: Entry, task: Task) -> DeadLetter:
    at = moment(entry.at_ms)
    assert at is not None
    return DeadLetter(task=task, at=at)
