"""Code bases written into temporary folders, and a fleet of one that runs their plans in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from taskengine.demo.plan import Node, plan
from taskengine.demo.report import rows
from taskengine.demo.steps import analyse

WriteCode = Callable[..., Path]


@dataclass(frozen=True)
class Analysis:
    """A plan that ran."""

    nodes: list[Node]
    results: dict[str, dict[str, Any]]

    @property
    def report(self) -> dict[str, Any]:
        return self.results["report"]

    @property
    def packages(self) -> list[dict[str, Any]]:
        return [self.results[node["name"]] for node in self.nodes if node["input"]["step"] == "package"]

    @property
    def modules(self) -> dict[str, dict[str, Any]]:
        """Every module's findings by its name."""
        return {row["module"]: row for row in rows(self.report, self.packages)}


def run(path: Path) -> Analysis:
    """Plan *path* and run each node with the results of its dependencies, all of it passed through JSON."""
    nodes = plan(path)
    results: dict[str, dict[str, Any]] = {}
    for node in nodes:
        below = {name: results[name] for name in node["depends_on"]}
        results[node["name"]] = json.loads(json.dumps(analyse(json.loads(json.dumps(node["input"])), below)))
    return Analysis(nodes, results)


@pytest.fixture
def write_code(tmp_path: Path) -> WriteCode:
    """Write files into a folder of that name: ``write_code({"a.py": "import b"})``."""

    def write(files: Mapping[str, str | bytes], folder: str = "code") -> Path:
        for name, content in files.items():
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / folder

    return write


@pytest.fixture(scope="session")
def run_plan() -> Callable[[Path], Analysis]:
    return run
