"""What an attempt leaves for the next ones: where its work went on, what a person answered, what is left of a cap.

Its worker is told of it in :attr:`taskengine.store.replies.Assignment.extra`, which is empty for most tasks.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from taskengine.agents.reference import LARGEST_REFERENCE, Reference
from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models.question import Answer
from taskengine.store.call import Call
from taskengine.store.codec import dumps, loads_object, moment
from taskengine.store.replies import Assignment, Reply, reply
from taskengine.store.verb import Verb

_CHECKPOINT = Verb("checkpoint", reply)


def checkpoint(execution: str, token: int, reference: Reference) -> Call[Reply]:
    """Keep *reference* for the next attempt; ``fenced`` comes with the status of an execution that is over.

    PayloadTooLargeError over :data:`LARGEST_REFERENCE`.
    """
    return _CHECKPOINT(execution=execution, token=token, reference=reference_text(reference))


def reference_text(reference: Reference) -> str:
    """Return a reference as JSON; PayloadTooLargeError over :data:`LARGEST_REFERENCE`."""
    text = dumps(asdict(reference), "reference")
    if (size := len(text.encode())) > LARGEST_REFERENCE:
        raise PayloadTooLargeError("reference", size, LARGEST_REFERENCE)
    return text


def reference_from(record: str | None) -> Reference | None:
    """Return a stored reference; None without one. InvalidInputError when it cannot be read."""
    if not record:
        return None
    ms, _, text = record.partition(" ")
    try:
        found = Reference(**loads_object(text))
    except (TypeError, ValueError) as exc:
        raise InvalidInputError(f"the reference {text!r:.80} cannot be read: {exc}", field="reference") from exc
    return found if found.at_ms else replace(found, at_ms=int(ms))


def answer_from(record: str | None) -> Answer | None:
    """Return a stored answer; None without one. InvalidInputError when it cannot be read."""
    if not record:
        return None
    ms, _, text = record.partition(" ")
    try:
        return Answer(**loads_object(text), at=moment(ms))
    except (TypeError, ValueError) as exc:
        raise InvalidInputError(f"the answer {text!r:.80} cannot be read: {exc}", field="answer") from exc


def previous(told: Assignment) -> Reference | None:
    """Return what an earlier attempt left."""
    return reference_from(told.extra.get("ref"))


def answer(told: Assignment) -> Answer | None:
    """Return what a person answered to an earlier attempt."""
    return answer_from(told.extra.get("ans"))


def tokens_left(told: Assignment) -> int | None:
    """Return what its task may still use, as it was when this attempt started; None without a cap."""
    cap = told.extra.get("cap")
    return None if cap is None else max(0, int(cap) - int(told.extra.get("used", 0)))
