"""What an agent's run came to: data, not exceptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Usage:
    """What one execution used, as the runner measured it and the agent counted it."""

    cpu_percent: float | None = None
    memory_mb: float | None = None
    wall_seconds: float | None = None
    custom: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one run of an agent."""

    kind: Literal["completed", "failed", "cancelled"]
    #: The JSON object that dependents see; None unless completed.
    output: dict[str, JsonValue] | None = None
    error: str | None = None
    #: auth, billing, invalid_request, invalid_output, refusal, limit, timeout, crash, remote_failed, network.
    error_kind: str | None = None
    #: Class names of the raised error, most special first; matched against ``non_retryable_errors``.
    error_classes: tuple[str, ...] = ()
    retryable: bool = True
    usage: Usage = field(default_factory=Usage)
