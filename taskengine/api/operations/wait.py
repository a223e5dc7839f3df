"""Wait until tasks are over, at next to no cost for the server.

All statuses are looked at once; then one open task at a time is watched, and only its end wakes the waiter.
Which one matters: of tasks that end in the order of their submit the last one, which leaves nothing else to
watch; if that one was not the last to end, the middle one of those still open, so that whatever the order
eight looks settle 256 tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from taskengine.api.arguments import Id, id_texts, seconds
from taskengine.api.context import OperationContext
from taskengine.core.lifecycle import TERMINAL
from taskengine.errors import NotFoundError, WaitTimeoutError
from taskengine.models import Task
from taskengine.store import tasks
from taskengine.store.call import Operation
from taskengine.store.connect import LONGEST_BLOCK
from taskengine.store.graph_nodes import pieces
from taskengine.store.results import with_results


def wait(context: OperationContext, task_ids: Iterable[Id] | Id, timeout: float | None) -> Operation[list[Task]]:
    """Return the tasks with their results, in the order asked, once all are over."""
    ids = id_texts(task_ids)
    yield from until_over(context, ids, seconds(timeout))
    found = yield from tasks.read(ids)
    for id, task in zip(ids, found, strict=True):
        if task is None:
            raise NotFoundError("task", id)
    return (yield from with_results([task for task in found if task is not None]))


def until_over(context: OperationContext, ids: Sequence[str], timeout: float | None) -> Operation[None]:
    """Wait for the end of every task; WaitTimeoutError holds the ids that are still open, NotFoundError one
    unknown.
    """
    deadline = None if timeout is None else context.clock() + timeout
    still = yield from _open(list(dict.fromkeys(ids)))
    for piece in reversed(list(pieces(still))):
        left, looks = list(piece), 0
        while left := (yield from _open(left)):
            pause = LONGEST_BLOCK if deadline is None else min(LONGEST_BLOCK, deadline - context.clock())
            if pause <= 0:
                raise WaitTimeoutError((yield from _open(still)), timeout or 0)
            yield from _end_of(context, left[(len(left) - 1) // 2 if looks else -1], pause)
            looks += 1


def _open(ids: Sequence[str]) -> Operation[list[str]]:
    """Those that are not over, in the order given."""
    found: list[str] = []
    for piece in pieces(ids):
        statuses = yield from tasks.statuses(piece)
        for id, status in zip(piece, statuses, strict=True):
            if not status:
                raise NotFoundError("task", id)
            if status not in TERMINAL:
                found.append(id)
    return found


def _end_of(context: OperationContext, id: str, pause: float) -> Operation[None]:
    answer = yield from tasks.watch(id)
    if answer.ok and answer.text() not in TERMINAL:
        yield from tasks.until_done(context.keys, id, pause)
