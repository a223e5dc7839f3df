"""Celery's own task events for every execution, delivered or pulled, so that Flower shows each.

The uuid is the execution's, the name its agent, the arguments the task's name and ids; inputs never leave Redis.
(The name is a bounded set because Flower makes it a label of its metrics, one series each for ever; the task's own
name stands first in the arguments, from where our Flower settings bring it into the list.)

The state is what became of the execution, as Celery's users read it: SUCCESS, FAILURE, REVOKED when it was cancelled,
RETRY when its task goes on in another one, also because its worker was lost or stopped.

A run only notes what is new: a thread of its own makes the events and sends them as one message each fifth of a
second, and when a slot has nothing more to do. So a long run is seen when it starts, a report costs a few microseconds
more, and a broker that stalls keeps nobody waiting: the oldest news is dropped and counted. Notes lie on a page of
memory (:mod:`workers.unsent`) that outlives a pool child: its parent sends what it left, and how executions ended that
their child could not report.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Protocol

from celery import Celery
from celery.events import EventDispatcher
from kombu.exceptions import OperationalError

from taskengine.models import Outcome, TaskStatus
from taskengine.store.replies import Told
from workers.redaction import redacted
from workers.unsent import Page

#: Seconds between two messages while something happens.
_FLUSH_SECONDS = 0.2
#: Characters of an error that are kept until it is sent.
_LONGEST_ERROR = 1_000
#: Events of one message, more than fit on a page.
_MOST_EVENTS = 100_000
#: Seconds that a fork waits for a message on its way.
_FORK_SECONDS = 1.0
#: Executions that the parent told the end of and whose child may yet turn out to have told nothing.
_MOST_CLOSED = 1_000
_NAME_LENGTH = 80
#: Between the words of a note; the last one is free text and may hold it.
_BETWEEN = "\x1f"
_STARTED = "started"
#: What the task became -> the event; else it goes on in another execution.
_EVENTS = {
    TaskStatus.COMPLETED.value: "task-succeeded", TaskStatus.FAILED.value: "task-failed",
    TaskStatus.CANCELLED.value: "task-revoked",
}  # fmt: skip
_GOES_ON = "task-retried"

logger = logging.getLogger(__name__)


def brief(text: str) -> str:
    """The first 80 characters of *text*, without obvious secrets."""
    return redacted(text)[:_NAME_LENGTH]


class Announces(Protocol):
    """Who is told of executions that run here."""

    def started(self, told: Told, agent: str) -> None:
        """An execution began."""

    def ended(self, told: Told, outcome: Outcome, became: str) -> None:
        """An execution ended; its task *became* this status by it."""

    def closed(self, execution: str, became: str, why: str) -> None:
        """An execution was ended without its child; its task *became* this status by it."""

    def take_over(self, notes: Iterable[bytes]) -> None:
        """Send what a dead child noted."""

    def hurry(self) -> None:
        """A slot has nothing more to do: send what waits."""

    def flush(self) -> None:
        """Send what waits before returning."""

    def close(self, seconds: float) -> None:
        """Send what waits, for *seconds* at most: the process ends."""

    def hold_still_at_forks(self) -> None:
        """Send nothing while this process forks."""


def _events(note: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """(type, fields) of the events that tell a *note*; ValueError when it is none."""
    kind, micros, uuid, rest = note.decode(errors="replace").split(_BETWEEN, 3)
    common: dict[str, Any] = {"uuid": uuid, "timestamp": int(micros) / 1e6}
    if kind == _STARTED:
        agent, task, run, attempt, retries, name = rest.split(_BETWEEN, 5)
        args = f"({brief(name)!r}, task={task}, run={run}, attempt={attempt})"
        told = {"name": agent, "args": args, "kwargs": "{}", "retries": int(retries), "root_id": run}
        yield "task-received", {**common, **told}
        yield "task-started", common
        return
    seconds, terminated, error, trace = rest.split(_BETWEEN, 3)
    if kind == _EVENTS[TaskStatus.COMPLETED]:
        yield kind, {**common, "runtime": float(seconds), "result": "{…}"}
    elif kind == _EVENTS[TaskStatus.CANCELLED]:
        signal = "SIGTERM" if terminated else None
        yield kind, {**common, "terminated": bool(terminated), "signum": signal, "expired": False}
    else:
        yield kind, {**common, "exception": brief(error), "traceback": trace}


def _ended(uuid: str, became: str, seconds: float, terminated: str, error: str, trace: str) -> bytes:
    kind, micros = _EVENTS.get(became, _GOES_ON), int(time.time() * 1e6)
    error = error[:_LONGEST_ERROR].replace(_BETWEEN, " ")
    note = f"{kind}\x1f{micros}\x1f{uuid}\x1f{seconds:.6f}\x1f{terminated}\x1f{error}\x1f{trace}"
    return note.encode(errors="replace")


class Announcer:
    """Sends the events of one process; whether anybody hears them never matters to a task.

    *page* keeps the notes of a pool child; None in a process that nobody outlives.
    """

    def __init__(self, app: Celery, hostname: str, page: Page | None = None) -> None:
        self._page = page or Page.private()
        #: Execution -> note of its end, which its child could not tell.
        self._closed: OrderedDict[str, bytes] = OrderedDict()
        self._dropped = 0
        self._noting = threading.Lock()
        self._news = threading.Event()
        self._now = threading.Event()
        self._sending = threading.Lock()
        self._is_held = False
        self._app, self._hostname = app, hostname
        self._enabled = bool(app.conf.worker_send_task_events)
        threading.Thread(target=self._send_forever, name="taskengine-events", daemon=True).start()

    def started(self, told: Told, agent: str) -> None:
        """An execution began."""
        self._note(
            f"{_STARTED}\x1f{int(time.time() * 1e6)}\x1f{told.execution_id}\x1f{agent}\x1f{told.task_id}\x1f"
            f"{told.run_id}\x1f{told.attempt}\x1f{told.retries}\x1f{told.name}".encode(errors="replace")
        )

    def ended(self, told: Told, outcome: Outcome, became: str) -> None:
        """An execution ended; its task *became* this status by it."""
        seconds, trace = outcome.usage.wall_seconds or 0.0, outcome.traceback or ""
        self._note(_ended(told.execution_id, became, seconds, "", outcome.error or "", trace))

    def closed(self, execution: str, became: str, why: str) -> None:
        """An execution was ended without its child; its task *became* this status by it."""
        note = _ended(execution, became, 0.0, "1", why, "")
        self._closed[execution] = note
        if len(self._closed) > _MOST_CLOSED:
            self._closed.popitem(last=False)
        self._note(note)

    def take_over(self, notes: Iterable[bytes]) -> None:
        """Send what a dead child noted; an end that was told before its beginning is told again."""
        for note in notes:
            self._note(note)
            uuid = "".join(note.decode(errors="replace").split(_BETWEEN, 3)[2:3])
            if uuid in self._closed:
                self._note(self._closed[uuid])

    def hurry(self) -> None:
        """Have what waits sent at once, by the thread that sends."""
        if not self._page.is_clean:
            self._now.set()

    def flush(self) -> None:
        """Send what waits, in the calling thread."""
        with self._sending:
            with self._noting:
                notes = self._page.turn()
            try:
                for note in notes:
                    self._send(note)
                self._dispatcher.flush()
            except (OperationalError, OSError) as exc:
                logger.info("events dropped: %s", exc)
            finally:
                self._page.forget()

    def _send(self, note: bytes) -> None:
        try:
            for kind, fields in _events(note):
                self._dispatcher.send(kind, **fields)
        except ValueError as exc:  # its writer died, or something wrote into its memory
            logger.info("an event dropped: %s", exc)

    def _note(self, note: bytes) -> None:
        if not self._enabled:
            return
        with self._noting:
            self._dropped += self._page.add(note)
        if not self._news.is_set():
            self._news.set()
        elif self._page.holds_much and not self._now.is_set():
            self._now.set()

    def close(self, seconds: float) -> None:
        """Send what waits, for *seconds* at most: the process ends."""
        last = threading.Thread(target=self.flush, name="taskengine-last-events", daemon=True)
        last.start()
        last.join(seconds)

    def hold_still_at_forks(self) -> None:
        """Send nothing while this process forks: a lock that is held then is held in the child for ever.

        A broker that stalls holds a fork up for a second at most.
        """
        os.register_at_fork(before=self._hold, after_in_parent=self._let_go, after_in_child=self._let_go)

    def _hold(self) -> None:
        self._is_held = self._sending.acquire(timeout=_FORK_SECONDS)

    def _let_go(self) -> None:
        if self._is_held:
            self._is_held = False
            self._sending.release()

    @cached_property
    def _dispatcher(self) -> EventDispatcher:
        """Made when there is something to send: it connects at once, and a broker may be away."""
        return EventDispatcher(
            self._app.connection_for_write(), hostname=self._hostname, app=self._app, enabled=self._enabled,
            buffer_group=["task"], buffer_limit=_MOST_EVENTS,
        )  # fmt: skip

    def _send_forever(self) -> None:
        while True:
            self._news.wait()
            self._now.wait(_FLUSH_SECONDS)
            self._now.clear()
            self._news.clear()
            self.flush()
            if self._dropped:
                logger.warning("events dropped count=%d: the broker did not take them in time", self._dropped)
                self._dropped = 0
