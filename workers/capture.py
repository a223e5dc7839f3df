"""What an agent logs or prints while it runs goes to the log of its execution, and on to where it went before.

Celery puts a proxy in the place of stdout and stderr that makes a record of each *write*; it keeps its place behind
ours (``worker_redirect_stdouts`` still decides), so the worker's own log is as it was. Ours looks up whose thread or
coroutine speaks: a context variable, which ``asyncio`` and ``to_thread`` carry along and a thread that an agent starts
by itself does not. What child processes or C code write past Python's streams is not seen here.

Loggers are heard from the worker's log level on, at the root and at Celery's task logger, which does not propagate.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from typing import Any

from taskengine.models import LogLevel
from workers.journal import Voice
from workers.plain import exact

_SPEAKER: ContextVar[Voice | None] = ContextVar("taskengine_voice", default=None)
#: Streams and how loud their lines are.
LEVELS = {"stdout": LogLevel.INFO, "stderr": LogLevel.WARNING}
#: Celery makes a record of what was printed, which we have.
_REDIRECTED = "celery.redirected"


class Speaking:
    """While the block lasts, this thread (and what its context is handed to) speaks with *voice*.

    A class: every execution enters it, and a generator would cost five times as much.
    """

    __slots__ = ("_token", "_voice")

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def __enter__(self) -> None:
        self._token = _SPEAKER.set(self._voice)

    def __exit__(self, *exc_info: object) -> None:
        _SPEAKER.reset(self._token)


def install() -> None:
    """Hear what agents of this process say. Safe to repeat, also after somebody replaced the streams."""
    for name in LEVELS:
        stream = getattr(sys, name)
        if not isinstance(stream, Stream):
            setattr(sys, name, Stream(stream, name))
    for logger in (logging.getLogger(), logging.getLogger("celery.task")):
        if not any(isinstance(handler, JournalHandler) for handler in logger.handlers):
            logger.addHandler(JournalHandler())


def remove() -> None:
    """Hear nothing any more, and leave no trace where nobody came after."""
    for name in LEVELS:
        stream = getattr(sys, name)
        if isinstance(stream, Stream):
            setattr(sys, name, stream.before)
    for logger in (logging.getLogger(), logging.getLogger("celery.task")):
        for handler in [one for one in logger.handlers if isinstance(one, JournalHandler)]:
            logger.removeHandler(handler)


class Stream:
    """In the place of a standard stream."""

    def __init__(self, before: Any, name: str) -> None:
        #: What it took the place of.
        self.before = before
        self._name = name

    def write(self, text: str) -> int:
        """Tell the journal of whoever speaks, and pass it on."""
        voice = _SPEAKER.get()
        if voice is not None and isinstance(text, str):
            text = exact(text)
            voice.journal.write(self._name, LEVELS[self._name], text)
        self.before.write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.before, name)


class JournalHandler(logging.Handler):
    """Hands records to the journal of whoever logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it; a record that can not be formatted is logging's own affair, never the agent's."""
        voice = _SPEAKER.get()
        if voice is None or record.name == _REDIRECTED:
            return
        try:
            text = self.format(record)
        except Exception:  # whatever an agent's own objects raise when they are shown
            self.handleError(record)
            return
        voice.journal.add(_level(record.levelno), text, logger=record.name, at=record.created)


def _level(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return LogLevel.ERROR
    if number >= logging.WARNING:
        return LogLevel.WARNING
    return LogLevel.INFO if number >= logging.INFO else LogLevel.DEBUG
