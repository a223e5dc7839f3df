"""What the last answer of a model comes to: a result, one more turn, or a failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue
from pydantic_core import from_json

from taskengine.core.schemas import result_faults
from taskengine.models import Outcome
from workers.agents.answer_text import asked_again, bare
from workers.agents.claude.conversation import Conversation

#: Why an answer is none, by how it ended.
_FAILED = {
    "refusal": ("refusal", "the model refused"),
    "max_tokens": ("max_tokens", "the answer was cut at max_tokens; raise it in the agent's config"),
    "model_context_window_exceeded": ("context_window", "the conversation is longer than the model's context window"),
}


@dataclass(frozen=True, slots=True)
class Again:
    """The model is told this, and asked once more."""

    text: str


def answer_of(talk: Conversation, schema: dict[str, JsonValue] | None) -> Outcome | Again:
    """Return what a conversation came to that ended with a whole answer and no call."""
    if talk.stop in _FAILED:
        kind, said = _FAILED[talk.stop]
        return partial(talk, kind, said)
    if schema is None:
        return Outcome("completed", output=plain(talk))
    value, wrong = _checked(talk.text, schema)
    if not wrong:
        return Outcome("completed", output=value if isinstance(value, dict) else {"value": value})
    if talk.is_repaired:
        return partial(talk, "invalid_output", f"the answer does not fit its schema: {'; '.join(wrong)}")
    return Again(asked_again(wrong))


def partial(talk: Conversation, kind: str, why: str) -> Outcome:
    """Return the failure of an attempt that keeps what there is of an answer."""
    return Outcome("failed", output=plain(talk), error=why, error_kind=kind, retryable=False)


def plain(talk: Conversation) -> dict[str, JsonValue]:
    """Return the text of a conversation's last answer, as an output."""
    return {"text": talk.text, "model": talk.spent.model, "turns": talk.turns}


def _checked(text: str, schema: dict[str, JsonValue]) -> tuple[Any, list[str]]:
    """Return the JSON of an answer, and what is wrong with it."""
    try:
        value: Any = from_json(bare(text), allow_inf_nan=False)
    except ValueError as exc:
        return None, [f"it is no JSON: {exc}"]
    return value, result_faults(schema, value)
