"""What a text advises is named in one place: as a method for Python, as a command for the command line."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator

from taskengine.api import BlockingTaskAPI

from .conftest import Source

#: The harness talks to tests, which are Python.
_ELSEWHERE = ("taskengine/testing/", "workers/")
_VERBS = [name for name, _ in inspect.getmembers(BlockingTaskAPI, inspect.isfunction) if "_" in name.strip("_")]
_NAMED = re.compile(rf"\b(?:{'|'.join(_VERBS)})\b|=True\b")


def _advice(tree: ast.AST) -> Iterator[ast.Constant]:
    """Texts of more than a word, without docstrings and without what chooses between the two words."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"remedy.named", "named"}:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node
        yield from _advice(node)


def named_methods(source: Source) -> Iterator[tuple[int, str]]:
    return ((text.lineno, text.value) for text in _advice(source.tree) if _NAMED.search(text.value))


def test_no_text_names_a_method_where_nobody_knows_who_reads_it(offenders: Callable[..., list[str]]) -> None:
    assert {"retry_task", "execute_task", "create_tasks"} <= set(_VERBS)
    assert offenders(named_methods, outside=_ELSEWHERE) == []
