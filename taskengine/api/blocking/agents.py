"""Agents by name: what each may do and how much, and what it is doing."""

# Generated from ../aio/agents.py: change that file, then run python taskengine/api/generate.py

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from taskengine import models
from taskengine.api import operations
from taskengine.api.blocking.base_client import BlockingBaseClient


class BlockingAgents(BlockingBaseClient):
    """Register agents, change and look at them, let them rest."""

    def register_agent(
        self,
        agent_id: str,
        agent_type: str,
        capabilities: Iterable[str] | str,
        *,
        executor: str | Callable[..., Any] | None = None,
        max_concurrency: int | None = None,
        resources: Mapping[str, float] | None = None,
        limits: Iterable[str] | str | Mapping[str, int] | None = None,
        secret: str | None = None,
        config: Mapping[str, Any] | None = None,
        preference: int = 5,
        drain_seconds: float | None = None,
        description: str = "",
    ) -> models.AgentInfo:
        """Store what an agent may do and how much; how it stands then. Workers that serve it are started apart
        (``taskengine worker --agent ID``), and follow a change within a beat.

        Safe to repeat, so that apps call it at each start: the same content changes nothing, other content replaces it
        and counts its revision up. What a worker made by importing ``@agent`` is taken over, also while it runs: type,
        capabilities and limits from here, the function from there. AgentConflictError when the name is that of an agent
        of another type; InvalidInputError for a type that nobody knows, and for config that the type does not take.

        *agent_type*: ``function``, ``claude``, ``codegen``, ``command``, ``http``, or one that a package brings.
        *executor*: the function that runs its tasks, or where it is (``"my_agents:codegen_executor"``), when the type
        alone does not say; a worker takes it only from a module among its ``--import``. *max_concurrency*: executions
        at once on all its workers together. *resources*: what each of them reserves, such as ``{"memory_gb": 2}``.
        *limits*: names of those that it shares with others (:meth:`set_limit`), or a dict of bounds, which makes one
        that is called like its secret: agents with one key share it, and ConflictError names two that say different
        numbers. *secret*: the name of its credential, never its value.
        *config*: what its type knows, JSON of at most 64 KiB. *preference*: 0 to 9; of several agents with a free slot
        the one with the lowest is given the task. *drain_seconds*: what its executions may take when a worker stops.
        """
        operation = operations.agents.register_agent(
            self._context, agent_id, agent_type, capabilities, executor=executor, max_concurrency=max_concurrency,
            resources=resources, limits=limits, secret=secret, config=config, preference=preference,
            drain_seconds=drain_seconds, description=description,
        )  # fmt: skip
        return self._run(operation)

    def get_agent(self, agent_id: str) -> models.AgentInfo:
        """Return an agent: its record, and what it is doing, why and since when; NotFoundError when nobody registered
        it.
        """
        return self._run(operations.agents.get_agent(self._context, agent_id))

    def list_agents(
        self, status: models.AgentStatus | str | None = None, capability: str | None = None
    ) -> list[models.AgentInfo]:
        """Return all agents by name: those of one *status*, those that can do one *capability*."""
        return self._run(operations.agents.list_agents(self._context, status, capability))

    def update_agent(self, agent_id: str, *, if_revision: int | None = None, **changes: Any) -> models.AgentInfo:
        """Change some of what :meth:`register_agent` takes by name; how the agent stands then.

        *if_revision*: only if nobody changed it since that revision, else ConflictError. An agent that code made is
        taken over.
        """
        return self._run(operations.agents.update_agent(self._context, agent_id, if_revision, changes))

    def pause_agent(
        self, agent_id: str, reason: str | None = None, until: datetime | None = None, by: str | None = None
    ) -> models.Pause:
        """Let nothing of an agent start any more: :meth:`pause` of its name, for one that is registered."""
        return self._run(operations.agents.pause_agent(self._context, agent_id, reason, until, by))

    def resume_agent(self, agent_id: str, by: str | None = None) -> bool:
        """End an agent's pause and its draining, and close its breaker; False when there was none of these."""
        return self._run(operations.agents.resume_agent(self._context, agent_id, by))

    def drain_agent(self, agent_id: str, reason: str | None = None, by: str | None = None) -> models.AgentInfo:
        """Let an agent take nothing new, on none of its workers, until :meth:`resume_agent`; what runs goes on.

        Its workers hear of it within a beat and stay: ``.running`` says how much is left. Unlike a pause it is meant
        for the agent's end, and holds back no timer.
        """
        return self._run(operations.agents.drain_agent(self._context, agent_id, reason, by))

    def unregister_agent(self, agent_id: str, cascade: bool = False) -> None:
        """Forget an agent; NotAllowedError while a living worker serves it, or open tasks name it, and says how many.

        *cascade* drains it first, waits until its workers take nothing of it and nothing of it runs (two leases at
        most, then it is refused and goes on draining), and leaves tasks that name it waiting for a worker of that name.
        What a worker imports with ``@agent`` cannot be unregistered before that worker ends.
        """
        self._run(operations.agents.unregister_agent(self._context, agent_id, cascade))
