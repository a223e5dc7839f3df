"""What a server that runs and answers at once can tell, for help that must not wait: completion, lint.

Nothing is started, no wrong setting is an error here, and half a second is the longest that anybody waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from taskengine import embedded
from taskengine.cli import reach
from taskengine.errors import TaskEngineError
from taskengine.settings import current
from taskengine.store import nodes
from taskengine.store.connect import connect_once
from taskengine.store.sync import SyncStore

T = TypeVar("T")
_SECONDS = 0.5


def ask(question: Callable[[SyncStore], T]) -> T | None:
    """Return the answer to *question*; None when no server is near."""
    try:
        settings = current()
        if settings.url is not None or reach.chosen() is not None:
            return None  # what is near is not what a command would ask
        url = settings.redis_url
        if url is None:
            found = embedded.status(settings)
            if found.state != "running" or found.url is None:
                return None
            url = found.url
        unverified = settings.allow_unverified_tls
        store = SyncStore(url, settings, "", lambda: connect_once(url, _SECONDS, allow_unverified_tls=unverified))
    except TaskEngineError:
        return None
    try:
        return question(store)
    except TaskEngineError:
        return None
    finally:
        store.close()


def offered_queues() -> frozenset[str] | None:
    """Return the queues that live workers serve; None when no server is near."""
    fleet = ask(lambda store: store.run(nodes.fleet()))
    return None if fleet is None else frozenset(queue for node in fleet.nodes if node.alive for queue in node.queues)
