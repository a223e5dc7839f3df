"""What an agent's run came to: data, not exceptions.

Agents make these too, so a wrong one is refused where it is made: in the agent, with its line in the traceback.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Literal, Self, get_args

from pydantic import JsonValue

from taskengine.errors import InvalidInputError
from taskengine.models.question import Question
from taskengine.models.spent import Spent

Kind = Literal["completed", "failed", "cancelled", "not_now", "needs_input"]
_KINDS = get_args(Kind)
_SCOPES = (None, "agent", "credential")
#: Made once: every execution looks at them.
_OBJECT, _TEXT, _NUMBER = (dict, type(None)), (str, type(None)), (int, float)
#: Seconds that a *not now* may ask for at most.
LONGEST_DELAY = 86_400.0
_LARGEST = sys.float_info.max


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
    #: Where the error came from, as people read it; 16 KiB of it are kept. None when nothing was raised.
    traceback: str | None = None
    #: What was raised, for receivers of signals in the process that ran it; it is not stored.
    exception: BaseException | None = field(default=None, repr=False, compare=False)
    retryable: bool = True
    usage: Usage = field(default_factory=Usage)
    #: Seconds until the next attempt of a ``not_now``, 0 to :data:`LONGEST_DELAY`.
    delay: float = 0.0
    #: Whom a ``not_now`` holds back: None for this task alone, ``agent`` for everything that the same agent would run,
    #: ``credential`` for all agents that share its limits.
    scope: Literal["agent", "credential"] | None = None
    #: What it used of each model.
    spent: tuple[Spent, ...] = ()
    #: What a ``needs_input`` asks.
    question: Question | None = None

    @classmethod
    def not_now(
        cls,
        delay: float,
        reason: str | None = None,
        *,
        scope: Literal["agent", "credential"] | None = None,
        usage: Usage | None = None,
    ) -> Self:
        """The task goes back for *delay* seconds: a rate limit, an overload, a ``Retry-After``.

        No retry is spent and no slot is held meanwhile. *reason* is one line for people. With *scope* ``agent`` the
        whole agent pauses so long, on every worker; with ``credential`` nothing starts that shares one of its limits,
        for as long and up to a fifth more.
        InvalidInputError unless *delay* is a number from 0 to 24 hours.
        """
        return cls("not_now", error=reason, error_kind="not_now", usage=usage or Usage(), delay=delay, scope=scope)

    def measured(self, usage: Usage) -> Self:
        """Note on this very outcome what its run used: for the runner, before anybody else has it. A copy of it would
        cost each task as much as all that is measured.
        """
        object.__setattr__(self, "usage", usage)
        return self

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise _wrong("kind", self.kind, f"use {', '.join(_KINDS)}")
        if not isinstance(self.output, _OBJECT):
            raise _wrong("output", self.output, 'use a dict, such as {"value": …}, or None')
        for name in ("error", "error_kind", "traceback"):
            if not isinstance(getattr(self, name), _TEXT):
                raise _wrong(name, getattr(self, name), "use text or None")
        if not isinstance(self.error_classes, tuple):
            raise _wrong("error_classes", self.error_classes, "use a tuple of class names")
        if not isinstance(self.usage, Usage):
            raise _wrong("usage", self.usage, "use a Usage")
        if self.scope not in _SCOPES:
            raise _wrong("scope", self.scope, "use None (this task), 'agent' (all that it would run) or 'credential'")
        if (self.question is not None) != (self.kind == "needs_input"):
            raise _wrong("question", self.question, "give one to needs_input, and to nothing else")
        if not _is_delay(self.delay):
            raise _wrong("delay", self.delay, f"use seconds from 0 to {LONGEST_DELAY:g} (24 hours)")


def _counts(entry: tuple[object, object]) -> bool:
    name, number = entry
    # A whole number may be larger than any float, and would be stored and never read.
    return isinstance(name, str) and isinstance(number, int | float) and -_LARGEST <= number <= _LARGEST


def _is_delay(value: object) -> bool:
    return isinstance(value, _NUMBER) and not isinstance(value, bool) and 0 <= value <= LONGEST_DELAY


def _wrong(name: str, value: object, instead: str) -> InvalidInputError:
    return InvalidInputError(f"Outcome.{name} is {value!r:.80}; {instead}", field=name)
