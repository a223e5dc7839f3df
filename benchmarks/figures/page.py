"""The page on a run of 20 000 tasks: how soon it stands, how it moves, and how late it tells what happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from uuid import UUID

from benchmarks.agents import COUNT
from benchmarks.browser import Browser
from benchmarks.figure import Figure, Must
from benchmarks.processes import until
from benchmarks.stack import Stack
from taskengine.demo.mosaic import mosaic
from taskengine.demo.run import to_tasks

_PATIENCE = 120.0
#: Tasks that have ended when the watching is over.
_WATCHED = 4_000


def measure(stack: Stack) -> Iterator[Figure]:
    """Cold picture, pan, live frames, event to pixel, heap; and the picture of five times as many tasks."""
    size, watched = stack.size(20_000, 600), stack.size(_WATCHED, 200)
    about = stack.describe() | {"tasks": size, "browser": "chromium, headless, no GPU, 1280 × 900"}
    with ExitStack() as exits:
        stack.fleet()
        address = exits.enter_context(stack.served()).url
        run = exits.enter_context(_standing(stack, size))
        browser = exits.enter_context(Browser())
        first = browser.open(f"{address}/#/runs/{run}/graph", _PATIENCE)
        must = Must("value", "<=", 1.5)
        yield Figure("page.picture", first / 1000, "s until all is drawn, cold", must=must, config=about)
        pan = _p95(browser.pan())
        yield Figure("page.pan", pan, "ms a frame, p95", must=Must("value", "<=", 33), config=about)
        stack.client.api.resume(COUNT)
        until(lambda: _ended(stack, run) >= watched, _PATIENCE, f"{watched} tasks have ended")
        noted = browser.noted("fold", "live", "frame", "event to pixel")
        parts = {name: round(_p95(noted[name]), 2) for name in ("fold", "live", "frame")}
        live = sum(parts.values())
        yield Figure("page.live", live, "ms a frame, p95", must=Must("value", "<=", 16), config=about | {"of": parts})
        late = _p95(noted["event to pixel"])
        yield Figure("page.event_to_pixel", late, "ms, p95", must=Must("value", "<=", 500), config=about)
        heap, known = browser.heap()
        yield Figure("page.heap", heap, "MB", must=Must("value", "<=", 120), config=about | {"of": known})
    with ExitStack() as exits:
        address, large = exits.enter_context(stack.served()).url, stack.size(100_000, 1_000)
        run = exits.enter_context(_standing(stack, large))
        first = exits.enter_context(Browser()).open(f"{address}/#/runs/{run}/graph", _PATIENCE)
        yield Figure("page.picture_100k", first / 1000, "s until all is drawn, cold", config=about | {"tasks": large})


@contextmanager
def _standing(stack: Stack, size: int) -> Iterator[UUID]:
    """A run of which nothing starts before somebody resumes it; it leaves nothing behind that another figure waits for.

    A pause that outlived this figure held the tasks of the next one for ever.
    """
    api = stack.client.api
    api.pause(COUNT, reason="the page is opened first")
    try:
        run = _submitted(stack, size)
        yield run
        api.cancel_tasks(run_id=run, reason="the page was looked at")
    finally:
        api.resume(COUNT)
    until(lambda: api.get_run(run).open_tasks == 0, _PATIENCE, "the run is over")


def _submitted(stack: Stack, size: int) -> UUID:
    run = stack.client.api.create_tasks(to_tasks(mosaic(size), COUNT), name=f"mosaic of {size}")[0].run_id
    if run is None:
        raise RuntimeError("a submitted task has a run")
    return run


def _ended(stack: Stack, run: UUID) -> int:
    told = stack.client.api.get_run(run)
    return told.total_tasks - told.open_tasks


def _p95(noted: Sequence[float]) -> float:
    if not noted:
        raise RuntimeError("the page noted nothing: did it see the run move?")
    return sorted(noted)[int(len(noted) * 0.95)]
