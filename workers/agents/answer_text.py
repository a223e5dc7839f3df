"""The text of an answer of which JSON is wanted: how that is told to a model, and how it is found in what it says."""

from __future__ import annotations

from pydantic import JsonValue
from pydantic_core import to_json


def in_words(schema: dict[str, JsonValue]) -> str:
    """Return how a model is told which JSON is wanted."""
    return (
        f"Answer with JSON alone, without any text around it. It must fit this JSON Schema:\n{to_json(schema).decode()}"
    )


def asked_again(faults: list[str]) -> str:
    """Return what it is told when its answer does not fit."""
    lines = "\n".join(f"- {each}" for each in faults)
    return f"Your answer does not fit its JSON Schema:\n{lines}\nAnswer again: the whole JSON, and only that."


def bare(text: str) -> str:
    """Return JSON without the fence of Markdown that models like to put around it."""
    inner = text.strip()
    if inner.startswith("```") and inner.endswith("```"):
        inner = inner[3:-3].removeprefix("json").strip()
    return inner
