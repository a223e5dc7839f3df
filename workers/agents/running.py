"""The function that a slot calls for an agent whose type is a class: its one instance of this process runs the task.

The instance is made when a process runs its first task of the agent, not before a fork, and opened on the shared loop.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from taskengine.agents import AgentContext, Executor, Secrets
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from taskengine.store.forks import PerProcess
from workers.loop import Run

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Opened:
    """What a process has of an executor."""

    executor: Executor
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_open: bool = False


class SlotRun:
    """Runs tasks by an :class:`~taskengine.agents.Executor`; called like a function that ``@agent`` declares."""

    def __init__(self, kind: type[Executor], record: AgentRecord, secrets: Secrets) -> None:
        self._here = PerProcess(lambda: _Opened(kind(record, secrets)))
        #: Whether its runs are stopped where their worker is cut off.
        self.stops_when_cut_off = getattr(kind, "stops_when_cut_off", False)
        self._repairs = hasattr(kind, "repair")
        self.__qualname__ = f"{kind.__qualname__}[{record.id}]"
        self.__module__ = kind.__module__

    def __call__(self, task: Task, context: AgentContext) -> Any:
        """Return the outcome, or the coroutine that comes to it."""
        here = self._here.get()
        if getattr(here.executor, "reads_prompt", False):
            _ = context.prompt  # here, in the slot's thread: it may fetch results
        if inspect.iscoroutinefunction(here.executor.run):
            return self._run(here, task, context)
        Run(self._open(here)).result(None)
        return here.executor.run(task, context)

    @property
    def repair(self) -> Callable[..., Any] | None:
        """What gives a result that does not fit its schema one more turn; None where the type has no such thing."""
        return getattr(self._here.get().executor, "repair", None) if self._repairs else None

    def close(self, seconds: float) -> None:
        """Close what this process opened; nothing runs any more. It waits *seconds* at most, and never raises."""
        here = self._here.made
        if here is None or not here.is_open:
            return
        here.is_open = False
        try:
            Run(here.executor.close()).result(seconds)
        except Exception as exc:
            logger.warning("%s was not closed: %r", self.__qualname__, exc)

    async def _run(self, here: _Opened, task: Task, context: AgentContext) -> Outcome:
        await self._open(here)
        return await here.executor.run(task, context)

    async def _open(self, here: _Opened) -> None:
        async with here.opening:
            if not here.is_open:
                await here.executor.open()
                here.is_open = True
