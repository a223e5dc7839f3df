"""Everything the API does, written once: generators of Calls that the async and the blocking client both run.

An operation sees no connection and no event loop. It validates its arguments, makes its trips, and raises only
errors of the library's tree.

A client names its module here, which is imported when somebody calls the first of its verbs: together they bring most
of the engine, half a second of a processor, and no process calls them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskengine.api.operations import (
        agents,
        answer,
        artifacts,
        ask,
        bulk,
        change,
        dead,
        delete,
        edges,
        examine,
        execute,
        explain,
        find,
        fleet,
        keys,
        limits,
        logs,
        pause,
        plan,
        quarantine,
        runs,
        submit,
        usage,
        wait,
        workflow_approve,
        workflow_children,
        workflow_control,
        workflow_list,
        workflow_names,
        workflow_read,
        workflow_start,
        workflow_talk,
    )

__all__ = [
    "agents",
    "answer",
    "artifacts",
    "ask",
    "bulk",
    "change",
    "dead",
    "delete",
    "edges",
    "examine",
    "execute",
    "explain",
    "find",
    "fleet",
    "keys",
    "limits",
    "logs",
    "pause",
    "plan",
    "quarantine",
    "runs",
    "submit",
    "usage",
    "wait",
    "workflow_approve",
    "workflow_children",
    "workflow_control",
    "workflow_list",
    "workflow_names",
    "workflow_read",
    "workflow_start",
    "workflow_talk",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")


def load() -> None:
    """Import them all: a server does before it serves, so that no caller waits for it."""
    for name in __all__:
        import_module(f"{__name__}.{name}")
