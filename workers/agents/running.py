"""The function that a slot calls for an agent whose type is a class: its one instance of this process runs the task.

The instance is made when a process runs its first task of the agent, not before a fork, and opened on the shared loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from taskengine.agents import AgentContext, Executor, Secrets
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from taskengine.store.forks import PerProcess
from workers.agents.opened import Opened
from workers.loop import Run


class SlotRun:
    """Runs tasks by an :class:`~taskengine.agents.Executor`; called like a function that ``@agent`` declares."""

    def __init__(self, kind: type[Executor], record: AgentRecord, secrets: Secrets) -> None:
        self._here = PerProcess(lambda: Opened(kind(record, secrets)))
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
        Run(here.ready()).result(None)
        return here.executor.run(task, context)

    @property
    def repair(self) -> Callable[..., Any] | None:
        """What gives a result that does not fit its schema one more turn; None where the type has no such thing."""
        return getattr(self._here.get().executor, "repair", None) if self._repairs else None

    def close(self, seconds: float) -> None:
        """Close what this process opened; nothing runs any more. It waits *seconds* at most, and never raises."""
        if (here := self._here.made) is not None:
            here.close(self.__qualname__, seconds)

    async def _run(self, here: Opened[Executor], task: Task, context: AgentContext) -> Outcome:
        executor = await here.ready()
        return await executor.run(task, context)
