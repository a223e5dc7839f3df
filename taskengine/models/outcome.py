"""What an agent's run came to: data, not exceptions.

Agents make these too, so a wrong one is refused where it is made: in the agent, with its line in the traceback.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from pydantic import JsonValue

from taskengine.errors import InvalidInputError

Kind = Literal["completed", "failed", "cancelled"]
_KINDS = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one execution used, as the runner measured it and the agent counted it."""

    cpu_percent: float | None = None
    memory_mb: float | None = None
    wall_seconds: float | None = None
    custom: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.custom, dict) or not all(map(_counts, self.custom.items())):
            raise InvalidInputError(
                f"Usage.custom is {self.custom!r:.80}; use a dict of finite numbers by name", field="custom"
            )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one run of an agent."""

    kind: Kind
    #: The JSON object that dependents see; None unless completed.
    output: dict[str, JsonValue] | None = None
    error: str | None = None
    #: auth, billing, invalid_request, invalid_output, refusal, limit, timeout, crash, remote_failed, network.
    error_kind: str | None = None
    #: Class names of the raised error, most special first; matched against ``non_retryable_errors``.
    error_classes: tuple[str, ...] = ()
    retryable: bool = True
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise _wrong("kind", self.kind, f"use {', '.join(_KINDS)}")
        if not isinstance(self.output, dict | None):
            raise _wrong("output", self.output, 'use a dict, such as {"value": …}, or None')
        for name in ("error", "error_kind"):
            if not isinstance(getattr(self, name), str | None):
                raise _wrong(name, getattr(self, name), "use text or None")
        if not isinstance(self.error_classes, tuple):
            raise _wrong("error_classes", self.error_classes, "use a tuple of class names")
        if not isinstance(self.usage, Usage):
            raise _wrong("usage", self.usage, "use a Usage")


def _counts(entry: tuple[object, object]) -> bool:
    name, number = entry
    return isinstance(name, str) and isinstance(number, int | float) and math.isfinite(number)


def _wrong(name: str, value: object, instead: str) -> InvalidInputError:
    return InvalidInputError(f"Outcome.{name} is {value!r:.80}; {instead}", field=name)
