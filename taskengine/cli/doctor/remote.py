"""A server of REST: whether it lets one in, and what it says of the fleet behind it."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.api import BlockingTaskAPI
from taskengine.cli.doctor.finding import Finding, notice, ok, wrong
from taskengine.core.remedy import as_commands
from taskengine.errors import TaskEngineError
from taskengine.settings import Settings


def examine(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Yield what the server says; more is to be seen where its store is."""
    try:
        with as_commands(), BlockingTaskAPI(settings=settings) as api:
            health = api.health_check()
    except TaskEngineError as exc:
        yield wrong("server", str(exc), "correct --url or TASKENGINE_URL, and TASKENGINE_API_KEY")
        return
    if health["status"] == "unhealthy":
        yield from (wrong("server", str(problem), "start it, or correct the address") for problem in health["problems"])
        return
    yield ok("server", f"{settings.url} answers; its store is {health['server']['software']}")
    for problem in health["problems"]:
        yield notice("fleet", str(problem), "look closer where the store is: taskengine doctor")
    if deep:
        yield notice("deep", "a server of REST reads no invariants", "run it where the store is, without --url")
