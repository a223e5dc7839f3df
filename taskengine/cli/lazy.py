"""The one place that imports while the command line runs: a command's module, once somebody names the command, and what
completes its words, once a shell asks.

``taskengine --help``, the completion of a first word and a mistyped command need names and one sentence each. The
modules behind them bring redis-py, pydantic and networkx, which take longer than all the rest of a start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from taskengine.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Outline:
    """What is said of a command while its module is not imported."""

    #: Of ``taskengine.cli``; its ``app`` is the group of that name, or holds the command.
    module: str
    #: The first paragraph of its help.
    help: str
    #: What cannot wait for the import.
    first: Callable[[], None] | None = None
    #: The extra without which its module cannot be imported; '' for none.
    extra: str = ""


@dataclass(slots=True)
class _Commands(MutableMapping[str, Any]):
    """Commands by name; each is imported when it is taken out."""

    outlines: Mapping[str, Outline]
    _loaded: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self.outlines[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.outlines)

    def __len__(self) -> int:
        return len(self.outlines)

    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError(f"{name}: the table of commands is complete")

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name}: the table of commands is complete")


def _load(name: str, outline: Outline) -> Any:
    if outline.first is not None:
        outline.first()
    group = typer.main.get_group(_module(name, outline).app)
    return group if group.name == name else group.commands[name]


def offers(name: str) -> Callable[[typer.Context, str], list[tuple[str, str]]]:
    """Return what offers values of that name to a shell, and is imported when a shell asks
    (:data:`taskengine.cli.completion.OFFERS`): it knows every noun, and a command only its own.
    """

    def offer(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        offered: list[tuple[str, str]] = _import("completion").OFFERS[name](context, incomplete)
        return offered

    return offer


def _import(module: str) -> Any:
    return import_module(f"taskengine.cli.{module}")


def _module(name: str, outline: Outline) -> Any:
    try:
        return _import(outline.module)
    except ModuleNotFoundError as exc:
        if not outline.extra or (exc.name or "").startswith("taskengine"):
            raise
        raise SettingsError(
            f"'taskengine {name}' needs {exc.name}: pip install 'taskengine[{outline.extra}]'"
        ) from exc


class LazyGroup(TyperGroup):
    """The root: its commands are those of :attr:`outlines`, in this order."""

    outlines: ClassVar[Mapping[str, Outline]]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(self.outlines)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help without importing a command."""
        with self._outlined():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Offer the commands without importing one."""
        with self._outlined():
            return super().shell_complete(ctx, incomplete)

    @contextmanager
    def _outlined(self) -> Iterator[None]:
        real = self.commands
        self.commands = {name: TyperCommand(name, help=each.help) for name, each in self.outlines.items()}
        try:
            yield
        finally:
            self.commands = real
