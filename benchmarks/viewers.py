"""Many who look at one run as the page does: ``python -m benchmarks.viewers PORT RUN COUNT``.

Each reads the graph, and hears what changes from there on. It says ``ready`` once all of them hear, ends once each has
heard of every task that it ended, and prints what it found. A frame is read once, by whoever hears it first.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2

from benchmarks.sse import opened, until_all
from taskengine.core.lifecycle import TERMINAL

_LONGEST = 600.0


class Frame(NamedTuple):
    """What is needed of a frame."""

    #: When the first and the last thing that it tells happened, in milliseconds since 1970; None where it tells none.
    moments: tuple[int, int] | None
    ended: frozenset[int]


@dataclass
class Frames:
    """What was told of a run, whoever heard it."""

    base_ms: int
    over: frozenset[str]
    known: dict[bytes, Frame] = field(default_factory=dict)

    def read(self, written: bytes) -> Frame:
        """Return a frame; ValueError where it is something else."""
        if written not in self.known:
            self.known[written] = self._read(written)
        return self.known[written]

    def _read(self, written: bytes) -> Frame:
        fields = dict(line.split(": ", 1) for line in written.decode().split("\n"))
        if "event" in fields:
            raise ValueError(f"a viewer was told {fields['event']}")
        told: Mapping[str, Any] = json.loads(fields["data"])
        moments = [max(times) for times in told["t"] if max(times) >= 0]
        first_last = (self.base_ms + min(moments), self.base_ms + max(moments)) if moments else None
        ended = frozenset(at for at, digit in zip(told["i"], told["s"], strict=True) if digit in self.over)
        return Frame(first_last, ended)


@dataclass
class Viewer:
    """One of them."""

    frames: Frames
    ended: set[int] = field(default_factory=set)
    #: Milliseconds from the first thing that a frame tells until it was heard.
    delays: list[float] = field(default_factory=list)
    bytes: int = 0

    def hear(self, piece: memoryview) -> None:
        """Take some frames."""
        now = 1000 * time.time()
        self.bytes += len(piece)
        for written in piece.tobytes().removesuffix(b"\n\n").split(b"\n\n"):
            frame = self.frames.read(written)
            self.ended |= frame.ended
            if frame.moments is not None:
                self.delays.append(now - frame.moments[0])


async def main(port: int, run: str, count: int) -> dict[str, Any]:
    """Return what all of them heard, and how late."""
    path, begin = f"/api/v1/runs/{run}", time.perf_counter()
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=_LONGEST) as client:
        answers = await asyncio.gather(*(client.get(f"{path}/graph?view=compact") for _ in range(count)))
    graphs = {answer.raise_for_status().content for answer in answers}
    if len(graphs) != 1:
        raise RuntimeError("the run moved before all had read it")
    graph = json.loads(graphs.pop())
    frames = Frames(graph["base_ms"], frozenset(graph["codes"][status.value] for status in TERMINAL))
    viewers = [Viewer(frames) for _ in range(count)]
    async with asyncio.timeout(_LONGEST):
        streams = await opened(port, f"{path}/live?after={graph['seq']}", [each.hear for each in viewers])
        await until_all(streams, lambda: all(each.is_answered for each in streams))
        ready = time.perf_counter() - begin
        print("ready", flush=True)
        await until_all(streams, lambda: all(len(each.ended) == len(graph["names"]) for each in viewers))
    for each in streams:
        each.close()
    delays = [delay for each in viewers for delay in each.delays]
    return {
        "viewers": count,
        "frames_each": round(len(delays) / count),
        "seconds_to_open": round(ready, 2),
        "megabytes": round(sum(each.bytes for each in viewers) / 2**20, 1),
        "delay_p50": _quantile(delays, 0.5),
        "delay_p95": _quantile(delays, 0.95),
        "delay_most": _quantile(delays, 1.0),
    }


def _quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile in whole milliseconds."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))])


if __name__ == "__main__":
    port, run, count = sys.argv[1:]
    print(json.dumps(asyncio.run(main(int(port), run, int(count)))))
