"""``.ci/run near`` finds the tests of a file by its name, by who imports it, and by who calls a script."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def near() -> Callable[[str], set[str]]:
    found: dict[str, Any] = runpy.run_path(str(ROOT / ".ci" / "near.py"))
    return lambda path: {test.relative_to(ROOT).as_posix() for test in found["near"](Path(path))}


def test_what_mirrors_a_module_and_what_imports_it_are_near_it(near: Callable[[str], set[str]]) -> None:
    found = near("taskengine/core/order.py")
    assert {"tests/core/test_order.py", "tests/store/test_order.py"} <= found
    assert "tests/core/test_graph.py" not in found
    assert near("workers/loop.py") >= {"tests/workers/test_loop.py"}


def test_a_test_is_near_itself_and_what_tests_share_near_their_folder(near: Callable[[str], set[str]]) -> None:
    assert near("tests/core/test_order.py") == {"tests/core/test_order.py"}
    assert near("tests/store/world.py") >= {"tests/store/test_order.py", "tests/store/test_scripts.py"}


def test_a_folder_is_near_its_mirror(near: Callable[[str], set[str]]) -> None:
    assert near("taskengine/builders") == near("tests/builders")
    assert near("taskengine/builders")


def test_what_calls_a_script_leads_to_its_tests_and_a_shared_part_to_all(near: Callable[[str], set[str]]) -> None:
    scripts = sorted((ROOT / "taskengine/store/lua").glob("*.lua"))
    found = [near(path.relative_to(ROOT).as_posix()) for path in scripts]
    assert all((ROOT / test).exists() for tests in found for test in tests)
    assert all("tests/store/test_scripts.py" in tests for tests in found)
    assert sum(len(tests) > 3 for tests in found) > 0.8 * len(scripts)
    part = next((ROOT / "taskengine/store/lua/parts").glob("*.lua")).relative_to(ROOT)
    assert near(part.as_posix()) >= {"tests/store/test_order.py", "tests/store/test_scripts.py"}


def test_faults_are_near_nothing(near: Callable[[str], set[str]]) -> None:
    assert not [test for test in near("taskengine/models/__init__.py") if test.startswith("tests/chaos/")]
