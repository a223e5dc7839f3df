"""Whatever can be asked for over HTTP, and so on the page, can be done from the shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import taskengine
from taskengine.api.surface import ALIASES, ROWS, Row

from ..cases import each

_CLI = Path(taskengine.__file__).parent / "cli"
#: Rows without a command, and how the same is done.
OTHERWISE = {
    "execute_workflow": "workflow run: it starts and watches",
    "wait_workflow": "workflow watch",
    "wait_run": "run watch",
    "get_execution_plan": "graph plan: of a file, before anything is stored",
}


def asked() -> Iterator[str]:
    """Every name that a command looks up on something: ``api.pause`` and the like."""
    for path in _CLI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                yield node.attr


ASKED = frozenset(asked())


@each("row", ROWS)
def test_every_row_has_a_command(row: Row) -> None:
    names = {row.name, *(other for other, name in ALIASES.items() if name == row.name)}
    assert (names & ASKED != set()) != (row.name in OTHERWISE), row.id


def test_what_is_done_otherwise_is_a_row() -> None:
    assert OTHERWISE.keys() <= {row.name for row in ROWS}
