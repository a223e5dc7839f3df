"""Which pages of the list of runs to read, so that few requests say how many runs stand.

The list begins with the newest run and only grows there, so a run's place counted from its end, its *rank*, stays. Once
somebody saw it, it stands in the run's reference, and whoever polls next reads just the page on which it is: also a
poller that is new, after the one before it was killed in the middle of ten thousand. Where one stands that has none yet
its id says, between those of which that is known. What no page shows is asked for by itself.

One look is a few requests, those that waited longest first: what they do not reach is looked for the next time, so what
was heard is told soon, however many runs there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from taskengine.agents import RemoteState, Tracked
from workers.agents.codegen.client import Client, Page, Run
from workers.agents.codegen.states import RANK, count, state_of

#: Runs of one page, and requests of one look: two seconds of them, as the service allows them.
PAGE, REQUESTS = 100, 4
#: So many runs cost no more one by one than by pages.
_FEW = 2
#: Places that are kept.
_PLACES = 1000


@dataclass(slots=True)
class Look:
    """One look at some runs."""

    client: Client
    tracked: Sequence[Tracked]
    #: Requests that it may still make.
    left: int = REQUESTS
    #: Id -> rank of runs at the ends of pages that were read, which stay.
    places: dict[int, int] = field(default_factory=dict)
    #: Runs in the list, as the latest page said; None before the first.
    total: int | None = None
    #: Id -> the run; None when the service does not know it.
    _runs: dict[str, Run | None] = field(default_factory=dict)
    _ranks: dict[str, int] = field(default_factory=dict)

    async def states(self) -> list[RemoteState | None]:
        """Return how each stands, in order; None of those that were not reached."""
        self._ranks = {one.reference.id: rank for one in self.tracked if (rank := count(one.reference, RANK))}
        if len(self.tracked) > 1:
            await self._unranked([one.reference.id for one in self.tracked if one.reference.id not in self._ranks])
            await self._ranked([one.reference.id for one in self.tracked])
        for one in self.tracked:
            if one.reference.id not in self._runs and self.left > 0:
                self.left -= 1
                self._runs[one.reference.id] = await self.client.run(one.reference.id)
        return [self._state(one) for one in self.tracked]

    def _state(self, one: Tracked) -> RemoteState | None:
        id = one.reference.id
        return state_of(one, self._runs[id], self._ranks.get(id)) if id in self._runs else None

    async def _unranked(self, wanted: Sequence[str]) -> None:
        """Read the pages on which runs should stand whose ranks nobody knows: ids grow as runs are made, so what was
        read before says about where. One that is on no such page is left to be asked alone, as are a few.
        """
        spare, read = self.left // 2 if self._ranks else 0, set[int]()
        for id in wanted if len(wanted) > _FEW else ():
            while id not in self._runs and self.left > spare and (skip := self._guess(id)) not in read:
                read.add(skip)
                await self._read(skip)

    def _guess(self, id: str) -> int:
        """Return where the page begins on which a run may stand, between the runs next to it of which that is known."""
        if self.total is None or not id.isdecimal():
            return 0
        number = int(id)
        above = min((known for known in self.places if known >= number), default=None)
        if above is None:
            return 0
        below = max((known for known in self.places if known < number), default=0)
        first, last = self.places.get(below, 0), self.places[above]
        rank = first + (last - first) * (number - below) / (above - below)
        return max(0, self.total - round(rank)) // PAGE * PAGE

    async def _ranked(self, wanted: Sequence[str]) -> None:
        """Read the pages on which the others stand, by their ranks; one that is not there is left to be asked alone."""
        for id in wanted:
            if id in self._runs or id not in self._ranks or self.left <= 0:
                continue
            if self.total is None:
                await self._read(0)
            if id not in self._runs and self.left > 0:
                assert self.total is not None
                await self._read(max(0, self.total - self._ranks[id]) // PAGE * PAGE)
            if id not in self._runs:
                self._ranks.pop(id)

    async def _read(self, skip: int) -> Page:
        self.left -= 1
        if len(self.places) > _PLACES:
            self.places.clear()
        page = await self.client.page(skip, PAGE)
        self.total = page.total
        for at, run in enumerate(page.runs):
            id = str(run.get("id"))
            self._runs[id] = run
            self._ranks[id] = page.total - skip - at
            if at in (0, len(page.runs) - 1) and id.isdecimal():
                self.places[int(id)] = self._ranks[id]
        return page
