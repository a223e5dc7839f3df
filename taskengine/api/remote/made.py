"""The two clients over HTTP, made from the table of the surface: each verb of the class becomes a request."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from taskengine.api.aio.tasks import TaskAPI
from taskengine.api.blocking.tasks import BlockingTaskAPI
from taskengine.api.operations.fleet import unhealthy
from taskengine.api.remote.address import Address, address
from taskengine.api.remote.answers import Reader, reader_of
from taskengine.api.remote.carrier import AsyncCarrier, BlockingCarrier
from taskengine.api.remote.lines import in_lines
from taskengine.api.remote.message import Exchange, Request
from taskengine.api.remote.revive import no_server_of_ours
from taskengine.api.remote.verb import Verb, answered
from taskengine.api.remote.waits import Waits, pieces_of
from taskengine.api.surface import ALIASES, PREFIX, ROWS, Sends
from taskengine.errors import StoreError, UnknownKeyError, UnsupportedServerError
from taskengine.models.finding import wrong

Client = TypeVar("Client", bound=type)


@cache
def verbs_of(client: type) -> Mapping[str, Verb]:
    """Return the verbs of one of the two classes, by name."""
    names = dict.fromkeys(row.name for row in ROWS)
    return {name: Verb.of(client, name, tuple(row for row in ROWS if row.name == name)) for name in names}


#: Verbs that answer of each id by itself, so that several requests are one call.
_IN_PIECES = frozenset({"get_tasks", "get_latest_executions"})


class _Server(BaseModel):
    name: str
    version: str = ""
    api: str = ""


def _which(where: str) -> Exchange[None]:
    """Ask who lives there; UnsupportedServerError unless it is a server whose routes we know."""
    asked = Request("GET", "/version", is_repeatable=True, is_open=True)
    server: _Server = yield from answered(asked, _who(where), where)
    if server.name != "taskengine":
        raise no_server_of_ours(where, f"it calls itself {server.name!r:.80}")
    if server.api != PREFIX:
        raise UnsupportedServerError(
            f"{where} is taskengine {server.version:.40} and serves {server.api!r:.40}, this client asks for {PREFIX}; "
            f"install the version that the server has: pip install 'taskengine=={server.version:.40}'"
        )


def _who(where: str) -> Reader:
    """Return what reads which server it is; UnsupportedServerError for what says nothing of the kind."""

    def read(body: bytes) -> _Server:
        try:
            return _Server.model_validate_json(body)
        except ValidationError as exc:
            raise no_server_of_ours(where, f"what it says at {where}/version is no word of one") from exc

    return read


class _Asker:
    """What both clients over HTTP do with a call, before it is carried."""

    _server: Address
    _waits: Waits

    def _exchange(self, client: Any, verb: Verb, given: dict[str, Any]) -> Exchange[Any]:
        where = self._server.url
        try:
            value = yield from self._plainly(verb, given)
        except UnknownKeyError as exc:
            if self._server.shown() is None:
                raise UnknownKeyError(f"{where} wants a key; {self._server.why_no_key()}") from exc
            raise UnknownKeyError(
                f"{where} does not know the key that was shown, or it has expired or was revoked; "
                "taskengine keys create NAME, where its store is, makes another"
            ) from exc
        is_handle = inspect.isclass(verb.kind) and issubclass(verb.kind, UUID) and verb.kind is not UUID
        return verb.kind(value, client) if is_handle else value

    def _plainly(self, verb: Verb, given: dict[str, Any]) -> Exchange[Any]:
        row, settings, where = verb.rows[0], self._server.settings, self._server.url
        if row.waits:
            return (yield from self._waits.until_over(verb.name, given))
        read: Reader = reader_of(verb.kind)
        if verb.name == "follow_logs":
            return (yield from self._waits.follow(verb.name, given, read))
        if verb.name == "delete_task":
            return (yield from self._waits.until_deleted(verb.name, given, read))
        if verb.name in _IN_PIECES:
            return (yield from self._in_pieces(verb, given, read))
        if row.sends is Sends.WHERE:
            return (yield from in_lines(verb.request(given, settings), given.get("progress"), where))
        return (yield from answered(verb.request(given, settings), read, where))


    def _in_pieces(self, verb: Verb, given: dict[str, Any], read: Reader) -> Exchange[list[Any]]:
        found: list[Any] = []
        for piece in pieces_of(given["task_ids"]):
            request = verb.request({"task_ids": piece}, self._server.settings)
            found += yield from answered(request, read, self._server.url)
        return found


def _verb(client: type, name: str) -> Callable[..., Any]:
    """Return the method that asks for a verb."""
    method, verb = getattr(client, name), verbs_of(client)[ALIASES.get(name, name)]
    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def awaited(self: Any, *args: Any, **named: Any) -> Any:
            given = verb.bound(args, named)
            try:
                return await self._run(self._exchange(self, verb, given))
            except StoreError as exc:
                return _told(verb, exc)

        return awaited

    @wraps(method)
    def blocking(self: Any, *args: Any, **named: Any) -> Any:
        given = verb.bound(args, named)
        try:
            return self._run(self._exchange(self, verb, given))
        except StoreError as exc:
            return _told(verb, exc)

    return blocking


def _told(verb: Verb, exc: StoreError) -> Any:
    """Return what a verb says of a server that does not answer; most raise the error."""
    if verb.name == "health_check":
        return unhealthy(exc)
    if verb.name == "examine":
        return [wrong("server of REST", str(exc), "start it, or correct the address: --url or TASKENGINE_URL")]
    raise exc


def _with_verbs(client: Client) -> Client:
    """Give a class over HTTP its verbs."""
    for name in {*(row.name for row in ROWS), *ALIASES}:
        setattr(client, name, _verb(client.__mro__[1], name))
    return client


@_with_verbs
class RemoteTaskAPI(TaskAPI, _Asker):
    """The async client over HTTP."""

    def _look_at(self, url: str | None, api_key: str | None) -> None:
        assert url is not None  # it is why this class was chosen
        self._server = address(url, self.settings, api_key)
        self._waits = Waits(verbs_of(TaskAPI), self.settings, self._server.url, self._context.clock)

    async def _connect(self) -> Any:
        carrier = AsyncCarrier(self._server)
        try:
            await carrier.run(_which(self._server.url))
        except BaseException:
            await carrier.close()
            raise
        return carrier


@_with_verbs
class RemoteBlockingTaskAPI(BlockingTaskAPI, _Asker):
    """The blocking client over HTTP."""

    def _look_at(self, url: str | None, api_key: str | None) -> None:
        assert url is not None  # it is why this class was chosen
        self._server = address(url, self.settings, api_key)
        self._waits = Waits(verbs_of(BlockingTaskAPI), self.settings, self._server.url, self._context.clock)

    def _connect(self) -> Any:
        carrier = BlockingCarrier(self._server)
        try:
            carrier.run(_which(self._server.url))
        except BaseException:
            carrier.close()
            raise
        return carrier


@cache
def remote(client: type) -> type:
    """Return a client class over HTTP; what it overrides itself it keeps."""
    base, made = (TaskAPI, RemoteTaskAPI) if issubclass(client, TaskAPI) else (BlockingTaskAPI, RemoteBlockingTaskAPI)
    if client is base or issubclass(client, made):
        return client if client is not base else made
    known = {"__module__": client.__module__, "__doc__": client.__doc__}
    return type(f"Remote{client.__name__}", (client, made), known)

