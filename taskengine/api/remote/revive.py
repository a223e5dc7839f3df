"""Errors of the server as the errors that they were: by the slug of a problem document, with their fields.

What is no problem document comes from something else than the server: a proxy before it, or another program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter, ValidationError

from taskengine.api.problems import KINDS, PLAIN, PROBLEM_JSON, PROBLEMS
from taskengine.api.remote.message import Answer
from taskengine.errors import (
    AccessError,
    InvalidInputError,
    PayloadTooLargeError,
    StoreUnavailableError,
    TaskEngineError,
    UnsupportedServerError,
    WorkflowFault,
)
from taskengine.models import TaskExecution, Workflow

#: Of each slug its error.
CLASSES: Mapping[str, type[TaskEngineError]] = {kind.slug: error for error, kind in KINDS.items()}
_DOCUMENT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_BUSY = frozenset({502, 503, 504})
_FAULTS: TypeAdapter[tuple[WorkflowFault, ...]] = TypeAdapter(tuple[WorkflowFault, ...])
_EXECUTION: TypeAdapter[TaskExecution | None] = TypeAdapter(TaskExecution | None)
_WORKFLOW: TypeAdapter[Workflow | None] = TypeAdapter(Workflow | None)
#: How fields are read that are no plain JSON; other lists become tuples, as errors have them.
_READ: Mapping[str, Callable[[Any], Any]] = {
    "faults": _FAULTS.validate_python,
    "execution": _EXECUTION.validate_python,
    "workflow": _WORKFLOW.validate_python,
}
#: What HTTP itself refuses.
_PLAINLY: Mapping[str, type[TaskEngineError]] = {
    "bad-request": InvalidInputError,
    "no-such-page": UnsupportedServerError,
    "method-not-allowed": UnsupportedServerError,
    "too-slow": StoreUnavailableError,
    "unknown-host": AccessError,
    "busy": StoreUnavailableError,
}
assert _PLAINLY.keys() <= {kind.slug for kind, _ in PLAIN.values()}


def error_of(answer: Answer, where: str) -> TaskEngineError:
    """Return the error that an answer tells of; *where* is the server, for people."""
    document = _document(answer)
    if document is None:
        return _stranger(answer, where)
    detail = str(document.get("detail") or document.get("title") or "")
    slug = str(document.get("type", "")).removeprefix(PROBLEMS)
    if slug == "body-too-large":
        return _revived(PayloadTooLargeError, detail, {"field": "body", "size": None, "limit": None})
    if _PLAINLY.get(slug) is UnsupportedServerError:
        return another_version(where, "it has no such route")
    if slug in _PLAINLY:
        return _PLAINLY[slug](f"{where}: {detail}")
    error = CLASSES.get(slug, TaskEngineError)
    kind = KINDS[error]
    told = {name: document.get("dependency_status" if name == "status" else name) for name in kind.fields}
    return _revived(error, detail, told)


def _revived(error: type[TaskEngineError], detail: str, told: Mapping[str, Any]) -> TaskEngineError:
    """Return an error made past its constructor: each class has another one, and the sentence is made already."""
    made = error.__new__(error)
    made.args = (detail,)
    made.__dict__.update({name: _field(name, value) for name, value in told.items()})
    return made


def _field(name: str, value: Any) -> Any:
    if name in _READ:
        try:
            return _READ[name](value)
        except (ValidationError, InvalidInputError):
            return None  # a server of another version; the sentence says it as well
    return tuple(value) if isinstance(value, list) else value


def _document(answer: Answer) -> dict[str, Any] | None:
    if answer.media_type != PROBLEM_JSON:
        return None
    try:
        return _DOCUMENT.validate_json(answer.body)
    except ValidationError:
        return None


def _stranger(answer: Answer, where: str) -> TaskEngineError:
    if answer.status in _BUSY:
        return StoreUnavailableError(
            f"{where} answers {answer.status} and not as a taskengine server does; is one running behind its proxy?"
        )
    return no_server_of_ours(where, f"it answers {answer.status} {answer.media_type or 'without a content type'}")


def another_version(where: str, why: str) -> UnsupportedServerError:
    """Return the error that a server of ours, as it said itself, is not the one that this client was made for."""
    return UnsupportedServerError(
        f"{where} is another version of taskengine than this client, {version('taskengine')}: {why}; {where}/version "
        "tells which, and pip install 'taskengine==VERSION' installs it here"
    )


def no_server_of_ours(where: str, why: str) -> UnsupportedServerError:
    """Return the error that something else lives at an address."""
    return UnsupportedServerError(f"{where} is no taskengine server: {why}; is the address right?")


