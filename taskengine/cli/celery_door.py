"""Celery's own command with taskengine's application: what ``taskengine worker`` and ``taskengine
flower`` become.

A process of its own (exec), so that a worker holds neither the command line's modules nor variables such as
``BROKER_URL``, which would part the broker from the state. The arguments are Celery's own::

    python -P -m taskengine.cli.celery_door worker -Q lint -P prefork -c 8 -I my_agents

Our ``workers`` package and the modules behind ``-I`` are imported before Celery looks for them: the first
so that no folder can put another one in its place, the others so that a wrong name is one sentence and
not a traceback.

With ``--tied-to PID`` before them, the worker drains and ends when that process, which started it, has ended.
"""

from __future__ import annotations

import runpy
import sys
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from taskengine.agent import REGISTRY
from taskengine.agent_modules import import_agents
from taskengine.cli import own_workers, streams, tie
from taskengine.errors import TaskEngineError

#: Variables from which Celery's command would take another broker, loader or configuration than ours.
_DIVERTING = frozenset({"BROKER_URL", "RESULT_BACKEND", "LOADER", "CONFIG_MODULE"})


#: Before Celery's own words: the process with which the worker ends.
TIED = "--tied-to"


def command(*words: str) -> list[str]:
    """Return the command line that runs Celery with *words* as its arguments."""
    return [sys.executable, "-P", "-m", "taskengine.cli.celery_door", *words]


def undiverted(environment: Mapping[str, str]) -> dict[str, str]:
    """*environment* without what would change Celery's options behind our back."""
    return {
        name: value for name, value in environment.items() if name not in _DIVERTING and not name.startswith("CELERY_")
    }


def diverting(environment: Mapping[str, str]) -> list[str]:
    """Names of the variables from which plain ``celery -A workers`` would take another broker."""
    return sorted({"BROKER_URL", "CELERY_BROKER_URL", "CELERY_BROKER_READ_URL"} & environment.keys())


def run(words: Sequence[str]) -> None:
    """Become Celery's command; does not return."""
    own_workers.load()
    # Celery says so because of pickle, which this application refuses; in a container everybody is root.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    # Where Celery and python -m have it: agents may import their neighbours at any time.
    sys.path.insert(0, str(Path.cwd()))
    modules = _imports(words)
    for module in modules:
        import_agents(module, option="--import")
    if modules:
        sys.stderr.write(f"agents of {', '.join(modules)}: {_agents()}\n")
    # Quiet: its banner is twenty lines, and what it says is in the line above and in 'taskengine workers'.
    sys.argv = ["celery", "-A", "workers", "--quiet", *words]
    runpy.run_module("celery", run_name="__main__", alter_sys=False)


def _tied(words: list[str]) -> list[str]:
    """Heed ``--tied-to``; the words behind it."""
    if words[:1] != [TIED]:
        return words
    tie.watch(int(words[1]))
    return words[2:]


def _imports(words: Sequence[str]) -> list[str]:
    return [module for option, value in pairwise(words) if option == "-I" for module in value.split(",")]


def _agents() -> str:
    return ", ".join(f"{agent.name} ({', '.join(sorted(agent.capabilities))})" for agent in REGISTRY) or "none"


if __name__ == "__main__":
    streams.repair()
    try:
        run(_tied(sys.argv[1:]))
    except TaskEngineError as exc:
        sys.exit(f"taskengine: {exc}")
