"""What is allowed in a graph of tasks and probably not meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from taskengine.builders.graph_file import TaskGraph
from taskengine.core import graph, remedy
from taskengine.models import Task, TriggerRule

#: Tasks in a row from which on a chain is long.
LONG_CHAIN = 100
_NAMED = 5


@dataclass(frozen=True, slots=True)
class LintWarning:
    """Something that somebody should look at."""

    #: no-worker, no-timeout, isolated, held, long-chain, late, idle-rule.
    rule: str
    #: ``file:line``.
    place: str
    says: str


def lint_warnings(found: TaskGraph, now: datetime, offered: Collection[str] | None = None) -> Iterator[LintWarning]:
    """Doubts about a graph; *offered* are the queues that workers serve, None when nobody could be asked."""
    if offered is not None:
        yield from _no_worker(found, offered)
    yield from _no_timeout(found)
    yield from _isolated(found)
    yield from _held(found)
    yield from _long_chain(found)
    yield from _late(found, now)
    yield from _idle_rule(found)


def _no_worker(found: TaskGraph, offered: Collection[str]) -> Iterator[LintWarning]:
    queues: dict[str, list[Task]] = {}
    for task in found.tasks:
        if task.queue not in offered:
            queues.setdefault(task.queue, []).append(task)
    for queue, tasks in queues.items():
        what = f"agent {queue[1:]!r}" if queue.startswith("@") else f"capability {queue!r}"
        says = f"no worker offers {what}, which {_named(tasks)} need; {remedy.start_worker(queue)}"
        yield LintWarning("no-worker", found.places[tasks[0].id], says)


def _no_timeout(found: TaskGraph) -> Iterator[LintWarning]:
    tasks = [task for task in found.tasks if task.timeout is None]
    if tasks:
        says = f"{_named(tasks)}: no timeout, so an attempt may take the default hour; set timeout (seconds)"
        yield LintWarning("no-timeout", found.places[tasks[0].id], says)


def _isolated(found: TaskGraph) -> Iterator[LintWarning]:
    needed = {id for wanted in found.parents.values() for id in wanted}
    alone = [task for task in found.tasks if not task.depends_on and str(task.id) not in needed]
    if len(alone) < len(found.tasks):
        for task in alone:
            says = f"{task.name!r} depends on nothing and nothing depends on it, while others are linked"
            yield LintWarning("isolated", found.places[task.id], says)


def _held(found: TaskGraph) -> Iterator[LintWarning]:
    for task in found.tasks:
        if task.hold:
            behind = len(graph.descendants(found.parents, str(task.id)))
            says = f"{task.name!r} is held, so it and {behind} tasks behind it are not reached until it is released"
            yield LintWarning("held", found.places[task.id], says)


def _long_chain(found: TaskGraph) -> Iterator[LintWarning]:
    path = graph.critical_path(found.parents, dict.fromkeys(found.parents, 1.0))
    if len(path) > LONG_CHAIN:
        ends = f"{found.names[path[0]]!r} to {found.names[path[-1]]!r}"
        says = f"a chain of {len(path)} tasks, {ends}: no number of workers shortens it"
        yield LintWarning("long-chain", found.places[UUID(path[0])], says)


def _late(found: TaskGraph, now: datetime) -> Iterator[LintWarning]:
    for task in found.tasks:
        for name, at in (("deadline", task.deadline), ("expires_at", task.expires_at)):
            if at is not None and at <= now:
                says = f"{name} of {task.name!r} is over: a submit would be refused"
                yield LintWarning("late", found.places[task.id], says)


def _idle_rule(found: TaskGraph) -> Iterator[LintWarning]:
    for task in found.tasks:
        if task.trigger_rule is not TriggerRule.ALL_SUCCESS and not task.depends_on:
            rule = task.trigger_rule.value
            says = f"{task.name!r} has the trigger rule {rule} and depends on nothing: it starts at once"
            yield LintWarning("idle-rule", found.places[task.id], says)


def _named(tasks: Sequence[Task]) -> str:
    shown: Iterable[str] = (repr(task.name[:60]) for task in tasks[:_NAMED])
    more = f" and {len(tasks) - _NAMED} more" if len(tasks) > _NAMED else ""
    return ", ".join(shown) + more
