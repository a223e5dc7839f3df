"""Each error as it leaves a server: a slug that never changes, a status of HTTP, and the fields that programs ask for.

RFC 9457 (``application/problem+json``). The type is ``/problems/SLUG``, which explains it with the docstring of the
error. What a class is not listed for it inherits: a new child of :class:`ConflictError` is a conflict until it has a
line of its own. Fields are the error's public attributes, so what Python can ask of an error, any program can.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import to_jsonable_python

from taskengine import errors
from taskengine.errors import TaskEngineError

#: The media type.
PROBLEM_JSON = "application/problem+json"
#: Where the slugs are explained.
PROBLEMS = "/problems/"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem."""

    slug: str
    status: int
    title: str
    #: Its public attributes that are told.
    fields: tuple[str, ...] = ()


#: Of each error its kind.
KINDS: Mapping[type[TaskEngineError], Kind] = {
    errors.TaskEngineError: Kind("internal", 500, "Something went wrong in the engine"),
    errors.SettingsError: Kind("settings", 500, "A setting of the server is wrong", ("field",)),
    errors.InvalidInputError: Kind("invalid-input", 422, "A field of the request is wrong", ("field",)),
    errors.UnknownDependencyError: Kind(
        "unknown-dependency", 422, "A dependency does not exist", ("field", "task", "missing")
    ),
    errors.CircularDependencyError: Kind("circular-dependency", 422, "Dependencies form a cycle", ("field", "path")),
    errors.AmbiguousIdError: Kind("ambiguous-id", 422, "Several ids begin so", ("field", "candidates")),
    errors.InvalidFleetError: Kind("invalid-fleet", 422, "A file of agents is wrong", ("field", "faults")),
    errors.InvalidWorkflowError: Kind("invalid-workflow", 422, "A workflow is wrong", ("field", "faults")),
    errors.ExpressionError: Kind(
        "expression", 422, "An expression has no value", ("field", "expression", "reason")
    ),
    errors.PayloadTooLargeError: Kind("payload-too-large", 413, "Too large", ("field", "size", "limit")),
    errors.NotFoundError: Kind("not-found", 404, "There is no such thing", ("kind", "id")),
    errors.NoResultError: Kind("no-result", 409, "A dependency has no result", ("id", "status")),
    errors.ConflictError: Kind("conflict", 409, "Somebody else was first"),
    errors.AgentConflictError: Kind("agent-conflict", 409, "The name is that of another agent", ("types",)),
    # Not 409: it is no rival of the moment, and sending it again as it is will never do.
    errors.IdempotencyConflictError: Kind(
        "idempotency-conflict", 422, "The key or id names other content", ("field", "existing_id")
    ),
    errors.NotAllowedError: Kind("not-allowed", 409, "Its state does not allow this", ("id", "history")),
    errors.TaskExecutionError: Kind("execution-failed", 424, "The task did not complete", ("execution",)),
    errors.WorkflowExecutionError: Kind("workflow-failed", 424, "The workflow did not complete", ("workflow",)),
    errors.WaitTimeoutError: Kind("wait-timeout", 504, "It did not happen in time", ("pending",)),
    errors.StoreError: Kind("store", 503, "The store answered something unexpected"),
    errors.StoreUnavailableError: Kind("store-unavailable", 503, "The store does not answer"),
    errors.StoreFullError: Kind("store-full", 503, "The store is out of memory"),
    errors.UnsupportedServerError: Kind("unsupported-store", 503, "The store cannot hold the truth"),
    errors.SchemaMismatchError: Kind("schema-mismatch", 503, "What is stored is of another version", ("stored",)),
    errors.EmbeddedServerError: Kind("embedded-store", 503, "The embedded store does not start"),
    errors.CorruptDataError: Kind("corrupt-data", 503, "The embedded store's file is damaged"),
    errors.AccessError: Kind("refused", 403, "The server refuses this request"),
    errors.UnknownKeyError: Kind("unknown-key", 401, "No valid key"),
    errors.ScopeError: Kind("scope", 403, "The key may not do this", ("needs", "has")),
    errors.TooManyRequestsError: Kind("too-many-requests", 429, "Too many requests", ("retry_after",)),
    errors.AgentError: Kind("agent", 422, "An agent cannot be used"),
}

#: What no error of ours is for: what HTTP itself refuses, by status. The text explains it.
PLAIN: Mapping[int, tuple[Kind, str]] = {
    400: (Kind("bad-request", 400, "The request cannot be read"), "The request cannot be read as HTTP or as JSON."),
    404: (Kind("no-such-page", 404, "There is no such page"), "No route has this path; /openapi.json lists them."),
    405: (
        Kind("method-not-allowed", 405, "The path does not take this method"),
        "The path is known with another method; the header Allow names it.",
    ),
    408: (Kind("too-slow", 408, "The request came too slowly"), "A body must be here within 30 seconds."),
    413: (Kind("body-too-large", 413, "The body is too large"), "A body may be 1 MiB, that of a graph 32 MiB."),
    415: (Kind("no-json", 415, "The body is no JSON"), "A body is JSON in UTF-8: Content-Type: application/json."),
    421: (
        Kind("unknown-host", 421, "The server does not have this name"),
        "On the loopback interface a request must name localhost, 127.0.0.1 or [::1], or a host that --allow-host "
        "names: else any page that a browser shows could ask.",
    ),
    429: (
        Kind("too-many-streams", 429, "Too many open streams"),
        "A server has as many open streams as it may, or a key has; close some, or come back when Retry-After says.",
    ),
    500: (Kind("fault", 500, "The server has a fault"), "It is a fault of the server; its log has the traceback."),
    503: (Kind("busy", 503, "The server is busy"), "It serves as many requests as it may; ask again in 2 seconds."),
}


def kind_of(error: type[TaskEngineError]) -> Kind:
    """Return the kind of an error: its own, or that of the nearest class above it."""
    return next(KINDS[each] for each in error.__mro__ if each in KINDS)


def problem(error: TaskEngineError) -> dict[str, Any]:
    """Return an error as a problem document, JSON throughout."""
    kind = kind_of(type(error))
    told = {name: getattr(error, name, None) for name in kind.fields}
    document = {**told, "type": PROBLEMS + kind.slug, "title": kind.title, "detail": str(error)}
    if "status" in told:  # the dependency's, whose name is HTTP's own here
        document["dependency_status"] = told["status"]
    document["status"] = kind.status
    if told.get("field"):
        document["errors"] = [{"pointer": _pointer(str(told["field"])), "detail": str(error)}]
    made: dict[str, Any] = to_jsonable_python(document, fallback=str, bytes_mode="base64")
    return made


def _pointer(field: str) -> str:
    """Return ``steps[0].name`` as a JSON pointer."""
    return "".join(f"/{part}" for part in re.split(r"[.\[\]]+", field) if part)


@cache
def explanations() -> Mapping[str, tuple[Kind, str]]:
    """Return of each slug its kind and the text that explains it."""
    ours = {kind.slug: (kind, inspect.getdoc(error) or "") for error, kind in KINDS.items()}
    return {**{kind.slug: (kind, text) for kind, text in PLAIN.values()}, **ours}
