"""Moments on a command line: so long ago, or a date that says its time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from taskengine.errors import InvalidInputError

_SPAN = re.compile(r"^(\d{1,9}(?:\.\d{1,3})?)\s*(s|m|h|d)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def past(text: str, option: str) -> datetime:
    """The moment that *text* means: ``90s``, ``30m``, ``2h``, ``1d`` ago, or ISO 8601 with a time zone."""
    if found := _SPAN.match(text.strip().lower()):
        return datetime.now(UTC) - timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise _wrong(text, option, "is no time") from exc
    if moment.utcoffset() is None:
        raise _wrong(text, option, "has no time zone")
    return moment


def _wrong(text: str, option: str, fault: str) -> InvalidInputError:
    return InvalidInputError(
        f"{option} {text:.60}: {fault}; write 90s, 30m, 2h or 1d (ago), or 2030-01-31T12:00:00Z",
        field=option.lstrip("-"),
    )
