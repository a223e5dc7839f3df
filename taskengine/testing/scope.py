"""Agents that a test declares in its own body live as long as its engines.

The registry belongs to the process. An agent at the top of a module is there as long as its module; one that is
declared inside a function would stay for all later tests, and forbid them its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from taskengine.agent import REGISTRY, Agent


@dataclass(slots=True)
class _Open:
    """Engines of this process that are open, and the agents from before the first of them."""

    engines: int = 0
    before: tuple[Agent, ...] = field(default=())


_open = _Open()


def opened() -> None:
    """Note that an engine was opened."""
    if _open.engines == 0:
        _open.before = tuple(REGISTRY)
    _open.engines += 1


def closed() -> None:
    """Note that one was closed; with the last one go the agents of functions that came since the first."""
    _open.engines -= 1
    if _open.engines == 0:
        REGISTRY.keep(agent for agent in REGISTRY if agent in _open.before or not agent.is_local)
