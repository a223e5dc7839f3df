"""A pause as Redis holds it, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from taskengine.models import Pause, PausedBy, PauseScope
from taskengine.store.codec import dumps, loads, millis, moment

#: How a pause is stored: its scope's prefix before the name of what is paused.
PAUSE_PREFIXES: Mapping[PauseScope, str] = {
    PauseScope.EVERYTHING: "all", PauseScope.CAPABILITY: "cap:", PauseScope.AGENT: "agent:", PauseScope.RUN: "run:",
    PauseScope.TASK: "task:",
}  # fmt: skip
_PAUSED_BY = {kind.value: kind for kind in PausedBy}
#: The kind of a pause by how it is stored.
PAUSE_KINDS = {prefix.rstrip(":"): scope for scope, prefix in PAUSE_PREFIXES.items()}


def pause_terms(by: str, reason: str | None, until: datetime | None) -> tuple[str, int | str]:
    """Who, why and until when, as a client's pause is stored, and its end in ms or ''."""
    ends = millis(until)
    record = {"by": by, "kind": PausedBy.CLIENT, "until": ends, "why": reason}
    return dumps(record, "reason"), "" if ends is None else ends


def pause_from(scope: str, record: str, running: int = 0) -> Pause:
    """Return a pause as it is stored."""
    since, _, text = record.partition(" ")
    terms = loads(text)
    kind, _, name = scope.partition(":")
    at = moment(since)
    assert at is not None
    return Pause(
        scope=PAUSE_KINDS[kind],
        name=name or None,
        by=terms["by"],
        by_kind=_PAUSED_BY.get(terms.get("kind"), PausedBy.CLIENT),
        reason=terms["why"],
        since=at,
        until=moment(terms.get("until")),
        running=running,
    )
