"""When a pool child has run enough: ``--max-tasks-per-child`` and ``--max-memory-per-child``, counted in executions.

Celery's pool counts messages, of which one runs as many executions as fit into its slice. So a child counts for
itself: it takes nothing more with the report of its last execution, and ends before it reads another message.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billiard.compat import mem_rss
from billiard.pool import EX_RECYCLE
from celery.concurrency import asynpool
from celery.concurrency.prefork import TaskPool as PreforkPool

from workers.batch_hints import MOST

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one pool child may run; None: as much as it likes."""

    executions: int | None = None
    #: KiB of its peak memory, looked at after each execution.
    memory: int | None = None


class Recycling:
    """What one process has run of what it may."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._ran = 0
        #: Whether it must take nothing more.
        self.is_over = False

    @property
    def is_near(self) -> bool:
        """Whether it may end within a batch, so that it must take one at a time."""
        most = self._limits.executions
        return self._limits.memory is not None or (most is not None and self._ran + MOST >= most)

    def ran_one(self) -> bool:
        """Count an execution; whether another one may follow."""
        self._ran += 1
        most, memory = self._limits.executions, self._limits.memory
        ran_most = most is not None and self._ran >= most
        self.is_over = self.is_over or ran_most or (memory is not None and mem_rss() > memory)
        return not self.is_over


def limits_of(worker: Any) -> Limits:
    """Return what *worker*'s options say; a warning where its pool has no children that could end."""
    found = Limits(worker.max_tasks_per_child or None, worker.max_memory_per_child or None)
    if found != Limits() and not isinstance(worker.pool, PreforkPool):
        logger.warning("--max-tasks-per-child and --max-memory-per-child have no effect: only prefork has children")
        return Limits()
    return found


def count_executions(pool: Any, is_used_up: Callable[[], bool]) -> None:
    """Have the children of *pool* end when *is_used_up* says so in them, and not by Celery's count of messages."""

    class Child(asynpool.Worker):
        """A pool child that looks before each message whether it is the last."""

        def workloop(self, *args: Any, **kwargs: Any) -> Any:
            self.maxtasks = self.max_memory_per_child = None
            return super().workloop(*args, **kwargs)

        def _make_protected_receive(self, conn: Any) -> Callable[..., Any]:
            receive: Callable[..., Any] = super()._make_protected_receive(conn)  # type: ignore[misc]  # not in its stubs

            def look_and_receive(*args: Any, **kwargs: Any) -> Any:
                if is_used_up():
                    sys.exit(EX_RECYCLE)  # the code of a child that is to be replaced, and was not lost
                return receive(*args, **kwargs)

            return look_and_receive

    class Pool(asynpool.AsynPool):
        """A pool of such children."""

    Pool.Worker = Child
    pool.Pool = Pool
