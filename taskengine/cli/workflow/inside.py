"""What goes on in loops, maps and inner workflows, of which the answer about a workflow has numbers alone.

Bounded, whatever they hold: of a loop the turn that runs, of a map the items that run or failed, :data:`MOST_ITEMS` of
each, and :data:`MOST_TRIPS` questions a look. The items of a map begin in their order: those over from the first on are
asked about no more. Its weakness: of a map without ``max_parallel`` whose first item takes longest, what runs behind
the first hundred is seen later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from taskengine.api import BlockingTaskAPI
from taskengine.api.arguments import Id
from taskengine.cli.workflow.tree import below
from taskengine.errors import TaskEngineError
from taskengine.models import StepPage, StepState, StepStatus, WorkflowState
from taskengine.models.workflow_status import TERMINAL_STEPS

#: Items shown of one map, the failed ones among them, and their lines together; turns of one loop.
MOST_ITEMS, MOST_LINES, MOST_TURNS = 15, 20, 3
#: Questions of one look, beside the one about the workflow.
MOST_TRIPS = 12
_PAGE = 100
_FAILED = frozenset({StepStatus.FAILED})
_NOT_BEGUN = frozenset({StepStatus.PENDING, StepStatus.NOT_TAKEN})
_COUNTED = ("loop", "map", "sub_workflow")


class Inside:
    """What was seen of one workflow so far."""

    def __init__(self, api: BlockingTaskAPI, id: Id, *, whole: bool = False) -> None:
        self._api, self._id = api, id
        #: Whether what is over is looked into as well, and an item of one step is told with that.
        self._whole = whole
        self._trips = 0
        #: Loop -> the first turn that was not seen to be over; map -> the first item that was not.
        self._first: dict[str, int] = {}
        #: Map -> failed items, and those that ran a moment ago.
        self._failed: dict[str, dict[str, StepState]] = {}
        self._ran: dict[str, frozenset[str]] = {}
        #: Steps that were looked into, and were not over.
        self._followed: set[str] = set()

    def of(self, state: WorkflowState) -> WorkflowState:
        """Return the state with what goes on inside its steps as their children."""
        self._trips = MOST_TRIPS
        steps, last = self._filled(state.steps), self._filled(state.finally_steps)
        return state.model_copy(update={"steps": steps, "finally_steps": last})

    def _filled(self, steps: Sequence[StepState]) -> tuple[StepState, ...]:
        return tuple(self._with_children(step) for step in steps)

    def _with_children(self, step: StepState) -> StepState:
        children = step.children
        if step.kind in _COUNTED and self._is_asked_about(step):
            try:
                children = tuple(self._children(step))
            except TaskEngineError:  # it is gone by now
                children = ()
        return step.model_copy(update={"children": self._filled(children)}) if children else step

    def _is_asked_about(self, step: StepState) -> bool:
        if step.status in _NOT_BEGUN:
            self._first.setdefault(step.path, 0)  # whoever watches from the beginning misses nothing
            return False
        if step.kind != "sub_workflow" and not (step.counts and step.counts.total):
            return False
        was_followed = step.path in self._followed
        if step.status not in TERMINAL_STEPS:
            self._followed.add(step.path)
            return True
        self._followed.discard(step.path)  # once more: how what ran in it ended
        return self._whole or was_followed or step.status in _FAILED

    def _children(self, step: StepState) -> Iterator[StepState]:
        match step.kind:
            case "loop":
                yield from self._turns(step)
            case "map":
                yield from self._items(step)
            case _:
                yield from self._page(step.path)

    def _page(self, path: str, first: int = 0, most: int = _PAGE) -> StepPage:
        if self._trips <= 0:
            return StepPage()
        self._trips -= 1
        return self._api.list_step_children(self._id, path, most, str(first) if first else None)

    def _turns(self, step: StepState) -> Iterator[StepState]:
        """Those that began since the last look, the one that runs among them."""
        assert step.counts is not None
        now = step.counts.total - 1
        first = max(self._first.get(step.path, now), now - MOST_TURNS + 1)
        self._first[step.path] = now
        yield from self._page(step.path, first, now - first + 1)

    def _items(self, step: StepState) -> Iterator[StepState]:
        """The first that failed, those that run, and those that ran at the last look."""
        path = step.path
        found = self._page(path, self._first.get(path, 0))
        over = 0
        while over < len(found) and found[over].status in TERMINAL_STEPS:
            over += 1
        self._first[path] = self._first.get(path, 0) + over
        failed, before = self._failed.setdefault(path, {}), self._ran.get(path, frozenset())
        for item in found:
            if item.status in _FAILED and len(failed) < MOST_ITEMS:
                failed[item.path] = item
            elif item.path in failed:  # it was retried
                del failed[item.path]
        runs = [one for one in found if one.status not in _NOT_BEGUN and one.status not in TERMINAL_STEPS]
        ended = [one for one in found if one.path in before and one.status in TERMINAL_STEPS]
        self._ran[path] = frozenset(one.path for one in runs[:MOST_ITEMS])
        shown = {one.path: one for one in (*failed.values(), *ended, *runs)} or {one.path: one for one in found[:1]}
        if self._whole:
            yield from list(shown.values())[:MOST_ITEMS]
        else:
            yield from _bounded(_merged(one) for one in shown.values() if one.status not in _NOT_BEGUN)


def _merged(item: StepState) -> StepState:
    """Return an item of one step as that step, under its own name."""
    if len(item.children) != 1 or item.children[0].children or item.children[0].kind in _COUNTED:
        return item
    own = {name: getattr(item, name) for name in ("path", "name", "label")}
    return item.children[0].model_copy(update=own)


def _bounded(items: Iterable[StepState]) -> Iterator[StepState]:
    """Yield the first items that have room, one at least."""
    lines = 0
    for at, item in enumerate(items):
        lines += sum(1 for _ in below(item))
        if at and (lines > MOST_LINES or at >= MOST_ITEMS):
            return
        yield item
