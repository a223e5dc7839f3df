"""``taskengine worker``, ``flower`` and ``workers``: the first two are checked and said in our words, then handed over
to Celery's.
"""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.cli import celery_door, own_workers
from taskengine.cli.fleet_options import Concurrency, Import, Level, LogLevel, OnePool, Pool, Queues
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.output import OutputOption, answer, split, warn
from taskengine.cli.place import asking, at_store, nothing
from taskengine.cli.stack import BUILT_IN_AGENTS, DEMO_AGENTS
from taskengine.cli.text import plain
from taskengine.errors import InvalidInputError, StoreUnavailableError
from taskengine.settings import current, environment, export, variable

app = typer.Typer()

_FLOWER_SETTINGS = Path(__file__).with_name("flower_settings.py")
Agents = Annotated[
    list[str] | None,
    typer.Option(
        "--agent",
        "-a",
        metavar="NAMES",
        help="Agents to serve, by name, and no other; several with commas, or again.",
        show_default="all that it imports",
        autocompletion=offers("agents"),
    ),
]
Name = Annotated[
    str | None, typer.Option(help="What stands before @host in Flower.", show_default="the pool and the process id")
]
BuiltIn = Annotated[
    bool,
    typer.Option(
        "--builtin",
        help="Serve the built-in task types as well, each that no other agent does; in TASKENGINE_WORKSPACES alone.",
    ),
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


@command(
    app,
    "taskengine worker --import my_agents",
    "taskengine worker --queues code_analysis,lint --pool prefork --concurrency 8 --import my_agents",
    "taskengine worker --agent claude_agent_1 -c 200   an agent that was registered",
    "taskengine worker --builtin                       reviews, tests, analyses … without a model",
    "celery -A workers worker -Q lint -P prefork -c 8 -I my_agents   the same for Celery users",
)
def worker(
    agents: Agents = None,
    queues: Queues = None,
    pool: OnePool = None,
    concurrency: Concurrency = None,
    imports: Import = None,
    builtin: BuiltIn = False,
    name: Name = None,
    log_level: Level = LogLevel.INFO,
) -> None:
    """Run a worker: it takes tasks whose capability its agents offer.

    SIGTERM lets running tasks finish (TASKENGINE_DRAIN_SECONDS) and hands the rest back. SIGHUP does so and
    begins anew, unless the worker has a terminal. With --agent it serves those that were registered, on threads
    unless --pool says otherwise. With --builtin tasks may name folders in TASKENGINE_WORKSPACES (here, if unset).
    """
    _check()
    named = split(agents) or split([current().agent])
    pool = pool or (Pool.THREADS if named else Pool.PREFORK)
    if named:
        export(variable("agent"), ",".join(named))
    # Whoever has the name of another worker of its host hides it in Flower; the process id outlives the exec.
    words = ["worker", "-P", pool, "-l", log_level, "-n", f"{name or f'{pool}-{os.getpid()}'}@%h"]
    words += ["-c", str(concurrency or os.cpu_count() or 1)]
    # Gossip and mingle are talk among workers that nothing here listens to; mingle alone costs a second at
    # the start.
    words += ["--without-gossip", "--without-mingle"]
    if chosen := split(queues):
        words += ["-Q", ",".join(chosen)]
    modules = split(imports) + ([BUILT_IN_AGENTS] if builtin else [])
    if builtin and not current().workspaces:
        export(variable("workspaces"), str(Path.cwd()))
    if not modules and not named:
        modules = [DEMO_AGENTS]
    if modules:
        words += ["-I", ",".join(map(_module, modules))]
    _become(words)


@command(
    app,
    "taskengine flower",
    "taskengine flower --port 8888 -- --basic_auth=user:password   options of its own",
)
def flower(port: FlowerPort = None, more: FlowerOptions = None) -> None:
    """Show workers and executions in a browser, on the loopback interface."""
    _check()
    chosen = current().flower_port if port is None else port
    sys.stderr.write(f"Flower: http://127.0.0.1:{chosen}\n")
    _become(["flower", f"--conf={_FLOWER_SETTINGS}", f"--port={chosen}", *(more or [])])


@command(app, "taskengine workers", "taskengine workers -o json | jq '.[].name'")
def workers(output: OutputOption = None) -> None:
    """List the workers: slots, what they hold, what they offer."""
    with asking() as api:
        found = api.list_workers()
    answer(found, workers_picture(found))


def _module(name: str) -> str:
    if name.endswith(".py") or "/" in name:
        module = name.removesuffix(".py").removeprefix("./").replace("/", ".")
        raise InvalidInputError(f"--import {name}: name the module, not its file: --import {module}", field="import")
    return name


def _check() -> None:
    """Say what would make the start useless. A server that is away now may come: Celery waits for it."""
    if place := own_workers.foreign(Path.cwd()):
        warn(own_workers.foreign_sentence(place))
    try:
        with BlockingTaskAPI(settings=at_store()) as api:
            api.get_queue_statistics()
    except StoreUnavailableError as exc:
        warn(f"{exc}; waiting for it")


def _become(words: Sequence[str]) -> None:
    line = celery_door.command(*words)
    os.execve(line[0], line, celery_door.undiverted(environment()))  # noqa: S606  # no shell, and an explicit environment


def workers_picture(workers: Sequence[dict[str, Any]]) -> RenderableType:
    """Return a table of workers, one row a node."""
    if not workers:
        return nothing("no worker; start one: taskengine worker --import my_agents")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Worker", "Pid", "State", "Busy", "Pool", "Capabilities", "Agents", "CPU %", "Memory %"):
        table.add_column(heading, overflow="fold")
    for each in workers:
        info = each["info"]
        table.add_row(
            plain(str(info.get("hostname", each["name"]))),
            plain(str(info.get("pid", ""))),
            state(each),
            Text(f"{each['busy']} of {each['slots']}"),
            plain(str(info.get("pool", ""))),
            plain(", ".join(each["capabilities"])),
            plain(", ".join(each["agents"])),
            Text(str(info.get("cpu_percent", ""))),
            Text(str(info.get("memory_percent", ""))),
        )
    return table


def state(worker: dict[str, Any]) -> Text:
    """Return what a worker does, in one word or two."""
    if not worker["alive"]:
        return Text("silent", style="bold red")
    if worker["draining"]:
        return plain(f"draining: {worker['draining']}")
    stuck = worker["info"].get("stuck", 0)
    if stuck:
        return Text(f"{stuck} slots stuck", style="bold red")
    return Text("busy" if worker["busy"] else "idle", style="green")
