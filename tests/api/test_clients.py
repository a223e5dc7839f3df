"""The two clients: alike to the letter, cheap to import, clear when the server is not as it must be."""

from __future__ import annotations

import asyncio
import gc
import inspect
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

import taskengine
from taskengine import (
    BlockingTaskAPI,
    InvalidInputError,
    SettingsError,
    StoreUnavailableError,
    Task,
    TaskAPI,
    UnsupportedServerError,
)
from taskengine.settings import Settings

from ..cases import each


def public(client: type) -> dict[str, Any]:
    return {name: getattr(client, name) for name in dir(client) if not name.startswith("_")}


#: What is there without a trip, so that nobody waits for it.
ASKS_NOBODY = {"get_workflow_handle"}


def test_doors_are_alike() -> None:
    awaited, blocking = public(TaskAPI), public(BlockingTaskAPI)
    assert awaited.keys() == blocking.keys()
    for name in awaited:
        signature = str(inspect.signature(awaited[name])).replace("'WorkflowHandle'", "'BlockingWorkflowHandle'")
        assert signature == str(inspect.signature(blocking[name])), name
        assert awaited[name].__doc__ == blocking[name].__doc__, name
        assert awaited[name].__doc__, name
        assert inspect.iscoroutinefunction(awaited[name]) != (name in ASKS_NOBODY), name
        assert not inspect.iscoroutinefunction(blocking[name]), name


def test_every_public_name_is_there() -> None:
    assert all(hasattr(taskengine, name) for name in taskengine.__all__)
    assert callable(taskengine.agent)


@pytest.mark.process
def test_import_brings_no_celery() -> None:
    code = "import sys, taskengine; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "taskengine" in loaded
    assert {"celery", "kombu", "flower", "tornado", "workers"}.isdisjoint(loaded)


def test_async_door_needs_no_with(settings: Settings) -> None:
    async def operation() -> Task:
        api = TaskAPI(settings=settings)
        task = await api.create_task(Task(name="a"))
        await api.close()
        await api.close()
        found = await api.get_task(task.id)
        await api.close()
        return found

    assert asyncio.run(operation()).name == "a"


def test_async_door_outlives_its_loop(settings: Settings) -> None:
    api = TaskAPI(settings=settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # nobody can close what a dead loop opened
        task = asyncio.run(api.create_task(Task(name="a")))
        assert asyncio.run(api.get_task(task.id)).id == task.id
        asyncio.run(api.close())
        gc.collect()


def test_first_calls_at_once_open_one_store(settings: Settings, shared_valkey: Any) -> None:
    async def operation() -> None:
        async with TaskAPI(settings=settings) as api:
            before = int(shared_valkey.client.info("commandstats").get("cmdstat_info", {}).get("calls", 0))
            await asyncio.gather(*(api.get_queue_statistics() for _ in range(20)))
            after = int(shared_valkey.client.info("commandstats")["cmdstat_info"]["calls"])
            assert after - before == 2  # ours, and the client's check

    asyncio.run(operation())


def test_url_wins_over_settings(shared_valkey: Any, settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    with BlockingTaskAPI(shared_valkey.url, elsewhere) as api:
        assert api.get_queue_statistics()["total_tasks"] == 0


@pytest.mark.process
def test_door_without_arguments_uses_the_environment_or_the_embedded_server(tmp_path: Path) -> None:
    code = (
        "from taskengine import BlockingTaskAPI, Task\n"
        "with BlockingTaskAPI() as api:\n"
        "    print(api.create_task(Task(name='a')).status)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert (ran.returncode, ran.stdout) == (0, "ready\n"), ran.stderr
    assert (tmp_path / ".taskengine").is_dir()


@each(
    "url", ["amqp://localhost", "localhost:6379", "", "redis://[::1", "redis://localhost:port", 5]
)
def test_wrong_url_is_refused(url: Any) -> None:
    with pytest.raises((SettingsError, InvalidInputError)) as refused, BlockingTaskAPI(url) as api:
        api.get_queue_statistics()
    assert refused.value.field in ("redis_url", "url")


@pytest.mark.parametrize("client", ["blocking", "async"])
def test_server_that_is_down_is_a_clear_error_within_five_seconds(client: str) -> None:
    url, task = "redis://127.0.0.1:1/0", Task(name="a")
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match="check TASKENGINE_REDIS_URL"):
        BlockingTaskAPI(url).create_task(task) if client == "blocking" else asyncio.run(
            TaskAPI(url).create_task(task)
        )
    assert time.monotonic() - began < 5


def test_evicting_server_is_refused_until_it_is_corrected(settings: Settings, shared_valkey: Any) -> None:
    shared_valkey.client.config_set("maxmemory-policy", "allkeys-lru")
    api = BlockingTaskAPI(settings=settings)
    try:
        with pytest.raises(UnsupportedServerError, match="maxmemory-policy"):
            api.create_task(Task(name="a"))
        assert shared_valkey.client.dbsize() == 0
        assert api.health_check()["status"] == "unhealthy"
    finally:
        shared_valkey.client.config_set("maxmemory-policy", "noeviction")
    assert api.create_task(Task(name="a")).status == "ready"
    api.close()
