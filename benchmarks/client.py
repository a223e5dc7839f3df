"""Who submits and waits, as a user's script does: the clock of every figure runs around it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

import redis

from taskengine import BlockingTaskAPI, Settings, Task
from taskengine.api.context import OperationContext
from taskengine.api.operations.wait import until_over
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore
from taskengine.transport import template

#: Seconds after which a run is given up: something hangs.
_LONGEST = 600.0


class Client:
    """The blocking API, and a plain connection for what no user asks: memory, slow log, single fields."""

    def __init__(self, url: str, raw: redis.Redis) -> None:
        self.settings = Settings(redis_url=url)
        self.keys = Keys(self.settings.namespace)
        self.api = BlockingTaskAPI(settings=self.settings)
        self.raw = raw
        self._context = OperationContext(self.keys, self.settings, time.monotonic)
        self._store = SyncStore(url, self.settings, template())

    def submit(self, tasks: Sequence[Task]) -> list[UUID]:
        """Submit one run; the ids in the order given."""
        return [task.id for task in self.api.create_tasks(tasks)]

    def see_the_end(self, ids: Sequence[UUID]) -> None:
        """Return when all have ended: the waiting half of ``wait``, which then reads tasks and results."""
        self._store.run(until_over(self._context, [str(id) for id in ids], _LONGEST))

    def read(self, ids: Sequence[UUID]) -> None:
        """Read tasks and results, as ``wait`` does; RuntimeError when one did not complete."""
        for task in self.api.wait(ids, timeout=_LONGEST):
            if task.status != "completed":
                raise RuntimeError(f"task {task.name} is {task.status}: {task.error_message or task.reason}")

    def close(self) -> None:
        """Close the connections."""
        self.api.close()
        self._store.close()
