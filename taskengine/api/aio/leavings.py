"""What executions left beside their results, and what they used of services."""

from __future__ import annotations

from typing import Literal

from taskengine import models
from taskengine.api import operations
from taskengine.api.aio.base_client import AsyncBaseClient
from taskengine.api.arguments import Id


class AsyncLeavings(AsyncBaseClient):
    """Artifacts, and counters of use."""

    async def list_artifacts(self, task_id: Id) -> list[models.Artifact]:
        """Return what the latest 100 executions of a task left beside their results, the oldest first, by name."""
        return await self._run(operations.artifacts.list_artifacts(self._context, task_id))

    async def get_artifact(self, task_id: Id, name: str, execution_id: Id | None = None) -> bytes:
        """Return the bytes of an artifact: of the latest execution that has one of that name, or of the one named.

        NotFoundError names those that there are.
        """
        return await self._run(operations.artifacts.get_artifact(self._context, task_id, name, execution_id))

    async def get_agent_usage(
        self, by: Literal["agent", "model", "day"] = "agent", days: int = 30
    ) -> list[models.AgentUsage]:
        """Return the requests and tokens of the last *days* (UTC, today included; at most 400), most tokens first.

        Each execution counts once, whatever was killed or repeated; one that was lost counts with what it had noted.
        """
        return await self._run(operations.usage.get_agent_usage(self._context, by, days))
