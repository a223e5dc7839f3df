"""Messages that nobody could read: how many, and why the latest was refused."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.cli.doctor.finding import Finding, notice
from taskengine.store import quarantine
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore


def examine(store: SyncStore) -> Iterator[Finding]:
    """Yield a finding if the quarantine holds anything."""
    keys = Keys(store.settings.namespace)
    count = store.run(quarantine.count(keys))
    latest = store.run(quarantine.piece(keys, count, 1)) if count else []
    if latest:
        message = latest[0].message
        says = f"{count} in quarantine; the latest, in queue {message.queue}: {message.reason}"
        do = "find who sends them: taskengine quarantine list; forget them: taskengine quarantine drop --all"
        yield notice("unreadable messages", says, do)
