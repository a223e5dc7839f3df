"""What a client asks about runs, and how it finds what a person means."""

from __future__ import annotations

from uuid import UUID

from taskengine.api.aio.runs import AsyncRuns
from taskengine.api.arguments import Id
from taskengine.api.blocking.door import BlockingDoor
from taskengine.api.door import documented_like
from taskengine.api.stories import find, runs
from taskengine.models import Run, RunPage


@documented_like(AsyncRuns)
class BlockingRuns(BlockingDoor):
    """Questions about what was submitted together."""

    def list_runs(
        self,
        name: str | None = None,
        created_by: str | None = None,
        finished: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RunPage:
        story = runs.list_runs(
            self._scope, name=name, created_by=created_by, finished=finished, limit=limit, after=cursor
        )
        return self._run(story)

    def get_run(self, run_id: Id) -> Run:
        return self._run(runs.get_run(run_id))

    def find_task(self, beginning: str) -> UUID:
        return self._run(find.find_task(beginning))

    def find_run(self, which: str) -> UUID:
        return self._run(find.find_run(self._scope, which))
