"""What a run takes of the suite: tests that start processes or not, which stores, and how much of each matrix.

The hooks here are imported by ``conftest.py``. ``.ci/run`` says which run takes what.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

#: Server and driver of each store that the laws of ``tests/store`` are said on.
STORES = {
    "one": ["fake-sync"],
    "each": ["valkey-sync", "fake-async"],
    "all": ["valkey-sync", "valkey-async", "fake-sync", "fake-async"],
}
#: Fixtures that start a process, themselves or by what they ask for.
_STARTERS = {
    "browser", "site", "valkey", "shared_valkey", "fleet", "make_fleet", "places", "make_world", "shell", "real",
}  # fmt: skip
#: What Python says before it starts a process.
_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("taskengine's own suite")
    group.addoption(
        "--stores", choices=STORES, default="one",
        help="laws of the store on fakeredis alone, on each server and driver once, or on all pairs of them",
    )  # fmt: skip
    group.addoption(
        "--matrix", choices=["sample", "full"], default="sample",
        help="of a fault and of a test marked matrix one sample of its parameters, or all",
    )  # fmt: skip
    group.addoption("--sample", default="0", metavar="SEED", help="which sample: any text, for example a commit")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Most tests wait for processes, so one more than there are cores take less time. None beside those marked chaos,
    which measure how long a fault lasts, and none for a file or a test named by somebody who looks for something.
    """
    named = any(Path(arg.split("::")[0]).suffix == ".py" for arg in config.args)
    if named or "not chaos" not in config.option.markexpr:
        return 0
    return min(4, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what starts processes, and leave one sample of each matrix."""
    for item in items:
        if _STARTERS & set(getattr(item, "fixturenames", ())) or _is_on_a_server(item):
            item.add_marker(pytest.mark.process)
    if config.option.matrix == "sample":
        kept = set(_samples(items, config.option.sample))
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]
    _slow_first(items)


def _slow_first(items: list[pytest.Item]) -> None:
    """Begin with the files that have a slow test, then with the largest: what a file's tests take is one process's, and
    the last minutes of a run would be those of one alone.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -sizes[item.path]))


def _is_on_a_server(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and any(
        str(call.params.get(name, "")).startswith("valkey") for name in ("world", "any_store")
    )


def _samples(items: list[pytest.Item], seed: str) -> Iterator[pytest.Item]:
    """All that are in no matrix, and of each matrix one; every process of a run takes the same.

    ``matrix("rule")`` asks for one with each rule.
    """
    found: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        matrix = item.get_closest_marker("matrix")
        if matrix or item.get_closest_marker("chaos"):
            values = [item.callspec.params[name] for name in (matrix.args if matrix else ())]
            by = [getattr(value, "__name__", str(value)) for value in values]
            found[" ".join([item.nodeid.partition("[")[0], *by])].append(item)
        else:
            yield item
    for name, matrix in found.items():
        yield random.Random(f"{seed} {name}").choice(matrix)


class _Watch:
    """Whether the test that runs may start processes."""

    allowed = True


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event in _STARTS and not _Watch.allowed:
        raise RuntimeError("a test that starts a process is marked: @pytest.mark.process")


sys.addaudithook(_refuse)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Refuse a process to a test that does not say that it needs one: the fast run takes all that do not."""
    _Watch.allowed = item.get_closest_marker("process") is not None or item.get_closest_marker("chaos") is not None
    try:
        return (yield)
    finally:
        _Watch.allowed = True
