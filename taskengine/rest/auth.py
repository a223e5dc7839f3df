"""Who asks: the key that comes with a request, or a browser's session of one, shown to the store each time.

So a key that was revoked lets nobody in from the next request on, on whatever server, and its rate holds for all of
them together. A browser sends its cookie whoever makes it ask, so with a cookie whatever changes something must come
from a page of ours, as the browser itself tells.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeVar

from fastapi import Request
from fastapi.security import HTTPBearer

from taskengine.api import TaskAPI
from taskengine.api.context import OperationContext
from taskengine.api.operations.keys import Caller, Shown, admit, admit_session, is_let_in
from taskengine.api.surface import Scope
from taskengine.errors import AccessError, ScopeError, UnknownKeyError
from taskengine.rest.guards import SAFE, host_port, is_own_page
from taskengine.rest.large import Large
from taskengine.store.aio import AsyncStore
from taskengine.store.call import Call, Operation
from taskengine.store.connect import connect_once_async

T = TypeVar("T")


class Door(TaskAPI):
    """The client that a server speaks through, which also knows keys."""

    _asks_from = "at this server of REST"
    _deep_seconds = 20.0  # below the longest that a request may wait, behind which there would be no answer at all
    #: Who everybody is, where nobody needs a key; None where all do.
    everybody: Caller | None = None
    #: Browsers reach it over TLS alone, its own or a proxy's.
    is_secure: bool = False

    @cached_property
    def large(self) -> Large:
        """What does the verbs that bring much."""
        return Large(self.settings)

    async def close(self) -> None:
        """Close the connections; the next call opens them again."""
        await super().close()
        self.large.close()

    async def caller(self, request: Request) -> Caller:
        """Return who sent a request; UnknownKeyError, TooManyRequestsError."""
        if self.everybody is not None:
            return self.everybody
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and shown:
            return await self._run(admit(shown.strip()))
        session = request.cookies.get(self.cookie(request))
        if kind or session is None:
            raise UnknownKeyError()
        refuse_foreign(request)
        return await self._run(admit_session(session))

    async def lets_in(self, shown: Shown) -> bool:
        """Whether what a request showed once would still do."""
        return await self.ask(is_let_in(shown))

    def cookie(self, request: Request) -> str:
        """Return the name of a browser's cookie.

        A browser sends a cookie to every port of a host: two servers on this machine would end each other's sessions.
        Under TLS the prefix keeps others of the same domain from setting it.
        """
        return "__Host-te" if self.is_secure else f"te-{host_port(request.headers.get('host', ''))}"

    async def look(self, operation: Callable[[OperationContext], Operation[T]]) -> T:
        """Return the answer to such a question that wants to know where it is asked."""
        return await self._run(operation(self._context))

    async def ask(self, question: Call[T] | Operation[T]) -> T:
        """Return the answer to a question that only the server asks."""
        return await (await self._store()).run(question)

    async def line(self) -> AsyncStore:
        """Return one connection to the store for a caller that blocks it; it says so when it is lost."""
        url, envelope = await self._reach()
        connect = partial(connect_once_async, url, allow_unverified_tls=self.settings.allow_unverified_tls)
        return AsyncStore(url, self.settings, envelope, connect)


#: What the description says of keys.
SHOWN = HTTPBearer(auto_error=False, description="A key, te_…: taskengine keys create NAME.")
#: Whoever reaches a server without a login.
ANYBODY = Caller(None, Scope.ADMIN)


def need(caller: Caller, scope: Scope) -> Caller:
    """Return the caller; ScopeError when its key may do less than *scope*."""
    if caller.scope < scope:
        raise ScopeError(str(caller.name), needs=scope.word, has=caller.scope.word)
    return caller


def refuse_foreign(request: Request) -> None:
    """AccessError when a request with a cookie would change something and comes from no page of ours."""
    if request.method not in SAFE and not is_own_page(request.headers):
        raise AccessError(
            "a request with a cookie must come from a page of this server (Sec-Fetch-Site, Origin); a program sends a "
            "key: Authorization: Bearer te_…"
        )
