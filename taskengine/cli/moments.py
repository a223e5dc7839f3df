"""Moments on a command line: so long ago or from now, or a date that says its time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from taskengine.errors import InvalidInputError

_SPAN = re.compile(r"^(\d{1,9}(?:\.\d{1,3})?)\s*(s|m|h|d)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def past(text: str, option: str) -> datetime:
    """Return the moment that *text* means: ``90s``, ``30m``, ``2h``, ``1d`` ago, or ISO 8601 with a time zone."""
    return _moment(text, option, -1)


def coming(text: str, option: str) -> datetime:
    """Return the moment that *text* means: in ``90s``, ``30m``, ``2h``, ``1d``, or ISO 8601 with a time zone."""
    return _moment(text, option, 1)


def _moment(text: str, option: str, direction: int) -> datetime:
    if found := _SPAN.match(text.strip().lower()):
        try:
            return datetime.now(UTC) + direction * timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
        except OverflowError as exc:
            raise _wrong(text, option, direction, "is beyond the calendar") from exc
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise _wrong(text, option, direction, "is no time") from exc
    if moment.utcoffset() is None:
        raise _wrong(text, option, direction, "has no time zone")
    return moment


def _wrong(text: str, option: str, direction: int, fault: str) -> InvalidInputError:
    counted = "ago" if direction < 0 else "from now"
    return InvalidInputError(
        f"{option} {text:.60}: {fault}; write 90s, 30m, 2h or 1d ({counted}), or 2030-01-31T12:00:00Z",
        field=option.lstrip("-"),
    )
