"""What a type's ``config`` may hold: one model a type, which knows each key, its bounds and its default.

A client checks a record with it before it is stored, and a worker when it starts; so its module imports nothing that
the type itself needs. A third party names it by an entry point of the group ``taskengine.agent_configs``, called as its
type is, beside the type's own in ``taskengine.agents``.
"""

from __future__ import annotations

from pydantic import ConfigDict

from taskengine.models.base import InputModel


class AgentConfig(InputModel):
    """What the config of every type may hold; a type's own inherits from it."""

    model_config = ConfigDict(frozen=True)

    #: Whether it takes nothing for a while after five failures in a row; None: all types but ``function`` do.
    breaker: bool | None = None


class FunctionConfig(AgentConfig):
    """Of the type ``function``: its code says everything."""
