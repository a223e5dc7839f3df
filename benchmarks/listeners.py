"""Many listeners of one stream in one process: ``python -m benchmarks.listeners PORT PATH COUNT LAST``.

All hear the same bytes, so one is read event by event, and the others are compared with it by a hash: to read them all
would cost more than the server that is measured. It ends once each has heard the event LAST, and prints what it found.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field
from typing import Any

_HEAD = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"
_NOISE = (b": ping\n\n", b"retry: 1000\n\n")
_LONGEST = 600.0
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@dataclass
class Heard:
    """What one listener heard."""

    reads: bool
    events: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    ids: list[int] = field(default_factory=list)

    def hear(self, piece: bytes) -> None:
        """Take a piece: whole events, as the server sends them."""
        for noise in _NOISE:
            piece = piece.replace(noise, b"")
        self.events += piece.count(b"\nevent: ")
        self.digest.update(piece)
        if self.reads:
            self.ids += map(int, _ID.findall(piece))


async def listen(port: int, path: str, last: int, heard: Heard, begun: asyncio.Semaphore) -> None:
    """Hear a stream until its event *last*."""
    async with begun:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        writer.write(_HEAD.format(path=path, port=port).encode())
        head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(head.decode())
    while heard.events < last:
        size = int(await reader.readline(), 16)
        if size == 0:
            raise RuntimeError(f"sent away after {heard.events} events")
        heard.hear((await reader.readexactly(size + 2))[:-2])
    writer.close()


async def main(port: int, path: str, count: int, last: int) -> dict[str, Any]:
    """Return what all of them heard."""
    all_heard = [Heard(reads=at == 0) for at in range(count)]
    begun = asyncio.Semaphore(20)
    async with asyncio.timeout(_LONGEST):
        await asyncio.gather(*(listen(port, path, last, each, begun) for each in all_heard))
    first = all_heard[0]
    return {
        "listeners": count,
        "events": sum(each.events for each in all_heard),
        "in_order": first.ids == list(range(1, last + 1)),
        "alike": len({each.digest.digest() for each in all_heard}) == 1,
    }


if __name__ == "__main__":
    port, path, count, last = sys.argv[1:]
    print(json.dumps(asyncio.run(main(int(port), path, int(count), int(last)))))
