"""The workflow that a command line gives: a file or a registered name, and what it begins with this time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taskengine.builders.document import Document
from taskengine.builders.workflow_file import workflow_document, workflow_of
from taskengine.errors import InvalidInputError
from taskengine.models import Workflow

#: How names of files end.
_ENDINGS = {".json", ".yaml", ".yml"}


def is_file(given: str) -> bool:
    """Whether a word means a file; else it is a name."""
    path = Path(given)
    return path.suffix.lower() in _ENDINGS or len(path.parts) > 1 or path.exists()


def workflow_in(file: str, variables: Sequence[str] = (), context: Sequence[str] = ()) -> Workflow:
    """Return the workflow in a file with other variables and context; InvalidWorkflowError has every fault with its
    line.
    """
    return workflow_of(document_of(file, variables, context))


def document_of(file: str, variables: Sequence[str] = (), context: Sequence[str] = ()) -> Document:
    """Return the document in a file, with what it begins with."""
    document = workflow_document(Path(file))
    for field, option, given in (("variables", "--var", variables), ("context", "--context", context)):
        held = document.value.get(field) or {} if isinstance(document.value, dict) else None
        if isinstance(held, dict) and (values := pairs(given, option, held)):
            document.value[field] = {**held, **values}
    return document


def pairs(given: Sequence[str], option: str, held: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what ``NAME=VALUE``, ``{…}`` and ``@FILE`` come to, the later over the earlier.

    A value is JSON where it can be read so, else text. Where *held* has text it is text: a commit may be all digits.
    """
    found: dict[str, Any] = {}
    for each in given:
        if each.startswith(("@", "{")):
            found |= _object(each, option)
            continue
        name, sign, value = each.partition("=")
        if not name or not sign:
            raise InvalidInputError(
                f"{option} {each:.80}: write NAME=VALUE, @FILE or a JSON object", field=option.lstrip("-")
            )
        found[name] = value if isinstance((held or {}).get(name), str) else json_or_text(value)
    return found


def json_or_text(value: str) -> Any:
    """*value* as JSON where it is, else as it is."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _object(given: str, option: str) -> dict[str, Any]:
    document = Document.of(Path(given[1:])) if given.startswith("@") else Document(given, option, is_json=True)
    if not isinstance(document.value, dict):
        raise InvalidInputError(f"{option} {given:.60} is no object of names and values", field=option.lstrip("-"))
    return document.value

