"""What an execution used of a service."""

from __future__ import annotations

import pytest

from taskengine.errors import InvalidInputError
from taskengine.models import Outcome
from taskengine.models.question import Question
from taskengine.models.spent import Spent


def test_two_of_a_model_are_added_field_by_field() -> None:
    both = Spent("m", 1, 10, 2, 3, 4).plus(Spent("m", 1, 5, 1, 0, 1))
    assert both == Spent("m", 2, 15, 3, 3, 5)
    assert both.tokens == 26


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "1", 2**53])
def test_a_number_of_tokens_is_whole_and_not_negative(wrong: object) -> None:
    with pytest.raises(InvalidInputError, match=r"Spent\.input_tokens"):
        Spent("m", input_tokens=wrong)  # type: ignore[arg-type]


def test_needs_input_has_a_question_and_nothing_else_has_one() -> None:
    question = Question(id="q1", text="Which branch?")
    assert Outcome("needs_input", question=question).question == question
    with pytest.raises(InvalidInputError, match=r"Outcome\.question"):
        Outcome("needs_input")
    with pytest.raises(InvalidInputError, match=r"Outcome\.question"):
        Outcome("completed", output={}, question=question)
