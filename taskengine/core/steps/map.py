"""Map steps: a sequence for each item of a list, all at once or a few at a time.

An item is one child: its task, where the sequence is one plain task step, else a step of its own with the sequence in
it. So what failed is counted by item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from pydantic import JsonValue

from taskengine.core.bindings import Bindings
from taskengine.core.instructions import EndChildren, NextItem, Nothing, StepInstruction
from taskengine.core.steps import failures
from taskengine.core.steps.compile import Scope, rows_of
from taskengine.core.steps.ending import end_queue, limit_ms
from taskengine.core.steps.paths import child, numbered
from taskengine.core.steps.plain import is_plain
from taskengine.core.steps.plan import Children
from taskengine.core.steps.rows import ASKS, WINDOW, Row, StepRow
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.core.steps.templates import Author
from taskengine.core.templates import bind
from taskengine.errors import ExpressionError, InvalidInputError
from taskengine.models import MapStep, TaskStep

_LONGEST_NAME = 500


def items(step: MapStep, bindings: Bindings, most: int) -> list[JsonValue]:
    """Return what it maps; ExpressionError where that is no list, or too long a one."""
    found = bindings.evaluate(step.items) if isinstance(step.items, str) else bind(step.items, bindings)
    if not isinstance(found, list):
        raise ExpressionError(str(step.items), f"comes to {found!r:.60}, which is no list")
    if len(found) > most:
        raise InvalidInputError(f"a map of {len(found)} items is over the limit of {most}", field="items")
    return found


def children(step: MapStep, seen: StepSnapshot, author: Author) -> Children:
    """Return its items, each made when its piece is put."""
    is_single = _single(step, author)
    suffix = child("", step.steps[0].name) if is_single else ""
    fields = {"n": str(seen.turns)}
    queue = ASKS if step.tolerate else end_queue(step)
    if step.max_parallel is not None:
        queue = WINDOW
        most = str(step.max_parallel)
        fields |= {"nx": most, "mp": most, **({"rt": f"/{suffix}"} if suffix else {})}
        fields |= {"de": "1"} if step.outputs else {}
    return Children(_Items(step, seen, author, is_single), queue, fields=fields, limit_ms=limit_ms(step))


def after_failure(step: MapStep, seen: StepSnapshot) -> StepInstruction | None:
    """Return what an item that failed means; None where the step is over as if it had not."""
    if seen.ended_badly > step.tolerate and seen.child is None and not seen.is_blamed:
        return Nothing("whoever failed asks by itself, and says so")
    if seen.ended_badly > step.tolerate:
        error, kind, culprit = failures.blame(seen.child)
        return EndChildren(failures.FAILED, error, error, kind, culprit)
    if seen.put < seen.planned or not seen.waiting:
        return None
    if step.max_parallel is not None and seen.child is not None:
        return NextItem()
    return Nothing("the end of its next item asks again")


def _single(step: MapStep, author: Author) -> bool:
    """Return whether each item is one task: its sequence is a plain step whose template its values are put into at
    once.
    """
    (first, *rest) = step.steps
    if rest or not isinstance(first, TaskStep) or not is_plain(first):
        return False
    return author.is_early(first)


@dataclass(frozen=True)
class _Items(Sequence[Row]):
    step: MapStep
    seen: StepSnapshot
    author: Author
    is_single: bool

    def __len__(self) -> int:
        return self.seen.turns

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if isinstance(at, slice):
            return list(self._rows(range(*at.indices(len(self)))))
        return next(self._rows(range(at, at + 1)))

    def _rows(self, places: range) -> Iterator[Row]:
        for place in places:
            if place in self.author.items:
                yield self._row(place, self.author.items[place])

    def _row(self, place: int, item: JsonValue) -> Row:
        scope = numbered(self.seen.path, place)
        others = {**self.author.bindings.others, "item": item, "index": place}
        author = Author(self.author.definition, self.author.prefix, replace(self.author.bindings, others=others))
        if not self.is_single:
            return StepRow(scope, self._name(author, self.step.name), "sequential")
        (task,) = self.step.steps
        assert isinstance(task, TaskStep)
        row = author.task_row(task, child(scope, task.name), ())
        if row is None:  # its template fails with the values of this item: when it is its turn
            (late,) = rows_of(Scope(author, scope, self.step.steps))
            return late
        return row if self.step.label is None else replace(row, name=self._name(author, row.name))

    def _name(self, author: Author, name: str) -> str:
        """Return what the item is called for people."""
        if self.step.label is None:
            return name
        try:
            return str(author.bindings.evaluate(self.step.label))[:_LONGEST_NAME] or name
        except ExpressionError:
            return name

