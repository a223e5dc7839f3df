"""A task's question as Redis holds it, read back."""

from __future__ import annotations

from taskengine.models.question import Question
from taskengine.store.codec import loads_object, moment


def question_from(record: str | None) -> Question | None:
    """Return a stored question; None without one. ValueError or InvalidInputError when it cannot be read."""
    if not record:
        return None
    ms, _, text = record.partition(" ")
    return Question(**loads_object(text), asked_at=moment(ms))
