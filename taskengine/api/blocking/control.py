"""What an operator says to one task, or to all of a capability, agent or run: pause, hold, and back."""

# Generated from ../aio/control.py: change that file, then run python taskengine/api/generate.py

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from taskengine import models
from taskengine.api import operations
from taskengine.api.arguments import Id
from taskengine.api.blocking.base_client import BlockingBaseClient
from taskengine.models import Task


class BlockingControl(BlockingBaseClient):
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
    ) -> models.Pause:
        """Let nothing start any more of one capability, agent or run, or nothing at all; the pause as it stands.

        What runs goes on and counts: ``.running`` says how many still do, ``.state`` is ``draining`` or
        ``drained``, and asking again counts anew. Timers stand still meanwhile. *until* ends it by itself,
        *by* defaults to the user of the system. Safe to repeat: the pause keeps its beginning, and takes
        another reason or end.
        """
        operation = operations.pause.pause(
            capability=capability, agent_id=agent_id, run_id=run_id, everything=everything,
            reason=reason, until=until, by=by,
        )  # fmt: skip
        return self._run(operation)

    def resume(
        self,
        capability: str | None = None,
        agent_id: str | None = None,
        run_id: Id | None = None,
        everything: bool = False,
        by: str | None = None,
    ) -> bool:
        """End the pause of exactly this scope; False when it was not paused. Other pauses go on to hold."""
        operation = operations.pause.resume(
            capability=capability, agent_id=agent_id, run_id=run_id, everything=everything, by=by
        )
        return self._run(operation)

    def list_pauses(self) -> list[models.Pause]:
        """Return every pause of a scope that holds, the oldest first, with what still runs there."""
        return self._run(operations.pause.list_pauses(self._context))

    def answer(
        self, task_id: Id, value: JsonValue, *, question_id: str | None = None, by: str | None = None
    ) -> Task:
        """Answer what a task asks, which lets it go on; the task as it stands then.

        *value* is text, one of the options, or an object that fits the form: ``task.question`` says which. With
        *question_id* only that question is answered. NotAllowedError when the task asks something else by now, or
        nothing. *by* is recorded, not proven, and defaults to the user of the system.
        """
        return self._run(operations.answer.answer(self._context, task_id, value, question_id, by))

    def pause_task(
        self, task_id: Id, reason: str | None = None, until: datetime | None = None, by: str | None = None
    ) -> models.Pause:
        """Pause one task: what has not started is PAUSED at once, its timers stand; the pause as it stands.

        A running attempt ends as it ends: only if another one would follow is the task PAUSED. ``.state`` is
        ``draining`` until then. Safe to repeat: the pause keeps its beginning, and takes another reason or
        end. NotAllowedError when the task is over.
        """
        return self._run(operations.pause.pause_task(self._context, task_id, reason, until, by))

    def resume_task(self, task_id: Id) -> bool:
        """Let a task go on that was paused by name, to where its dependencies, hold and timers put it now.

        False when it was not paused; a pause of its capability, agent or run goes on to hold. NotAllowedError
        when the task is over.
        """
        return self._run(operations.pause.resume_task(self._context, task_id))

    def hold_task(self, task_id: Id) -> bool:
        """Keep a task that has not started from starting, also one that is queued; False when it is held
        already.

        NotAllowedError when it runs, waits for another attempt, or is over.
        """
        return self._run(operations.pause.hold_task(self._context, task_id, held=True))

    def release_task(self, task_id: Id) -> bool:
        """Take the hold off a task, which goes to where its dependencies and times put it; False when it is
        not held.
        """
        return self._run(operations.pause.hold_task(self._context, task_id, held=False))
