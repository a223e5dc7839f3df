"""A request and its answer, as data: what verbs make and read, and carriers carry."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

#: Lines of JSON, one for each piece of a long verb.
NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    #: Without its parameters; '' when there was none.
    media_type: str
    body: bytes
    #: Seconds after which it may be asked again; None where the server names none.
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the server."""

    verb: str
    #: Behind the server's address, quoted.
    path: str
    query: tuple[tuple[str, str], ...] = ()
    #: JSON.
    body: bytes | None = None
    #: Sent as ``Idempotency-Key``.
    key: str | None = None
    #: It may be sent again when nobody knows whether it arrived.
    is_repeatable: bool = False
    #: The answer comes in lines, and this is told each.
    told: Callable[[str], None] | None = None
    #: It needs no key, and none is shown.
    is_open: bool = False

    def __iter__(self) -> Generator[Request, Answer, Answer]:
        """One step of an exchange, typed: ``answer = yield from request``."""
        answer: Answer = yield self
        return answer


#: Several requests that end in one answer.
Exchange: TypeAlias = Generator[Request, Answer, T]
#: What a verb answers.
Value: TypeAlias = Any
