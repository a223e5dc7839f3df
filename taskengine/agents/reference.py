"""Where work went that outlives its worker: durable before anybody waits, so that a next attempt finds it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

#: Bytes of a reference as JSON: a conversation with a model travels in one.
LARGEST_REFERENCE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Reference:
    """What an attempt left for the next one: an *intent* is about to be posted, a *posted* one has an id."""

    #: The agent type that wrote it; another type takes it for nothing.
    type: str
    state: Literal["intent", "posted"]
    #: The provider's; '' while it is an intent.
    id: str = ""
    #: Milliseconds of the server's clock when it was first written; 0: the engine fills it.
    at_ms: int = 0
    #: What else the type needs: a turn number, an organisation, an address. JSON.
    words: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tracked:
    """A remote run that a poller looks after."""

    execution_id: str
    #: Fencing token of its attempt.
    token: int
    task_id: str
    reference: Reference
    #: Milliseconds of the server's clock; 0 for none.
    deadline_ms: int = 0
    #: Why it should be cancelled; '' while nobody asked.
    cancel: str = ""
