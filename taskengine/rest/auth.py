"""Who asks: the key that comes with a request, shown to the store each time.

So a key that was revoked lets nobody in from the next request on, on whatever server, and its rate holds for all of
them together.
"""

from __future__ import annotations

from typing import TypeVar

from fastapi import Request

from taskengine.api import TaskAPI
from taskengine.api.operations.keys import Caller, admit
from taskengine.api.surface import Scope
from taskengine.errors import UnknownKeyError
from taskengine.store.call import Operation

T = TypeVar("T")


class Door(TaskAPI):
    """The client that a server speaks through, which also knows keys."""

    #: Who everybody is, where nobody needs a key; None where all do.
    everybody: Caller | None = None

    async def caller(self, request: Request) -> Caller:
        """Return who sent a request; UnknownKeyError, TooManyRequestsError."""
        if self.everybody is not None:
            return self.everybody
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not shown:
            raise UnknownKeyError()
        return await self._run(admit(shown.strip()))

    async def ask(self, operation: Operation[T]) -> T:
        """Return the answer to a question that only the server asks."""
        return await self._run(operation)


#: Whoever reaches a server without a login.
ANYBODY = Caller(None, Scope.ADMIN)
