"""A bench for every test of this room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .bench import Bench


@pytest.fixture
def bench(valkey: Any) -> Iterator[Bench]:
    """Clocks a fifth of the defaults."""
    made = Bench(valkey)
    yield made
    made.close()
