"""Which of Celery's pools run agents, and what to say of the others.

gevent and eventlet are refused. Measured: under gevent a worker said it was ready and ran 0 of 400 tasks, its heartbeat
held up for 61 s; under eventlet healthy executions ended as LOST. Both make one thread of all: a heartbeat beside
agents that compute is what leases rest on. What they are for, many agents that wait, threads and coroutines do.
"""

from __future__ import annotations

#: Agents in child processes, in threads, or one at a time in the worker itself.
POOLS = ("prefork", "threads", "solo")


def refusal(pool: str) -> str:
    """One sentence about a *pool* that is none of :data:`POOLS`, by Celery's name for it."""
    return (
        f"the pool {pool!r} cannot keep the leases of its tasks; use --pool threads for agents that mostly wait, "
        "or coroutine agents ('async def'), of which a prefork or threads worker runs one in each slot"
    )
