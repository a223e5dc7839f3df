"""What limits say: how much of each is used, and what keeps an agent from starting more."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from taskengine.models.agent import Limit
from taskengine.models.base import InputModel, Moment

#: What has no room: a bound, or all of the limit because a provider said *later*, or because a breaker is open.
Bound = Literal["in_flight", "requests", "input_tokens", "output_tokens", "tokens_per_day", "paused", "breaker"]


class Closed(InputModel):
    """A limit that lets nothing start."""

    model_config = ConfigDict(frozen=True)

    #: Its name; ``agent:NAME`` is what an agent has for itself.
    limit: str
    bound: Bound
    #: When that changes by itself; None: when something ends.
    until: Moment | None = None
    #: What a provider said, or what opened the breaker: ``KIND on WORKER: error``; else ''.
    why: str = ""


class LimitInfo(InputModel):
    """A limit as of one moment."""

    model_config = ConfigDict(frozen=True)

    limit: Limit
    #: Executions that count against it.
    in_flight: int
    #: Agents that share it.
    agents: int
    #: Used by what ended today, in UTC.
    tokens_today: int
    #: Why nothing more starts; None while it has room.
    closed: Closed | None = None
    #: The same in one sentence, '' while it has room.
    reason: str = ""
