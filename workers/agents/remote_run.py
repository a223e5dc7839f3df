"""The function that a slot calls for an agent whose work goes on at a service, and how its poller asks that service.

Its one instance of this process posts and polls, on the shared loop; it is made when it is first used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from taskengine.agents import AgentContext as Ports
from taskengine.agents import Reference, RemoteExecutor, Secrets
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from taskengine.store.forks import PerProcess
from workers.agent_context import AgentContext
from workers.agents.opened import Opened

T = TypeVar("T")
#: Seconds until a run is first asked about where its type does not say.
POLL_SECONDS = 5.0


class RemoteRun:
    """Posts tasks by a :class:`~taskengine.agents.RemoteExecutor`; called like a function that ``@agent`` declares."""

    def __init__(self, kind: type[RemoteExecutor], record: AgentRecord, secrets: Secrets) -> None:
        self._here = PerProcess(lambda: Opened(kind(record, secrets)))
        self.__qualname__ = f"{kind.__qualname__}[{record.id}]"
        self.__module__ = kind.__module__

    async def __call__(self, task: Task, context: AgentContext) -> Outcome:
        """Post it; what goes on there is noted in its context, and its slot is freed."""
        found = await self.ask(lambda executor: executor.submit(task, cast(Ports, context)))
        if isinstance(found, Outcome):
            return found
        context.goes_on_at(found, self.poll_seconds)
        return Outcome("completed")  # of the slot's part, which nobody is told

    @property
    def poll_seconds(self) -> float:
        """Seconds until a run is first asked about."""
        return float(getattr(self._here.get().executor, "poll_seconds", POLL_SECONDS))

    async def ask(self, what: Callable[[RemoteExecutor], Awaitable[T]]) -> T:
        """Return what the executor says, opened before."""
        return await what(await self._here.get().ready())

    def adopt(self, run: object) -> Reference | None:
        """Return where a run that a function of the agent began is asked for; None when this type cannot."""
        adopt: Any = getattr(self._here.get().executor, "adopt", None)
        return adopt(run) if adopt is not None else None

    def repair(self, reference: Reference, outcome: Outcome, faults: list[str]) -> Reference | None:
        """Return the reference of a run that is to have one more turn over *faults*; None when this type cannot."""
        repair: Any = getattr(self._here.get().executor, "repair", None)
        return repair(reference, outcome, faults) if repair is not None else None

    def close(self, seconds: float) -> None:
        """Close what this process opened; nothing runs any more. It waits *seconds* at most, and never raises."""
        if (here := self._here.made) is not None:
            here.close(self.__qualname__, seconds)
