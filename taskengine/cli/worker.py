"""``taskengine worker`` and ``taskengine flower``: checked and said in our words, then handed over to
Celery's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from taskengine.api import BlockingTaskAPI
from taskengine.cli import own_workers
from taskengine.cli.celery_door import command, undiverted
from taskengine.cli.output import warn
from taskengine.cli.stack import BUILT_IN_AGENTS, Fleet
from taskengine.errors import InvalidInputError, StoreUnavailableError
from taskengine.settings import current, environment

_FLOWER_SETTINGS = Path(__file__).with_name("flower_settings.py")


def worker(fleet: Fleet, *, name: str | None) -> None:
    """Become a worker with the first pool of *fleet*; returns only by an error."""
    _check()
    (pool, *_) = fleet.pools
    # Whoever has the name of another worker of its host hides it in Flower; the process id outlives the exec.
    words = ["worker", "-P", pool, "-l", fleet.log_level, "-n", f"{name or f'{pool}-{os.getpid()}'}@%h"]
    words += ["-c", str(fleet.concurrency or os.cpu_count() or 1)]
    # Gossip and mingle are talk among workers that nothing here listens to; mingle alone costs a second at
    # the start.
    words += ["--without-gossip", "--without-mingle"]
    if fleet.queues:
        words += ["-Q", ",".join(fleet.queues)]
    words += ["-I", ",".join(map(_module, fleet.imports or [BUILT_IN_AGENTS]))]
    _become(words)


def flower(*, port: int | None, more: Sequence[str]) -> None:
    """Become Flower; *more* are options of its own. Returns only by an error."""
    _check()
    chosen = current().flower_port if port is None else port
    sys.stderr.write(f"Flower: http://127.0.0.1:{chosen}\n")
    _become(["flower", f"--conf={_FLOWER_SETTINGS}", f"--port={chosen}", *more])


def _module(name: str) -> str:
    if name.endswith(".py") or "/" in name:
        module = name.removesuffix(".py").removeprefix("./").replace("/", ".")
        raise InvalidInputError(f"--import {name}: name the module, not its file: --import {module}", field="import")
    return name


def _check() -> None:
    """Say what would make the start useless. A server that is away now may come: Celery waits for it."""
    if place := own_workers.foreign(Path.cwd()):
        warn(own_workers.foreign_sentence(place))
    try:
        with BlockingTaskAPI() as api:
            api.get_queue_statistics()
    except StoreUnavailableError as exc:
        warn(f"{exc}; waiting for it")


def _become(words: Sequence[str]) -> None:
    line = command(*words)
    os.execve(line[0], line, undiverted(environment()))  # noqa: S606  # no shell, and an explicit environment
