"""Trips that outlast an outage: a result is not thrown away because the server restarts before its deadline."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from taskengine.errors import StoreFullError, StoreUnavailableError
from taskengine.store.call import Call
from taskengine.store.sync import SyncStore

T = TypeVar("T")
logger = logging.getLogger(__name__)

FIRST_WAIT = 0.05
LONGEST_WAIT = 1.0


def retry_call(store: SyncStore, call: Call[T], *, seconds: float | None = None) -> T:
    """Return the answer of *call*, repeated while the server is away; for at most *seconds* when given."""
    return retry_outage(lambda: store.run(call), call.name, seconds=seconds)


def retry_outage(ask: Callable[[], T], name: str, *, seconds: float | None = None) -> T:
    """Return the answer of *ask*, which is safe to repeat, as :func:`retry_call`; for operations of several trips."""
    wait = FIRST_WAIT
    give_up = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (StoreUnavailableError, StoreFullError) as exc:
            if give_up is not None and time.monotonic() > give_up:
                raise
            if wait == FIRST_WAIT:
                logger.warning("waiting %s: %s", name, exc)
        threading.Event().wait(wait)
        wait = min(LONGEST_WAIT, wait * 2)
