"""Messages that nobody could read: how many, and why the latest was refused."""

from __future__ import annotations

from taskengine.api.context import OperationContext
from taskengine.models.finding import Finding, notice
from taskengine.store import quarantine
from taskengine.store.call import Operation


def examine(context: OperationContext) -> Operation[list[Finding]]:
    """Return a finding if the quarantine holds anything."""
    count = yield from quarantine.count(context.keys)
    latest = (yield from quarantine.piece(context.keys, count, 1)) if count else []
    if not latest:
        return []
    message = latest[0].message
    says = f"{count} in quarantine; the latest, in queue {message.queue}: {message.reason}"
    do = "find who sends them: taskengine quarantine list; forget them: taskengine quarantine drop --all"
    return [notice("unreadable messages", says, do)]
