"""References as they are stored: on the execution that wrote one, and on its task for the next attempt."""

from __future__ import annotations

from taskengine.agents.reference import LARGEST_REFERENCE, Reference
from taskengine.errors import PayloadTooLargeError
from taskengine.store.codec import dumps, loads_object


def reference_text(reference: Reference) -> str:
    """Return a reference as it is stored; PayloadTooLargeError over 64 KiB."""
    text = dumps(
        {
            "type": reference.type, "state": reference.state, "id": reference.id, "at": reference.at_ms,
            "words": reference.words,
        },
        "reference",
    )  # fmt: skip
    if len(text.encode()) > LARGEST_REFERENCE:
        raise PayloadTooLargeError("reference", len(text.encode()), LARGEST_REFERENCE)
    return text


def reference_from(text: str) -> Reference:
    """Return a stored reference; of one that cannot be read an intent that no type takes for its own."""
    try:
        found = loads_object(text)
        return Reference(found["type"], found["state"], found.get("id", ""), found.get("at", 0), found.get("words", {}))
    except (ValueError, KeyError, TypeError):
        return Reference("", "intent")
