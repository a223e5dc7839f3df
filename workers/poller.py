"""Asks the services at which slotless executions run, and says what it heard.

One poller an agent in the whole fleet: one page of a list answers for a hundred runs, whoever began them. It is a
thread of any worker that serves the agent, and holds its place by a lease. What it took comes due again by itself, so a
poller that dies loses nothing; the next one begins where it was, a lease later at most. The thread waits for no
service: what it asks runs on the shared loop, and meanwhile it renews its place.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from taskengine.agents import Asks, Gone, Over, Reference, RemoteState, Running, Stopped
from taskengine.errors import StoreError
from taskengine.models import Outcome, TaskStatus, Usage
from taskengine.store import executions, overdue, remote, tasks
from taskengine.store.keys import Keys
from taskengine.store.remote import Due, Polled, Taken
from taskengine.store.replies import Assignment, Reply
from taskengine.store.sync import SyncStore
from workers.agent_context import more_of
from workers.agents.remote_run import RemoteRun
from workers.celery_events import SendsEvents
from workers.disposition import disposition
from workers.invoke import classify, encode
from workers.loop import Run
from workers.runner import report_of
from workers.schema_check import fitted, misfits

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds that a run waits at most until it is asked about again, unless its type begins with more than that.
LONGEST_SECONDS = 60.0
#: Share of its age after which a run is asked about again.
_SHARE = 0.1
#: Most that one poll is about; more wait for the next.
_MOST = 32 * remote.PIECE
#: Executions that are lost in one script.
_LOST = 64
#: Seconds between two turns while nothing is due, and while a service is being asked.
_IDLE, _BUSY = 0.5, 0.25
#: Seconds that a poller which died keeps its place, at least.
_SHORTEST_LEASE = 2.0
_REPAIR_NOTE = "its result does not fit its schema"
#: Seconds until a service that did not answer is asked again, doubled up to the longest.
_FIRST_BACKOFF, _LONGEST_BACKOFF = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What one poll came to."""

    #: How those stand that were asked about.
    states: Sequence[tuple[Due, RemoteState | None]] = ()
    #: Orphans of which nobody needs to think any more.
    ended: Sequence[str] = ()
    #: Why the service did not say how the runs stand; None when it did.
    failed: str | None = None


@dataclass(slots=True)
class _Polling:
    """One agent of this worker."""

    name: str
    remote: RemoteRun
    #: The poll under way.
    run: Run | None = None
    #: Executions that were asked to stop.
    stopping: set[str] = field(default_factory=set)
    #: Monotonic time before which nothing is to be done.
    rests_until: float = 0.0
    renews_at: float = 0.0
    backoff: float = 0.0


class Poller:
    """The polls of one worker; in one thread alone."""

    def __init__(
        self, agents: Callable[[], Mapping[str, RemoteRun]], store: SyncStore, node: str, events: SendsEvents,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._agents = agents
        self._store = store
        self._node = node
        self._events = events
        self._clock = clock
        self._keys = Keys(store.settings.namespace)
        # Much shorter than a slot's: who polls beside another one does no harm.
        self._lease_ms = round(1000 * max(_SHORTEST_LEASE, store.settings.lease_seconds / 4))
        self._polling: dict[str, _Polling] = {}

    def turn(self) -> float:
        """Do what is to be done now without waiting for any service; seconds until the next turn."""
        agents = self._agents()
        for name in self._polling.keys() - agents.keys():
            self._give_up(self._polling.pop(name))
        for name, run in agents.items():
            self._polling.setdefault(name, _Polling(name, run))
        return min([self._turn_of(one) for one in self._polling.values()], default=_IDLE)

    def settle(self) -> None:
        """Wait for what is being asked, and say what came of it: for a worker in the calling thread."""
        for one in self._polling.values():
            if one.run is not None:
                self._tell(one, one.run)

    def leave(self) -> None:
        """Let another worker poll from now on."""
        for one in self._polling.values():
            self._give_up(one)

    def _turn_of(self, one: _Polling) -> float:
        now = self._clock()
        if one.run is not None and one.run.is_over:
            self._tell(one, one.run)
        if one.run is not None:
            self._keep_place(one)
            return _BUSY
        if now < one.rests_until:
            return min(_IDLE, one.rests_until - now)
        taken = self._take(one)
        if taken.other:
            one.rests_until = now + min(_IDLE, (taken.wait_ms or 0) / 1000)
            return _IDLE
        if taken.due or taken.orphans:
            one.run = Run(_ask(one, taken))
            return _BUSY
        return _IDLE if taken.wait_ms is None else max(0.01, min(_IDLE, taken.wait_ms / 1000))

    def _take(self, one: _Polling) -> Taken:
        """Take all that is due, in pieces."""
        found = self._store.run(remote.poll_take(one.name, self._node, self._lease_ms))
        one.renews_at = self._clock() + self._lease_ms / 4000
        due = list(found.due)
        while len(found.due) == remote.PIECE and len(due) < _MOST:
            found = self._store.run(remote.poll_take(one.name, self._node, self._lease_ms))
            due += found.due
        return replace(found, due=tuple(due))

    def _keep_place(self, one: _Polling) -> None:
        if self._clock() < one.renews_at:
            return
        one.renews_at = self._clock() + self._lease_ms / 4000
        self._store.run(remote.poll_take(one.name, self._node, self._lease_ms, 0))

    def _give_up(self, one: _Polling) -> None:
        if one.run is not None:
            one.run.cancel()
        self._store.run(remote.poll_take(one.name, self._node, 0, 0))

    # -- telling

    def _tell(self, one: _Polling, run: Run) -> None:
        heard: Heard = run.result(None)
        one.run = None
        self._rest_if_failed(one, heard)
        for execution in heard.ended:
            self._store.run(remote.forget_orphan(self._keys, one.name, execution))
        goes_on, gone, over = [], [], set[str]()
        for due, state in heard.states:
            self._keep_place(one)
            if isinstance(state, Over | Asks | Gone):
                over.add(due.tracked.execution_id)
            match state:
                case Running():
                    goes_on.append(_polled(due, state, one.remote.poll_seconds))
                case Over(outcome):
                    if (again := self._over(one, due, outcome)) is not None:
                        goes_on.append(again)
                case Asks(question):
                    self._over(one, due, Outcome("needs_input", question=question))
                case Gone(why):
                    gone.append((due.tracked.execution_id, due.tracked.token, why))
        for piece in _pieces(goes_on, remote.PIECE):
            self._store.run(remote.note_polled(piece))
        for lost in _pieces(gone, _LOST):
            self._lost(lost)
        one.stopping -= over

    def _rest_if_failed(self, one: _Polling, heard: Heard) -> None:
        if heard.failed is None:
            one.backoff = 0.0
            return
        one.backoff = min(_LONGEST_BACKOFF, max(_FIRST_BACKOFF, 2 * one.backoff))
        one.rests_until = self._clock() + one.backoff
        logger.warning("agent %s: %s; asking again in %g s", one.name, heard.failed, one.backoff)

    def _over(self, one: _Polling, due: Due, outcome: Outcome) -> Polled | None:
        """Report the end of a run as its slot would have; what comes again after a death is told again. A result that
        does not fit is sent back, where its type can: then it goes on.
        """
        tracked = due.tracked
        told = Assignment(
            tracked.execution_id, tracked.task_id, tracked.token, tracked.deadline_ms, "", "", "{}", 0, ""
        )
        usage = Usage(wall_seconds=round(due.age_ms / 1000, 3))
        (task,) = self._store.run(tasks.read([tracked.task_id]))
        if task is None:
            return None
        faults = [] if tracked.cancel else misfits(task.output_schema, outcome)
        repaired = one.remote.repair(tracked.reference, outcome, faults) if faults else None
        if repaired is not None:
            return Polled(tracked.execution_id, tracked.token, 0, _REPAIR_NOTE, reference=repaired)
        outcome, text, large = encode(fitted(task.output_schema, classify(outcome).measured(usage)))
        what = disposition(task, outcome)
        if large:
            self._store.run(executions.put_payload(told.execution_id, text))
        big, more = len(text.encode()) if large else 0, more_of(outcome)
        report = report_of(told, one.name, outcome, what, "" if large else text, big, more)
        answer = self._store.run(executions.report(remote.slot_of(told.execution_id), [report], pull=False))
        (word,), (became,) = answer.outcomes, answer.became
        if word == "ok":
            self._events.ended(told, outcome, became or TaskStatus.COMPLETED)
        elif word == "overdue":
            self._time_out(told)
        else:
            logger.warning("fenced execution=%s task=%s: %s", told.execution_id, told.task_id, word)
        return None

    def _time_out(self, told: Assignment) -> None:
        ends = overdue.time_out(
            self._store.settings, told.execution_id, told.attempt, told.task_id, told.deadline_ms
        )
        if over := self._store.run(ends):
            self._events.closed(told.execution_id, over.became, over.error)

    def _lost(self, gone: Sequence[tuple[str, int, str]]) -> None:
        replies: list[Reply] = self._store.run(remote.lose(gone))
        for (execution, _, why), reply in zip(gone, replies, strict=True):
            if reply.ok:
                logger.warning("lost execution=%s: %s", execution, why)
                self._events.closed(execution, reply.text(), f"lost: {why}")


class PollerThread(threading.Thread):
    """Gives a poller its turns until :meth:`finish`."""

    def __init__(self, poller: Poller) -> None:
        super().__init__(name="taskengine-poller", daemon=True)
        self._poller = poller
        self._over = threading.Event()

    def run(self) -> None:
        """Turn; an outage of the server costs nothing but time."""
        while not self._over.is_set():
            try:
                pause = self._poller.turn()
            except StoreError as exc:
                logger.warning("poller failed: %s", exc)
                pause = _IDLE
            except Exception:
                # Without this thread nobody would hear how the runs end.
                logger.exception("a turn of the poller failed")
                pause = _IDLE
            self._over.wait(pause)

    def finish(self, seconds: float) -> None:
        """Stop, and let another worker poll at once."""
        self._over.set()
        self.join(seconds)
        if self.is_alive():
            return
        try:
            self._poller.leave()
        except StoreError as exc:
            logger.warning("the poller's place is free in a lease: %s", exc)


async def _ask(one: _Polling, taken: Taken) -> Heard:
    """Stop what is to be stopped, and ask how the others stand; raises nothing of the service's."""
    ended = [id for id, where in taken.orphans if await _stop(one, where, "its task is over") is not None]
    states: list[tuple[Due, RemoteState | None]] = []
    rest: list[Due] = []
    for due in taken.due:
        stopped = await _cancel(one, due) if due.tracked.cancel else None
        if stopped in ("stopped", "unsupported"):
            states.append((due, Over(_cancelled(due, stopped))))
        else:
            rest.append(due)
    try:
        said = await one.remote.ask(lambda executor: executor.poll([due.tracked for due in rest])) if rest else []
    except Exception as exc:
        return Heard(states, ended, f"its service did not say how {len(rest)} runs stand: {exc or type(exc).__name__}")
    return Heard([*states, *zip(rest, said, strict=True)], ended)


async def _cancel(one: _Polling, due: Due) -> Stopped | None:
    """Ask once to stop a run; what came of it, None when it was asked before or could not be."""
    if due.tracked.execution_id in one.stopping:
        return None
    stopped = await _stop(one, due.tracked.reference, due.tracked.cancel)
    if stopped is not None:
        one.stopping.add(due.tracked.execution_id)
    return stopped


async def _stop(one: _Polling, where: Reference, why: str) -> Stopped | None:
    try:
        stopped = await one.remote.ask(lambda executor: executor.cancel(where, why))
    except Exception as exc:
        logger.warning("agent %s: run %s was not stopped: %s", one.name, where.id, exc or type(exc).__name__)
        return None
    logger.info("agent %s: run %s: %s (%s)", one.name, where.id, stopped, why)
    return stopped


def _cancelled(due: Due, stopped: Stopped) -> Outcome:
    what = "was stopped" if stopped == "stopped" else "cannot be stopped and goes on"
    error = f"{due.tracked.cancel}; {due.tracked.reference.type} {due.tracked.reference.id} {what}"
    return Outcome("cancelled", error=error, error_kind="cancelled")


def _polled(due: Due, state: Running, first: float) -> Polled:
    age = due.age_ms / 1000
    seconds = min(max(first, age * _SHARE), max(LONGEST_SECONDS, 12 * first))
    tracked = due.tracked
    return Polled(
        tracked.execution_id, tracked.token, round(1000 * seconds), state.note, state.fraction, state.reference
    )


def _pieces(of: Sequence[T], most: int) -> Iterable[Sequence[T]]:
    return (of[at : at + most] for at in range(0, len(of), most))
