"""Examines everything that the store knows of, changes nothing, and says what to do.

One module for each part of the body. What only the machine of who asks can tell (its folder, its environment, the
embedded server's files) is examined by the command line.
"""

from __future__ import annotations

from taskengine.api.context import OperationContext
from taskengine.api.operations.examine import alike, fleet, messages, server
from taskengine.api.operations.examine import deep as everything_stored
from taskengine.api.operations.examine.server import examine_access, refused
from taskengine.models.finding import Finding
from taskengine.store import nodes
from taskengine.store.call import Operation

__all__ = ["examine", "examine_access", "refused"]


def examine(context: OperationContext, asker: str, deep_seconds: float | None) -> Operation[list[Finding]]:
    """Return what is found, part by part.

    *asker* is where the process that asks is, for people; *deep_seconds*: for so long every record is read, None: none.
    """
    found, is_readable = yield from server.examine(context)
    if not is_readable:
        return found
    seen = yield from nodes.fleet()
    found += fleet.examine(seen)
    found += yield from alike.examine(context, seen, asker)
    found += yield from messages.examine(context)
    if deep_seconds is not None:
        found += yield from everything_stored.examine(context, deep_seconds)
    return found
