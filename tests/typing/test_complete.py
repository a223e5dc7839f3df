"""What mypy is asked of the clients' types is asked of every method."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from taskengine.api import BlockingTaskAPI, TaskAPI

HERE = Path(__file__).parent


@pytest.mark.parametrize(("client", "file"), [(TaskAPI, "aio/client.py"), (BlockingTaskAPI, "blocking/client.py")])
def test_each_method_has_its_type_asserted(client: type, file: str) -> None:
    asserted = {
        inner.attr
        for node in ast.walk(ast.parse((HERE / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "assert_type"
        for inner in ast.walk(node.args[0])
        if isinstance(inner, ast.Attribute)
    }
    methods = {name for name, _ in inspect.getmembers(client, inspect.isfunction) if not name.startswith("_")}
    assert len(methods) > 40
    assert methods <= asserted
