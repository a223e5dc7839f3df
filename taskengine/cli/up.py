"""``taskengine up``: the whole stack in the foreground.

A part that ends by itself is started again, after a delay that grows, and nothing of it is silent: its name, how it
ended and when it comes back are said. So is a worker replaced that ended because its threads were stuck. Only what
cannot even start (an agent's module that does not exist) ends everything with its reason. The Procfile names the same
processes for those who have a supervisor of their own.
"""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from taskengine import embedded
from taskengine.cli import own_workers
from taskengine.cli import page as page_of
from taskengine.cli.child import Child
from taskengine.cli.fleet_options import Concurrency, Import, Level, LogLevel, Pool, Pools, Queues
from taskengine.cli.guide import command
from taskengine.cli.interrupts import Interrupts
from taskengine.cli.lines import Lines
from taskengine.cli.output import OutputOption, split, warn
from taskengine.cli.place import CommandLine, at_store, place
from taskengine.cli.readiness import Readiness
from taskengine.cli.restarts import Restarts
from taskengine.cli.served import served_lines
from taskengine.cli.stack import SERVER, Fleet, Stack, first_free, free_port, programs, stop_seconds
from taskengine.settings import Settings, current, environment, refuse_unknown

app = typer.Typer()

WithPage = Annotated[
    bool, typer.Option("--page/--no-page", help="Serve REST, and a page that shows the fleet in a browser.")
]
WithFlower = Annotated[bool, typer.Option("--flower/--no-flower", help="Show workers and executions in Flower.")]
_PUMP_SECONDS = 0.25
_LOOK_SECONDS = 2.0
#: Seconds in which an embedded server that was killed is back, started by its watchdog.
_REVIVAL_SECONDS = 15.0


@command(
    app,
    "taskengine up                       built-in agents alone",
    "taskengine up --import my_agents",
    "taskengine up -I my_agents --pool prefork --pool threads --concurrency 8",
    "TASKENGINE_REDIS_URL=redis://db:6379/0 taskengine up --no-flower",
)
def up(
    imports: Import = None,
    queues: Queues = None,
    pool: Pools = None,
    concurrency: Concurrency = None,
    page: WithPage = True,
    flower: WithFlower = True,
    log_level: Level = LogLevel.INFO,
    output: OutputOption = None,
) -> None:
    """Run everything on this machine in the foreground: Valkey (if embedded), coordinator, workers, page, Flower.

    Each built-in task type that no imported or registered agent covers is served by a built-in agent, with
    real tools and without a model: tasks may name repositories and folders in TASKENGINE_WORKSPACES (the
    current folder, if unset), and commands only of TASKENGINE_COMMANDS. A line says which agent serves what.

    The page's address carries a key for this machine: whoever has it may do everything.

    Each line carries the name of its process. Ctrl-C lets running tasks finish and leaves no process
    behind; a second one ends them at once. A process that ends by itself is started again, after a delay
    that grows; its name and exit code are said.

    One prefork worker is the default: its tasks can be ended at a timeout and use all cores, and
    coroutines run there as well. Add --pool threads for agents that mostly wait for others.
    """
    refuse_unknown(environment())
    port = free_port(current().flower_port, otherwise_any=False) if flower else None
    fleet = Fleet(
        pools=list(dict.fromkeys(each.value for each in pool or [Pool.PREFORK])),
        concurrency=concurrency,
        imports=split(imports),
        queues=split(queues),
        flower_port=port,
        http_port=_page_port() if page else None,
        log_level=log_level.value,
        builtin=True,
    )
    raise typer.Exit(_up(fleet))


def _page_port() -> int | None:
    """A free port for the page; None, and why, where there is none."""
    if why := page_of.without():
        warn(why)
        return None
    return first_free(page_of.ports(current().http_port))


def _up(fleet: Fleet) -> int:
    """Run *fleet* until Ctrl-C, or until it cannot go on; the exit code."""
    settings = at_store()
    if place := own_workers.foreign(Path.cwd()):
        warn(own_workers.foreign_sentence(place))
    try:
        with CommandLine(settings=settings) as api, Interrupts() as interrupts:
            readiness = Readiness(
                api, workers=len(fleet.pools), flower_port=fleet.flower_port, http_port=fleet.http_port
            )
            with Stack(programs(fleet), environment()) as stack:
                return _Session(fleet, settings, readiness, stack, interrupts, stop_seconds(settings)).run()
    finally:
        embedded.release(settings)


@dataclass(slots=True)
class _Session:
    """One run of the stack, from the first line to the last."""

    fleet: Fleet
    settings: Settings
    readiness: Readiness
    stack: Stack
    interrupts: Interrupts
    #: Seconds that running tasks get when it is over.
    stop_seconds: float
    server_pid: int | None = None
    #: Since when the embedded server has been away; None while it runs.
    server_away_since: float | None = None
    restarts: Restarts = field(default_factory=Restarts)

    def run(self) -> int:
        lines = Lines(self.stack.children, self.interrupts.wakes)
        try:
            self._greet(lines)
            why = self._watch(lines)
            self._end(lines, why)
        finally:
            lines.close()
        return 0 if why is None else 1

    def _greet(self, lines: Lines) -> None:
        if self.settings.redis_url is None:
            server = embedded.status(self.settings)
            self.server_pid = server.pid
            lines.show("up", f"embedded valkey {server.version}, pid {server.pid}, its log is {server.log}")
        lines.show("up", f"server: {place(self.settings)}")
        for child in self.stack.children:
            lines.show("up", f"{child.name} started, pid {child.pid}")

    def _watch(self, lines: Lines) -> str | None:
        """Show lines until it is over: None when somebody asked for it, else what went wrong."""
        said_ready, look_at = False, 0.0
        while not self.interrupts.count:
            lines.pump(_PUMP_SECONDS)
            if why := self._keep_up(lines, was_ready=said_ready):
                return why
            if not said_ready and self.readiness.is_up():
                self._say_ready(lines)
                said_ready = True
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _LOOK_SECONDS
                if why := self._server_trouble(lines):
                    return why
        return None

    def _keep_up(self, lines: Lines, *, was_ready: bool) -> str | None:
        """Start again what ended by itself; why everything is to end, when a part cannot start at all."""
        for child in list(self.stack.children):
            if child.exit_code is None or self.restarts.knows(child):
                continue
            if not was_ready and child.exit_code >= 0:
                if child.name == SERVER:
                    self._go_without_page(lines, child)
                    continue
                return f"{child.name} {child.end}: stopping the others"
            delay = self.restarts.note_end(child)
            lines.show("up", f"{child.name} {child.end}: starting it again in {delay:g} s", "bold red")
        for child in self.restarts.take_due(self.stack.children):
            child.kill()  # what it left behind
            lines.drain()
            lines.forget(child)
            fresh = self.stack.start_again(child)
            lines.follow(fresh)
            lines.show("up", f"{fresh.name} started again, pid {fresh.pid}")
        return None

    def _go_without_page(self, lines: Lines, server: Child) -> None:
        """Let the fleet work when its page alone does not start."""
        self.readiness.http_port = None
        lines.drain()
        lines.forget(server)
        self.stack.leave_out(server)
        lines.show("up", f"{server.name} {server.end}: going on without the page", "bold red")

    def _server_trouble(self, lines: Lines) -> str | None:
        """Why everything is to end when the embedded server does not come back; says it if another one replaced it."""
        if self.settings.redis_url is not None:
            return None
        server = embedded.status(self.settings)
        if server.state in {"stopped", "absent"}:
            return self._await_server(lines, server)
        self.server_away_since = None
        if server.pid not in {None, self.server_pid}:
            lines.show("up", f"the embedded valkey ended and was started again, pid {server.pid}", "bold red")
            self.server_pid = server.pid
        return None

    def _await_server(self, lines: Lines, server: embedded.EmbeddedStatus) -> str | None:
        embedded.keep(self.settings)
        if self.server_away_since is None:
            self.server_away_since = time.monotonic()
            lines.show("up", f"the embedded valkey ended, {server.log} says why; it is started again", "bold red")
        if time.monotonic() - self.server_away_since < _REVIVAL_SECONDS:
            return None
        self.stop_seconds = self.settings.kill_after_seconds  # nobody can report or hand back without it
        return f"the embedded valkey does not start again, {server.log} says why: stopping the others"

    def _say_ready(self, lines: Lines) -> None:
        port = self.fleet.flower_port
        flower = f"; Flower: http://127.0.0.1:{port}" if port is not None else ""
        if (http := self.readiness.http_port) is not None:
            lines.show("up", f"Page: {page_of.address(self.settings, http)}", "bold")
        for line in served_lines(self.readiness.fresh, environment()):
            lines.show("up", line)
        lines.show("up", f"ready{flower}; Ctrl-C ends everything", "bold green")

    def _end(self, lines: Lines, why: str | None) -> None:
        lines.drain()
        lines.show("up", why or f"{self.interrupts.name}: stopping", "bold red" if why else "bold")
        asked = self.interrupts.count
        ended = self.stack.stop(
            self.stop_seconds, lambda: self.interrupts.count - asked, lambda: lines.pump(_PUMP_SECONDS)
        )
        lines.drain()
        for child in self.stack.children:
            lines.show("up", f"{child.name} {child.end}")
        lines.show("up", "everything stopped" if ended else "everything stopped; tasks that were cut off run again")
