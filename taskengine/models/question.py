"""What an agent asks a person, and what was answered. A question holds no slot: its task is PAUSED meanwhile."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from taskengine.models.base import InputModel, Moment


class QuestionKind(StrEnum):
    """What an answer looks like."""

    #: A line or more of text.
    TEXT = "text"
    #: One of the options.
    CHOICE = "choice"
    #: A JSON object that fits the schema.
    FORM = "form"


class Question(InputModel):
    """A question of a running agent; answer it with ``api.answer(task_id, value)``."""

    model_config = ConfigDict(frozen=True)

    #: Of this question: an answer to an earlier one is refused.
    id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    kind: QuestionKind = QuestionKind.TEXT
    #: What a person reads.
    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    #: What may be chosen; empty unless it is a choice.
    options: tuple[Annotated[str, StringConstraints(min_length=1, max_length=500)], ...] = Field(
        default=(), max_length=100
    )
    #: JSON Schema of the answer; None unless it is a form.
    answer_schema: dict[str, JsonValue] | None = None
    #: When it was asked; None until it is stored.
    asked_at: Moment | None = None


class Answer(InputModel):
    """What a person said."""

    model_config = ConfigDict(frozen=True)

    question_id: str
    #: Text, one of the options, or an object.
    value: JsonValue
    #: Who said it: recorded, not proven.
    by: str
    at: Moment | None = None
