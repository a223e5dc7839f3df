"""The blocking client is the async one without ``await``: written by a script, committed, and never by hand."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from taskengine.api import generate

ROOT = Path(generate.__file__).parents[2]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """What the script reads and writes, to be changed."""
    for folder in ("taskengine/api", "tests/typing"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_the_blocking_client_is_what_the_async_one_gives() -> None:
    assert generate.outdated(ROOT) == [], "run: python taskengine/api/generate.py"
    made = [path.relative_to(ROOT).as_posix() for path in generate.generated(ROOT)]
    assert {"taskengine/api/blocking/tasks.py", "tests/typing/blocking/client.py"} <= set(made)


def test_it_waits_for_nothing_and_knows_nothing_of_the_async_one() -> None:
    for path, text in generate.generated(ROOT).items():
        tree = ast.parse(text)
        kinds = {type(node) for node in ast.walk(tree)}
        assert not kinds & {ast.Await, ast.AsyncFunctionDef, ast.AsyncWith, ast.AsyncFor}, path
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not any(".aio" in module for module in imported), path


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda api: _change(api / "aio/tasks.py", "cascade: bool = False", "cascade: bool = True"),
        lambda api: _change(api / "aio/tasks.py", "Store a task; it runs", "Keep a task; it runs"),
        lambda api: _change(api / "blocking/tasks.py", "cascade: bool = False", "cascade: bool = True"),
        lambda api: (api / "blocking/tasks.py").unlink(),
        lambda api: (api / "aio/tasks.py").unlink(),
    ],
    ids=["a signature", "a docstring", "by hand", "one lost", "one of nowhere"],
)
def test_a_difference_is_refused(copied: Path, change: Callable[[Path], None]) -> None:
    change(copied / "taskengine/api")
    assert generate.outdated(copied) == [copied / "taskengine/api/blocking/tasks.py"]


def test_words_within_texts_stay_as_they_are() -> None:
    source = (
        '"""A."""\n\nfrom taskengine.api.aio.base_client import AsyncBaseClient\n'
        'from taskengine.api.arguments import Id\n\n\n'
        'async def f(door: AsyncBaseClient) -> str:\n    return await door.say("await async", Id)\n'
    )
    assert generate.blocking(source) == (
        '"""A."""\n\nfrom taskengine.api.arguments import Id\n'
        'from taskengine.api.blocking.base_client import BlockingBaseClient\n'
        '\n\ndef f(door: BlockingBaseClient) -> str:\n    return door.say("await async", Id)\n'
    )
