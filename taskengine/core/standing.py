"""What an agent is doing, from what is stored of it, its workers and its pauses.

Nobody stores a status: it would be wrong whenever a worker dies. The first that holds, of

=========  ============================================================
OFFLINE    no living worker serves it: at most a lease after the last one died
DRAINING   somebody drains it; what runs goes on
PAUSED     its name, or everything, is paused; its breaker is open, its provider said *later*, or a day is used up
BUSY       its limits let nothing more start at this moment, or none of its workers has a free slot
ONLINE     otherwise
=========  ============================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from taskengine.core import remedy
from taskengine.core.limits import why_closed
from taskengine.models.agent import AgentInfo, AgentRecord
from taskengine.models.enums import AgentStatus
from taskengine.models.limit import Closed
from taskengine.models.pause import Pause

#: Bounds that do not change with the next execution that ends, or within seconds.
_LASTING = frozenset({"breaker", "paused", "tokens_per_day"})


@dataclass(frozen=True, slots=True)
class Serving:
    """A living worker node that serves an agent."""

    node: str
    slots: int
    #: Slots that hold an execution, of whichever agent.
    held: int
    #: Why it drains, or ''.
    draining: str = ""
    #: Revision of the agent's record that it runs with; None: it does not say.
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an agent at one moment."""

    record: AgentRecord
    serving: Sequence[Serving] = ()
    pause: Pause | None = None
    draining_since: datetime | None = None
    #: Executions of it that run.
    running: int = 0
    #: What its limits say when they let nothing of it start.
    closed: Closed | None = None
    #: When its last worker was alive; None: no worker ever was, or one is.
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Standing:
    status: AgentStatus
    reason: str
    since: datetime | None = None
    until: datetime | None = None


def standing(facts: Facts) -> AgentInfo:
    """Return what an agent is doing, why, since when and until when."""
    found = _offline(facts) or _draining(facts) or _paused(facts) or _busy(facts) or _online(facts)
    return AgentInfo(
        record=facts.record, status=found.status, reason=found.reason, since=found.since, until=found.until,
        pause=facts.pause, workers=tuple(each.node for each in facts.serving), slots=_slots(facts),
        running=facts.running, outdated=tuple(each.node for each in facts.serving if _is_outdated(each, facts)),
        seen_at=None if facts.serving else facts.seen_at,
    )  # fmt: skip


def _is_outdated(each: Serving, facts: Facts) -> bool:
    return each.revision is not None and 0 < each.revision < facts.record.revision


def _offline(facts: Facts) -> _Standing | None:
    if facts.serving:
        return None
    also = [
        *([f"somebody drains it ({facts.record.draining})"] if facts.record.draining else []),
        *([f"paused: {facts.pause}"] if facts.pause else []),
    ]
    start = remedy.start_agent(facts.record.id, facts.record.executor)
    if facts.record.origin == "code":
        start = remedy.start_worker(f"@{facts.record.id}")
    more = f" ({'; '.join(also)})" if also else ""
    return _Standing(AgentStatus.OFFLINE, f"no living worker serves it{more}; {start}", facts.seen_at)


def _draining(facts: Facts) -> _Standing | None:
    if not facts.record.draining:
        return None
    left = f"{facts.running} of its executions still run" if facts.running else "nothing of it runs"
    reason = f"drained by {facts.record.draining}; {left}"
    return _Standing(AgentStatus.DRAINING, reason, facts.draining_since)


def _paused(facts: Facts) -> _Standing | None:
    if facts.pause is None:
        return _closed(facts, AgentStatus.PAUSED) if facts.closed and facts.closed.bound in _LASTING else None
    return _Standing(AgentStatus.PAUSED, f"paused: {facts.pause}", facts.pause.since, facts.pause.until)


def _closed(facts: Facts, status: AgentStatus) -> _Standing:
    assert facts.closed is not None
    return _Standing(status, why_closed(facts.closed, facts.record.secret), until=facts.closed.until)


def _busy(facts: Facts) -> _Standing | None:
    most, free = facts.record.max_concurrency, _free(facts)
    if most is not None and facts.running >= most:
        return _Standing(AgentStatus.BUSY, f"{facts.running} of its executions run, and no more than {most} may")
    if facts.closed:
        return _closed(facts, AgentStatus.BUSY)
    if free:
        return None
    going = [each for each in facts.serving if each.draining]
    if len(going) == len(facts.serving):
        return _Standing(AgentStatus.BUSY, f"its workers take nothing new: {going[0].draining}")
    return _Standing(AgentStatus.BUSY, f"all {_slots(facts)} slots of its workers are taken")


def _online(facts: Facts) -> _Standing:
    workers = f"{len(facts.serving)} worker" + ("s" if len(facts.serving) > 1 else "")
    return _Standing(AgentStatus.ONLINE, f"{_free(facts)} of {_slots(facts)} slots are free on {workers}")


def _slots(facts: Facts) -> int:
    return sum(each.slots for each in facts.serving)


def _free(facts: Facts) -> int:
    return sum(max(0, each.slots - each.held) for each in facts.serving if not each.draining)
