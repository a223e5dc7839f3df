"""Celery's own task events for every execution, delivered or pulled, so that Flower shows each.

The uuid is the execution's, the name its agent, the arguments the task's name and ids; inputs never leave Redis.
(The name is a bounded set because Flower makes it a label of its metrics, one series each for ever; the task's own
name stands first in the arguments, from where our Flower settings bring it into the list.)

The state is what became of the execution, as Celery's users read it: SUCCESS, FAILURE, REVOKED when it was cancelled,
RETRY when its task goes on in another one, also because its worker was lost or stopped.

A run only notes what is new: a thread of its own makes the events and sends them as one message each fifth of a
second (:mod:`workers.events`), and when a slot has nothing more to do. So a long run is seen when it starts, a report
costs a few microseconds more, and a broker that stalls or is away keeps nobody waiting: the oldest news is dropped and
counted. Notes lie on a page of
memory (:mod:`workers.unsent`) that outlives a pool child: its parent sends what it left, and how executions ended that
their child could not report.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from functools import cached_property
from typing import Protocol

from celery import Celery
from celery.events.event import get_exchange
from celery.utils.time import utcoffset
from kombu import Connection, Exchange, Producer
from kombu.exceptions import OperationalError

from taskengine.models import Outcome
from taskengine.store.replies import Assignment
from workers import events
from workers.unsent import Page

#: Seconds between two messages while something happens.
_FLUSH_SECONDS = 0.2
#: Characters of the messages that wait for a broker that is away; older ones are dropped.
_MOST_WAITING = 8 * 1024 * 1024
#: Delivery mode of what a broker need not keep on its disk.
_TRANSIENT = 1
#: Seconds that a fork waits for a message on its way.
_FORK_SECONDS = 1.0
#: Executions that the parent told the end of and whose child may yet turn out to have told nothing.
_MOST_CLOSED = 1_000
logger = logging.getLogger(__name__)


class SendsEvents(Protocol):
    """Who is told of executions that run here."""

    def started(self, assignment: Assignment, agent: str) -> None:
        """Tell that an execution began."""

    def ended(self, assignment: Assignment, outcome: Outcome, became: str) -> None:
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


class CeleryEvents:
    """Sends the events of one process; whether anybody hears them never matters to a task.

    *page* keeps the notes of a pool child; None in a process that nobody outlives.
    """

    def __init__(self, app: Celery, hostname: str, page: Page | None = None) -> None:
        self._page = page or Page.private()
        #: Execution -> note of its end, which its child could not tell.
        self._closed: OrderedDict[str, bytes] = OrderedDict()
        #: Messages, oldest first, that the broker did not take yet.
        self._waiting: deque[str] = deque()
        self._dropped = 0
        self._noting = threading.Lock()
        self._news = threading.Event()
        self._now = threading.Event()
        self._sending = threading.Lock()
        self._is_held = False
        self._app, self._hostname = app, hostname
        self._enabled = bool(app.conf.worker_send_task_events)
        threading.Thread(target=self._send_forever, name="taskengine-events", daemon=True).start()

    def started(self, assignment: Assignment, agent: str) -> None:
        """Tell that an execution began."""
        self._note(events.started(assignment, agent))

    def ended(self, assignment: Assignment, outcome: Outcome, became: str) -> None:
        """An execution ended; its task *became* this status by it."""
        seconds, error, trace = outcome.usage.wall_seconds or 0.0, outcome.error or "", outcome.traceback or ""
        self._note(events.ended(assignment.execution_id, became, seconds=seconds, error=error, trace=trace))

    def closed(self, execution: str, became: str, why: str) -> None:
        """An execution was ended without its child; its task *became* this status by it."""
        note = events.ended(execution, became, is_terminated=True, error=why)
        self._closed[execution] = note
        if len(self._closed) > _MOST_CLOSED:
            self._closed.popitem(last=False)
        self._note(note)

    def take_over(self, notes: Iterable[bytes]) -> None:
        """Send what a dead child noted; an end that was told before its beginning is told again."""
        for note in notes:
            self._note(note)
            uuid = events.uuid_of(note)
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
                if message := self._rendered(notes):
                    self._keep(message)
                while self._waiting:
                    self._publish(self._waiting[0])
                    self._waiting.popleft()
            except self._faults as exc:
                logger.info("events not sent: %s", exc)
            finally:
                self._page.forget()

    def _rendered(self, notes: Iterable[bytes]) -> str:
        """Return the events of all notes as one message; '' without any."""
        texts: list[str] = []
        tick = self._app.clock.forward  # type: ignore[attr-defined]  # not in its stubs
        origin = events.origin(self._hostname, int(utcoffset()), os.getpid())
        for note in notes:
            try:
                texts += events.rendered(note, origin, tick)
            except ValueError as exc:  # its writer died, or something wrote into its memory
                logger.info("an event dropped: %s", exc)
        return f"[{','.join(texts)}]" if texts else ""

    def _keep(self, message: str) -> None:
        self._waiting.append(message)
        while len(self._waiting) > 1 and sum(map(len, self._waiting)) > _MOST_WAITING:
            self._dropped += self._waiting.popleft().count('"type":')

    def _publish(self, message: str) -> None:
        self._producer.publish(
            message, routing_key="task.multi", exchange=self._exchange.name, declare=[self._exchange], retry=False,
            content_type="application/json", content_encoding="utf-8", headers={"hostname": self._hostname},
            delivery_mode=_TRANSIENT,
        )  # fmt: skip

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
    def _connection(self) -> Connection:
        return self._app.connection_for_write()

    @property
    def _faults(self) -> tuple[type[BaseException], ...]:
        """What is raised when the broker is away."""
        return (OperationalError, OSError, *self._connection.connection_errors, *self._connection.channel_errors)

    @cached_property
    def _exchange(self) -> Exchange:
        exchange: Exchange = get_exchange(self._connection, name=self._app.conf.event_exchange)
        return exchange

    @cached_property
    def _producer(self) -> Producer:
        """Made when there is something to send: it connects at once, and a broker may be away."""
        return Producer(self._connection, exchange=self._exchange, auto_declare=False)

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
