"""Celery's own task events for every execution, delivered or pulled, so that Flower shows each.

The uuid is the execution's, the name its agent (a bounded set: Flower makes it a metric label), the arguments the
task's name and ids; inputs never leave Redis. A run only notes what is new: a thread of its own makes the events and
sends them as one message each fifth of a second, and when a slot has nothing more to do. So a long run is seen when it
starts, a report costs a few microseconds more, and a broker that stalls keeps nobody waiting: the oldest news is
dropped and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any, Protocol

from celery import Celery
from celery.events import EventDispatcher
from kombu.exceptions import OperationalError

from taskengine.models import Outcome
from taskengine.store.replies import Told
from workers.redaction import redacted

#: Seconds between two messages while something happens.
_FLUSH_SECONDS = 0.2
#: Events that wait for a broker that stalls; older ones are dropped.
_MOST_WAITING = 10_000
_NAME_LENGTH = 80

logger = logging.getLogger(__name__)


def brief(text: str) -> str:
    """The first 80 characters of *text*, without obvious secrets."""
    return redacted(text)[:_NAME_LENGTH]


class Announces(Protocol):
    """Who is told of executions that run here."""

    def started(self, told: Told, agent: str) -> None:
        """An execution began."""

    def ended(self, told: Told, outcome: Outcome, *, again: bool) -> None:
        """An execution ended; *again* when another attempt follows."""

    def hurry(self) -> None:
        """A slot has nothing more to do: send what waits."""

    def flush(self) -> None:
        """Send what waits before returning."""


class Announcer:
    """Sends the events of one process; whether anybody hears them never matters to a task."""

    def __init__(self, app: Celery, hostname: str) -> None:
        #: (event type, moment, fields), oldest first.
        self._waiting: deque[tuple[str, float, dict[str, Any]]] = deque(maxlen=_MOST_WAITING)
        self._dropped = 0
        self._news = threading.Event()
        self._now = threading.Event()
        self._sending = threading.Lock()
        self._enabled = bool(app.conf.worker_send_task_events)
        self._dispatcher = EventDispatcher(
            app.connection_for_write(), hostname=hostname, app=app, enabled=self._enabled, buffer_group=["task"],
            buffer_limit=2 * _MOST_WAITING,
        )  # fmt: skip
        threading.Thread(target=self._send_forever, name="taskengine-events", daemon=True).start()

    def started(self, told: Told, agent: str) -> None:
        """An execution began."""
        args = f"({brief(told.name)!r}, task={told.task_id}, run={told.run_id}, attempt={told.attempt})"
        common: dict[str, Any] = {"uuid": told.execution_id, "name": agent, "args": args, "kwargs": "{}"}
        self._note("task-received", **common, retries=told.retries, root_id=told.run_id)
        self._note("task-started", uuid=told.execution_id)

    def ended(self, told: Told, outcome: Outcome, *, again: bool) -> None:
        """An execution ended; *again* when another attempt follows."""
        uuid, runtime = told.execution_id, outcome.usage.wall_seconds or 0.0
        if outcome.kind == "completed":
            self._note("task-succeeded", uuid=uuid, runtime=runtime, result="{…}")
        elif outcome.kind == "cancelled":
            self._note("task-revoked", uuid=uuid, terminated=False, signum=None, expired=False)
        else:
            kind = "task-retried" if again else "task-failed"
            self._note(kind, uuid=uuid, exception=brief(outcome.error or ""), traceback=outcome.traceback or "")

    def hurry(self) -> None:
        """Have what waits sent at once, by the thread that sends."""
        if self._waiting:
            self._now.set()

    def flush(self) -> None:
        """Send what waits, in the calling thread."""
        with self._sending:
            try:
                while self._waiting:
                    kind, moment, fields = self._waiting.popleft()
                    self._dispatcher.send(kind, timestamp=moment, **fields)
                self._dispatcher.flush()
            except (OperationalError, OSError) as exc:
                logger.info("events dropped: %s", exc)

    def _note(self, kind: str, **fields: Any) -> None:
        if not self._enabled:
            return
        if len(self._waiting) == _MOST_WAITING:
            self._dropped += 1
        self._waiting.append((kind, time.time(), fields))
        if not self._news.is_set():
            self._news.set()

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
