"""From a URL to a running coordinator: what the command line and a test's process share."""

from __future__ import annotations

import os
import socket
from threading import Event
from uuid import uuid4

from taskengine.coordinator.loop import Coordinator
from taskengine.settings import Settings
from taskengine.store.sync import SyncStore


def new_id() -> str:
    """Return a name for one coordinator process that nobody else has: host, pid and some chance."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"


def serve(settings: Settings, url: str, envelope: str, stop: Event) -> None:
    """Coordinate the server at *url* until *stop* is set.

    Raises StoreUnavailableError when the server does not answer at the start, UnsupportedServerError when it
    would lose the truth, SchemaMismatchError when another version's data is there; later outages are waited out.
    """
    store = SyncStore(url, settings, envelope)
    try:
        store.check()
        Coordinator(store, settings, new_id()).run(stop)
    finally:
        store.close()
