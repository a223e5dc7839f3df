"""What an agent asks a person, and what was answered. A question holds no slot: its task is PAUSED meanwhile."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self
from uuid import uuid4

from pydantic import ConfigDict, Field, JsonValue, StringConstraints, model_validator

from taskengine.errors import InvalidInputError
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

    #: Of this question: an answer to an earlier one is refused. An agent that asks for several things names each.
    #: (A pattern of a hundred letters of any language takes 60 ms to prepare, so its length is a bound of its own.)
    id: Annotated[str, StringConstraints(pattern=r"^[\w.:/-]+$", max_length=100)] = Field(
        default_factory=lambda: uuid4().hex
    )
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

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.kind is QuestionKind.CHOICE) != bool(self.options):
            raise InvalidInputError(
                f"Question.options is {self.options!r:.80}; a choice has them, and nothing else", field="options"
            )
        if (self.kind is QuestionKind.FORM) != (self.answer_schema is not None):
            raise InvalidInputError("Question.answer_schema: a form has one, and nothing else", field="answer_schema")
        return self


class Answer(InputModel):
    """What a person said."""

    model_config = ConfigDict(frozen=True)

    question_id: str
    #: Text, one of the options, or an object.
    value: JsonValue
    #: Who said it: recorded, not proven.
    by: str
    at: Moment | None = None
