"""What words on a command line mean to the API."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from taskengine.cli.moments import coming, past
from taskengine.errors import InvalidInputError
from taskengine.models import TaskPriority


def filters(
    status: str | None, type: str | None, wanted: str | None, assigned_to: str | None, created_by: str | None,
    pairs: Sequence[str] | None, run: str | None = None, capability: str | None = None,
    created_after: str | None = None, created_before: str | None = None, error_kind: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what options of a listing mean to ``list_tasks``; those that were not given are left out."""
    given = {
        "status": status and str(status), "task_type": type, "priority": wanted and priority(str(wanted)),
        "assigned_to": assigned_to, "created_by": created_by, "metadata": metadata(pairs) or None,
        "run_id": run, "capability": capability, "error_kind": error_kind,
        "created_after": None if created_after is None else past(created_after, option("created_after")),
        "created_before": None if created_before is None else past(created_before, option("created_before")),
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def priority(name: str) -> TaskPriority:
    """Return the priority of that name."""
    return TaskPriority[name.upper()]


def arguments(text: str | None, option: str = "--input") -> dict[str, Any]:
    """Return the JSON object that *option* gives: itself, ``@FILE`` or ``-`` for stdin."""
    field = option.lstrip("-")
    if text is None:
        return {}
    text = given_text(text, option)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidInputError(
            f"{option}: not JSON: {exc}; quote it for the shell: {option} '{{\"x\": 1}}'", field=field
        ) from exc
    if not isinstance(found, dict):
        raise InvalidInputError(f'{option}: {text:.60} is no JSON object; write {{"value": …}}', field=field)
    return found


def given_text(text: str, option: str) -> str:
    """Return what *option* gives: itself, the content of ``@FILE``, or of stdin where it is ``-``."""
    if text == "-":
        return _standard_input(option)
    return _file(text[1:], option) if text.startswith("@") else text


def moments(**given: str | None) -> dict[str, datetime]:
    """Return the moments that options mean, by field; those that were not given are left out."""
    return {field: coming(text, option(field)) for field, text in given.items() if text is not None}


def option(field: str) -> str:
    """Return how the command line calls a field."""
    return f"--{field.replace('_', '-')}"


def _standard_input(option: str) -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")  # JSON is UTF-8 whatever the locale
    except (OSError, ValueError) as exc:
        raise InvalidInputError(f"{option} -: {exc}", field=option.lstrip("-")) from exc


def _file(name: str, option: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:
        raise InvalidInputError(f"{option} @{name}: {exc}", field=option.lstrip("-")) from exc


def metadata(pairs: Sequence[str] | None) -> dict[str, Any]:
    """Return the object that ``--metadata KEY=VALUE`` options make; a value is JSON where it can be read so,
    else text.
    """
    found: dict[str, Any] = {}
    for pair in pairs or ():
        key, sign, value = pair.partition("=")
        if not key or not sign:
            raise InvalidInputError(f"--metadata {pair}: write KEY=VALUE", field="metadata")
        try:
            found[key] = json.loads(value)
        except (ValueError, RecursionError):
            found[key] = value
    return found
