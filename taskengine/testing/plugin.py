"""The pytest plugin: the fixtures ``engine`` and ``engine_clock``.

pytest loads it in every project that has taskengine installed, so it imports nothing before a fixture is used; a
fixture of your own that is called ``engine`` wins over it. The mark ``taskengine`` passes arguments to
:class:`~taskengine.testing.Engine`::

    @pytest.mark.taskengine(modules=["my_agents"], max_lost=1)
    def test_poison(engine): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from taskengine import testing

if TYPE_CHECKING:
    from taskengine.testing.clock import Clock
    from taskengine.testing.engine import Engine


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "taskengine(agents, modules, slots, start, **settings): how engine is made")


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine of this test's own, closed at its end."""
    mark = request.node.get_closest_marker("taskengine")
    with testing.Engine(*(mark.args if mark else ()), **(mark.kwargs if mark else {})) as made:
        yield made


@pytest.fixture
def engine_clock(engine: Engine) -> Clock:
    """The clock of ``engine``."""
    return engine.clock
