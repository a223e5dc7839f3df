"""What a verb asks the server for, as data.

The same Call is run by the blocking and by the async driver; that is how there are no sync and async twins.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")
#: What may stand in a call's arguments.
Arg: TypeAlias = str | bytes | int | float


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One trip: a script (or a plain command), its arguments, and how to read the reply."""

    #: Name of a script in ``store/lua``, or of a Redis command when ``command`` is set.
    name: str
    args: tuple[Arg, ...]
    decode: Callable[[Any], T]
    command: bool = False
    #: The script may grant: the driver appends the Celery envelope as its last argument.
    grants: bool = False

    def __iter__(self) -> Generator[Call[Any], Any, T]:
        """One step of a story, typed: ``answer = yield from call``."""
        answer: T = yield self
        return answer


#: Several trips that end in one answer.
Story: TypeAlias = Generator[Call[Any], Any, T]
