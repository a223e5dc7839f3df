"""The entry on the worker side: ``celery -A workers worker -Q code_analysis -I my_agents``.

One Celery task, :mod:`workers.slot`, takes work from Redis until nothing is ready; a heartbeat thread in the parent
process keeps what the slots hold alive and ends what must end. Celery wakes slots and runs code; it never decides.

``app`` is made when it is first asked for: its configuration finds (or starts) the server, and who only wants to run
agents in its own process (:mod:`taskengine.testing`) needs none.
"""

from importlib import import_module
from typing import Any

__all__ = ["app", "celery"]


def __getattr__(name: str) -> Any:
    # Two names for one: once a module of this package was imported, ``workers.app`` is the submodule, and what Celery
    # asks for next is ``celery``.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = import_module("workers.app").app
    return found
