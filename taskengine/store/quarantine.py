"""The list of messages that nobody could read, as :mod:`taskengine.transport.quarantine` fills it.

New ones come in front, so a place is counted from the end: only a drop moves it. An entry has no id of its own; what
it is called is made of its text.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from taskengine.models.quarantined import QuarantinedMessage
from taskengine.store.call import Call
from taskengine.store.codec import loads_object, moment
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

#: Entries read or removed in one trip; each holds up to 64 KiB of its message.
PIECE = 16

_DROP_MESSAGES = Verb("drop_messages", reply)


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry with the text that it is removed by."""

    text: str
    message: QuarantinedMessage


def count(keys: Keys) -> Call[int]:
    """Return how many there are."""
    return Call("LLEN", (keys.fixed("quarantine"),), int, command=True)


def piece(keys: Keys, place: int, most: int) -> Call[list[Stored]]:
    """*most* entries from *place* on, which counts from the oldest (1), newest first."""
    last = max(1, place - most + 1)
    return Call("LRANGE", (keys.fixed("quarantine"), -place, -last), _stored, command=True)


def drop(entries: Sequence[Stored]) -> Call[Reply]:
    """Remove entries; those that are gone already are no error."""
    return _DROP_MESSAGES(entries=[entry.text for entry in entries])


def _stored(raw: Sequence[str]) -> list[Stored]:
    return [Stored(text, _message(text)) for text in raw]


def _message(text: str) -> QuarantinedMessage:
    id = sha256(text.encode()).hexdigest()[:12]
    try:
        return _read(id, loads_object(text))
    except (ValueError, TypeError, OverflowError) as exc:  # whoever wrote it, the others are shown
        reason = f"this entry of the quarantine itself cannot be read: {exc}"
        at = moment(0)
        assert at is not None
        return QuarantinedMessage(id=id, at=at, queue="", reason=reason, size=len(text), raw=text.encode())


def _read(id: str, entry: Mapping[str, Any]) -> QuarantinedMessage:
    kept = str(entry.get("raw", ""))
    at = moment(float(entry.get("at", 0)) * 1000)
    assert at is not None
    return QuarantinedMessage(
        id=id,
        at=at,
        queue=str(entry.get("queue", "")),
        reason=str(entry.get("reason", "")),
        size=int(entry.get("size", 0)),
        raw=b64decode(kept) if entry.get("encoding") == "base64" else kept.encode(),
    )
