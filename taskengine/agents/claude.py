"""What the config of an agent of the type ``claude`` holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from taskengine.agents.config import AgentConfig

_Count = Annotated[int, Field(ge=1, le=10**9)]


class ClaudeConfig(AgentConfig):
    """The words of ``config={…}``. The service's address is the worker's (``ANTHROPIC_BASE_URL``): who may write a
    record must not be able to send its key elsewhere.
    """

    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    #: Of one answer.
    max_tokens: _Count = 8192
    system: Annotated[str, StringConstraints(max_length=100_000)] | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    #: As the service takes it, such as ``{"type": "enabled", "budget_tokens": 4096}``.
    thinking: dict[str, JsonValue] | None = None
    stop_sequences: tuple[str, ...] = ()
    #: Functions of the user's own, by name or as ``module:function``.
    tools: tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...] = Field((), max_length=100)
    #: Whether it may ask a person, which pauses the task.
    may_ask: bool = False
    #: JSON Schema of the answer, unless the task has one.
    output_schema: dict[str, JsonValue] | None = None
    #: Requests of one task, over all its attempts.
    max_turns: Annotated[int, Field(ge=1, le=1000)] = 20
    #: Tokens of one task of all kinds together, over all its attempts.
    max_total_tokens: _Count = 500_000
    #: Seconds that a stream may go without an event. The service's pings are none: they come also when it is stuck.
    stall_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
