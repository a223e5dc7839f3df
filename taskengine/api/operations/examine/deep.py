"""What must hold for everything stored, read in bounded pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from taskengine.api.context import OperationContext
from taskengine.models.finding import Finding, notice, ok, wrong
from taskengine.store.call import Operation
from taskengine.store.invariants import check_invariants

T = TypeVar("T")
#: Violations that are told one by one.
_TOLD = 20


def examine(context: OperationContext, seconds: float) -> Operation[list[Finding]]:
    """Findings about the stored state: one for each violation, the first ones told; one that it took too long."""
    until = context.clock() + seconds
    violations = yield from _unless(lambda: context.clock() > until, check_invariants(context.keys))
    if violations is None:
        says = f"there are more records than could be read in {seconds:g} s: nobody knows whether they hold"
        return [notice("invariants", says, "taskengine doctor --deep where the store is, without --url")]
    if not violations:
        return [ok("invariants", "all hold")]
    do = "this is a fault of taskengine: report it with this line"
    found = [wrong("invariants", str(each), do) for each in violations[:_TOLD]]
    if (further := len(violations) - _TOLD) > 0:
        found.append(wrong("invariants", f"{further} more violations", "begin with those that are named"))
    return found


def _unless(is_late: Callable[[], bool], work: Operation[T]) -> Operation[T | None]:
    """Return what an operation ends in; None if it was late before one of its trips, which are then not made."""
    try:
        step = next(work)
        while not is_late():
            step = work.send((yield step))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # an operation's return value is its T
    work.close()
    return None
