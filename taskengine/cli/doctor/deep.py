"""``doctor --deep``: what must hold for everything stored, read in bounded pieces."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.cli.doctor.finding import Finding, ok, wrong
from taskengine.store.invariants import check_invariants
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore

#: Violations that are told one by one.
_TOLD = 20


def examine(store: SyncStore) -> Iterator[Finding]:
    """Findings about the stored state: one for each violation, the first ones told."""
    violations = store.run(check_invariants(Keys(store.settings.namespace)))
    if not violations:
        yield ok("invariants", "all hold")
    for violation in violations[:_TOLD]:
        yield wrong("invariants", str(violation), "this is a fault of taskengine: report it with this line")
    if len(violations) > _TOLD:
        yield wrong("invariants", f"{len(violations) - _TOLD} more violations", "begin with those that are named")
