"""``taskengine demo``: a fleet of its own, one code base (or what looks like much work) as a graph of tasks, and what
came of it.

The workers' logs go to files, so that the progress stays readable. Whatever ends the demo (done, Ctrl-C,
an error, a process that died) ends its processes too; tasks that have not run are cancelled, or the next
demo would find them.
"""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from taskengine import embedded
from taskengine.api import BlockingTaskAPI
from taskengine.cli import own_workers, page
from taskengine.cli.child import Child
from taskengine.cli.demo.conclusion import Conclusion
from taskengine.cli.demo.page_server import PageServer
from taskengine.cli.demo.screen import Screen
from taskengine.cli.demo.subject import Subject, subject
from taskengine.cli.fleet_options import Concurrency
from taskengine.cli.guide import command
from taskengine.cli.interrupts import Interrupts
from taskengine.cli.output import OutputOption, warn
from taskengine.cli.place import CommandLine, at_store
from taskengine.cli.readiness import Readiness
from taskengine.cli.stack import DEMO_AGENTS, SERVER, Fleet, Stack, first_free, free_port, programs, stop_seconds
from taskengine.demo import mosaic
from taskengine.demo.run import Analysis
from taskengine.errors import InvalidInputError, NotFoundError, StoreError, TaskEngineError
from taskengine.settings import environment

app = typer.Typer()

Code = Annotated[
    Path | None,
    typer.Argument(help="A folder, package or file with Python code.", show_default="taskengine's own source"),
]
Leave = Annotated[bool, typer.Option("--exit", help="End when done instead of staying up until Ctrl-C.")]
Synthetic = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=mosaic.LEAST, max=mosaic.MOST,
        help="Instead of a code base: a graph of N tasks of a few milliseconds, as astronomers run it.",
    ),
]  # fmt: skip
Report = Annotated[Path, typer.Option(help="Folder for the report and the logs of the processes.")]

_LOOK_SECONDS = 0.1
_UP_SECONDS = 60.0
#: Lines of the log of a process that ended, which are shown.
_LAST_LINES = 8
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for."""

    path: Path | None
    report: Path
    concurrency: int | None = None
    #: End when done.
    leave: bool = False
    #: Tasks of a graph that only waits; None: the code base at *path*.
    synthetic: int | None = None


@command(
    app,
    "taskengine demo                        the installed package itself",
    "taskengine demo ~/src/project --exit   end when done; exit code 1 if a task failed",
    "taskengine demo . --report findings    where the report goes",
    "taskengine demo --synthetic 20000      many tasks that only wait, to see the engine and its page move",
)
def demo(
    path: Code = None,
    leave: Leave = False,
    synthetic: Synthetic = None,
    concurrency: Concurrency = None,
    report: Report = Path("taskengine-report"),
    output: OutputOption = None,
) -> None:
    """Analyse a Python code base as a graph of tasks, on a fleet of its own.

    One task for each module, dependent on those of the modules that it imports, one for each package, and
    a report. Workers of other machines on the same server must see PATH too, if they offer code_analysis.
    """
    raise typer.Exit(_run(Wishes(path, report, concurrency, leave, synthetic)))


def _run(wishes: Wishes) -> int:
    """Run the demo; the exit code: 0, 1 if a task did not complete, 130 if it was interrupted before the
    end.
    """
    settings = at_store()
    shown = subject(wishes.path, wishes.synthetic)
    logs = _log_folder(wishes.report)
    if place := own_workers.foreign(Path.cwd()):
        warn(own_workers.foreign_sentence(place))
    port = free_port(settings.flower_port, otherwise_any=True)
    why_not = page.without()
    http = None if why_not else first_free(page.ports(settings.http_port))
    fleet = Fleet(
        concurrency=wishes.concurrency, imports=[DEMO_AGENTS], queues=[shown.queue], flower_port=port,
        http_port=http, prefix="demo-",
    )  # fmt: skip
    try:
        with Interrupts(raises=True) as interrupts, CommandLine(settings=settings) as api:
            # Asked before anything else starts: is the server there, and fit?
            older = api.get_queue_statistics()["open_tasks"]
            with Stack(programs(fleet), environment(), logs) as stack:
                return _Demo(wishes, shown, api, stack, interrupts, port, http, why_not, older).run()
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        embedded.release(settings)


def _log_folder(report: Path) -> Path:
    logs = report / "logs"
    try:
        logs.mkdir(parents=True, exist_ok=True)
        for old in logs.glob("*.log"):
            old.unlink()
    except OSError as exc:
        raise InvalidInputError(
            f"--report {report}: {exc}; name a folder that can be written to", field="report"
        ) from exc
    return logs


@dataclass(slots=True)
class _Demo:
    """One run, from the first process to the last."""

    wishes: Wishes
    subject: Subject
    api: BlockingTaskAPI
    stack: Stack
    interrupts: Interrupts
    port: int
    #: Of the page that is wanted; None without one, and why.
    http_port: int | None
    why_no_page: str | None
    #: Open tasks that were there before.
    older: int
    screen: Screen = field(default_factory=Screen)
    analysis: Analysis | None = None
    page_server: PageServer | None = None

    def run(self) -> int:
        """Analyse, show, and stay up if that is wanted."""
        code = _INTERRUPTED
        try:
            code = self._analyse()
            if not self.wishes.leave:
                self.screen.say("The fleet stays up, look around on the page or in Flower. Ctrl-C ends it.")
                self._watch(lambda: False)
        except KeyboardInterrupt:
            self.screen.say("Stopping.")
        finally:
            self.interrupts.calm()
            self._cancel_rest()
            self._end()
        return code

    def _analyse(self) -> int:
        flower = f"http://127.0.0.1:{self.port}"
        self.screen.say(self.subject.sentence)
        self.screen.say(f"Flower    {flower}")
        self.screen.say(f"Logs      {self.stack.logs}")
        if self.why_no_page:
            self.screen.say(self.why_no_page)
        if self.older:
            self.screen.say(f"{self.older} open tasks of earlier submits share the queue.")
        readiness = Readiness(self.api, workers=1, flower_port=self.port, http_port=self.http_port)
        self.page_server = PageServer(self.stack, self.screen, readiness)
        with self.screen.waiting(self.subject.planning):
            analysis = self.subject.analysis()
        with self.screen.waiting("waiting for the fleet to come up"):
            self._watch(readiness.is_up, seconds=_UP_SECONDS)
        self.page_server.was_up = True
        with self.screen.waiting(f"submitting {len(analysis.tasks)} tasks"):
            self.analysis = analysis
            analysis.submit(self.api, time.monotonic(), self.subject.name)
        if readiness.http_port is not None:
            self.screen.say(f"Page: {page.address(self.api.settings, readiness.http_port, f'/runs/{analysis.run_id}')}")
        self._follow(analysis)
        return Conclusion(self.api, analysis, self.subject, self.wishes.report, flower).show(self.screen)

    def _follow(self, analysis: Analysis) -> None:
        with self.screen.progress(analysis) as show:

            def is_over() -> bool:
                analysis.look(self.api, time.monotonic())
                show()
                return analysis.is_over

            self._watch(is_over)

    def _watch(self, is_over: Callable[[], bool], *, seconds: float = float("inf")) -> None:
        """Wait for *is_over*, as long as every process lives that tasks need."""
        deadline = time.monotonic() + seconds
        while not is_over():
            if self.page_server is not None:
                self.page_server.keep_up()
            if ended := self.stack.ended(besides=SERVER):
                raise TaskEngineError(_last_words(ended, self.stack.log(ended.name)))
            if time.monotonic() > deadline:
                raise TaskEngineError(f"the fleet did not come up within {seconds:g} s; see {self.stack.logs}")
            time.sleep(_LOOK_SECONDS)

    def _cancel_rest(self) -> None:
        if self.analysis is None or self.analysis.is_over:
            return
        try:
            run = self.api.get_task(self.analysis.tasks[0].id).run_id
            cancelled = self.api.cancel_tasks(run_id=run, reason="the demo was stopped").done
        except NotFoundError:
            return  # the submit was interrupted: nothing of it is stored
        except StoreError as exc:
            warn(f"open tasks stay: {exc}")
            return
        self.screen.say(f"{cancelled} tasks cancelled that had not ended.")

    def _end(self) -> None:
        asked = self.interrupts.count
        limit = stop_seconds(self.api.settings)
        if not self.stack.stop(limit, lambda: self.interrupts.count - asked, lambda: time.sleep(_LOOK_SECONDS)):
            self.screen.say("What still ran was killed.")


def _last_words(ended: Child, log: Path | None) -> str:
    text = "" if log is None else log.read_text(encoding="utf-8", errors="replace")
    said = "\n".join(text.strip().splitlines()[-_LAST_LINES:])
    return f"{ended.name} {ended.end}; {log} ends with:\n{said}"
