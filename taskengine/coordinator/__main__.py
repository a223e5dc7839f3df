"""``python -m taskengine.coordinator``: the process that ``taskengine coordinator`` starts; SIGTERM or SIGINT
ends it. Without a terminal SIGHUP begins it anew, with the same command line, as it does with a worker.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from threading import Event, Thread
from types import FrameType

from taskengine.coordinator.serve import serve
from taskengine.embedded import ensure
from taskengine.errors import TaskEngineError
from taskengine.settings import current, environment, unknown_variables
from taskengine.transport import template

_log = logging.getLogger("taskengine.coordinator")


def main() -> int:
    """Run until a signal; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop, again = Event(), Event()
    stop_on_signals(stop)
    if not sys.stdout.isatty():
        signal.signal(signal.SIGHUP, lambda *_: _set_in_thread(again, stop))
    try:
        settings = current()
        for wrong in unknown_variables(environment()):
            _log.warning("%s", wrong)
        serve(settings, ensure(settings), template(), stop)
    except TaskEngineError as exc:
        _log.error("ended: %s", exc)
        return 1
    if again.is_set():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # for the time until the new one listens; outlives exec
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # ourselves, no shell
    return 0


def stop_on_signals(stop: Event) -> None:
    """Let SIGTERM and SIGINT set *stop*."""

    def on_signal(_: int, __: FrameType | None) -> None:
        _set_in_thread(stop)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def _set_in_thread(*events: Event) -> None:
    """In this order. A handler runs between two instructions of the loop, which may just be inside an event's lock."""

    def set_all() -> None:
        for event in events:
            event.set()

    Thread(target=set_all, name="signal").start()


if __name__ == "__main__":
    sys.exit(main())
