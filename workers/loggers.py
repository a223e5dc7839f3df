"""How the loggers of a process stood before its first agent: what one takes away is put back before the next one runs.

``basicConfig(force=True)`` and ``dictConfig`` are written for programs of one's own. In a worker they would drop the
handlers of the worker and of later executions, and silence every logger that exists. What an agent adds stays, but
for what writes to the standard streams: its lines are heard already.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

_sentinel = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _State:
    logger: logging.Logger
    handlers: tuple[logging.Handler, ...]
    level: int
    propagate: bool

    @classmethod
    def of(cls, logger: logging.Logger) -> _State:
        return cls(logger, tuple(logger.handlers), logger.level, logger.propagate)

    def put_back(self, stream: type) -> None:
        more = [one for one in self.logger.handlers if one not in self.handlers and not _writes_to(one, stream)]
        self.logger.handlers[:] = [*self.handlers, *more]
        if self.logger.level > self.level:
            self.logger.setLevel(self.level)
        self.logger.propagate = self.propagate
        self.logger.disabled = False


class Loggers:
    """The loggers as they stand when this is made; *stream* is the class of ours in the place of standard streams."""

    def __init__(self, stream: type) -> None:
        self._stream = stream
        self._first = _State.of(logging.getLogger())
        self._others = [_State.of(logging.getLogger(name)) for name in ("celery.task", "celery", "celery.redirected")]
        self._disabled = {name for name, one in _known() if one.disabled}
        self._threshold = logging.root.manager.disable

        self._seen = self._look()

    def put_back(self) -> None:
        """Undo what took something away; a look when nothing changed: every execution pays for it."""
        if self._look() == self._seen:
            return
        for state in (self._first, *self._others):
            state.put_back(self._stream)
        for name, logger in _known():
            logger.disabled = name in self._disabled
        logging.disable(self._threshold)
        self._seen = self._look()

    def _look(self) -> tuple[object, ...]:
        root, task = self._first.logger, self._others[0].logger
        return root.handlers[:], root.level, task.handlers[:], task.level, _sentinel.disabled, root.manager.disable


def _known() -> list[tuple[str, logging.Logger]]:
    loggers = logging.root.manager.loggerDict
    return [(name, one) for name, one in tuple(loggers.items()) if isinstance(one, logging.Logger)]


def _writes_to(handler: logging.Handler, stream: type) -> bool:
    return isinstance(handler, logging.StreamHandler) and isinstance(handler.stream, stream)
