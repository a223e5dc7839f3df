"""Fifty who look at one run of 20 000 tasks while it runs: what the server takes, and how late they see it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.agents import COUNT
from benchmarks.figure import Figure
from benchmarks.served import heard
from benchmarks.stack import Stack
from taskengine.demo.mosaic import mosaic
from taskengine.demo.run import to_tasks


def measure(stack: Stack) -> Iterator[Figure]:
    """Megabytes and share of a core of the server, and milliseconds until a viewer has a frame; reported alone."""
    stack.fleet()
    size, viewers, api = stack.size(20_000, 300), stack.size(50, 10), stack.client.api
    api.pause(COUNT, reason="all look before it begins")
    run = api.create_tasks(to_tasks(mosaic(size), COUNT), name=f"mosaic of {size}")[0].run_id

    def resume() -> str:
        api.resume(COUNT)
        return ""

    with stack.served() as server:
        found, spent = heard(server, "benchmarks.viewers", run, viewers, during=resume)
        memory = server.megabytes
    about = stack.describe() | found | {"tasks": size}
    yield Figure("page.viewers", memory, "MiB", config=about)
    yield Figure("page.viewers.core", spent, "% of a core", config=about)
    yield Figure("page.viewers.delay", found["delay_p95"], "ms a frame, p95", config=about)
