"""Whether a question can be asked, and an answer fits it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from taskengine.core.forms import answer_faults, schema_faults
from taskengine.models.question import Question, QuestionKind

#: Bytes of a question, and of an answer's value, as JSON.
LARGEST = 64 * 1024
#: Faults of a schema that are told.
_MOST = 5


def question_faults(question: Question) -> Iterator[str]:
    """Yield why *question* cannot be asked."""
    if question.answer_schema is not None:
        for location, what in list(schema_faults(question.answer_schema))[:_MOST]:
            yield ".".join(map(str, ("answer_schema", *location))) + f": {what}"


def refusals(question: Question, value: Any) -> list[str]:
    """Return why *value* does not answer *question*; empty when it does."""
    match question.kind:
        case QuestionKind.TEXT:
            return [] if isinstance(value, str) and value.strip() else [f"{value!r:.80} is no text"]
        case QuestionKind.CHOICE:
            options = ", ".join(map(repr, question.options))
            return [] if value in question.options else [f"{value!r:.80} is no option; there are {options}"]
        case QuestionKind.FORM:
            if not isinstance(value, dict):
                return [f"{value!r:.80} is no object; the form asks for one"]
            return answer_faults(question.answer_schema or {}, value)
