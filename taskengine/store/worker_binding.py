"""What a task's document says to its worker alone: the results to put in, and of what its prompt was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskengine.store.codec import dumps, loads_object

#: The field of a task's document that says what its worker puts into it; the last in the order of keys.
_BINDING = "workflow"
#: The same for the prompt of one whose description was put in before.
_PROMPT = "prompt"


def with_binding(doc: str, tasks: Sequence[tuple[Sequence[str], str]], values: Mapping[str, Any]) -> str:
    """Return a task's document that also says what its worker puts in: results of *tasks*, by names and ids, and
    *values*.
    """
    binding = dumps({"tasks": [[list(names), id] for names, id in tasks], "values": dict(values)}, "template")
    return f'{doc[:-1]},"{_BINDING}":{binding}}}'


def with_prompt(doc: str, template: str, values: Mapping[str, Any], made_by: Mapping[str, str]) -> str:
    """Return a task's document that also says of what its description was made: for an agent to which it is a prompt.

    *made_by*: keys of its input that hold what other tasks made, and their names.
    """
    said = dumps({"template": template, "values": dict(values), "input": dict(made_by)}, "template")
    return f'{doc[:-1]},"{_PROMPT}":{said}}}'


def prompt_binding(doc: str) -> dict[str, Any] | None:
    """Return what :func:`with_prompt` put into a document; None where nothing was."""
    if f'"{_PROMPT}":' not in doc:
        return None
    found = loads_object(doc).get(_PROMPT)
    return found if isinstance(found, dict) else None


def worker_binding(doc: str) -> dict[str, Any] | None:
    """Return what :func:`with_binding` put into a document; None where nothing was."""
    if f'"{_BINDING}":' not in doc:
        return None
    found: dict[str, Any] | None = loads_object(doc).get(_BINDING)
    return found
