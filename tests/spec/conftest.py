"""One fleet for a module, and what runs the manual's code blocks as they are written."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Awaitable, Callable, Iterator
from textwrap import dedent
from typing import Any

import pytest

import taskengine
from taskengine.api.operations.keys import create_key
from taskengine.models.key import NewKey
from taskengine.settings import current
from taskengine.store.call import Operation

from ..conftest import Valkey
from ..fleet import Fleet, attach_logs
from ..served import Served

Run = Callable[..., Awaitable[dict[str, Any]]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    report = yield
    attach_logs(report)
    return report


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A coordinator, and two workers that offer every built-in type and what the fleet's own agents can."""
    server = Valkey()
    made = Fleet(server, tmp_path_factory.mktemp("fleet"))
    try:
        made.coordinator()
        made.await_ready(
            made.celery("spec", agents="spec_agents", pool="threads"),
            made.celery("fleet", "-Q", "work", agents="fleet_agents"),
        )
        made.await_leader()
        yield made
    finally:
        made.close()
        server.close()


@pytest.fixture(scope="module")
def served(fleet: Fleet) -> Iterator[tuple[str, str]]:
    """The address of a server of REST for the fleet, and a key for everything."""
    server = Served(fleet.settings)
    key: Operation[NewKey] = create_key("ann", "admin")
    yield server.url, fleet.store.run(key).key
    server.close()


@pytest.fixture(params=["store", "http"])
def here(request: pytest.FixtureRequest, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """``TaskAPI()`` without an argument reaches the fleet, as in a user's shell: its store, or a server of REST."""
    for name, value in fleet.environment().items():
        if name.startswith("TASKENGINE_"):
            monkeypatch.setenv(name, value)
    if request.param == "http":
        url, key = request.getfixturevalue("served")
        monkeypatch.setenv("TASKENGINE_URL", url)
        monkeypatch.setenv("TASKENGINE_API_KEY", key)
    current.cache_clear()
    yield fleet
    current.cache_clear()


async def run_block(block: str, **names: Any) -> dict[str, Any]:
    """Run a code block, ``await`` at the top included, with *names* and all that ``from taskengine import *`` gives;
    the names that there are afterwards.
    """
    known = {name: getattr(taskengine, name) for name in taskengine.__all__} | names
    code = compile(dedent(block), "<manual>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    waits = eval(code, known)
    if inspect.isawaitable(waits):
        await waits
    return known


@pytest.fixture
def run(here: Fleet) -> Run:
    """Run a code block against the fleet."""
    return run_block
