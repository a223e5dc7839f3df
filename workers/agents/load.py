"""Finds an agent's type and makes it a function that slots can call; whatever is in the way is one sentence.

The join rule: the record says what an agent may do and how much. Its function, if this worker imported one of its name
(``@agent``) or its record names one in a module that this worker imports, says how; else its type does.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Container
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any, cast

from taskengine.agent import Agent, Registry, as_agent
from taskengine.agents import Executor, RemoteExecutor
from taskengine.agents.types import FUNCTION, TYPES, config_model, entry_of, known_types, read_config
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models.agent import AgentRecord
from taskengine.settings import Settings
from workers.agents.remote_run import RemoteRun
from workers.agents.running import SlotRun
from workers.agents.secrets import AgentSecrets

logger = logging.getLogger(__name__)
AgentClass = type[Executor] | type[RemoteExecutor]


def load(record: AgentRecord, declared: Registry, imports: Container[str], settings: Settings, *, forks: bool) -> Agent:
    """Return a registered agent as this worker runs it; AgentError when this machine cannot.

    *imports*: modules that the worker was told to import. *forks*: whether it is a prefork worker.
    """
    secrets = AgentSecrets.of(record, settings)
    secrets.check()
    function = own_function(record, declared, imports)
    if function is not None:
        return with_secrets(function, secrets, None if forks else remote_of(record, secrets))
    kind = class_of(record)
    if not kind.holds_slot and forks:
        raise AgentError(
            f"agent {record.id!r} of type {record.type!r} holds no slot while it waits, and needs threads: start its "
            "worker with --pool threads"
        )
    kind.check(record, secrets)
    run = run_of(kind, record, secrets)
    remote = run if isinstance(run, RemoteRun) else None
    return Agent(record.id, record.capabilities, run, goes_alone=True, secret=secrets.get, remote=remote)


def remote_of(record: AgentRecord, secrets: AgentSecrets) -> RemoteRun | None:
    """Return what goes on with runs that the function of an agent begins; None where its type, or this machine, cannot,
    and they keep their slots.
    """
    if record.type == FUNCTION:
        return None
    try:
        kind = class_of(record)
        if kind.holds_slot:
            return None
        kind.check(record, secrets)
    except AgentError as exc:
        logger.warning("what agent %s begins at its service holds a slot here: %s", record.id, exc)
        return None
    return RemoteRun(cast(type[RemoteExecutor], kind), record, secrets)


def own_function(record: AgentRecord, declared: Registry, imports: Container[str]) -> Agent | None:
    """Return the agent's function where this worker imported one, None where its type says how its tasks run."""
    if record.executor is not None:
        return as_agent(record.id, record.capabilities, _imported(record, record.executor, imports))
    found = declared.get(record.id)
    if found is None and record.type == FUNCTION:
        raise AgentError(
            f"agent {record.id!r} is a function, and no imported module declares it: import the one with "
            f"@agent({record.id!r}) (--import MODULE), or register it with executor='module:name'"
        )
    return found


def with_secrets(agent: Agent, secrets: AgentSecrets, remote: RemoteRun | None = None) -> Agent:
    """Return *agent* with the secrets that its record names, and what goes on with what it begins."""
    return replace(agent, secret=secrets.get, remote=remote)


def class_of(record: AgentRecord) -> AgentClass:
    """Return the class of an agent's type, with the agent's config known to be right; imports it."""
    point = entry_of(TYPES, record.type)
    if point is None:
        raise AgentError(
            f"agent {record.id!r} is of type {record.type!r}, which nothing that is installed here brings; there are "
            f"{', '.join(known_types())}"
        )
    kind = cast(AgentClass, _loaded(record, point))
    model = config_model(record.type) or getattr(kind, "Config", None)
    if model is not None:
        try:
            read_config(record, model)
        except InvalidInputError as exc:
            raise AgentError(f"{exc}; mend it: taskengine agents update {record.id} --config JSON") from exc
    return kind


def run_of(kind: AgentClass, record: AgentRecord, secrets: AgentSecrets) -> Callable[..., Any]:
    """Return the function that a slot calls."""
    if kind.holds_slot:
        return SlotRun(cast(type[Executor], kind), record, secrets)
    return RemoteRun(cast(type[RemoteExecutor], kind), record, secrets)


def _loaded(record: AgentRecord, point: EntryPoint) -> Any:
    try:
        return point.load()
    except ModuleNotFoundError as exc:
        raise AgentError(
            f"agent {record.id!r} is of type {record.type!r}, which needs {exc.name}, and that is not installed; "
            f"install it: {_install(point)}"
        ) from exc
    except (ImportError, AttributeError) as exc:
        raise AgentError(f"the agent type {record.type!r} is not at {point.value}: {exc}") from exc


def _install(point: EntryPoint) -> str:
    """Return the command that brings what a type needs: its package's extra of that name, if it has one."""
    package = point.dist
    if package is None:
        return f"pip install the package of {point.value}"
    extras = package.metadata.get_all("Provides-Extra") or []
    return f"pip install '{package.name}[{point.name}]'" if point.name in extras else f"pip install '{package.name}'"


def _imported(record: AgentRecord, place: str, imports: Container[str]) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    if module not in imports:
        raise AgentError(
            f"agent {record.id!r} runs {place}, and this worker does not import {module}: start it with --import "
            f"{module} (it imports nothing because a record says so)"
        )
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise AgentError(f"agent {record.id!r} runs {place}, and {module} has no function {name}")
    return cast(Callable[..., Any], found)
