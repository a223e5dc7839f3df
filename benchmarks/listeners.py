"""Many listeners of one stream in one process: ``python -m benchmarks.listeners PORT PATH COUNT FIRST``.

All hear the same bytes, only cut differently. Whoever is ahead of all others writes down what it hears, and what each
of the others hears is compared with that, byte by byte; so to check all costs little beside the server. It says
``ready`` once each has heard the event FIRST, then reads a line with the number of the last one, ends once each has
heard that too, and prints what it found.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.sse import opened, until_all

_LONGEST = 600.0
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@dataclass
class Heard:
    """What was heard by whoever is ahead, whole events; of each event where it ends."""

    text: bytearray = field(default_factory=bytearray)
    #: Bytes of it behind which FIRST and LAST have been heard; None as long as nobody has.
    marks: dict[int, int] = field(default_factory=dict)
    events: int = 0

    def hear(self, at: int, piece: memoryview) -> int:
        """Take a piece heard behind *at* bytes; return where its listener stands now. ValueError: it heard another."""
        known = min(len(piece), len(self.text) - at)
        if self.text[at : at + known] != piece[:known]:
            raise ValueError(f"another text at byte {at}")
        if known < len(piece):
            self._write(piece[known:])
        return at + len(piece)

    def _write(self, new: memoryview) -> None:
        self.text += new
        self.events += bytes(new).count(b"\nevent: ")
        self.marks.setdefault(self.events, len(self.text))

    def place_of(self, event: int) -> int:
        """Return the bytes that who has heard this event has heard at least; more than there are where nobody has."""
        return min((at for count, at in self.marks.items() if count >= event), default=sys.maxsize)


@dataclass
class Listener:
    """One of them."""

    heard: Heard
    at: int = 0

    def hear(self, piece: memoryview) -> None:
        """Take a piece of its stream."""
        self.at = self.heard.hear(self.at, piece)


async def main(port: int, path: str, count: int, first: int) -> dict[str, Any]:
    """Return what all of them heard."""
    heard, begin = Heard(), time.perf_counter()
    listeners = [Listener(heard) for _ in range(count)]

    def all_heard(event: int) -> bool:
        least = heard.place_of(event)
        return all(each.at >= least for each in listeners)

    async with asyncio.timeout(_LONGEST):
        streams = await opened(port, path, [each.hear for each in listeners])
        await until_all(streams, lambda: all_heard(first))
        ready = time.perf_counter() - begin
        print("ready", flush=True)
        last = int(await asyncio.to_thread(sys.stdin.readline))
        await until_all(streams, lambda: all_heard(last))
    for each in streams:
        each.close()
    ids = list(map(int, _ID.findall(heard.text)))
    return {
        "listeners": count,
        "heard_all": sum(each.at == len(heard.text) for each in listeners),
        "events": heard.events,
        "in_order": ids == list(range(1, last + 1)),
        "seconds_to_catch_up": round(ready, 2),
        "megabytes": round(sum(each.at for each in listeners) / 2**20),
    }


if __name__ == "__main__":
    port, path, count, first = sys.argv[1:]
    print(json.dumps(asyncio.run(main(int(port), path, int(count), int(first)))))
