"""The two clients of an engine in one process.

A client that waits blocks its thread; here that is the thread which must do the work. So a blocking read becomes a
plain one, and instead of waiting its caller lets the engine work and time pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from taskengine.api import BlockingTaskAPI, TaskAPI
from taskengine.api.context import OperationContext
from taskengine.errors import NeverDoneError
from taskengine.store.call import Call, Operation
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore
from taskengine.testing.clock import Clock

T = TypeVar("T")


class Unblocked:
    """A store on which nothing blocks: *pass_time* is told for how long a read wanted to wait, and it is read again."""

    def __init__(self, store: SyncStore, pass_time: Callable[[float], None]) -> None:
        self.settings = store.settings
        self._store = store
        self._pass_time = pass_time

    def run(self, work: Call[T] | Operation[T]) -> T:
        """Return the answer of one Call, or of an operation that makes several trips."""
        if isinstance(work, Generator):
            try:
                step = next(work)
                while True:
                    step = work.send(self.trip(step))
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # an operation's return value is its T
        return self.trip(work)

    def _pass(self, seconds: float) -> NeverDoneError | None:
        """Let the engine work and time pass; the error that nothing more will happen, unless what happened last is
        what was waited for: a workflow may end without a task of its own.
        """
        try:
            self._pass_time(seconds)
        except NeverDoneError as exc:
            return exc
        return None

    def trip(self, call: Call[T]) -> T:
        """Return the answer of one Call."""
        if "BLOCK" not in call.args or not call.command:
            return self._store.run(call)
        at = call.args.index("BLOCK")
        plain: Call[Any] = Call(call.name, call.args[:at] + call.args[at + 2 :], _as_it_is, command=True)
        raw = self._store.run(plain)
        if not raw:
            never = self._pass(float(call.args[at + 1]) / 1000)
            raw = self._store.run(plain)
            if never is not None and not raw:
                raise never
        return call.decode(raw)


class Blocking(BlockingTaskAPI):
    """The blocking client of an engine in one process."""

    def __init__(self, store: Unblocked, clock: Clock) -> None:
        super().__init__(settings=store.settings)
        self._context = _context_of(store, clock)
        self._trips = store

    def _run(self, operation: Operation[T]) -> T:
        return self._trips.run(operation)


class Awaitable(TaskAPI):
    """The async client; others on its loop get a turn between two trips."""

    def __init__(self, store: Unblocked, clock: Clock) -> None:
        super().__init__(settings=store.settings)
        self._context = _context_of(store, clock)
        self._trips = store

    async def _run(self, operation: Operation[T]) -> T:
        try:
            step: Call[Any] = next(operation)
            while True:
                await asyncio.sleep(0)
                step = operation.send(self._trips.trip(step))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # an operation's return value is its T


def _as_it_is(raw: Any) -> Any:
    return raw


def _context_of(store: Unblocked, clock: Clock) -> OperationContext:
    return OperationContext(Keys(store.settings.namespace), store.settings, clock.seconds)
