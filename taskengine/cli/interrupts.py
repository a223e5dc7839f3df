"""Ctrl-C and its relatives, counted: the first asks to end, the second insists."""

from __future__ import annotations

import signal
import socket
import sys
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ignore_hang_ups() -> None:
    """Until a worker or coordinator without a terminal listens to SIGHUP, it must not end by it.

    It begins just now, so there is nothing to begin anew. In a terminal a hang-up ends it.
    """
    if not sys.stdout.isatty():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Interrupts:
    """While the block lasts, signals that end a process are counted instead. Main thread only.

    With *raises* the first one raises KeyboardInterrupt wherever the program is, until :meth:`calm`.
    """

    def __init__(self, *, raises: bool = False) -> None:
        self.count = 0
        #: Name of the first signal.
        self.name = ""
        #: Becomes readable when a signal came.
        self.wakes, self._wake = socket.socketpair()
        self._raises = raises
        self._before: dict[signal.Signals, Any] = {}

    def calm(self) -> None:
        """From now on only count."""
        self._raises = False

    def __enter__(self) -> Self:
        self._wake.setblocking(False)
        self.wakes.setblocking(False)
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.wakes.close()
        self._wake.close()

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self.count += 1
        self.name = self.name or ("Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name)
        if self._raises:
            self._raises = False
            raise KeyboardInterrupt
