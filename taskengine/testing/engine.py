"""The engine of a test: everything that a fleet does, in the calling thread, when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from taskengine.agent import Agent
from taskengine.api import BlockingTaskAPI, TaskAPI
from taskengine.api.arguments import Id
from taskengine.coordinator import Coordinator
from taskengine.core.lifecycle import TERMINAL
from taskengine.errors import InvalidInputError, NeverDoneError, NeverIdleError
from taskengine.models import Task, TaskCreateRequest, TaskExecution
from taskengine.settings import Settings
from taskengine.store import coordination
from taskengine.store.invariants import check_invariants
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore
from taskengine.testing.clients import Awaitable, Blocking, Unblocked
from taskengine.testing.clock import Clock
from taskengine.testing.reasons import why_not_over
from taskengine.testing.registries import closed, opened, registry
from taskengine.testing.server import Server
from taskengine.testing.worker import Worker
from taskengine.transport import template

#: Executions in one call before it is taken for endless.
MOST = 10_000
#: Seconds; whoever is alone leads for ever, and every moment without a beat is one in which the clock was turned.
_FOR_EVER = 1e9
#: Tasks of one page of a listing.
_PAGE = 500


class Engine:
    """A server, a coordinator and a worker in one thread, and two clients to them.

    *agents* are the declared functions that its worker runs, *modules* names of modules that declare some; with
    neither it runs whatever the process has imported. An agent that is declared inside a function while an engine is
    open is offered as well (unless *agents* alone were given), before an imported one of its name or capability, and
    is gone when the last engine is closed: the next test does not see it. *slots* is how many executions may be
    open at once: more than one matters only where an agent waits for other tasks. *start* is where its clock begins.
    Everything else is a field of :class:`taskengine.Settings`; variables of the environment do not count.

    Engines do not see each other, and any number may be open. Everything happens in the calls below, in the calling
    thread; when they are back nothing runs. Close it, or use it as a context.
    """

    def __init__(
        self,
        agents: Iterable[Callable[..., Any] | Agent] | None = None,
        modules: Iterable[str] = (),
        *,
        slots: int = 1,
        start: datetime | None = None,
        **settings: Any,
    ) -> None:
        if not isinstance(slots, int) or slots < 1:
            raise InvalidInputError(f"slots is {slots!r}; use 1 or more", field="slots")
        offered = registry(agents, modules)
        #: Where time is turned.
        self.clock = Clock(start)
        self.settings = _settings(settings)
        self._store = SyncStore("redis://inline", self.settings, template(), Server(self.clock).client)
        self._keys = Keys(self.settings.namespace)
        self._worker = Worker(self._store, offered, self.clock, slots)
        reads_on = Unblocked(self._store, lambda _: None)
        self._coordinator = Coordinator(reads_on, self.settings, "inline", clock=self.clock.seconds)
        client = Unblocked(self._store, self._wait)
        #: The blocking client. Whoever waits at it lets the engine work and time pass.
        self.api: BlockingTaskAPI = Blocking(client, self.clock)
        #: The async client, likewise.
        self.aio: TaskAPI = Awaitable(client, self.clock)
        self._is_open = True
        opened(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything; safe to repeat."""
        if self._is_open:
            self._is_open = False
            self._store.close()
            closed(self)

    def submit(self, *tasks: Task | TaskCreateRequest, name: str | None = None) -> list[Task]:
        """Submit one graph, all or nothing; its tasks as they are stored. Nothing runs yet. *name* is its run's."""
        return self.api.create_tasks(tasks, name=name)

    def task(self, task: Task | Id) -> Task:
        """Return a task as it stands now, with its result."""
        return self.api.get_task(_id(task))

    def executions(self, task: Task | Id) -> list[TaskExecution]:
        """Return the attempts at a task, oldest first."""
        return self.api.get_task_executions(_id(task))

    def step(self) -> bool:
        """Run one execution; False when nothing may run now."""
        self._worker.work(0)
        self._coordinator.run_all()
        return bool(self._worker.work(1))

    def run_until_idle(self, *, most: int = MOST) -> int:
        """Run all that may run now; how many executions that were. Time stands still: what waits for a timer waits.

        NeverIdleError after *most* executions; it names the tasks that run in circles.
        """
        return self._settle(0, most)

    def run_until_done(self, *tasks: Task | Id, most: int = MOST) -> list[Task]:
        """Run until these tasks are over (with none: until all are), letting time pass from timer to timer; the
        tasks as they stand then.

        NeverDoneError when nothing is left that could end them: one is held, no agent offers its capability, …
        """
        ids = [_id(task) for task in tasks]
        ran = self._settle(0, most)
        while pending := self._open(ids):
            if not self._pass_to_next_timer():
                raise self._never(pending)
            ran = self._settle(ran, most)
        return [self.task(id) for id in ids]

    def run_for(self, by: float | timedelta, *, most: int = MOST) -> int:
        """Let so many seconds pass and run everything at its own time; how many executions that were."""
        ends = self.clock.seconds() + (by.total_seconds() if isinstance(by, timedelta) else by)
        ran = self._settle(0, most)
        while self._pass_to_next_timer(ends):
            ran = self._settle(ran, most)
        self.clock.advance(max(0.0, ends - self.clock.seconds()))
        return self._settle(ran, most)

    def lose_worker(self, times: int = 1) -> None:
        """Let the worker die: what runs now (when an agent calls this), else the next execution, is LOST.

        The agent of a lost execution is not called, or what it returns is refused; the task is READY again. With
        *times* so many executions in a row; after ``max_lost`` of one task it is a dead letter.
        """
        if not isinstance(times, int) or times < 1:
            raise InvalidInputError(f"times is {times!r}; use 1 or more", field="times")
        if self._worker.is_busy:
            self._worker.lose()
            times -= 1
        self._worker.deaths += times

    def check(self) -> None:
        """Hold everything stored against the laws of ``taskengine doctor --deep``; AssertionError lists the broken
        ones.
        """
        found = self._store.run(check_invariants(self._keys))
        if found:
            raise AssertionError("\n".join(map(str, found)))

    def _settle(self, ran: int, most: int) -> int:
        """Run all that may run now when *ran* executions are counted already; the count then."""
        settled = False
        while True:
            new = self._worker.work(most + 1 - ran)
            ran += new
            if ran > most:
                raise NeverIdleError(most, self._worker.ledger.ran.most_common(5))
            if settled and not new:
                return ran
            self._coordinator.run_all()
            settled = True

    def _wait(self, seconds: float) -> None:
        """What happens while a client waits: the engine works; with nothing to do, time passes."""
        if self.run_until_idle():
            return
        if not self._pass_to_next_timer(self.clock.seconds() + seconds):
            if self._store.run(coordination.next_timer(self._keys)) is None:
                raise self._never(self._open([]))
            self.clock.advance(seconds)

    def _pass_to_next_timer(self, until: float = float("inf")) -> bool:
        """Turn the clock to the next timer, unless that is later than *until*."""
        moments = (self._store.run(coordination.next_timer(self._keys)), self._worker.next_poll_ms())
        due = min((moment for moment in moments if moment is not None), default=None)
        if due is None or due / 1000 > until:
            return False
        # In whole microseconds: a float may stop just before the millisecond in which the timer is due.
        self.clock.advance(timedelta(microseconds=max(0, 1000 * due - self.clock.micros)))
        return True

    def _never(self, pending: Sequence[Task]) -> NeverDoneError:
        queues = self._worker.queues
        return NeverDoneError([str(task.id) for task in pending], [why_not_over(task, queues) for task in pending])

    def _open(self, ids: Iterable[Id]) -> list[Task]:
        asked = list(ids)
        found = [self.task(id) for id in asked] if asked else self._all()
        return [task for task in found if task.status not in TERMINAL]

    def _all(self) -> Iterator[Task]:
        cursor: str | None = None
        while True:
            page = self.api.list_tasks(limit=_PAGE, cursor=cursor)
            yield from page
            cursor = page.cursor
            if cursor is None:
                return


def _id(task: Task | Id) -> Id:
    return task.id if isinstance(task, Task) else task


def _settings(changes: dict[str, Any]) -> Settings:
    """Return the defaults with *changes*, whatever the environment says."""
    unknown = sorted(changes.keys() - Settings.model_fields.keys())
    if unknown:
        raise InvalidInputError(f"{unknown[0]} is no setting; see taskengine.Settings", field=unknown[0])
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items()}
    lease = changes.get("lease_seconds", defaults["lease_seconds"])
    of_one_thread = {"slice_seconds": 0.0, "heartbeat_seconds": lease / 5, "leader_seconds": lease / 5}
    made = Settings(**{**defaults, **of_one_thread, **changes})
    return made if "leader_seconds" in changes else made.model_copy(update={"leader_seconds": _FOR_EVER})
