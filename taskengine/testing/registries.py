"""Which agents an engine has: those of the process, or those that it was given; a test's own stand before them.

The registry belongs to the process. An agent at the top of a module is there as long as its module; one that is
declared inside a function while an engine is open lives as long as the engines of its test, and hides an imported one
of its name meanwhile.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from taskengine.agent import REGISTRY, Agent, Registry
from taskengine.errors import InvalidInputError

_open: set[int] = set()


def opened(engine: object) -> None:
    """Note that *engine* was opened."""
    if not _open:
        REGISTRY.borrow()
    _open.add(id(engine))


def closed(engine: object) -> None:
    """Note that it was closed; with the last one go the agents that were declared inside functions since the first."""
    _open.discard(id(engine))
    if not _open:
        REGISTRY.give_back()


def registry(agents: Iterable[Callable[..., Any] | Agent] | None, modules: Iterable[str]) -> Registry:
    """Return the agents of an engine that was given these."""
    if isinstance(modules, str):
        raise InvalidInputError(f"modules is the text {modules!r}; pass a list of names", field="modules")
    wanted = tuple(modules)
    for module in wanted:
        _import(module)
    if agents is None and not wanted:
        return REGISTRY
    made = _OfModules() if wanted else Registry()
    for one in agents or ():
        made.add(one if isinstance(one, Agent) else REGISTRY.of(one))
    for module in wanted:
        found = _declared_in(module)
        if not found:
            raise InvalidInputError(
                f"modules names {module!r}, which declares no agent; name the module in which @agent stands",
                field="modules",
            )
        for agent in found:
            made.add(agent)
    return made


class _OfModules(Registry):
    """Agents of some modules, and what the test declares."""

    def get(self, name: str) -> Agent | None:
        return self._known().get(name)

    def _known(self) -> Mapping[str, Agent]:
        own = REGISTRY.borrowed()
        return {**own, **super()._known(), **own}


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is None or not f"{module}.".startswith(f"{exc.name}."):
            raise
        raise InvalidInputError(
            f"modules names {module!r}, which Python does not find; put its folder on the path of your tests: "
            "pythonpath = [\".\"] below [tool.pytest.ini_options] in pyproject.toml",
            field="modules",
        ) from exc


def _declared_in(module: str) -> Sequence[Agent]:
    """Agents of a module, and of the modules below it where it is a package."""
    imported = [one for one in REGISTRY.imported() if not one.is_local]
    return [one for one in imported if f"{one.function.__module__}.".startswith(f"{module}.")]
