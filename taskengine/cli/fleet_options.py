"""Options of the commands that start workers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from taskengine.transport import refusal


class Pool(StrEnum):
    """How a worker runs its agents side by side."""

    PREFORK = "prefork"
    THREADS = "threads"


class LogLevel(StrEnum):
    """From what severity on a worker logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", "-c", min=1, help="Tasks at a time in each worker.", show_default="one a core"),
]
Import = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        "-I",
        metavar="MODULE",
        help="Module that declares agents; several with commas, or again.",
        show_default="none with up or --builtin, else the demo's code_analysis agent",
    ),
]
Queues = Annotated[
    list[str] | None,
    typer.Option(
        "--queues",
        "-Q",
        metavar="NAMES",
        help="Capabilities to work for; several with commas, or again.",
        show_default="all that the imported agents offer",
    ),
]


#: Celery's own, which its users may try.
_GREEN = ("gevent", "eventlet")
_KINDS = f"[{'|'.join(Pool)}]"


def _pool(name: str) -> Pool:
    if name in _pools():
        return Pool(name)
    if name not in _GREEN:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(Pool)}")
    raise typer.BadParameter(refusal(name))


def _pools() -> list[str]:
    return [pool.value for pool in Pool]


Pools = Annotated[
    list[Pool] | None,
    typer.Option(
        "--pool",
        parser=_pool,
        metavar=_KINDS,
        autocompletion=_pools,
        help="A worker of this kind; again for a second one.",
        show_default="prefork",
    ),
]
OnePool = Annotated[
    Pool | None,
    typer.Option(
        "--pool",
        parser=_pool,
        metavar=_KINDS,
        autocompletion=_pools,
        help="prefork: processes; threads: for agents that mostly wait.",
        show_default="prefork, with --agent threads",
    ),
]
Level = Annotated[LogLevel, typer.Option("--log-level", help="From what severity on workers log.")]
