"""Ids on a command line: a beginning of four digits or more will do where it is the only one.

Parameters name these as their callbacks, so that whatever a command does with an id, it gets whole ones; a wrong one is
said of the parameter that it was given to. A whole id costs no question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import typer

from taskengine.api import BlockingTaskAPI
from taskengine.cli.place import asking
from taskengine.errors import AmbiguousIdError, InvalidInputError, NotFoundError

_DIGITS = re.compile(r"[0-9a-f]{4,32}")
_WHOLE = 32
_SHORT = re.compile(r"[0-9a-f]{1,3}")


def task(context: typer.Context, given_to: typer.CallbackParam, value: str | None) -> str | None:
    """Return the id of one task."""
    return value if context.resilient_parsing or not value else _found([value], "task", given_to)[0]


def tasks(context: typer.Context, given_to: typer.CallbackParam, value: list[str] | None) -> list[str] | None:
    """Ids of tasks; several with commas are several."""
    if context.resilient_parsing or not value:
        return value
    return _found([word.strip() for each in value for word in each.split(",") if word.strip()], "task", given_to)


def run(context: typer.Context, given_to: typer.CallbackParam, value: str | None) -> str | None:
    """Return the id of one run."""
    return value if context.resilient_parsing or not value else _found([value], "run", given_to)[0]


def workflow(context: typer.Context, given_to: typer.CallbackParam, value: str | None) -> str | None:
    """Return the id of one workflow, which is that of its run."""
    return value if context.resilient_parsing or not value else _found([value], "workflow", given_to)[0]


def run_or_name(context: typer.Context, value: str) -> str:
    """Return the id of one run, which may be named: then the newest of that name is meant."""
    return value if context.resilient_parsing else named_run(value)


def workflow_or_name(context: typer.Context, value: str) -> str:
    """Return the id of one workflow, which may be named: it has the id and the name of its run."""
    try:
        return run_or_name(context, value)
    except NotFoundError as exc:
        says = f"no workflow that was started has the name or id {value!r:.80}; taskengine workflow list shows them"
        raise NotFoundError("workflow", value, says=says) from exc


def named_run(value: str) -> str:
    """Return the id of the run that has this id or name, or whose id begins so."""
    if _is_whole(value):
        return value
    with asking() as api:
        return str(api.find_run(value))


def _found(given: Sequence[str], kind: str, given_to: typer.CallbackParam) -> list[str]:
    """Return the whole ids; nobody is asked about those that are whole, or can be none."""
    for value in given:
        if not _DIGITS.fullmatch(_digits(value)):
            raise _no_id(value, kind, given_to)
    if all(map(_is_whole, given)):
        return list(given)
    with asking() as api:
        return [value if _is_whole(value) else _find(api, value, kind, given_to) for value in given]


def _find(api: BlockingTaskAPI, value: str, kind: str, given_to: typer.CallbackParam) -> str:
    try:
        return str(api.find_task(value) if kind == "task" else api.find_run(value))
    except (AmbiguousIdError, NotFoundError) as exc:
        if option := _option(given_to):
            exc.args = (f"{option}: {exc}",)
        raise


def _option(given_to: typer.CallbackParam) -> str:
    """Return what a person wrote before the id; '' before an argument."""
    return next((name for name in given_to.opts if name.startswith("--")), "")


def _is_whole(value: str) -> bool:
    digits = _digits(value)
    return len(digits) == _WHOLE and _DIGITS.fullmatch(digits) is not None


def _digits(value: str) -> str:
    return value.strip().lower().replace("-", "")


def _no_id(value: str, kind: str, given_to: typer.CallbackParam) -> Exception:
    option, field = _option(given_to), f"{kind}_id"
    if option and given_to.name:
        field = given_to.name
    where = f" ({option})" if option else ""
    looked_up = {"run": "run list --name", "workflow": "workflow status"}.get(kind)
    named = f"; by name: taskengine {looked_up} {value:.80}" if looked_up else ""
    wrong = "too short a beginning of an id" if _SHORT.fullmatch(_digits(value)) else "no id and no beginning of one"
    return InvalidInputError(
        f"{field}{where} is {value!r:.80}, which is {wrong}; write four or more of its digits{named}",
        field=field,
    )
