"""One verb for all tasks that a filter finds: in pieces, newest first, each piece one script.

Nothing is remembered between the pieces but the arrival number below which the search goes on. So tasks that
come meanwhile are not touched, a call that was interrupted is simply made again, and what was done to a task
once is skipped then. Newest first means dependents before what they depend on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from taskengine.api.arguments import member, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import indexes_of
from taskengine.api.operations.pause import pause_terms
from taskengine.api.selection import Selection
from taskengine.core import remedy
from taskengine.core.containment import contains
from taskengine.core.lifecycle import CANCELLABLE, DELETABLE, EXECUTING, HALTED, HOLDABLE, PAUSABLE, REOPENABLE
from taskengine.errors import InvalidInputError
from taskengine.models import BulkResult, TaskFilter, TaskPriority, TaskStatus
from taskengine.store import needs, tasks
from taskengine.store.call import Operation
from taskengine.store.coordination import continue_releases, settle_batch
from taskengine.store.records import index_names
from taskengine.store.replies import Reply

#: Tasks that one script changes. A cancel of 64 took 4 of the 10 ms that a script may take (measured), and a busy
#: machine added up to 20.
PIECE = 32
_NAMED = 20
_DONE = frozenset({"ok", "asked"})
#: Answers after which the same task is told again.
_AGAIN = frozenset({"settling", "stale", "later"})

Verb: TypeAlias = Callable[[Sequence[str]], Operation[list[Reply]]]


def cancel_tasks(selection: Selection, reason: str) -> Operation[BulkResult]:
    """Cancel what is not over."""
    why = text(reason, "reason", 10_000)
    return _each(selection, CANCELLABLE, lambda ids: _told(tasks.cancel_all(ids, why)))


def pause_tasks(
    selection: Selection, reason: str | None, until: datetime | None, by: str | None
) -> Operation[BulkResult]:
    """Pause by name what is not over."""
    terms = pause_terms(reason, until, by)
    return _each(selection, PAUSABLE, lambda ids: _told(tasks.pause_all(ids, *terms)))


def resume_tasks(selection: Selection) -> Operation[BulkResult]:
    """Let go on what was paused by name; of what runs, what was asked to pause."""
    return _each(selection, HALTED | EXECUTING, lambda ids: _told(tasks.resume_all(ids)), asked=True)


def hold_tasks(selection: Selection, *, held: bool) -> Operation[BulkResult]:
    """Hold back what has not started, or release it."""
    return _each(selection, HOLDABLE, lambda ids: _told(tasks.hold_all(ids, held=held)))


def retry_tasks(selection: Selection) -> Operation[BulkResult]:
    """Open what failed or was cancelled again."""
    return _each(selection, REOPENABLE, lambda ids: _told(tasks.reopen_all(ids)))


def update_tasks(selection: Selection, priority: TaskPriority | int | str) -> Operation[BulkResult]:
    """Give what is not over another priority."""
    wanted = member(TaskPriority, priority, "new_priority")
    return _each(selection, CANCELLABLE, lambda ids: tasks.reprioritise(ids, int(wanted)))


def delete_tasks(context: OperationContext, selection: Selection) -> Operation[BulkResult]:
    """Delete what is over and what nothing open depends on."""
    look = _Look()
    return (yield from _each(selection, DELETABLE, lambda ids: _delete(context, ids, look)))


def _told(verb: Any) -> Operation[list[Reply]]:
    answers: list[Reply] = yield from verb
    return answers


@dataclass(slots=True)
class _Count:
    """What came of the tasks so far."""

    dry_run: bool
    matched: int = 0
    done: int = 0
    ids: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def note(self, id: str, skipped: str) -> None:
        """Count one task; *skipped* is why nothing was done, or ''."""
        if skipped:
            self.skipped[skipped] += 1
            return
        self.done += 1
        if len(self.ids) < _NAMED:
            self.ids.append(id)

    def result(self) -> BulkResult:
        return BulkResult(
            matched=self.matched, done=self.done, ids=tuple(map(UUID, self.ids)), skipped=dict(self.skipped),
            dry_run=self.dry_run,
        )  # fmt: skip


def _each(
    selection: Selection, fits: frozenset[TaskStatus], verb: Verb, *, asked: bool = False
) -> Operation[BulkResult]:
    """Tell every task of *selection* the *verb*; *fits* are the states in which it may do something.

    *asked*: to one that runs it does something only if that was asked to pause.
    """
    where = TaskFilter(**selection.filters)
    if where.is_everything and not selection.everything:
        that = remedy.named("everything=True", "--all")
        raise InvalidInputError(
            f"no filter leaves anything out, so this would be done to every task; filter, or pass {that}",
            field="everything",
        )
    indexes = indexes_of(where) + (tasks.holding(where.metadata) if where.metadata else [])
    count, below, more = _Count(selection.dry_run), 0, True
    while more:
        # Documents are read to compare metadata, so then every task found is named and told.
        named = TaskStatus if where.metadata else fits
        below, ids, others = yield from tasks.find_fitting(below, PIECE, named, indexes)
        if where.metadata:
            ids = yield from _containing(ids, where.metadata)
        count.matched += len(ids) + sum(others.values())
        count.skipped.update(others)
        yield from _count_only(count, ids, fits, asked) if selection.dry_run else _tell(count, ids, verb)
        if (ids or others) and selection.progress is not None:
            selection.progress(count.result())
        more = below > 0
    return count.result()


def _containing(ids: Sequence[str], metadata: Mapping[str, Any]) -> Operation[list[str]]:
    seen = yield from tasks.read(ids)
    return [str(task.id) for task in seen if task and contains(task.metadata, metadata)]


def _count_only(count: _Count, ids: Sequence[str], fits: frozenset[TaskStatus], asked: bool) -> Operation[None]:
    found: list[str] = (yield from tasks.statuses(ids)) if ids else []
    idle = (yield from _not_asked(ids, found)) if asked else frozenset()
    for id, status in zip(ids, found, strict=True):
        count.note(id, "" if status in fits and id not in idle else status or "missing")


def _not_asked(ids: Sequence[str], statuses: Sequence[str]) -> Operation[frozenset[str]]:
    """Return those that run and were not asked to pause."""
    running = [id for id, status in zip(ids, statuses, strict=True) if status in EXECUTING]
    seen = (yield from tasks.read(running)) if running else []
    return frozenset(str(task.id) for task in seen if task and not task.pause_requested)


def _tell(count: _Count, ids: Sequence[str], verb: Verb) -> Operation[None]:
    left = list(ids)
    while left:
        answers = yield from verb(left)
        again = []
        for id, answer in zip(left, answers, strict=True):
            if answer.word in _AGAIN:
                again.append(id)
            else:
                count.note(id, _why_not(answer))
        left = again
        for answer in answers:
            if answer.word == "settling":
                yield from _settle(answer)


def _why_not(answer: Reply) -> str:
    if answer.word in _DONE:
        return ""
    if answer.word == "late":
        raise InvalidInputError("until is over; name a time to come", field="until")
    return answer.text() if answer.word == "conflict" else answer.word


def _settle(answer: Reply) -> Operation[None]:
    """Drive what a task waits for before it may be changed: its graph's commit, or the news of its last end."""
    if answer.text() == "batch":
        yield from settle_batch(answer.text(1))
    else:
        yield from continue_releases("", answer.text(1))


@dataclass(slots=True)
class _Look:
    """What open tasks depend on, as of one moment: one look for many deletes, until one of them finds it too old."""

    since: tasks.Since | None = None
    #: Those that were open then. What ended since may have dependents that were not there.
    open: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()

    def fresh(self, context: OperationContext, ids: Iterable[str]) -> Operation[tasks.Since]:
        """Look again where nobody did yet, or one of *ids*, all of them over, was open then."""
        since = self.since
        if since is None or not self.open.isdisjoint(ids):
            since = yield from needs.since(context.keys)
            found = [one for one in (yield from needs.open_needs()) if one.stands != "over"]
            self.open = frozenset(one.id for one in found)
            self.needed = frozenset(id for one in found for id in one.depends_on)
            self.since = since
        return since


def _delete(context: OperationContext, ids: Sequence[str], look: _Look) -> Operation[list[Reply]]:
    stored = {str(task.id): task for task in (yield from tasks.read(ids)) if task}
    over = [id for id, task in stored.items() if task.status in DELETABLE]
    since = yield from look.fresh(context, over)
    told = {id: Reply("conflict", (task.status.value,)) for id, task in stored.items()}
    # Who was over a moment ago and open when it was looked is told again.
    told |= {id: Reply("stale" if id in look.open else "waited") for id in over}
    pairs = [(id, index_names(stored[id])) for id in over if id not in look.needed and id not in look.open]
    answers = (yield from tasks.delete_all(pairs, since)) if pairs else []
    for (id, _), answer in zip(pairs, answers, strict=True):
        told[id] = yield from tasks.left_all(id, answer)
        if answer.word == "stale":
            look.since = None
    return [told.get(id) or Reply("missing") for id in ids]
