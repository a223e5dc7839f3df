"""Which tasks a verb for many of them is meant for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from taskengine.models import BulkResult

Progress: TypeAlias = Callable[[BulkResult], object]


class Selection(NamedTuple):
    """Which tasks, and how the caller wants to hear of it."""

    filters: Mapping[str, Any]
    everything: bool
    dry_run: bool
    progress: Progress | None
