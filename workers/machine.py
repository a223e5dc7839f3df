"""What the machine of a worker has of each resource: what it shows, bounded by the container, and what people say.

Read once, when the worker starts: what the machine gets later it tells after a restart. GPUs show nothing here; people
say them, as they say licences or anything else that is counted.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import psutil

from taskengine.core.demand import amounts, to_words
from taskengine.errors import InvalidInputError, SettingsError
from taskengine.settings import Settings

_CGROUP = Path("/sys/fs/cgroup")
_GB = 2**30


def told(settings: Settings, cgroup: Path = _CGROUP) -> str:
    """Return what a beat tells of the machine: ``HOST resource=thousandths,…``; SettingsError for what is no amount."""
    shown = {"cpu_cores": _cores(cgroup), "memory_gb": _memory(cgroup), "disk_gb": _disk(settings)}
    all_of_it = {**shown, **said(settings.resources)}
    try:
        return f"{_name(settings)} {to_words(amounts({name: n for name, n in all_of_it.items() if n}, 'resources'))}"
    except InvalidInputError as exc:
        raise SettingsError(f"TASKENGINE_RESOURCES: {exc}", field="resources") from exc


def said(text: str) -> dict[str, float]:
    """Return what people say, by name: ``gpu=2 licence=1``, as the settings checked it. 0 is none."""
    found = {}
    for word in text.replace(",", " ").split():
        name, _, amount = word.partition("=")
        found[name] = float(amount)
    return found


def _name(settings: Settings) -> str:
    """Return the name that all workers of the machine tell, of characters that a key may have."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", settings.host or platform.node() or "localhost")[:100]


def _cores(cgroup: Path) -> float:
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    limits: list[float] = [os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):
        limits.append(len(os.sched_getaffinity(0)))
    if quota.isdigit() and period.strip().isdigit():
        limits.append(int(quota) / int(period))
    return _smallest(limits)


def _memory(cgroup: Path) -> float:
    limit = _read(cgroup / "memory.max")
    return _smallest([psutil.virtual_memory().total, *([int(limit)] if limit.isdigit() else [])]) / _GB


def _disk(settings: Settings) -> float:
    """Return the size of the disk on which the worker's folder lies."""
    home = settings.home if settings.home.exists() else Path.cwd()
    return shutil.disk_usage(home).total / _GB


def _smallest(limits: Iterable[float]) -> float:
    return max(0.001, min(limits))


def _read(file: Path) -> str:
    """Return what stands in a file of the container; '' where there is none, as outside of Linux."""
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
