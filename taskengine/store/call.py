"""What a verb asks the server for, as data.

The same Call is run by the blocking and by the async driver; that is how there are no sync and async twins.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

from taskengine.errors import TaskEngineError

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
    #: Work of the caller's own that a driver may do while the server is at this call, any number of times; it never
    #: raises. A driver that has no such moment leaves it to the operation.
    meanwhile: Callable[[], object] | None = field(default=None, compare=False)
    #: The script lasts longer than a process takes to wake up: who looks for its answer only takes the server's time.
    is_long: bool = field(default=False, compare=False)

    def __iter__(self) -> Generator[Call[Any], Any, T]:
        """One step of an operation, typed: ``answer = yield from call``."""
        answer: T = yield self
        return answer


#: Several trips that end in one answer.
Operation: TypeAlias = Generator[Call[Any], Any, T]


def in_trips(work: Operation[T], trip: Callable[[Call[Any]], Any]) -> T:
    """Return what an operation ends in, with *trip* for each of its Calls."""
    try:
        step = next(work)
        while True:
            step = work.send(trip(step))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # an operation's return value is its T


class Prefetch(Generic[T]):
    """The pieces of some work, each made when it is taken, or before that by :meth:`prepare`."""

    def __init__(self, pieces: Iterator[T]) -> None:
        self._pieces = pieces
        self._made: Callable[[], T | None] | None = None

    def prepare(self) -> None:
        """Make the next piece unless it is there; what goes wrong is told by :meth:`take`. Safe to repeat."""
        if self._made is not None:
            return
        try:
            piece = next(self._pieces, None)
        except TaskEngineError as exc:
            self._made = partial(_raise, exc)
        else:
            self._made = lambda: piece

    def take(self) -> T | None:
        """Return the next piece, None after the last."""
        self.prepare()
        assert self._made is not None
        made, self._made = self._made, None
        return made()


def _raise(exc: Exception) -> NoReturn:
    raise exc
