"""Which queues a node consumes: those named with ``-Q`` for which it has an agent, or all that its agents offer.

What it offers is what it consumes, at each beat: ``celery control cancel_consumer`` and ``add_consumer`` change both.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from taskengine.agent import Registry
from taskengine.errors import AgentError

_CHANGES, _SIZE = struct.Struct("=Q"), struct.Struct("=I")
_HEAD = _CHANGES.size + _SIZE.size
#: Bytes of the page, of which the system gives only those that are written.
_LEAST_PAGE = 256 * 1024


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
    """Which of its queues a node serves now: all at first. Made before the fork, so that its children know it, too.

    What it could serve changes with the records of its agents, so the text itself lies in memory that children share:
    a number that counts changes, odd while one is being written, then the text's length and the text.
    """

    def __init__(self, agents: Mapping[str, str]) -> None:
        self._agents = dict(agents)
        self._consumed: Container[str] = self._agents
        text = self._words()
        self._page = mmap.mmap(-1, max(_LEAST_PAGE, 4 * len(text)))
        self._changes, self._known, self._text = 0, -1, ""
        #: Of that text.
        self._agent_of: dict[str, str] = {}
        self._write(text)

    def could(self, agents: Mapping[str, str]) -> None:
        """Serve these queues from now on, those of them that are consumed; AgentError when they are too many."""
        size = len(_text(agents).encode())
        if size > len(self._page) - _HEAD:
            raise AgentError(f"the queues of this worker's agents take {size} bytes; start it again to serve them")
        self._agents = dict(agents)
        self._write(self._words())

    def consume(self, queues: Container[str]) -> None:
        """Serve those of the queues that are among *queues*."""
        self._consumed = queues
        self._write(self._words())

    @property
    def text(self) -> str:
        """As scripts read it: ``queue=agent`` words."""
        if _CHANGES.unpack_from(self._page)[0] != self._known:
            self._read()
        return self._text

    @property
    def agents(self) -> Mapping[str, str]:
        """Queue -> agent of what it could serve; in the parent alone."""
        return self._agents

    def agent_of(self, queue: str) -> str | None:
        """Return the agent that runs what comes from *queue*; None where it serves that no more."""
        if _CHANGES.unpack_from(self._page)[0] != self._known:
            self._read()
        return self._agent_of.get(queue)

    def _read(self) -> None:
        while (changes := _CHANGES.unpack_from(self._page)[0]) != self._known:
            (size,) = _SIZE.unpack_from(self._page, _CHANGES.size)
            found = self._page[_HEAD : _HEAD + size]
            if changes % 2 == 0 and _CHANGES.unpack_from(self._page)[0] == changes:
                self._text, self._known = found.decode(), changes
                self._agent_of = dict(word.split("=", 1) for word in self._text.split())

    def _words(self) -> str:
        return _text({queue: agent for queue, agent in self._agents.items() if queue in self._consumed})

    def _write(self, text: str) -> None:
        """In the parent alone."""
        raw = text.encode()
        if self._known >= 0 and text == self.text:
            return
        self._changes += 2
        _CHANGES.pack_into(self._page, 0, self._changes - 1)
        _SIZE.pack_into(self._page, _CHANGES.size, len(raw))
        self._page[_HEAD : _HEAD + len(raw)] = raw
        _CHANGES.pack_into(self._page, 0, self._changes)


def _text(agents: Mapping[str, str]) -> str:
    return " ".join(f"{queue}={agent}" for queue, agent in agents.items())


def everything(registry: Registry) -> dict[str, str]:
    """Queue -> agent of all that the agents of this process could serve."""
    could = {queue: agent.name for queue in registry.capabilities() if (agent := registry.offering(queue))}
    return could | {f"@{agent.name}": agent.name for agent in registry}


def offer(registry: Registry, wanted: Iterable[str] | None, taken: Container[str] = ()) -> Offer:
    """Return what this process offers of the queues *wanted* (None: everything); AgentError when that is nothing.

    *taken*: agents of which what is pinned to them is wanted, too, whatever else they can do now.
    """
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
        # A built-in one that another took the place of still does what is pinned to it.
        if agent.capabilities & queues.keys() or agent.name in taken or (wanted is None and agent.yields):
            queues[f"@{agent.name}"] = agent.name
    if not queues:
        raise AgentError(_nothing(registry, orphans))
    return Offer(queues, tuple(orphans))


def _nothing(registry: Registry, orphans: list[str]) -> str:
    if not len(registry):
        return "no agent is imported; name your module: taskengine worker --import my_agents, or celery … -I my_agents"
    known = ", ".join(sorted(registry.capabilities()))
    return f"no imported agent offers {', '.join(orphans)} (offered: {known}); correct the queues or import the agent"
