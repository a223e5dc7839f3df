"""What must hold for everything stored, read in bounded pieces."""

from __future__ import annotations

from taskengine.api.context import OperationContext
from taskengine.models.finding import Finding, ok, wrong
from taskengine.store.call import Operation
from taskengine.store.invariants import check_invariants

#: Violations that are told one by one.
_TOLD = 20


def examine(context: OperationContext) -> Operation[list[Finding]]:
    """Findings about the stored state: one for each violation, the first ones told."""
    violations = yield from check_invariants(context.keys)
    if not violations:
        return [ok("invariants", "all hold")]
    do = "this is a fault of taskengine: report it with this line"
    found = [wrong("invariants", str(each), do) for each in violations[:_TOLD]]
    if (further := len(violations) - _TOLD) > 0:
        found.append(wrong("invariants", f"{further} more violations", "begin with those that are named"))
    return found
