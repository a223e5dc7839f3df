"""``python -m taskengine.coordinator``: the process that ``taskengine coordinator`` starts; SIGTERM or SIGINT
ends it.
"""

from __future__ import annotations

import logging
import signal
import sys
from threading import Event, Thread
from types import FrameType

from taskengine.coordinator.serve import serve
from taskengine.embedded import ensure
from taskengine.errors import TaskEngineError
from taskengine.settings import current
from taskengine.transport import template

_log = logging.getLogger("taskengine.coordinator")


def main() -> int:
    """Run until a signal; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = Event()
    stop_on_signals(stop)
    try:
        settings = current()
        serve(settings, ensure(settings), template(), stop)
    except TaskEngineError as exc:
        _log.error("ended: %s", exc)
        return 1
    return 0


def stop_on_signals(stop: Event) -> None:
    """Let SIGTERM and SIGINT set *stop*."""

    def on_signal(number: int, _: FrameType | None) -> None:
        # From a thread of its own: a handler runs between two instructions of the loop, which may just be
        # inside this event's lock.
        Thread(target=stop.set, name=f"signal-{number}").start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


if __name__ == "__main__":
    sys.exit(main())
