"""What an operator says to one task, or to all of a capability, agent or run: pause, hold, and back."""

from __future__ import annotations

from datetime import datetime

from taskengine.api.aio.control import AsyncControl
from taskengine.api.arguments import Id
from taskengine.api.blocking.door import BlockingDoor
from taskengine.api.door import documented_like
from taskengine.api.stories import pause
from taskengine.models import Pause


@documented_like(AsyncControl)
class BlockingControl(BlockingDoor):
    """Pause and resume, hold and release."""

    def pause(
        self,
        capability: str | None = None,
        agent_id: str | None = None,
        run_id: Id | None = None,
        everything: bool = False,
        reason: str | None = None,
        until: datetime | None = None,
        by: str | None = None,
    ) -> Pause:
        story = pause.pause(
            capability=capability, agent_id=agent_id, run_id=run_id, everything=everything,
            reason=reason, until=until, by=by,
        )  # fmt: skip
        return self._run(story)

    def resume(
        self,
        capability: str | None = None,
        agent_id: str | None = None,
        run_id: Id | None = None,
        everything: bool = False,
        by: str | None = None,
    ) -> bool:
        story = pause.resume(
            capability=capability, agent_id=agent_id, run_id=run_id, everything=everything, by=by
        )
        return self._run(story)

    def list_pauses(self) -> list[Pause]:
        return self._run(pause.list_pauses(self._scope))

    def pause_task(
        self, task_id: Id, reason: str | None = None, until: datetime | None = None, by: str | None = None
    ) -> Pause:
        return self._run(pause.pause_task(self._scope, task_id, reason, until, by))

    def resume_task(self, task_id: Id) -> bool:
        return self._run(pause.resume_task(self._scope, task_id))

    def hold_task(self, task_id: Id) -> bool:
        return self._run(pause.hold_task(self._scope, task_id, held=True))

    def release_task(self, task_id: Id) -> bool:
        return self._run(pause.hold_task(self._scope, task_id, held=False))
