"""What a client asks about runs, and how it finds what a person means."""

from __future__ import annotations

from uuid import UUID

from taskengine import models
from taskengine.api import operations
from taskengine.api.aio.base_client import AsyncBaseClient
from taskengine.api.arguments import Id


class AsyncRuns(AsyncBaseClient):
    """Questions about what was submitted together."""

    async def list_runs(
        self,
        name: str | None = None,
        created_by: str | None = None,
        finished: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> models.RunPage:
        """One page of the runs that meet every filter, newest first: graphs of more than one task, or with a name.

        A lone task without a name is a run too (:meth:`get_run`), and is listed by :meth:`list_tasks` alone.
        *finished*: True for those without an open task, False for the others. The name is compared whole. Pass
        ``page.cursor`` back for the next page. A page that searched for long is short, or empty, and has a cursor:
        only one without is the last.
        """
        operation = operations.runs.list_runs(
            name=name, created_by=created_by, finished=finished, limit=limit, after=cursor
        )
        return await self._run(operation)

    async def get_run(self, run_id: Id) -> models.Run:
        """Return a run with its name, its maker and its tasks by status; NotFoundError when there is none."""
        return await self._run(operations.runs.get_run(run_id))

    async def wait_run(self, run_id: Id, timeout: float | None = None) -> models.Run:
        """Wait until all tasks of a run are over, however they end; the run with their counts.

        WaitTimeoutError after *timeout* seconds says how many are open, and leaves them so. A task that is opened again
        opens the run. NotFoundError when there is none.
        """
        return await self._run(operations.runs.wait_run(self._context, run_id, timeout))

    async def find_task(self, beginning: str) -> UUID:
        """Return the id of the only task whose id begins so, for what people type: four or more digits, in any case.

        A whole id is answered as it is, also when there is no such task. AmbiguousIdError names several, NotFoundError
        says that there is none. The server searches the ids of all tasks, in pieces of a few milliseconds (a million
        tasks are 16): programs keep whole ids.
        """
        return await self._run(operations.find.find_task(beginning))

    async def find_run(self, which: str) -> UUID:
        """Return the id of the run that a person means: the newest of that name, or the only one whose id begins so.

        As :meth:`find_task`. A graph is meant before the run of a lone task; names are searched among graphs, about
        a thousand a trip.
        """
        return await self._run(operations.find.find_run(self._context, which))
