"""Ends an attempt whose time is over.

An attempt has to be reported by its deadline, on the server's clock. One that comes later is refused by the report's
script, kept as ``late_outcome`` and not applied, whoever looks first: the worker's parent, which looks at deadlines a
few times a second, or the report itself. So it does not depend on a beat whether a result counts, nor on an outage: a
result that waited for its server until its deadline had passed is late too. Two exceptions: an attempt whose cancel was
asked has the grace of the cancel instead, and a ``total_timeout`` that was shortened while the attempt ran is known to
the parent alone.
"""

from __future__ import annotations

from taskengine.store import overdue
from taskengine.store.overdue import TimedOut
from taskengine.store.sync import SyncStore


def time_out(
    store: SyncStore, execution: str, token: int, task_id: str, deadline_ms: int | None, *, silent: bool = False
) -> TimedOut | None:
    """End this attempt by script, as :func:`taskengine.store.overdue.time_out` says. Safe to repeat."""
    return store.run(overdue.time_out(store.settings, execution, token, task_id, deadline_ms, silent=silent))
