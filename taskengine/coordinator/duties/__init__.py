"""What the leader does again and again: one verb a file, each with its interval and its weakness.

A duty's ``run_once`` does a bounded piece and says when it wants its next turn. None knows of another; every
one may run at any time, twice, or be finished by the next leader.
"""

from __future__ import annotations

from taskengine.coordinator.duties.aging import Aging
from taskengine.coordinator.duties.batches import Batches
from taskengine.coordinator.duties.commits import Commits
from taskengine.coordinator.duties.deadlines import Deadlines
from taskengine.coordinator.duties.decisions import Decisions
from taskengine.coordinator.duties.grant import Grant
from taskengine.coordinator.duties.hosts import Hosts
from taskengine.coordinator.duties.prune import Prune
from taskengine.coordinator.duties.releases import Releases
from taskengine.coordinator.duties.remote import Remote
from taskengine.coordinator.duties.rescue import Rescue
from taskengine.coordinator.duties.timers import Timers
from taskengine.coordinator.duties.unpark import Unpark
from taskengine.coordinator.duties.withdraw import Withdraw

__all__ = [
    "Aging",
    "Batches",
    "Commits",
    "Deadlines",
    "Decisions",
    "Grant",
    "Hosts",
    "Prune",
    "Releases",
    "Remote",
    "Rescue",
    "Timers",
    "Unpark",
    "Withdraw",
]
