"""Boards of the runs that somebody looks at: read once, folded as things happen, told in deltas, dropped in time."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from taskengine.errors import NotFoundError, StoreError, TaskEngineError
from taskengine.models import Event
from taskengine.rest.auth import Door
from taskengine.rest.background import Background
from taskengine.rest.board import MADE, RESHAPED, Board
from taskengine.rest.feeds import GONE, LAGGED, RESET, last_word, sse
from taskengine.rest.problems import HttpError
from taskengine.rest.rings import Ring, pause
from taskengine.rest.taps import Taps
from taskengine.store import history, runs, sketches
from taskengine.store.keys import Keys

#: Boards of one event loop; seconds for which one is kept that nobody looks at; tasks of a run that is drawn.
MOST_BOARDS, KEPT, MOST_TASKS = 32, 60.0, 250_000
#: Seconds between two deltas, and between those of many changes; how many that is.
_OFTEN, _SELDOM, _MANY = 0.1, 0.25, 2000
#: Seconds between two readings of a whole run, and for which a listener may be ahead of the board.
_ANEW, _AHEAD = 1.0, 2.0
#: Seconds after which a store that did not answer is asked again.
_AGAIN = 0.5
#: Seconds between two looks at whether retention took tasks away.
_COUNT = 5.0
#: Of zipping: higher ones take longer than they save.
_LEVEL = 5
#: Events behind which a listener who comes back is told to begin anew instead.
_MOST_MISSED = 50_000


class Boards:
    """All boards of one event loop."""

    def __init__(self, door: Door, taps: Taps, background: Background) -> None:
        self._door = door
        self._background = background
        self._taps = taps
        self._live: dict[str, LiveBoard] = {}

    async def of(self, run: str) -> LiveBoard:
        """Return the board of a run, some tenths of a second behind it; NotFoundError, HttpError."""
        self._forget_closed()
        live = self._live.get(run)
        if live is None:
            if len(self._live) >= MOST_BOARDS:
                self._drop_one()
            live = self._live[run] = LiveBoard(self._door, self._taps, run, self._background)
        live.touch()
        try:
            await live.ready()
        except BaseException:
            if self._live.get(run) is live and live.is_over:
                del self._live[run]
            raise
        return live

    def _forget_closed(self) -> None:
        for run, live in list(self._live.items()):
            if live.is_over:
                del self._live[run]

    def _drop_one(self) -> None:
        unseen = [(live.idle, run) for run, live in self._live.items() if not live.is_watched]
        if not unseen:
            says = f"the server draws {MOST_BOARDS} runs, which is the most; close one"
            raise HttpError(503, says, {"Retry-After": "5"})
        self._live.pop(max(unseen)[1]).close()


class LiveBoard:
    """The board of one run, and who listens to it."""

    def __init__(self, door: Door, taps: Taps, run: str, background: Background) -> None:
        self._door, self._taps, self._run = door, taps, run
        self._keys = Keys(door.settings.namespace)
        self._loop = asyncio.get_running_loop()
        self._board: Board | None = None
        self._turned = asyncio.Condition()
        self._ring = Ring()
        self._touched = self._loop.time()
        self._changed: set[int] = set()
        #: Index of the first task of which nobody was told yet.
        self._untold = 0
        self._told_at = self._read_at = -_ANEW
        self._telling: asyncio.TimerHandle | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._graph, self._graph_at = b"", -1
        self._zipped: asyncio.Task[bytes] | None = None
        #: Whether it follows its run no more.
        self.is_over = False
        self._error: TaskEngineError | HttpError | None = None
        self._following = background.begin(self._follow())

    @property
    def board(self) -> Board:
        """The run as it is known."""
        assert self._board is not None
        return self._board

    @property
    def idle(self) -> float:
        """Seconds since somebody looked."""
        return 0.0 if self.is_watched else self._loop.time() - self._touched

    @property
    def is_watched(self) -> bool:
        """Whether anybody listens."""
        return bool(self._ring.seats)

    def touch(self) -> None:
        """Somebody looks."""
        self._touched = self._loop.time()
        if self._closing is not None:
            self._closing.cancel()
        self._closing = self._loop.call_later(KEPT, self._close_unless_seen)

    def _close_unless_seen(self) -> None:
        if not self.is_watched:
            self.close()

    def close(self) -> None:
        """Stop following."""
        self._following.cancel()
        for each in (self._telling, self._closing):
            if each is not None:
                each.cancel()
        self._end(RESET)

    async def graph(self, *, zipped: bool) -> bytes:
        """Return the whole run as JSON, perhaps zipped; made once for all who ask before anything happens."""
        board = self.board
        if self._graph_at != board.seq:
            self._graph, self._zipped, self._graph_at = board.graph(), None, board.seq
        if not zipped:
            return self._graph
        if self._zipped is None:
            self._zipped = asyncio.ensure_future(asyncio.to_thread(gzip.compress, self._graph, _LEVEL))
        return await asyncio.shield(self._zipped)  # one who goes away does not take it from the others

    async def ready(self) -> None:
        """Wait until the board was read, at least as far as the run had come when it began."""
        async with self._turned:
            await self._turned.wait_for(lambda: self._board is not None or self.is_over)
        if self._error is not None:
            raise self._error
        if self._board is None:
            await asyncio.wait({self._following})
            if not self._following.cancelled():
                self._following.result()  # a fault
            raise NotFoundError("run", self._run)

    async def listen(self, seq: int | None, size: int | None = None) -> AsyncGenerator[bytes]:
        """Yield what changes behind an event as pieces of a stream; None: from now on.

        *size*: tasks that the listener knows. Where it is not how many there were then, retention took some away, and
        indices mean others.
        """
        seat = self._ring.join()
        try:
            missed = await self._missed(seq, size)
            if missed is None:
                yield last_word(RESET)
                return
            yield missed
            while (piece := await seat.next()) is not None:
                yield piece
            yield last_word(seat.word or GONE)
        finally:
            seat.leave()
            self.touch()

    async def _missed(self, seq: int | None, size: int | None) -> bytes | None:
        """Return what changed behind an event, b'' for nothing; None where nobody knows, or the order is another."""
        if not await self._reached(seq or 0):
            return None
        board = self.board
        if seq is None:
            return b""
        first = board.first_made_since(seq)
        changed = board.changed_since(seq)
        if seq < board.since:
            before = await self._changed_before(seq, board)
            if before is None or board is not self._board:
                return None
            made, moved = before
            if not board.has_last([*made, *board.ids[first:]]):
                return None
            first, changed = len(board) - len({*made, *board.ids[first:]}), [*changed, *moved]
        if size is not None and size != first:
            return None
        return self._piece(changed, first) if changed or first < len(board) else b""

    async def _reached(self, seq: int) -> bool:
        """Whether the board is as far as its listener, who may have heard another server's."""
        try:
            async with asyncio.timeout(_AHEAD), self._turned:
                await self._turned.wait_for(lambda: self._board is not None and self._board.seq >= seq)
        except TimeoutError:
            return False
        return True

    async def _changed_before(self, seq: int, board: Board) -> tuple[list[str], list[int]] | None:
        """Return which tasks were made and which moved behind an event and before the board was read."""
        made, moved = list[str](), set[int]()
        at, until = seq, board.since
        while at < until:
            events = await self._door.ask(history.events(self._keys, self._run, at, history.PIECE))
            if not events or events[0].sequence > at + 1 or until - seq > _MOST_MISSED:
                return None
            for event in events:
                if event.what in RESHAPED or event.what == "deleted":
                    return None
                index = board.index_of(str(event.task_id))
                if event.what in MADE and event.sequence <= until:
                    made.append(str(event.task_id))
                if index is not None:
                    moved.add(index)
            at = events[-1].sequence
        return made, sorted(moved)

    def _piece(self, changed: Sequence[int] | set[int], first: int) -> bytes:
        return sse(self.board.delta(changed, first), id=self.board.seq)

    async def _follow(self) -> None:
        board: Board | None = None
        try:
            while True:
                if board is None and (board := await self._read()) is None:
                    break
                try:
                    word = await self._follow_while_whole(board)
                except StoreError:  # the history is there when the store is there again
                    await asyncio.sleep(_AGAIN)
                    continue
                if word == RESET:
                    board = self._board = None
                    self._end(RESET)
                    await asyncio.sleep(max(0.0, self._read_at + _ANEW - self._loop.time()))
                elif word == GONE:
                    break
            self._end(GONE)
        except (TaskEngineError, HttpError) as exc:  # it cannot be read: whoever looks is told
            self._error = exc
            self._end(RESET)
        finally:
            self._board, self.is_over = None, True
            async with self._turned:
                self._turned.notify_all()

    async def _follow_while_whole(self, board: Board) -> str:
        """Follow until something else happens, or until retention takes some of it away, which no event tells."""
        both = [asyncio.ensure_future(self._follow_on(board)), asyncio.ensure_future(self._until_less(board))]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return both[0].result() if both[0] in done else both[1].result()
        finally:
            for each in both:
                each.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _until_less(self, board: Board) -> str:
        """Return ``reset`` once the run has fewer tasks than were drawn."""
        while True:
            await asyncio.sleep(_COUNT)
            if self.is_watched:
                (run,) = await self._door.ask(runs.read([self._run]))
                if run is not None and run.total < board.total:
                    return RESET

    async def _follow_on(self, board: Board) -> str:
        """Fold what happens until something else does: the word of the tap, or ``reset`` where the order changed."""
        await self._turn(board)
        async with aclosing(self._taps.since(self._run, board.seq)) as told:
            async for each in told:
                if isinstance(each, str):
                    return each
                changed = await self._fold(board, each)
                if changed is None:
                    return RESET
                await self._turn(board)
                self._tell_soon(changed)
        return LAGGED

    async def _turn(self, board: Board) -> None:
        if self._board is None:
            self._changed, self._untold = set(), len(board)
            self._graph_at = -1  # another board may be as far in its history
        self._board = board
        async with self._turned:
            self._turned.notify_all()

    async def _read(self) -> Board | None:
        """Return the run as of now; None where there is none."""
        while True:
            self._read_at = self._loop.time()
            seq = await self._door.ask(history.last_sequence(self._keys, self._run))
            (run,) = await self._door.ask(runs.read([self._run]))
            if run is None:
                return None
            if run.total > MOST_TASKS:
                raise HttpError(413, f"the run has {run.total} tasks; up to {MOST_TASKS} are drawn")
            board = Board(run, await self._door.ask(sketches.of_run(self._run, MOST_TASKS)), seq)
            if await self._catch_up(board):
                return board
            await asyncio.sleep(_ANEW)

    async def _catch_up(self, board: Board) -> bool:
        """Fold what happened while the run was read; whether the order stood."""
        while events := await self._door.ask(history.events(self._keys, self._run, board.seq, history.PIECE)):
            if await self._fold(board, events) is None:
                return False
            if len(events) < history.PIECE:
                break
        return True

    async def _fold(self, board: Board, events: Sequence[Event]) -> set[int] | None:
        needed = board.needs(events)
        read = await self._door.ask(sketches.of_tasks(self._run, needed)) if needed else []
        return board.fold(events, read)

    def _tell_soon(self, changed: set[int]) -> None:
        self._changed |= changed
        if self._telling is None and (self._changed or self._untold < len(self.board)):
            wait = pause(len(self._ring.seats), _SELDOM if len(self._changed) > _MANY else _OFTEN)
            due = max(self._loop.time(), self._told_at + wait)
            self._telling = self._loop.call_at(due, self._tell)

    def _tell(self) -> None:
        self._telling = None
        if self._board is None:
            return
        self._told_at = self._loop.time()
        if self.is_watched:
            self._ring.tell([self._piece(self._changed, self._untold)])
        self._changed, self._untold = set(), len(self.board)

    def _end(self, word: str) -> None:
        ended, self._ring = self._ring, Ring()
        ended.end_with(word)
