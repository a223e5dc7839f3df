"""What an agent streams: shown to whoever follows its log right now, and forgotten otherwise.

Until somebody looks, text only goes into the tail of a buffer: a thousand streams that nobody watches cost no trip.
Somebody who follows the log is told with the next beat; then the tail comes as one log line of the logger ``stream``,
and further text in pieces, four a second. What may be the beginning of a secret is held back until it is none, or
whole: each piece is stored by itself, and nobody would find half of one there.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable

from workers.known_secrets import MASK, SHORTEST, begun, without_secrets

#: Characters that wait for somebody to look.
TAIL = 64 * 1024
#: Of what is older so many are kept, too: a secret that begins there is found, and is cut with them.
_BEFORE = 16 * 1024
#: Seconds between two pieces.
PAUSE = 0.25


class StreamTail:
    """The stream of one execution; any thread may add to it."""

    def __init__(self, is_watched: Callable[[], bool], show: Callable[[str], None]) -> None:
        self._is_watched = is_watched
        self._show = show
        self._lock = threading.Lock()
        self._parts: deque[str] = deque()
        self._size = 0
        self._shown_at = 0.0
        self._is_due = False

    def add(self, text: str) -> None:
        """Take text in, and show what waits if somebody looks."""
        with self._lock:
            self._parts.append(text)
            self._size += len(text)
            while self._size - len(self._parts[0]) >= TAIL + _BEFORE:
                self._size -= len(self._parts.popleft())
        if self._is_watched():
            self._show_soon()

    def flush(self, *, is_last: bool = False) -> None:
        """Show what waits if somebody looks; *is_last*: nothing follows, and nothing is held back."""
        if not self._is_watched():
            return
        with self._lock:
            text, held = _split("".join(self._parts), is_last=is_last)
            self._parts, self._size, self._is_due = deque([held] if held else ()), len(held), False
            self._shown_at = time.monotonic()
        if text:
            self._show(text[-TAIL:])

    def _show_soon(self) -> None:
        left = self._shown_at + PAUSE - time.monotonic()
        if left <= 0:
            self.flush()
            return
        with self._lock:
            was_due, self._is_due = self._is_due, True
        if was_due:
            return
        try:
            asyncio.get_running_loop().call_later(left, self.flush)
        except RuntimeError:  # in a thread of its own: the next text, or the end, shows it
            self._is_due = False


def _split(text: str, *, is_last: bool) -> tuple[str, str]:
    """Return what may be shown, without secrets, and what is to be held back."""
    text = without_secrets(text)
    size = begun(text)
    shown, held = text[: len(text) - size], text[len(text) - size :]
    if not is_last:
        return shown, held
    return shown + (MASK if size >= SHORTEST else held), ""
