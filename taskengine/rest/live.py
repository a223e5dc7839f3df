"""Routes of what is live: events of a run, lines of a log, a run to draw, the fleet; all with the scope read.

They are no verbs of the client, which waits and asks again instead. Two of them stand on the paths of verbs: who
accepts ``text/event-stream`` gets the stream, and who asks for a view of a graph gets that.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response, Security
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, QueryParams
from starlette.routing import Match
from starlette.types import Scope as Asked

from taskengine.api.operations.keys import Caller
from taskengine.api.surface import PREFIX, Scope
from taskengine.errors import NotFoundError
from taskengine.rest.arguments import refuse_unknown
from taskengine.rest.auth import SHOWN, Door
from taskengine.rest.background import Background
from taskengine.rest.boards import Boards
from taskengine.rest.fleet_feed import FleetFeed
from taskengine.rest.live_texts import SSE, NodeId, NodeIndex
from taskengine.rest.logs import Logs, Place
from taskengine.rest.problem_model import problems_of
from taskengine.rest.streams import EventStream, Streams
from taskengine.rest.taps import Taps
from taskengine.store import history
from taskengine.store.keys import Keys

_LAST = 2**53


class Rooms:
    """What one event loop has that is live."""

    def __init__(self, door: Door) -> None:
        self.loop = asyncio.get_running_loop()
        self.background = Background()
        self.streams = Streams(door.lets_in, self.background)
        self.taps = Taps(door, self.background)
        self.boards = Boards(door, self.taps, self.background)
        self.logs = Logs(door, self.background)
        self.fleet = FleetFeed(door, self.background)


class Live:
    """What a server has that is live; belongs to the loop that asks, as connections do."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._rooms: Rooms | None = None
        #: The server ends: streams are over as they begin, and it is not ready.
        self.is_ending = False

    def here(self) -> Rooms:
        """Return what this loop has."""
        if self._rooms is None or self._rooms.loop is not asyncio.get_running_loop():
            self._rooms = Rooms(self._door)
        return self._rooms

    def say_bye(self) -> None:
        """End all streams, and those that begin from now on."""
        self.is_ending = True
        self.here().streams.say_bye()

    async def close(self) -> None:
        """End what goes on beside the requests of this loop."""
        await self.here().background.end()


class StreamRoute(APIRoute):
    """Stands before a verb of the same path, for those who accept a stream."""

    def matches(self, scope: Asked) -> tuple[Match, Asked]:
        """Whether it is this one that a request asks for."""
        found = super().matches(scope)
        return found if SSE in Headers(scope=scope).get("accept", "") else (Match.NONE, {})


class ViewRoute(APIRoute):
    """Stands before a verb of the same path, for those who ask for a view."""

    def matches(self, scope: Asked) -> tuple[Match, Asked]:
        """Whether it is this one that a request asks for."""
        found = super().matches(scope)
        return found if "view" in QueryParams(scope["query_string"]) else (Match.NONE, {})


async def _admit(request: Request) -> None:
    """Ask for a key; each may read."""
    request.state.caller = await _door(request).caller(request)
    refuse_unknown(request, request.scope["route"])


Behind = Annotated[int | None, Query(ge=0, le=_LAST, description="Sequence of the last event that is known.")]
LastEvent = Annotated[
    int | None, Header(alias="Last-Event-ID", ge=0, le=_LAST, description="The same, as a browser sends it.")
]
Size = Annotated[
    int | None, Query(ge=0, le=_LAST, description="Tasks that are known: others than there were then mean a reset.")
]
LastLine = Annotated[str | None, Header(alias="Last-Event-ID", description="As `after`, as a browser sends it.")]


def _live(request: Request) -> Rooms:
    live: Live = request.app.state.live
    return live.here()


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


async def run_events(
    request: Request, run_id: UUID, after: Behind = None, last_event_id: LastEvent = None
) -> EventStream:
    """Tell the events of a run, from the first one or behind one that is known, and go on."""
    door, rooms, run = _door(request), _live(request), str(run_id)
    if not await door.ask(history.run_exists(Keys(door.settings.namespace), run)):
        raise NotFoundError("run", run)
    known = after if last_event_id is None else last_event_id
    return rooms.streams.stream(_caller(request), rooms.taps.listen(run, known or 0))


async def task_logs(
    request: Request,
    task_id: UUID,
    execution: UUID | int | None = None,
    after: str | None = None,
    last_event_id: LastLine = None,
) -> EventStream:
    """Tell the lines of a task's log, and go on until the task is over."""
    door, known = _door(request), after if last_event_id is None else last_event_id
    await door.get_logs(task_id, execution=execution, after=known, limit=1)  # refuses what is wrong
    rooms = _live(request)
    return rooms.streams.stream(_caller(request), rooms.logs.listen(Place(task_id, execution, known)))


async def run_view(
    request: Request,
    run_id: UUID,
    _: Annotated[Literal["compact"], Query(alias="view")],
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Return a run in columns."""
    board = await _live(request).boards.of(str(run_id))
    zipped = "gzip" in accept_encoding
    body = await board.graph(zipped=zipped)
    headers = {"Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if zipped else {})}
    return Response(body, media_type="application/json", headers=headers)


async def run_live(
    request: Request, run_id: UUID, after: Behind = None, size: Size = None, last_event_id: LastEvent = None
) -> EventStream:
    """Tell what changes in a run that is drawn: `{q, i, s, t, new}`.

    `q`: sequence of the latest event. `i`: indices of tasks that changed; `s`: a digit each; `t`: of each `[ready,
    start, end]` in milliseconds since the run began, -1 for not yet. `new`: tasks that came, `{i, name, queue, deps}`.
    `event: reset` asks to read the graph anew, for its order is another or too much was missed.
    """
    rooms, known = _live(request), after if last_event_id is None else last_event_id
    board = await rooms.boards.of(str(run_id))
    return rooms.streams.stream(_caller(request), board.listen(known, size))


async def run_node(request: Request, run_id: UUID, i: int) -> NodeId:
    """Return which task an index of the compact graph is."""
    board = (await _live(request).boards.of(str(run_id))).board
    if not 0 <= i < len(board):
        raise NotFoundError("node", str(i))
    return NodeId(task_id=UUID(board.ids[i]))


async def run_node_of(request: Request, run_id: UUID, task_id: UUID) -> NodeIndex:
    """Return the index of a task in the compact graph."""
    board = (await _live(request).boards.of(str(run_id))).board
    at = board.index_of(str(task_id))
    if at is None:
        raise NotFoundError("task", str(task_id))
    return NodeIndex(i=at)


async def fleet_live(request: Request) -> EventStream:
    """Tell once a second how the fleet stands: tasks by status, queues, pauses, workers, rates of ends."""
    rooms = _live(request)
    return rooms.streams.stream(_caller(request), rooms.fleet.listen())


class _Streamed(Response):
    media_type = SSE


_STREAM: dict[str, Any] = {"content": {SSE: {"schema": {"type": "string"}}}}


def router() -> APIRouter:
    """Return the routes; they come before those of the verbs."""
    made = APIRouter(prefix=PREFIX, dependencies=[Security(SHOWN), Depends(_admit)])
    made.add_api_route("/runs/{run_id}/events", run_events, route_class_override=StreamRoute, include_in_schema=False)
    made.add_api_route("/tasks/{task_id}/logs", task_logs, route_class_override=StreamRoute, include_in_schema=False)
    made.add_api_route("/runs/{run_id}/graph", run_view, route_class_override=ViewRoute, include_in_schema=False)
    for path, endpoint, streams in (
        ("/runs/{run_id}/live", run_live, True),
        ("/runs/{run_id}/nodes/{i}", run_node, False),
        ("/runs/{run_id}/nodes", run_node_of, False),
        ("/fleet/live", fleet_live, True),
    ):
        made.add_api_route(
            path, endpoint, tags=[path.split("/")[1]], operation_id=endpoint.__name__,
            responses=_responses(streams=streams), response_class=_Streamed if streams else JSONResponse,
            openapi_extra={"x-scope": Scope.READ.word},
        )  # fmt: skip
    return made


def _responses(*, streams: bool) -> dict[int | str, dict[str, Any]]:
    return {**problems_of(400, 401, 403, 404, 413, 422, 429, 500, 503), **({200: _STREAM} if streams else {})}
