"""Fleets of the tiny app of :mod:`celery_fleet`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .celery_fleet import Fleet


@pytest.fixture
def fleet(valkey: Any, tmp_path: Path) -> Iterator[Fleet]:
    """Workers reached over the server's unix socket."""
    made = Fleet(tmp_path, valkey.client, valkey.socket, valkey.url)
    yield made
    made.close()


@pytest.fixture(params=["unix", "tcp"])
def any_fleet(request: pytest.FixtureRequest, valkey: Any, tmp_path: Path) -> Iterator[Fleet]:
    """Workers reached over the unix socket, and once more over TCP."""
    url = valkey.url if request.param == "unix" else valkey.open_port()
    made = Fleet(tmp_path, valkey.client, valkey.socket, url)
    yield made
    made.close()
