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
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_HEAD = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"
_NOISE = (b": ping\n\n", b"retry: 1000\n\n")
_LONGEST, _AT_ONCE = 600.0, 20
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


class Listener(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, heard: Heard, came: Callable[[], None]) -> None:
        self._request, self._heard, self._came = request, heard, came
        self._left = bytearray()
        self._is_head = True
        self.at = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Ask."""
        self.transport = transport
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody may be sent away."""
        if not self.over.done():
            self.over.set_exception(RuntimeError(f"sent away after {self.at} bytes: {exc}"))

    def data_received(self, data: bytes) -> None:
        """Take whole chunks, and leave the rest for later."""
        self._left += data
        try:
            if self._is_head:
                self._read_head()
            with memoryview(bytes(self._left)) as view:
                used = self._take(view)
            del self._left[:used]
            self._came()
        except (ValueError, RuntimeError) as exc:
            if not self.over.done():
                self.over.set_exception(exc)
            self.transport.abort()

    def _read_head(self) -> None:
        head, found, rest = bytes(self._left).partition(b"\r\n\r\n")
        if not found:
            return
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())
        self._is_head, self._left = False, bytearray(rest)

    def _take(self, view: memoryview) -> int:
        begin = 0
        while not self._is_head and (end := self._left.find(b"\r\n", begin)) >= 0:
            size = int(view[begin:end].tobytes(), 16)
            if size == 0:
                raise RuntimeError(f"sent away after {self.at} bytes")
            if len(view) < end + 2 + size + 2:
                break
            piece = view[end + 2 : end + 2 + size]
            if piece not in _NOISE:
                self.at = self._heard.hear(self.at, piece)
            begin = end + 2 + size + 2
        return begin


async def main(port: int, path: str, count: int, first: int) -> dict[str, Any]:
    """Return what all of them heard."""
    heard, turned, begin = Heard(), asyncio.Event(), time.perf_counter()
    request = _HEAD.format(path=path, port=port).encode()
    loop, listeners = asyncio.get_running_loop(), list[Listener]()

    async def all_heard(event: int) -> float:
        """Wait until each has heard an event; the seconds since the beginning."""
        while any(each.at < heard.place_of(event) for each in listeners):
            turned.clear()
            await turned.wait()
            await asyncio.sleep(0.05)  # many tell at once that something came
            for each in listeners:
                if each.over.done():
                    each.over.result()
        return time.perf_counter() - begin

    async with asyncio.timeout(_LONGEST):
        for at in range(0, count, _AT_ONCE):
            made = [
                loop.create_connection(lambda: Listener(request, heard, turned.set), "127.0.0.1", port)
                for _ in range(min(_AT_ONCE, count - at))
            ]
            listeners += [listener for _, listener in await asyncio.gather(*made)]
        ready = await all_heard(first)
        print("ready", flush=True)
        last = int(await asyncio.to_thread(sys.stdin.readline))
        await all_heard(last)
    for each in listeners:
        each.over.cancel()
        each.transport.abort()
    ids = list(map(int, _ID.findall(heard.text)))
    return {
        "listeners": len(listeners),
        "heard_all": sum(each.at == len(heard.text) for each in listeners),
        "events": heard.events,
        "in_order": ids == list(range(1, last + 1)),
        "seconds_to_catch_up": round(ready, 2),
        "megabytes": round(sum(each.at for each in listeners) / 2**20),
    }


if __name__ == "__main__":
    port, path, count, first = sys.argv[1:]
    print(json.dumps(asyncio.run(main(int(port), path, int(count), int(first)))))
