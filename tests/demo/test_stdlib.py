"""The standard library: over a thousand modules, real circles, and files that are broken on purpose."""

from __future__ import annotations

import ast
import json
import shutil
import sysconfig
from itertools import pairwise
from pathlib import Path

import pytest

from taskengine.settings import INLINE_LIMIT

pytestmark = pytest.mark.slow
STDLIB = Path(sysconfig.get_paths()["stdlib"])


#: Besides the modules that are no package: what the laws below name, and circles.
PACKAGES = ("asyncio", "collections", "concurrent", "email", "importlib", "json", "logging", "xml")


def a_part(folder: Path) -> Path:
    """A quarter of the library, copied into *folder*: seconds instead of half a minute."""
    for name in PACKAGES:
        shutil.copytree(STDLIB / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in STDLIB.glob("*.py"):
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="module")
def code(request, tmp_path_factory):
    """All of the library with ``--matrix full``, else a part of it."""
    whole = request.config.option.matrix == "full"
    return STDLIB if whole else a_part(tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="module")
def analysis(run_plan, code):
    return run_plan(code)


def test_every_result_and_input_of_a_large_code_base_travels_inside_records(analysis, code):
    assert analysis.report["totals"]["modules"] > (500 if code == STDLIB else 200)  # Debian packs those for tests apart
    for node in analysis.nodes:
        assert len(json.dumps(node["input"]).encode()) < INLINE_LIMIT, node["name"]
        assert len(json.dumps(analysis.results[node["name"]]).encode()) < INLINE_LIMIT, node["name"]


def test_no_file_is_left_out(analysis, code):
    files = {
        path.relative_to(code).as_posix()
        for path in code.rglob("*.py")
        if not {"site-packages", "__pycache__"} & set(path.parts)
        and not any(part.startswith(".") for part in path.relative_to(code).parts)
    }
    assert {module["path"] for module in analysis.modules.values()} >= files


@pytest.mark.parametrize("name", ["json.decoder", "asyncio.queues", "email.message"])
def test_imports_of_a_module_agree_with_ast_by_hand(analysis, name):
    """For absolute imports and ``from . import``, which is all that these three use."""
    modules = analysis.modules
    tree = ast.parse((STDLIB / modules[name]["path"]).read_text())
    package = name.rpartition(".")[0]
    expected = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            expected |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(filter(None, [package if node.level else "", node.module]))
            expected |= {f"{start}.{a.name}" if f"{start}.{a.name}" in modules else start for a in node.names}
    assert set(modules[name]["imports"]) == {each for each in expected if each in modules}
    assert modules[name]["fan_in"] == sum(name in other["imports"] for other in modules.values())


def test_reach_agrees_with_a_walk_by_hand(analysis):
    modules = analysis.modules
    for name in ("json.decoder", "asyncio.queues", "colorsys"):
        reached = {name}
        while more := {
            m for m, found in modules.items() if m not in reached and reached & set(found["imports"])
        }:
            reached |= more
        assert modules[name]["reach"] == len(reached) - 1


def test_real_circles_are_named(analysis):
    cycles = {cycle["name"]: cycle for cycle in analysis.report["cycles"]}
    assert cycles
    for cycle in cycles.values():
        path = cycle["path"]
        assert path[0] == path[-1]
        for importer, imported in pairwise(path):
            assert imported in analysis.modules[importer]["imports"]
