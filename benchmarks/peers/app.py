"""Bare Celery: Redis as broker and result backend, its defaults otherwise.

``BENCHMARK_PEER_URL`` names the database. Workers: ``celery -A benchmarks.peers.app worker -c 2 [-E]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import redis
from celery import Celery

from taskengine.settings import environment
from taskengine.store.address import client_url, read


def make(url: str) -> Celery:
    """The app on one database."""
    app = Celery("peer", broker=url, backend=url, set_as_current=False)
    app.conf.broker_connection_retry_on_startup = True

    @lru_cache(maxsize=1)
    def client() -> redis.Redis:
        return redis.Redis.from_url(client_url(read(url, allow_unverified_tls=True)))

    @app.task(name="count", ignore_result=True, shared=False)
    def count(run: str, total: int) -> None:
        """Count, and tell the waiting client at *total*: without results there is no other way."""
        if client().incr(f"bench:{run}") == total:
            client().lpush(f"bench:{run}:done", 1)

    @app.task(name="step", shared=False)
    def step() -> None:
        """One task of a chain or of a chord's header; canvas needs its result."""

    @app.task(name="gather", shared=False)
    def gather(results: Sequence[None]) -> int:
        """A chord's body."""
        return len(results)

    return app


app = make(environment().get("BENCHMARK_PEER_URL", "redis://localhost:6379/15"))
