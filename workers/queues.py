"""Which queues a node consumes: those named with ``-Q`` for which it has an agent, or all that its agents offer.

What it offers is what it consumes, at each beat: ``celery control cancel_consumer`` and ``add_consumer`` change both.
"""

from __future__ import annotations

import mmap
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from taskengine.agent import Registry
from taskengine.errors import AgentError


@dataclass(frozen=True, slots=True)
class Offer:
    """What a node offers."""

    #: Queue -> name of the agent that would run it. ``@agent`` queues carry pinned tasks.
    agents: Mapping[str, str]
    #: Queues that were asked for and that no imported agent offers.
    orphans: tuple[str, ...]

    @property
    def queues(self) -> tuple[str, ...]:
        """The Celery queues to consume."""
        return tuple(self.agents)


class Served:
    """Which of its queues a node serves now: all at first. Made before the fork, so that its children know it, too."""

    def __init__(self, agents: Mapping[str, str]) -> None:
        self._words = tuple((queue, f"{queue}={agent}") for queue, agent in agents.items())
        #: One byte a queue, in memory that children share; none is read that is half written.
        self._flags = mmap.mmap(-1, max(1, len(self._words)))
        self._known, self._text = b"", ""
        self.consume([queue for queue, _ in self._words])

    def consume(self, queues: Container[str]) -> None:
        """Serve those of the queues that are among *queues*."""
        self._flags[:] = bytes(queue in queues for queue, _ in self._words).ljust(len(self._flags), b"\0")

    @property
    def text(self) -> str:
        """As scripts read it: ``queue=agent`` words."""
        flags = self._flags[:]
        if flags != self._known:
            self._text = " ".join(word for (_, word), flag in zip(self._words, flags, strict=False) if flag)
            self._known = flags
        return self._text


def everything(registry: Registry) -> dict[str, str]:
    """Queue -> agent of all that the agents of this process could serve."""
    could = {queue: agent.name for queue in registry.capabilities() if (agent := registry.offering(queue))}
    return could | {f"@{agent.name}": agent.name for agent in registry}


def offer(registry: Registry, wanted: Iterable[str] | None) -> Offer:
    """Return what this process offers of the queues *wanted* (None: everything); AgentError when that is nothing."""
    asked = sorted(registry.capabilities()) if wanted is None else [q for q in wanted if not q.startswith("@")]
    queues: dict[str, str] = {}
    orphans = []
    for queue in asked:
        agent = registry.offering(queue)
        if agent is None:
            orphans.append(queue)
        else:
            queues[queue] = agent.name
    for agent in registry:
        if agent.capabilities & queues.keys():
            queues[f"@{agent.name}"] = agent.name
    if not queues:
        raise AgentError(_nothing(registry, orphans))
    return Offer(queues, tuple(orphans))


def _nothing(registry: Registry, orphans: list[str]) -> str:
    if not len(registry):
        return "no agent is imported; name your module: taskengine worker --import my_agents, or celery … -I my_agents"
    known = ", ".join(sorted(registry.capabilities()))
    return f"no imported agent offers {', '.join(orphans)} (offered: {known}); correct the queues or import the agent"
