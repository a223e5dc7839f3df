"""A scope of steps as rows, dependencies before dependents.

What is a task stays one; sequential and parallel steps without further wishes are flattened: their steps stand in the
scope around them, and a gate at their own path waits for the last of them. So edges between tasks need no thought,
whatever they are nested in, and whoever comes after a group depends on one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter

from taskengine.core.steps.expected import of_step
from taskengine.core.steps.paths import child
from taskengine.core.steps.plain import ends, is_plain, named_before
from taskengine.core.steps.plan import PIECE
from taskengine.core.steps.rows import GATE, Row, StepRow
from taskengine.core.steps.templates import Author
from taskengine.models import ParallelStep, SequentialStep, TaskStep, WorkflowStep


@dataclass(frozen=True, slots=True)
class Scope:
    """Some steps, and where they stand."""

    author: Author
    #: Of what they belong to; '' for a workflow's own.
    path: str
    steps: Sequence[WorkflowStep]
    in_parallel: bool = False
    #: Names -> what they are called in paths, where that differs.
    called: Mapping[str, str] = field(default_factory=dict)

    def path_of(self, name: str) -> str:
        """Return the path of one of the steps."""
        return child(self.path, self.called.get(name, name))


#: Scopes of several pieces, latest first, with their rows: each piece asks for those of the whole scope again.
_latest: list[tuple[Scope, list[Row]]] = []
_MOST_SCOPES = 4


def rows_of(scope: Scope) -> list[Row]:
    """Return the rows of a scope; each stands behind all that it depends on. They are not to be changed."""
    for known, rows in _latest:
        if _is_same(known, scope):
            return rows
    rows = _with_ahead(_ordered(scope))
    if len(rows) > PIECE:
        _latest[:] = [(scope, rows), *_latest[: _MOST_SCOPES - 1]]
    return rows


def _is_same(one: Scope, other: Scope) -> bool:
    """Whether two scopes have the same rows; definitions and steps never change, so the same objects say the same."""
    mine, theirs = one.author, other.author
    return (
        one.steps is other.steps and mine.definition is theirs.definition
        and (one.path, one.in_parallel, one.called) == (other.path, other.in_parallel, other.called)
        and (mine.prefix, mine.items, mine.bindings) == (theirs.prefix, theirs.items, theirs.bindings)
    )  # fmt: skip


def _ordered(scope: Scope) -> list[Row]:
    rows = {row.path: row for row in _rows(scope, ())}
    places = {path: place for place, path in enumerate(rows)}
    if all(places.get(on, -1) < at for at, row in enumerate(rows.values()) for on in row.depends_on):
        return list(rows.values())
    order = TopologicalSorter({path: [on for on in row.depends_on if on in rows] for path, row in rows.items()})
    return [rows[path] for path in order.static_order()]


def _with_ahead(rows: Sequence[Row]) -> list[Row]:
    """Return rows, each behind all that it depends on, with what is ahead of each."""
    ahead = dict.fromkeys((row.path for row in rows), 0.0)
    for row in reversed(rows):
        way = row.seconds + ahead[row.path]
        for on in row.depends_on:
            if way > ahead.get(on, way):
                ahead[on] = way
    return [replace(row, ahead=ahead[row.path]) if ahead[row.path] else row for row in rows]


def count(steps: Sequence[WorkflowStep]) -> int:
    """Return how many rows steps have."""
    return sum(
        1 + count(step.sub_steps) if isinstance(step, SequentialStep | ParallelStep) and is_plain(step) else 1
        for step in steps
    )


def _rows(scope: Scope, before: tuple[str, ...]) -> Iterator[Row]:
    """Rows whose first ones depend on *before*."""
    for at, step in enumerate(scope.steps):
        named = named_before(scope.steps, at, in_parallel=scope.in_parallel)
        yield from _row(scope, step, tuple(map(scope.path_of, named)) or before)


def _row(scope: Scope, step: WorkflowStep, on: tuple[str, ...]) -> Iterator[Row]:
    path = scope.path_of(step.name)
    if isinstance(step, SequentialStep | ParallelStep) and is_plain(step):
        inner = replace(
            scope, path=path, steps=step.sub_steps, in_parallel=isinstance(step, ParallelStep), called={}
        )
        yield from _rows(inner, on)
        last = ends(step.sub_steps, in_parallel=inner.in_parallel)
        yield StepRow(path, step.name, step.kind, GATE, tuple(inner.path_of(one.name) for one in last))
        return
    row: Row | None = None
    if isinstance(step, TaskStep) and is_plain(step):
        row = scope.author.task_row(step, path, on)
    if row is None:
        edges = dict.fromkeys((*on, *scope.author.edges(step, path)))
        row = StepRow(path, step.name, step.kind, depends_on=tuple(edges), seconds=of_step(step))
    yield row
