"""JSON, moments and digests as Redis holds them, and back: the only place that writes or reads stored JSON.

A task's hash keeps what scripts decide by in fields of their own and everything else that the client set in ``doc``,
one JSON object. :mod:`taskengine.store.fields` is the dictionary of both.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from pydantic_core import from_json

from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models import Task
from taskengine.models.depth import MAX_DEPTH, refuse_deep
from taskengine.models.task import STATE_FIELDS
from taskengine.settings import INLINE_LIMIT, REFERENCE_LIMIT

EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)

#: Request fields that are stored in ``doc`` when they differ from these defaults.
_DEFAULTS = {
    name: field.get_default(call_default_factory=True)
    for name, field in Task.model_fields.items()
    if name not in STATE_FIELDS | {"id", "name", "depends_on", "idempotency_key", "created_by"}
}
#: Of these, the ones that can be filled in place: then pydantic does not know that they were set.
_CONTAINERS = tuple(name for name, default in _DEFAULTS.items() if isinstance(default, dict))
_CAPABILITY_ALONE = {"capability"}
#: Kind of the error that a record says of itself when a part of it cannot be read.
UNREADABLE = "unreadable_record"
#: One encoder for all: json.dumps makes a new one for each call with options.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def dumps(value: Any, field: str) -> str:
    """Canonical JSON of *value*; InvalidInputError names *field* when it is not JSON, or too deep."""
    text = canonical(value, field)
    if may_be_deep(text):
        refuse_deep(value, field)
    return text


def may_be_deep(text: str) -> bool:
    """Return whether JSON could be too deep, by the number of its brackets: for most it is far too small."""
    return text.count("[") + text.count("{") > MAX_DEPTH


def canonical(value: Any, field: str) -> str:
    """Canonical JSON of *value*, which may be as deep as earlier releases took it."""
    try:
        text = _encode(value)
        if not text.isascii():
            text.encode()  # a lone surrogate is refused here, with the field's name
        return text
    except (TypeError, ValueError, RecursionError) as exc:
        refuse_deep(value, field)
        raise InvalidInputError(f"{field} is not JSON: {exc}; pass plain JSON values", field=field) from exc


def readable(text: str) -> str:
    """*text* as UTF-8 can carry it: a lone surrogate (``os.fsdecode`` makes them) is spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def loads(text: str | bytes) -> Any:
    """Return the value of stored JSON; ValueError when it cannot be read."""
    return from_json(text)


def leniently(text: str) -> Any:
    """Return the value of what other writers take for JSON, ``NaN`` and lone surrogates with it; None of what is
    none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def loads_object(text: str | bytes) -> dict[str, Any]:
    """Return the object of stored JSON; ValueError when it is none."""
    found = from_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}, not an object")
    return found


def note(text: str) -> dict[str, Any]:
    """Return what a worker says of itself to people; of what cannot be read, that."""
    try:
        return loads_object(text) if text else {}
    except ValueError as exc:
        return {"unreadable": str(exc)}


def digest(*parts: str) -> str:
    """22 characters that stand for the parts: 132 bits of their sha256."""
    return urlsafe_b64encode(sha256("\0".join(parts).encode()).digest())[:22].decode()


def check_size(field: str, text: str) -> bool:
    """Whether *text* must lie by reference; PayloadTooLargeError beyond that limit."""
    if len(text) * 4 <= INLINE_LIMIT:
        return False
    size = len(text.encode())
    if size > REFERENCE_LIMIT:
        raise PayloadTooLargeError(field, size, REFERENCE_LIMIT)
    return size > INLINE_LIMIT


def millis(moment: datetime | None) -> int | None:
    """Milliseconds since 1970, the next whole one: nothing that waits for a moment happens before it."""
    return None if moment is None else -((EPOCH - moment) // _MILLISECOND)


def moment(ms: str | int | float | None) -> datetime | None:
    """Return the moment of milliseconds since 1970; None and '' mean none."""
    return None if ms is None or ms == "" else datetime.fromtimestamp(float(ms) / 1000, UTC)


def content(task: Task) -> dict[str, Any]:
    """Return what the client asked for, as JSON values, without what is stored apart; InvalidInputError if not JSON.

    A default that was given is a default: a task read back from JSON has every field set and is the same task. Who
    asked (``created_by``) is not content either: its default differs between machines that ask for the same.
    """
    values = task.__dict__
    # Only what was set can differ from its default: looking at all of them took a third of a submit.
    names = {name for name in task.model_fields_set if name in _DEFAULTS and values[name] != _DEFAULTS[name]}
    names.update(name for name in _CONTAINERS if values[name])
    if names == _CAPABILITY_ALONE:
        return {"capability": values["capability"]}
    try:
        return task.model_dump(mode="json", include=names, warnings="error")
    except (ValueError, RecursionError) as exc:  # pydantic's serialisation errors are ValueErrors
        for name in sorted(names):
            refuse_deep(getattr(task, name), name, where=f"task {task.name!r}: ")
        reason = str(exc).strip().splitlines()[-1].strip()
        raise InvalidInputError(
            f"task {task.name!r} ({task.id}) holds something that is not JSON: {reason}; pass plain JSON values",
            field="input",
        ) from exc


def pairs(flat: Sequence[Any]) -> dict[str, str]:
    """Return a hash reply ``[field, value, …]`` as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
