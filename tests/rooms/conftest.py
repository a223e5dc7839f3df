"""Every source of the package, read and parsed once for all the laws of this room."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pytest

ROOT = Path(__file__).resolve().parents[2]

Node = TypeVar("Node", bound=ast.AST)


@dataclass(frozen=True)
class Source:
    """One module."""

    #: Its path from the root of the repository.
    room: str
    text: str
    tree: ast.Module

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def of(self, *kinds: type[Node]) -> Iterator[Node]:
        """Its nodes of these kinds."""
        return (node for node in self.nodes if isinstance(node, kinds))

    @cached_property
    def attributes(self) -> list[tuple[int, str]]:
        """Line and dotted name of everything that is called or read as an attribute."""
        return [(node.lineno, ast.unparse(node)) for node in self.of(ast.Attribute)]


#: What a law finds wrong in a source: lines, and what stands there.
Law = Callable[[Source], Iterator[tuple[int, str]]]


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """The package and its workers, in the order of their paths."""
    paths = sorted([*(ROOT / "taskengine").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    assert len(texts) > 100, "the package is not where this looks for it"
    return [Source(room, text, ast.parse(text)) for room, text in texts.items()]


@pytest.fixture(scope="session")
def offenders(sources: list[Source]) -> Callable[..., list[str]]:
    """``offenders(law, outside=("taskengine/cli/",))``: all that the law finds, in all rooms but those."""

    def find(law: Law, *, outside: tuple[str, ...] = ()) -> list[str]:
        return [
            f"{source.room}:{line}: {what}"
            for source in sources
            if not source.room.startswith(outside or "-")
            for line, what in law(source)
        ]

    return find
