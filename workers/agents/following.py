"""A worker follows the records of its agents: each beat's answer counts their changes, and what moved is read.

What an agent can do, and whether it takes work, changes while the worker runs: it offers and consumes accordingly from
its next beat on. Its type, function, secret and config are read when a worker starts; where they changed, the log says
that it is to be started again.
"""

from __future__ import annotations

import logging

from taskengine.agent import Agent
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models.agent import AgentRecord
from taskengine.store import agents
from taskengine.store.agents import Reading
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore
from workers.agents.serving import ServedAgents
from workers.host import Host
from workers.queues import Served

logger = logging.getLogger(__name__)
#: Characters of a description that a function's docstring gives.
_LONGEST = 200


class Following:
    """Keeps what a worker offers to what its agents' records say; in the heartbeat's thread alone."""

    def __init__(self, served: ServedAgents, queues: Served, host: Host, store: SyncStore) -> None:
        self._served = served
        self._queues = queues
        self._host = host
        self._store = store
        #: Number of changes that it knows; below all at first.
        self._revision = -1
        self._declared = False
        #: Agent -> revision of which the log said that it takes a new start.
        self._said: dict[str, int] = {}
        self._to_consume: set[str] = set()
        self._to_cancel: set[str] = set()

    def follow(self, revision: int) -> None:
        """Read what changed if *revision*, the number of a beat's answer, says that something did; StoreError when the
        server does not answer, and the next beat tries again.
        """
        if revision != self._revision:
            reading = self._store.run(agents.read_all(followed(self._served, self._store)))
            reading.refuse_unreadable(self._served.names)
            self._declare(reading)
            self._take({name: stored.record for name, stored in reading.agents.items()})
            self._revision = reading.revision
        if (self._to_consume or self._to_cancel) and self._host.consume(self._to_consume, self._to_cancel):
            self._to_consume, self._to_cancel = set(), set()

    def _declare(self, reading: Reading) -> None:
        """Make the functions of this worker known by name; what somebody registered stays as it is."""
        for agent in self._served.functions:
            stored = reading.agents.get(agent.name)
            if stored is None or (stored.record.origin == "code" and not self._declared):
                self._make_known(agent, stored)
        self._declared = True

    def _make_known(self, agent: Agent, stored: agents.StoredAgent | None) -> None:
        try:
            record = _record(agent, stored)
        except InvalidInputError as exc:  # such as more capabilities than a record may have; it works all the same
            logger.warning("agent %s cannot be made known by name: %s", agent.name, exc)
            return
        if self._store.run(agents.register(record, stored.record.revision if stored else 0)).word == "full":
            logger.warning("agent %s is not made known by name: there are %d already", agent.name, agents.MOST_AGENTS)

    def _take(self, records: dict[str, AgentRecord]) -> None:
        before, offered = self._served.could, self._served.consumes
        self._served.follow(records)
        self._say_what_is_read_once(records)
        could = self._served.could
        if could == before:
            return
        wanted = self._served.consumes
        try:
            self._queues.could(could)
        except AgentError as exc:
            logger.error("%s", exc)
            return
        self._to_consume = (self._to_consume | (wanted - offered)) - (offered - wanted)
        self._to_cancel = (self._to_cancel | (before.keys() - could.keys())) - wanted
        shown = ", ".join(
            f"{one.name} ({', '.join(sorted(one.capabilities)) or 'what is pinned to it'})" for one in self._served.able
        )
        logger.warning("the records of this worker's agents changed; now work: %s", shown or "none")
        if both := self._served.overlapping():
            first, second, capability = both
            said = "agents %s and %s can both do %s: here only the first does it"
            logger.error(said, first.name, second.name, capability)

    def _say_what_is_read_once(self, records: dict[str, AgentRecord]) -> None:
        """Say once of each change that it takes a new start."""
        outdated = self._served.outdated()
        for name, changed in outdated.items():
            if self._said.get(name) != records[name].revision:
                self._said[name] = records[name].revision
                logger.warning(
                    "the record of agent %s has another %s since revision %d: start this worker again to use it",
                    name, " and ".join(changed), records[name].revision,
                )  # fmt: skip


def followed(served: ServedAgents, store: SyncStore) -> list[str]:
    """Return the names of the agents whose records concern a worker: its own, and all where some of its own yield."""
    others = store.run(agents.names(Keys(store.settings.namespace))) if served.yields else []
    return list(dict.fromkeys([*served.names, *others]))


def _record(agent: Agent, stored: agents.StoredAgent | None) -> AgentRecord:
    lines = (getattr(agent.function, "__doc__", None) or "").strip().splitlines()
    said = {"capabilities": agent.capabilities, "description": lines[0].strip()[:_LONGEST] if lines else ""}
    if stored is not None:
        return stored.record.model_copy(update=said)
    return AgentRecord(id=agent.name, type="function", origin="code", **said)
