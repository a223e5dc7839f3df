"""One asyncio loop in a thread, shared by all coroutine agents of a process: Celery has no asyncio pool.

It outlives whatever they do. asyncio ends its loop when a task or callback raises SystemExit or KeyboardInterrupt,
and anybody on a loop may stop it: here it goes on, and the run to which the task belongs fails with that error. In a
child that an agent forks on the loop's thread nothing of others may go on: sockets and the set of what is waited for
are shared with the parent.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from taskengine.store.forks import PerProcess
from workers.fork_guard import ForkGuard, end

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Home:
    """The loop of one process; the first coroutine starts it."""

    #: Held while a run is put on the loop, and while a broken one is given up.
    changing: threading.Lock = field(default_factory=threading.Lock)
    loop: asyncio.AbstractEventLoop | None = None

    def shared(self) -> asyncio.AbstractEventLoop:
        if self.loop is None:
            self.loop = asyncio.new_event_loop()
            self.loop.set_task_factory(_make_task)
            threading.Thread(target=_turn, args=(self.loop,), name="taskengine-agents", daemon=True).start()
        return self.loop


_homes = PerProcess(_Home)
#: Thread -> the loop that it turns.
_turned: dict[int, asyncio.AbstractEventLoop] = {}
#: Loops that raised, never closed: what one takes for its descriptors may be somebody else's by now.
_broken: list[asyncio.AbstractEventLoop] = []
#: The runs that are not over, on whichever loop.
_running: set[Run] = set()
#: To which run a task belongs: tasks inherit the context of whoever makes them.
_RUN: ContextVar[Run | None] = ContextVar("taskengine_run", default=None)


def is_on_shared_loop() -> bool:
    """Return whether the caller holds up all coroutine agents while it waits."""
    return threading.get_ident() in _turned


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    pid, me = os.getpid(), threading.get_ident()
    _turned[me] = loop
    while loop not in _broken:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as exc:
            if os.getpid() == pid:
                _blame(loop, exc)
        except Exception as exc:  # of the loop itself, such as a closed epoll descriptor: the next run gets a new one
            if os.getpid() == pid:
                _give_up(loop, exc)
        if os.getpid() != pid:
            end(RuntimeError("a forked child of a coroutine agent cannot await: the loop is its parent's"))
    del _turned[me]


def _stop_in_child() -> None:
    """Let the copy of a loop's thread do no more than it is just doing."""
    loop = _turned.get(threading.get_ident())
    if loop is not None:
        loop.stop()
        getattr(loop, "_ready", []).clear()  # asyncio has no public way; stop alone would let it finish its turn


os.register_at_fork(after_in_child=_stop_in_child)


def _make_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    made: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    run = _RUN.get()
    if run is not None:
        run.parts.add(made)
        made.add_done_callback(run.parts.discard)
    return made


def _blame(loop: asyncio.AbstractEventLoop, exc: BaseException) -> None:
    for run in tuple(_running):
        if run.loop is loop and any(_raised(part) is exc for part in tuple(run.parts)):
            run.fail(exc)
            return
    logger.error("a callback of a coroutine agent raised %s; the loop goes on", type(exc).__name__)


def _raised(part: asyncio.Task[Any]) -> BaseException | None:
    return part.exception() if part.done() and not part.cancelled() else None


def _give_up(loop: asyncio.AbstractEventLoop, exc: Exception) -> None:
    logger.error("the loop of coroutine agents broke, its runs fail: %r", exc)
    home = _homes.get()
    with home.changing:
        _broken.append(loop)
        home.loop = None
        for run in tuple(_running):
            if run.loop is loop:
                run.abandon(exc)


class Run:
    """One coroutine on the shared loop.

    Cancelling reaches the coroutine, which may clean up; :meth:`result` waits for how it really ends. (The future of
    ``run_coroutine_threadsafe`` would be over at once, with the coroutine still at work.)
    """

    def __init__(self, coroutine: Awaitable[Any]) -> None:
        #: Its tasks that are not over, or were not a moment ago.
        self.parts: set[asyncio.Task[Any]] = set()
        self._task: asyncio.Task[Any] | None = None
        self._is_cancelled = False
        #: What it raised that asyncio would not hand on as it is.
        self._raised: BaseException | None = None
        home = _homes.get()
        with home.changing:
            self.loop = home.shared()
            _running.add(self)
            self._future = asyncio.run_coroutine_threadsafe(self._hold(coroutine), self.loop)
        self._future.add_done_callback(lambda _: _running.discard(self))

    def cancel(self) -> None:
        """Ask the coroutine to end; safe from any thread, and when it ended already."""
        self.loop.call_soon_threadsafe(self._cancel)

    def fail(self, exc: BaseException) -> None:
        """End it with what one of its tasks raised, as that ends a program of its own; on the loop's thread."""
        self._raised = exc
        if self._task is not None:
            self._task.cancel()

    def abandon(self, exc: BaseException) -> None:
        """Let whoever waits hear *exc*: nothing of it will ever run again."""
        if not self._future.done():
            self._future.set_exception(exc)

    def result(self, seconds: float | None) -> Any:
        """Return what it returned or raised; TimeoutError while :attr:`is_over` is False after *seconds*."""
        value = self._future.result(seconds)
        if self._raised is not None:
            raise self._raised
        return value

    def watch(self, cancelled: Callable[[], bool], look_seconds: float) -> Any:
        """What it comes to; it is cancelled when *cancelled* says so, which is asked every *look_seconds*."""
        while not cancelled():
            try:
                return self.result(look_seconds)
            except TimeoutError:
                if self.is_over:  # the error is its own, or it ended this very moment
                    return self.result(None)
        self.cancel()
        return self.result(None)

    @property
    def is_over(self) -> bool:
        """Whether the coroutine ended, however."""
        return self._future.done()

    async def _hold(self, coroutine: Awaitable[Any]) -> Any:
        _RUN.set(self)
        self._task = asyncio.current_task()
        if self._is_cancelled:
            self._cancel()
        try:
            with ForkGuard():
                return await coroutine
        except (SystemExit, KeyboardInterrupt) as exc:  # asyncio would end the loop, and everybody on it
            self._raised = exc
            return None
        except (asyncio.CancelledError, CancelledError) as exc:
            if self._is_cancelled:
                raise
            if self._raised is None:
                self._raised = exc  # nobody cancelled it: an error such as any other, with its place
            return None

    def _cancel(self) -> None:
        self._is_cancelled = True  # also when it comes before the first step
        if self._task is not None:
            self._task.cancel()
