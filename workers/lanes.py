"""Which queues a node consumes: those named with ``-Q`` for which it has an agent, or all that its agents offer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from taskengine.agent import Registry
from taskengine.errors import AgentError


@dataclass(frozen=True, slots=True)
class Offer:
    """What a node offers."""

    #: Lane -> name of the agent that would run it. ``@agent`` lanes carry pinned tasks.
    agents: Mapping[str, str]
    #: Queues that were asked for and that no imported agent offers.
    orphans: tuple[str, ...]

    @property
    def text(self) -> str:
        """As scripts read it: ``lane=agent`` words."""
        return " ".join(f"{lane}={agent}" for lane, agent in self.agents.items())

    @property
    def lanes(self) -> tuple[str, ...]:
        """The Celery queues to consume."""
        return tuple(self.agents)


def offer(registry: Registry, wanted: Iterable[str] | None) -> Offer:
    """What this process offers of the queues *wanted* (None: everything); AgentError when that is nothing."""
    asked = sorted(registry.capabilities()) if wanted is None else [q for q in wanted if not q.startswith("@")]
    lanes: dict[str, str] = {}
    orphans = []
    for queue in asked:
        agent = registry.offering(queue)
        if agent is None:
            orphans.append(queue)
        else:
            lanes[queue] = agent.name
    for agent in registry:
        if agent.capabilities & lanes.keys():
            lanes[f"@{agent.name}"] = agent.name
    if not lanes:
        raise AgentError(_nothing(registry, orphans))
    return Offer(lanes, tuple(orphans))


def _nothing(registry: Registry, orphans: list[str]) -> str:
    if not len(registry):
        return "no agent is imported; name your module: taskengine worker --import my_agents, or celery … -I my_agents"
    known = ", ".join(sorted(registry.capabilities()))
    return f"no imported agent offers {', '.join(orphans)} (offered: {known}); correct the queues or import the agent"
