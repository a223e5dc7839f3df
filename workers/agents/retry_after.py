"""When a service wants to be asked again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from taskengine.models.outcome import LONGEST_DELAY

#: Seconds until a refused request is sent again where the service does not say: doubled with each attempt up to this.
_LONGEST_BACKOFF = 60.0


def delay_of(headers: Mapping[str, str], attempt: int) -> float:
    """Return the seconds until the next try: what the service says, else more with each attempt."""
    said = headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        seconds = _until(said)
    if not 0 <= seconds < float("inf"):
        seconds = min(_LONGEST_BACKOFF, 2.0 ** min(max(1, attempt), 6))
    return min(seconds, LONGEST_DELAY)


def _until(said: str) -> float:
    """Return the seconds until a moment as HTTP says it; -1 for what is none."""
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return -1.0
