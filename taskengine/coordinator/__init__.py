"""The room that thinks: it leads by a lease, looks at what the scripts left behind, and decides.

Workers keep themselves busy without it: reports pull, release and grant. What is left here needs a view that
no report has: a failed dependency, a lapsed lease, a due timer, a submitter that died after its commit. Every
one of these is a *duty*, one file each in ``duties/``; a hint in a stream says when one is worth running
early, its interval is the promise that it runs at all.

A coordinator can die at any instruction, and any number may be started. Nothing is kept in memory that the
next leader could not read from Redis, no duty spans two scripts that must both happen, and every script it
calls checks its term. Rejected: a thread per duty (renewing the term would then prove nothing about the
duties), and acting on keyspace events (they are lost on a reconnect).
"""

from taskengine.coordinator.hooked import HookedStore
from taskengine.coordinator.loop import Coordinator
from taskengine.coordinator.serve import new_id, serve

__all__ = ["Coordinator", "HookedStore", "new_id", "serve"]
