"""Which agents a worker serves, and what each of them can do by its record.

A worker that was told names (``--agent``, TASKENGINE_AGENT) serves these and no other; its imports are where their
functions come from. Without names it serves every function that it imports, as declared, or as their records say where
somebody registered them.

For each capability a worker asks one agent. Of two functions that it happens to import the first does it, and a warning
names both. Two agents that it was told by name are refused: nobody would ever see what the second one does not do.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from itertools import combinations

from taskengine.agent import Agent, Registry
from taskengine.core import remedy
from taskengine.errors import AgentError
from taskengine.models.agent import AgentRecord
from taskengine.settings import Settings
from taskengine.store.agents import Reading
from workers.agents.load import load, remote_of, with_secrets
from workers.agents.remote_run import RemoteRun
from workers.agents.running import SlotRun
from workers.agents.secrets import AgentSecrets
from workers.queues import Offer, everything, offer

logger = logging.getLogger(__name__)


#: What a worker reads once, when it starts.
_READ_ONCE = ("type", "executor", "secret", "config")


def read_once_of(old: AgentRecord, new: AgentRecord) -> list[str]:
    """Return what differs between two records of what a worker reads once."""
    return [field for field in _READ_ONCE if getattr(old, field) != getattr(new, field)]


class ServedAgents:
    """The agents of one worker."""

    def __init__(self, all_of_them: Registry, asked: Iterable[str] | None, settings: Settings) -> None:
        #: By name, as they are run; the same as long as the worker lives.
        self.registry = all_of_them
        #: Capabilities that the worker was told to work for; None: all.
        self._asked = None if asked is None else tuple(asked)
        #: Those that yield and that the worker was told to work for: what is pinned to them stays theirs.
        self._yielding = frozenset(
            each.name for each in all_of_them if each.yields and not each.capabilities.isdisjoint(self._asked or ())
        )
        self._settings = settings
        self._records: Mapping[str, AgentRecord] = {}
        #: What agents can do that somebody registered and that are none of these: the built-in ones leave it to them.
        self._taken: frozenset[str] = frozenset()
        #: Of each the latest record whose type, function, secret and config are those that it runs with.
        self._runs_with: dict[str, AgentRecord] = {}
        #: Those that take work now, with what they can do.
        self.able = all_of_them

    @property
    def names(self) -> list[str]:
        """Whose records it follows."""
        return [agent.name for agent in self.registry]

    @property
    def revisions(self) -> dict[str, int]:
        """Agent -> revision of the latest record that it runs with; 0: none. A lower one than the record's own asks for
        a new start.
        """
        return {name: self._runs_with[name].revision if name in self._runs_with else 0 for name in self.names}

    @property
    def drain_seconds(self) -> float:
        """Seconds that what runs may take once the worker is told to go, the longest of its agents'; 0: no end."""
        own = self._settings.drain_seconds
        asked = [record.drain_seconds for record in self._records.values()]
        each = [own if seconds is None else seconds for seconds in asked] or [own]
        return 0.0 if 0 in each else max(each)

    @property
    def functions(self) -> list[Agent]:
        """Those whose function this worker imported."""
        return [agent for agent in self.registry if not isinstance(agent.function, SlotRun | RemoteRun)]

    @property
    def remotes(self) -> dict[str, RemoteRun]:
        """Name -> what asks its service, of those whose work goes on without a slot."""
        return {agent.name: agent.remote for agent in self.registry if agent.remote is not None}

    @property
    def yields(self) -> bool:
        """Whether agents that it does not serve concern it."""
        return any(agent.yields for agent in self.registry)

    def outdated(self) -> dict[str, list[str]]:
        """Agent -> what of its record this worker would have to start again for."""
        return {
            name: changed
            for name, record in self._records.items()
            if (changed := read_once_of(self._runs_with[name], record))
        }

    def follow(self, records: Mapping[str, AgentRecord]) -> None:
        """Let each do what its record says, and those that yield what nobody else is there for."""
        own = set(self.names)
        others = [one for name, one in records.items() if name not in own and one.origin == "api"]
        self._records = {name: record for name, record in records.items() if name in own}
        for name, record in self._records.items():
            if not read_once_of(self._runs_with.setdefault(name, record), record):
                self._runs_with[name] = record
        self._taken = frozenset[str]().union(*(one.capabilities for one in others))
        told = [one for agent in self.registry if (one := as_told(agent, records.get(agent.name))) is not None]
        taken = self._taken.union(*(agent.capabilities for agent in told if not agent.yields))
        self.able = Registry()
        for agent in told:
            self.able.add(replace(agent, capabilities=agent.capabilities - taken) if agent.yields else agent)

    @property
    def could(self) -> dict[str, str]:
        """Queue -> agent of all that they could do now."""
        return everything(self.able) if len(self.able) else {}

    @property
    def offered(self) -> Offer:
        """What the worker is to consume; nothing while all of its agents drain. AgentError when nobody ever could."""
        if not len(self.able) and len(self.registry):
            return Offer({}, ())
        return offer(self.able, self._asked, self._yielding)

    @property
    def consumes(self) -> frozenset[str]:
        """Queues to consume as its records are now; none where no agent does any more what the worker was told."""
        try:
            return frozenset(self.offered.queues)
        except AgentError:
            return frozenset()

    def overlapping(self) -> tuple[Agent, Agent, str] | None:
        """Return the first two that take work and can do the same, and what; None when there are none."""
        for one, other in combinations(self.able, 2):
            if both := one.capabilities & other.capabilities:
                return one, other, min(both)
        return None

    def close(self, seconds: float) -> None:
        """Close what their types opened in this process."""
        for agent in self.registry:
            if isinstance(agent.function, SlotRun):
                agent.function.close(seconds)
            if agent.remote is not None:
                agent.remote.close(seconds)


def serve(
    declared: Registry, reading: Reading | None, settings: Settings, *,
    named: Iterable[str], asked: Iterable[str] | None, imports: Container[str], forks: bool, known: Iterable[str] = (),
) -> ServedAgents:  # fmt: skip
    """Return the agents that a worker serves; AgentError, one sentence, when it cannot serve one of them.

    *reading*: what is stored of *named*, or of the functions; None when the server did not answer. *asked*:
    capabilities that the worker was told. *known*: names of agents that are registered, for the error.
    """
    records = {name: stored.record for name, stored in reading.agents.items()} if reading else {}
    found = Registry()
    names = list(named)
    for name in names:
        found.add(_named(name, records.get(name), declared, settings, imports, forks=forks, known=known))
    for agent in () if names else declared:
        found.add(_imported(agent, records.get(agent.name), settings, forks=forks))
    served = ServedAgents(found, asked, settings)
    served.follow(records)
    _refuse_overlap(served, named=bool(names))
    return served


def _imported(agent: Agent, record: AgentRecord | None, settings: Settings, *, forks: bool) -> Agent:
    """Return a function with what its record, if somebody registered it, lets it know and begin."""
    if record is None or record.origin == "code":
        return agent
    secrets = AgentSecrets.of(record, settings)
    return with_secrets(agent, secrets, None if forks else remote_of(record, secrets))


def _named(
    name: str, record: AgentRecord | None, declared: Registry, settings: Settings, imports: Container[str], *,
    forks: bool, known: Iterable[str],
) -> Agent:  # fmt: skip
    if record is not None and record.origin == "api":
        return load(record, declared, imports, settings, forks=forks)
    agent = declared.get(name)
    if agent is None:
        others = ", ".join(list(known)[:20]) or "none"
        raise AgentError(
            f"no agent {name!r} is registered (registered are {others}), and no imported module declares it; register "
            f"it: taskengine agents register {name} TYPE CAPABILITY"
        )
    return agent


def _refuse_overlap(served: ServedAgents, *, named: bool) -> None:
    both = served.overlapping()
    if both is None:
        return
    first, second, capability = both
    if named:
        start = remedy.start_agent(second.name).removeprefix("start one: ")
        raise AgentError(
            f"agents {first.name!r} and {second.name!r} can both do {capability!r}, and a worker asks one agent for "
            f"each capability; start a second worker: {start}"
        )
    logger.warning(
        "agents %s and %s can both do %s: here %s does it, which was imported first; tasks that name %s reach it",
        first.name, second.name, capability, first.name, second.name,
    )  # fmt: skip


def as_told(agent: Agent, record: AgentRecord | None) -> Agent | None:
    """Return the agent with what its record says that it can do; None while it takes nothing."""
    if record is None:
        return None if isinstance(agent.function, SlotRun) else agent
    if record.draining is not None:
        return None
    # Who registered it by its name wants it to do that.
    return replace(agent, capabilities=record.capabilities, yields=False) if record.origin == "api" else agent
