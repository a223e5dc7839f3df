"""Name the test files near a path: those that mirror it, and those that import or name it.

``python .ci/near.py taskengine/store/nodes.py`` prints ``tests/store/test_nodes.py`` and every test module that
imports ``taskengine.store.nodes``. A test is near itself, a folder near the folder that mirrors it, a script near the
modules that call it, what the scripts share near all tests of their room. Prints nothing when nobody tests it; tests
marked chaos are left out.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"


def main(words: list[str]) -> int:
    found: set[Path] = set()
    for word in words:
        path = Path(word).resolve()
        if not path.is_relative_to(ROOT) or not path.exists():
            print(f"{word}: no such path in this repository", file=sys.stderr)
            return 2
        found |= set(near(path.relative_to(ROOT)))
    for path in sorted(found):
        print(path.relative_to(ROOT).as_posix())
    return 0


def near(path: Path) -> Iterator[Path]:
    """Test modules near *path*, which is relative to the repository."""
    if path.parts[0] == "tests":
        yield from tests_of(ROOT / path)
        return
    yield from mirrors(path)
    if path.suffix == ".py":
        name = module(path)
        yield from (test for test in all_tests() if name in imported(test))
    elif path.suffix == ".lua":
        yield from near_script(path)
    elif path.suffix:
        yield from (test for test in all_tests() if path.name in test.read_text(encoding="utf-8"))


def tests_of(path: Path) -> Iterator[Path]:
    """A test module itself; of anything else in its folder, all that stands beside or beneath it."""
    if path.name.startswith("test_"):
        yield path
    else:
        yield from (path if path.is_dir() else path.parent).rglob("test_*.py")


def near_script(path: Path) -> Iterator[Path]:
    """Tests of scripts as such, and what is near the modules that call it; of a shared part, all of its room."""
    room = TESTS / "store"
    if path.parent.name == "parts":
        yield from room.glob("test_*.py")
        return
    yield from (room / f"test_{subject}.py" for subject in ("scripts", "linker", "names"))
    for caller in (ROOT / "taskengine" / "store").rglob("*.py"):
        if f'"{path.stem}"' in caller.read_text(encoding="utf-8"):
            yield from near(caller.relative_to(ROOT))


def mirrors(path: Path) -> Iterator[Path]:
    """taskengine/store/nodes.py -> tests/store/**/test_nodes.py; a folder or its __init__ -> all of its mirror."""
    inside = Path(*path.parts[1:]) if path.parts[0] == "taskengine" else path
    if path.suffix and path.stem != "__init__":
        yield from (TESTS / inside.parts[0] if len(inside.parts) > 1 else TESTS).rglob(f"test_{path.stem}.py")
    else:
        yield from (TESTS / (inside if not path.suffix else inside.parent)).rglob("test_*.py")


def all_tests() -> Iterator[Path]:
    return (path for path in TESTS.rglob("test_*.py") if "chaos" not in path.parts)


def module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@cache
def imported(test: Path) -> frozenset[str]:
    """Absolute names that a test imports, each as a module and as a name in one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(test.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
