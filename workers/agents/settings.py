"""The settings of the worker that an agent type runs in: what it may do on this machine is its worker's decision."""

from __future__ import annotations

from taskengine.settings import Settings
from workers.process import current


def worker_settings() -> Settings:
    """Return those of this process's worker; outside of one, the environment's."""
    return current.node.settings if current.node is not None else Settings()
