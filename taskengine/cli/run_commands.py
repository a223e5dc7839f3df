"""Commands that run something: the demo, the whole stack, each of its processes."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from taskengine.cli.guide import add
from taskengine.cli.interrupts import ignore_hang_ups
from taskengine.cli.output import OutputOption, split


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


Code = Annotated[
    Path | None,
    typer.Argument(help="A folder, package or file with Python code.", show_default="taskengine's own source"),
]
Leave = Annotated[bool, typer.Option("--exit", help="End when done instead of staying up until Ctrl-C.")]
Report = Annotated[Path, typer.Option(help="Folder for the report and the logs of the processes.")]
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
        show_default="the built-in code_analysis agent",
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


def _pool(name: str) -> Pool:
    if name in _pools():
        return Pool(name)
    if name not in _GREEN:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(Pool)}")
    from taskengine.transport import refusal

    raise typer.BadParameter(refusal(name))


def _pools() -> list[str]:
    return [pool.value for pool in Pool]


#: Celery's own, which its users may try.
_GREEN = ("gevent", "eventlet")


_KINDS = f"[{'|'.join(Pool)}]"
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
    Pool,
    typer.Option(
        "--pool",
        parser=_pool,
        metavar=_KINDS,
        autocompletion=_pools,
        help="prefork: processes; threads: for agents that mostly wait.",
    ),
]
WithFlower = Annotated[bool, typer.Option("--flower/--no-flower", help="Show the fleet in a browser.")]
Level = Annotated[LogLevel, typer.Option("--log-level", help="From what severity on workers log.")]
Name = Annotated[
    str | None, typer.Option(help="What stands before @host in Flower.", show_default="the pool and the process id")
]
FlowerPort = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=0,
        max=65535,
        help="Port on the loopback interface.",
        show_default="TASKENGINE_FLOWER_PORT or 5555",
    ),
]
FlowerOptions = Annotated[list[str] | None, typer.Argument(metavar="-- OPTIONS", help="Options of Flower's own.")]


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    add(
        app,
        demo,
        "taskengine demo                        the installed package itself",
        "taskengine demo ~/src/project --exit   end when done; exit code 1 if a task failed",
        "taskengine demo . --report findings    where the report goes",
    )
    add(
        app,
        up,
        "taskengine up --import my_agents",
        "taskengine up -I my_agents --pool prefork --pool threads --concurrency 8",
        "TASKENGINE_REDIS_URL=redis://db:6379/0 taskengine up --no-flower",
    )
    add(
        app,
        coordinator,
        "taskengine coordinator",
        "TASKENGINE_REDIS_URL=redis://db:6379/0 taskengine coordinator   on as many machines as you want",
    )
    add(
        app,
        worker,
        "taskengine worker --import my_agents",
        "taskengine worker --queues code_analysis,lint --pool prefork --concurrency 8 --import my_agents",
        "celery -A workers worker -Q lint -P prefork -c 8 -I my_agents   the same for Celery users",
    )
    add(
        app,
        flower,
        "taskengine flower",
        "taskengine flower --port 8888 -- --basic_auth=user:password   options of its own",
    )


def demo(
    path: Code = None,
    leave: Leave = False,
    concurrency: Concurrency = None,
    report: Report = Path("taskengine-report"),
    output: OutputOption = None,
) -> None:
    """Analyse a Python code base as a graph of tasks, on a fleet of its own.

    One task for each module, dependent on those of the modules that it imports, one for each package, and
    a report. Workers of other machines on the same server must see PATH too, if they offer code_analysis.
    """
    from taskengine.cli.demo import Wishes, demo

    raise typer.Exit(demo(Wishes(path, report, concurrency=concurrency, leave=leave)))


def up(
    imports: Import = None,
    queues: Queues = None,
    pool: Pools = None,
    concurrency: Concurrency = None,
    flower: WithFlower = True,
    log_level: Level = LogLevel.INFO,
    output: OutputOption = None,
) -> None:
    """Run everything on this machine in the foreground: server (if embedded), coordinator, workers, Flower.

    Each line carries the name of its process. Ctrl-C lets running tasks finish and leaves no process
    behind; a second one ends them at once. A process that ends by itself is started again, after a delay
    that grows; its name and exit code are said.

    One prefork worker is the default: its tasks can be ended at a timeout and use all cores, and
    coroutines run there as well. Add --pool threads for agents that mostly wait for others.
    """
    from taskengine.cli.stack import Fleet, free_port
    from taskengine.cli.up import up
    from taskengine.settings import current

    port = free_port(current().flower_port, otherwise_any=False) if flower else None
    fleet = Fleet(
        pools=list(dict.fromkeys(each.value for each in pool or [Pool.PREFORK])),
        concurrency=concurrency,
        imports=split(imports),
        queues=split(queues),
        flower_port=port,
        log_level=log_level.value,
    )
    raise typer.Exit(up(fleet))


def coordinator() -> None:
    """Run a coordinator: it grants, fires timers, rescues what dead workers held, and decides.

    Any number may run; one leads and another one follows within seconds when it dies. SIGHUP begins anew,
    unless it has a terminal.
    """
    ignore_hang_ups()
    from taskengine.coordinator.__main__ import main

    raise typer.Exit(main())


def worker(
    queues: Queues = None,
    pool: OnePool = Pool.PREFORK,
    concurrency: Concurrency = None,
    imports: Import = None,
    name: Name = None,
    log_level: Level = LogLevel.INFO,
) -> None:
    """Run a worker: it takes tasks whose capability its agents offer.

    SIGTERM lets running tasks finish (TASKENGINE_DRAIN_SECONDS) and hands the rest back. SIGHUP does so and
    begins anew, unless the worker has a terminal.
    """
    ignore_hang_ups()
    from taskengine.cli.stack import Fleet
    from taskengine.cli.worker import worker

    fleet = Fleet([pool.value], concurrency, split(imports), split(queues), log_level=log_level.value)
    worker(fleet, name=name)


def flower(port: FlowerPort = None, more: FlowerOptions = None) -> None:
    """Show workers and executions in a browser, on the loopback interface."""
    from taskengine.cli.worker import flower

    flower(port=port, more=more or [])
