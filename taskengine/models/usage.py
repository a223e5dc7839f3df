"""What agents used of services, as a row of a table."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict


class AgentUsage(BaseModel):
    """Requests and tokens together of one agent, one model or one day."""

    model_config = ConfigDict(frozen=True)

    #: Which of the three it is of; the others are None.
    agent: str | None = None
    model: str | None = None
    #: In UTC.
    day: date | None = None
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    #: Of all kinds.
    tokens: int = 0
