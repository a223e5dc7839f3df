"""How the fleet stands, once a second and for all who look: asked of the client's verbs, once for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from pydantic_core import to_json

from taskengine.core.lifecycle import TERMINAL
from taskengine.errors import StoreError
from taskengine.models import Pause, TaskStatus
from taskengine.rest.auth import Door
from taskengine.rest.background import Background
from taskengine.rest.feeds import BYE, GONE, last_word, sse
from taskengine.rest.rings import Ring

_log = logging.getLogger(__name__)
_EVERY = 1.0


class FleetFeed:
    """The fleet as one event loop tells of it; nobody asks while nobody looks."""

    def __init__(self, door: Door, background: Background) -> None:
        self._door = door
        self._background = background
        self._ring = Ring()
        self._asking: asyncio.Task[None] | None = None
        self._latest: bytes | None = None

    async def listen(self) -> AsyncGenerator[bytes]:
        """Yield how the fleet stands, as pieces of a stream."""
        seat = self._ring.join()
        try:
            if self._asking is None:
                self._latest = None
                self._asking = self._background.begin(self._ask(self._ring))
            elif self._latest is not None:
                yield self._latest
            while (piece := await seat.latest()) is not None:
                yield piece
            yield last_word(seat.word or GONE)
        finally:
            seat.leave()

    async def _ask(self, ring: Ring) -> None:
        try:
            await self._ask_while_heard(ring)
        except Exception:  # a fault of ours is not to leave listeners with a stream that stands still
            _log.exception("looking at the fleet failed; those who listen come back and it begins anew")
            self._ring = Ring()
            ring.end_with(BYE)
        finally:
            self._asking = None

    async def _ask_while_heard(self, ring: Ring) -> None:
        loop = asyncio.get_running_loop()
        before: tuple[float, Mapping[str, int]] | None = None
        number = 0
        while ring.seats:
            due = loop.time() + _EVERY
            try:
                statistics, workers = await self._door.get_queue_statistics(), await self._door.list_workers()
                pauses = await self._door.list_pauses() if statistics["pauses"] else []
            except StoreError:
                before = None
            else:
                number += 1
                now = (loop.time(), counts_of(statistics))
                self._latest = sse(to_json(frame(statistics, workers, pauses, rates(before, now))), id=number)
                before = now
                ring.tell([self._latest])
            await asyncio.sleep(max(0.0, due - loop.time()))


def counts_of(statistics: Mapping[str, Any]) -> dict[str, int]:
    """Return the tasks of each status."""
    return {status.value: statistics[f"{status.value}_tasks"] for status in TaskStatus}


def rates(
    before: tuple[float, Mapping[str, int]] | None, now: tuple[float, Mapping[str, int]]
) -> dict[str, float | None]:
    """Return tasks a second that ended since the last look, by how; None at the first one.

    What retention took away meanwhile counts for none, so a rate may be told too low then, and is never below zero.
    """
    ends = sorted(status.value for status in TERMINAL)
    if before is None:
        return dict.fromkeys(ends)
    seconds = max(now[0] - before[0], 1e-3)
    return {end: round(max(0, now[1][end] - before[1][end]) / seconds, 2) for end in ends}


def frame(
    statistics: Mapping[str, Any],
    workers: list[dict[str, Any]],
    pauses: list[Pause],
    ended: Mapping[str, float | None],
) -> dict[str, Any]:
    """Return what one look found."""
    return {
        "counts": counts_of(statistics),
        "open_tasks": statistics["open_tasks"],
        "total_tasks": statistics["total_tasks"],
        "queues": [{"name": name, **queue} for name, queue in statistics["queues"].items()],
        "workers": workers,
        "rates": ended,
        "dead_letters": statistics["dead_letters"],
        "timers": statistics["timers"],
        "parked": statistics["parked"],
        "pauses": pauses,
    }
