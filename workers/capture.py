"""What an agent logs or prints while it runs goes to the log of its execution, and on to where it went before.

Celery puts a proxy in the place of stdout and stderr that makes a record of each *write*; it keeps its place behind
ours (``worker_redirect_stdouts`` still decides), so the worker's own log is as it was. Ours looks up whose thread or
coroutine speaks: a context variable, which ``asyncio`` and ``to_thread`` carry along and a thread that an agent starts
by itself does not. What C code and subprocesses write to the descriptor of ``sys.stdout`` is heard too
(:mod:`workers.pipes`), what they write to descriptor 1 is not.

Loggers are heard from the worker's log level on, at the root and at Celery's task logger, which does not propagate.
"""

from __future__ import annotations

import codecs
import io
import logging
import sys
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from taskengine.models import LogLevel
from workers.log_buffer import LogStream
from workers.loggers import Loggers
from workers.plain import exact

_LOG_STREAM: ContextVar[LogStream | None] = ContextVar("taskengine_voice", default=None)
#: Streams and how loud their lines are.
LEVELS = {"stdout": LogLevel.INFO, "stderr": LogLevel.WARNING}
#: Descriptors of a process's own streams.
_OWN = {"stdout": 1, "stderr": 2}
#: Celery makes a record of what was printed, which we have.
_REDIRECTED = "celery.redirected"


class LogCapture:
    """While the block lasts, this thread (and what its context is handed to) speaks with *log_stream*.

    A class: every execution enters it, and a generator would cost five times as much.
    """

    __slots__ = ("_log_stream", "_token")

    def __init__(self, log_stream: LogStream) -> None:
        self._log_stream = log_stream

    def __enter__(self) -> None:
        self._token = _LOG_STREAM.set(self._log_stream)

    def __exit__(self, *exc_info: object) -> None:
        _LOG_STREAM.reset(self._token)


def install() -> None:
    """Hear what agents of this process say. Safe to repeat, also after somebody replaced the streams."""
    for name in LEVELS:
        stream = getattr(sys, name)
        if not isinstance(stream, Stream):
            setattr(sys, name, Stream(stream, name))
    for logger in (logging.getLogger(), logging.getLogger("celery.task")):
        if not any(isinstance(handler, LogBufferHandler) for handler in logger.handlers):
            logger.addHandler(LogBufferHandler())


def remove() -> None:
    """Hear nothing any more, and leave no trace where nobody came after."""
    for name in LEVELS:
        stream = getattr(sys, name)
        if isinstance(stream, Stream):
            setattr(sys, name, stream.before)
    for logger in (logging.getLogger(), logging.getLogger("celery.task")):
        for handler in [one for one in logger.handlers if isinstance(one, LogBufferHandler)]:
            logger.removeHandler(handler)


class Installed:
    """What a process that runs agents for its whole life hears by; an agent that takes it away takes it from nobody."""

    def __init__(self) -> None:
        install()
        self._streams = {name: getattr(sys, name) for name in LEVELS}
        self._loggers = Loggers(Stream)

    def put_back(self) -> None:
        """Undo what the last agent replaced; a look when it did not."""
        for name, stream in self._streams.items():
            if getattr(sys, name, None) is not stream:
                setattr(sys, name, stream)
        self._loggers.put_back()


class Stream(io.TextIOBase):
    """In the place of a standard stream; whole enough for subprocess, faulthandler, tqdm and rich."""

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    line_buffering = True
    write_through = True
    mode = "w"

    def __init__(self, before: Any, name: str) -> None:
        #: What it took the place of.
        self.before = before
        self.name = f"<{name}>"
        #: For bytes.
        self.buffer = Buffer(self)
        self._name = name

    def write(self, text: str) -> int:
        """Tell the log buffer of whoever speaks, and pass it on."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        log_stream = _LOG_STREAM.get()
        if log_stream is not None:
            text = exact(text)
            log_stream.log_buffer.write(self._name, LEVELS[self._name], text)
        self.pass_on(text)
        return len(text)

    def pass_on(self, text: str) -> None:
        """Write to what it took the place of, if that can be written to: no agent fails of a closed terminal."""
        with suppress(OSError, ValueError):
            self.before.write(text)

    def fileno(self) -> int:
        """Return a descriptor whose reader tells the log buffer of whoever asks; the process's own where nobody
        speaks.
        """
        log_stream = _LOG_STREAM.get()
        if log_stream is None:
            return _descriptor(self.before, self._name)
        return log_stream.descriptor(self._name, LEVELS[self._name], self.pass_on)

    def writable(self) -> bool:
        """True: a standard stream is written to."""
        return True

    def isatty(self) -> bool:
        """Whatever it was: nobody looks at a log while it is drawn."""
        return False

    def flush(self) -> None:
        """Have what it took the place of flushed."""
        with suppress(OSError, ValueError, AttributeError):
            self.before.flush()

    def close(self) -> None:
        """Stay open: later executions speak through it."""
        self.flush()

    def reconfigure(self, **_: Any) -> None:
        """Stay as it is: a log buffer is UTF-8 in lines."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.before, name)


class Buffer(io.BufferedIOBase):
    """The bytes of a stream: text in UTF-8, what is none spelled out."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode

    def write(self, data: Any) -> int:
        """Write the text of *data*; the rest of a character may follow."""
        raw = bytes(data)
        self._stream.write(self._decode(raw))
        return len(raw)

    def fileno(self) -> int:
        """Return the descriptor of the stream around this buffer."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """True: a standard stream is written to."""
        return True

    def flush(self) -> None:
        """Do nothing: every write is passed on at once."""
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: the stream belongs to the process."""


def _descriptor(stream: Any, name: str) -> int:
    """Return the descriptor of *stream*, of the process's own where it has none: Celery's proxy says None."""
    try:
        found = stream.fileno()
    except (OSError, ValueError, AttributeError):
        found = None
    return found if isinstance(found, int) else _OWN[name]


class LogBufferHandler(logging.Handler):
    """Hands records to the log buffer of whoever logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it; a record that cannot be formatted is logging's own affair, never the agent's."""
        log_stream = _LOG_STREAM.get()
        if log_stream is None or record.name == _REDIRECTED:
            return
        try:
            text = self.format(record)
        except Exception:  # whatever an agent's own objects raise when they are shown
            self.handleError(record)
            return
        log_stream.log_buffer.add(_level(record.levelno), text, logger=record.name, at=record.created)


def _level(number: int) -> LogLevel:
    if number >= logging.ERROR:
        return LogLevel.ERROR
    if number >= logging.WARNING:
        return LogLevel.WARNING
    return LogLevel.INFO if number >= logging.INFO else LogLevel.DEBUG
