"""A message in the hands of Celery's parent; Celery makes one of this class for each that it takes."""

from __future__ import annotations

from typing import Any

from billiard.exceptions import WorkerLostError
from celery.worker.request import Request

from workers.deaths import deaths, told
from workers.process import current


class SlotRequest(Request):
    """Notes how its pool child died, where Celery would log an error of the message."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Called when the message's task raised, or its process ended."""
        exc = getattr(exc_info.exception, "exc", exc_info.exception)
        if not isinstance(exc, WorkerLostError | SystemExit | KeyboardInterrupt):
            return super().on_failure(exc_info, send_failed_event, return_ok)
        pid = int(self.worker_pid or 0)
        peak = current.node.slot_table.peak_of(pid) if current.node is not None else 0
        deaths.note(str(self.id), pid, told(str(exc), peak))
        deaths.end_message(self)
        return None
