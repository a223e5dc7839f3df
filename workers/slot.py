"""The one Celery task. Its message says that a slot has something to do; which, the scripts decide."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from celery import Task

from taskengine.errors import StoreUnavailableError
from taskengine.transport import SLOT_TASK, TOKEN_HEADER
from workers.app import app
from workers.end_signals import end_message
from workers.process import current
from workers.runner import Runner

#: By name: Celery makes a class of it when a worker starts; who only sends never does.
_REQUEST = "workers.request:SlotRequest"


@app.task(bind=True, name=SLOT_TASK, send_events=False, ignore_result=True, acks_late=False, Request=_REQUEST)
def slot(self: Task[Any, Any], /, **_: Any) -> None:
    """Work until nothing is ready or the slice is over.

    Celery's own events are off for this task: each execution announces itself (:mod:`workers.celery_events`), and a
    message that finds nothing to do is nobody's business (:mod:`workers.end_signals` says what the log and signals
    tell).
    """
    token = str(getattr(self.request, TOKEN_HEADER, None) or (self.request.headers or {}).get(TOKEN_HEADER) or "0")
    with suppress(StoreUnavailableError):  # the wake-up is lost, the work is not: the coordinator grants it again
        Runner.of(current.process(), str(self.request.id)).work(int(token) if token.isdecimal() else 0)
    end_message()
