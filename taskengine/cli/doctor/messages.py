"""Messages that nobody could read: how many, and why the latest was refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from taskengine.cli.doctor.finding import Finding, notice
from taskengine.store.call import Call
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore


def examine(store: SyncStore) -> Iterator[Finding]:
    """A finding if the quarantine holds anything."""
    key = Keys(store.settings.namespace).fixed("quarantine")
    count = store.run(Call("LLEN", (key,), int, command=True))
    if not count:
        return
    latest = store.run(Call("LINDEX", (key, 0), _entry, command=True))
    says = f"{count} in quarantine; the latest, in queue {latest.get('queue')}: {latest.get('reason')}"
    do = f"find who sends them; read them: LRANGE {key} 0 -1; forget them: DEL {key}"
    yield notice("unreadable messages", says, do)


def _entry(raw: Any) -> dict[str, Any]:
    try:
        found = json.loads(raw or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
