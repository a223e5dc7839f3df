"""Where no task can be kept, none is: an error of the library's own within 5 s, from both clients and every command."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from taskengine import (
    BlockingTaskAPI,
    StoreFullError,
    StoreUnavailableError,
    Task,
    TaskAPI,
    TaskEngineError,
    UnsupportedServerError,
)
from taskengine.settings import Settings

from .conftest import PLACES, Place

Places = Callable[[str], Place]
SAYS: dict[str, tuple[type[TaskEngineError], str]] = {
    "cluster": (UnsupportedServerError, "this is a Redis Cluster"),
    "evicting": (UnsupportedServerError, "CONFIG SET maxmemory-policy noeviction"),
    "password": (StoreUnavailableError, "name them in TASKENGINE_REDIS_URL: redis://user:password@host"),
    "replica": (StoreUnavailableError, "is a replica and does not accept writes now"),
    "full": (StoreFullError, "raise maxmemory, or lower TASKENGINE_RETENTION_SECONDS"),
    "hung": (StoreUnavailableError, "check TASKENGINE_REDIS_URL and that the server runs"),
    "down": (StoreUnavailableError, "check TASKENGINE_REDIS_URL and that the server runs"),
    "no socket": (StoreUnavailableError, "check TASKENGINE_REDIS_URL and that the server runs"),
    "no sentinel": (StoreUnavailableError, "check TASKENGINE_REDIS_URL and that the server runs"),
    "no host": (StoreUnavailableError, "check TASKENGINE_REDIS_URL and that the server runs"),
    "web server": (StoreUnavailableError, "is no Redis"),
    "no tls": (StoreUnavailableError, "check TASKENGINE_REDIS_URL and that the server runs"),
}
#: Where reading still works.
READABLE = ("replica", "full")


def submit(client: str, url: str, *tasks: Task) -> None:
    """Submit, with nothing left open."""
    settings = Settings(redis_url=url)
    if client == "blocking":
        with BlockingTaskAPI(settings=settings) as api:
            api.create_task(tasks[0]) if len(tasks) == 1 else api.create_tasks(tasks)
        return

    async def operation() -> None:
        async with TaskAPI(settings=settings) as api:
            await (api.create_task(tasks[0]) if len(tasks) == 1 else api.create_tasks(tasks))

    asyncio.run(operation())


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("client", ["blocking", "async"])
def test_a_submit_is_refused_within_five_seconds_and_leaves_nothing(places: Places, client: str, where: str) -> None:
    place = places(where)
    kind, says = SAYS[where]
    before = place.everything()
    began = time.monotonic()
    with pytest.raises(TaskEngineError) as refused:
        submit(client, place.url, Task(name="a"))
    assert time.monotonic() - began < 5
    assert type(refused.value) is kind
    assert says in str(refused.value)
    assert place.everything() == before


@pytest.mark.parametrize("where", ["replica", "full", "cluster"])
@pytest.mark.parametrize("client", ["blocking", "async"])
def test_a_graph_is_refused_as_a_whole(places: Places, client: str, where: str) -> None:
    place, parent = places(where), Task(name="parent")
    before = place.everything()
    with pytest.raises(SAYS[where][0]):
        submit(client, place.url, parent, Task(name="child", depends_on={parent.id}))
    assert place.everything() == before


@pytest.mark.parametrize("where", PLACES)
def test_health_is_an_answer_and_no_error(places: Places, where: str) -> None:
    began = time.monotonic()
    with BlockingTaskAPI(places(where).url) as api:
        health = api.health_check()
    assert time.monotonic() - began < 5
    assert health["status"] == ("degraded" if where in READABLE else "unhealthy")
    assert health["problems"]


@pytest.mark.parametrize("where", ["cluster", "evicting", "password", "full", "hung", "down", "web server"])
def test_a_command_says_it_in_a_sentence(
    places: Places, at: Callable[[str], None], taskengine: Any, where: str
) -> None:
    at(places(where).url)
    began = time.monotonic()
    done = taskengine("task", "submit", "--capability", "lint")
    assert time.monotonic() - began < 5
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("taskengine: ")
    assert SAYS[where][1] in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "command",
    [
        "task submit", "task list", "task get 00000000-0000-4000-8000-000000000000", "queue stats", "workers",
        "task cancel 00000000-0000-4000-8000-000000000000", "task retry 00000000-0000-4000-8000-000000000000",
        "doctor", "doctor --deep", "worker -I json", "coordinator", "up --no-flower", "demo --exit", "flower",
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["cluster", "evicting"])
def test_every_command_refuses_a_server_that_loses_tasks(
    places: Places, at: Callable[[str], None], taskengine: Any, caplog: Any, where: str, command: str
) -> None:
    place = places(where)
    at(place.url)
    done = taskengine(*command.split())
    said = " ".join(f"{done.out} {done.err} {caplog.text}".split())
    assert done.code == 1
    assert ("Redis Cluster" if where == "cluster" else "maxmemory-policy is allkeys-lru") in said
    assert "Traceback" not in said
    assert place.everything() == {}


def test_an_error_for_a_program_names_its_kind(places: Places, at: Callable[[str], None], taskengine: Any) -> None:
    at(places("down").url)
    done = taskengine("-o", "json", "queue", "stats")
    error = json.loads(done.err)["error"]
    assert (done.code, error["type"]) == (1, "StoreUnavailableError")
