"""A store that tells a hook of every trip: where fault tests count, delay, fail or kill a coordinator's
calls.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from taskengine.coordinator.duty import Store
from taskengine.store.call import Call, Operation, in_trips

T = TypeVar("T")


class HookedStore:
    """Runs everything on *store*; *before* and *after* see each Call, also those inside an operation.

    ``before`` happens while the server does not know of the trip, ``after`` when it is done and its caller
    does not know yet: the two places where dying differs. What a hook raises leaves :meth:`run`.
    """

    def __init__(
        self,
        store: Store,
        *,
        before: Callable[[Call[Any]], None] | None = None,
        after: Callable[[Call[Any]], None] | None = None,
    ) -> None:
        self._store = store
        self._before = before
        self._after = after

    def run(self, work: Call[T] | Operation[T]) -> T:
        """Return the answer of one Call, or of an operation, trip by trip."""
        return in_trips(work, self._trip) if isinstance(work, Generator) else self._trip(work)

    def _trip(self, call: Call[T]) -> T:
        if self._before is not None:
            self._before(call)
        answer = self._store.run(call)
        if self._after is not None:
            self._after(call)
        return answer
