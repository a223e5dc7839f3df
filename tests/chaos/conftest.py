"""Fleets that are made to be broken; every test here is marked ``chaos``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ..conftest import Valkey
from ..fleet import QUICK, Fleet, attach_logs
from .proxy import Proxy

#: The engine's defaults: nothing shortened.
DEFAULTS = dict.fromkeys(QUICK)

MakeFleet = Callable[..., Fleet]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.chaos)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    report = yield
    attach_logs(report)
    return report


@pytest.fixture
def make_fleet(tmp_path: Path) -> Iterator[MakeFleet]:
    """Makes a fleet on a server of its own; clocks of None are the engine's defaults."""
    with ExitStack() as ends:

        def make(**clocks: Any) -> Fleet:
            server = Valkey()
            ends.callback(server.close)
            fleet = Fleet(server, tmp_path, **clocks)
            ends.callback(fleet.close)
            return fleet

        yield make


@pytest.fixture
def proxy_to() -> Iterator[Callable[[Fleet], Proxy]]:
    """Makes a proxy in front of a fleet's server."""
    made: list[Proxy] = []

    def make(fleet: Fleet) -> Proxy:
        made.append(Proxy(fleet.server.socket))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether every form of a fault is tried, at its full size."""
    return bool(request.config.option.matrix == "full")


@pytest.fixture
def moments(request: pytest.FixtureRequest, full: bool) -> Iterator[int]:
    """Moments of a life at which somebody dies: each of them in a full run, else every eighth after one by chance."""
    if full:
        return count(1)
    chance = random.Random(f"{request.config.option.sample} {request.node.nodeid}")
    return count(chance.randint(1, 8), 8)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Notes a measured figure; shown with ``-rA``."""

    def note(what: str, value: float) -> None:
        request.node.user_properties.append((what, round(value, 3)))
        print(f"measured: {what} = {value:.3f}")

    return note
