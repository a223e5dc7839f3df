"""Celery's own task events for every execution, delivered or pulled, so that Flower shows each.

The uuid is the execution's, the name its agent (a bounded set: Flower makes it a metric label), the arguments the
task's name and ids; inputs never leave Redis. Events are buffered into one message each fifth of a second, which a
thread sends: a long run is seen when it starts, and a broker that stalls keeps no report waiting.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import Any

from celery import Celery
from celery.events import EventDispatcher
from kombu.exceptions import OperationalError

from taskengine.models import Outcome
from taskengine.store.replies import Told

_FLUSH_SECONDS = 0.2
_BUFFER = 128
_NAME_LENGTH = 80
_SECRET = re.compile(r"(?i)\b(pass(?:word|wd)?|secret|token|api[_-]?key|authorization)\b(\s*[=:]\s*)\S+")

logger = logging.getLogger(__name__)


def redacted(text: str) -> str:
    """The first 80 characters of *text*, without what follows words such as ``password=``."""
    return _SECRET.sub(r"\1\2***", text)[:_NAME_LENGTH]


class Announcer:
    """Sends the events of one process; whether anybody hears them never matters to a task."""

    def __init__(self, app: Celery, hostname: str) -> None:
        self._news = threading.Event()
        self._dispatcher = EventDispatcher(
            app.connection_for_write(),
            hostname=hostname,
            app=app,
            enabled=bool(app.conf.worker_send_task_events),
            buffer_group=["task"],
            buffer_limit=_BUFFER,
        )
        threading.Thread(target=self._flush_forever, name="taskengine-events", daemon=True).start()

    def started(self, told: Told, agent: str) -> None:
        """An execution began."""
        args = f"({redacted(told.name)!r}, task={told.task_id}, run={told.run_id}, attempt={told.attempt})"
        common: dict[str, Any] = {"uuid": told.execution_id, "name": agent, "args": args, "kwargs": "{}"}
        self._send("task-received", **common, retries=told.retries, root_id=told.run_id)
        self._send("task-started", uuid=told.execution_id)

    def ended(self, told: Told, outcome: Outcome, *, again: bool) -> None:
        """An execution ended; *again* when another attempt follows."""
        uuid, runtime = told.execution_id, outcome.usage.wall_seconds or 0.0
        if outcome.kind == "completed":
            self._send("task-succeeded", uuid=uuid, runtime=runtime, result="{…}")
        elif outcome.kind == "cancelled":
            self._send("task-revoked", uuid=uuid, terminated=False, signum=None, expired=False)
        else:
            kind = "task-retried" if again else "task-failed"
            self._send(kind, uuid=uuid, exception=redacted(outcome.error or ""), traceback="")

    def flush(self) -> None:
        """Send what is buffered."""
        try:
            self._dispatcher.flush()
        except (OperationalError, OSError) as exc:
            logger.info("events dropped: %s", exc)

    def _send(self, kind: str, **fields: Any) -> None:
        self._dispatcher.send(kind, **fields)
        if not self._news.is_set():
            self._news.set()

    def _flush_forever(self) -> None:
        while True:
            self._news.wait()
            time.sleep(_FLUSH_SECONDS)
            self._news.clear()
            self.flush()
