"""Writes :mod:`taskengine.api.blocking` from :mod:`taskengine.api.aio`; nothing imports this module at run time.

The two clients differ in ``async`` and ``await``, and in a few phrases of their docstrings: whoever changes a method
changes the async one, and runs this file, which needs nothing of the package to be importable::

    python taskengine/api/generate.py

What opens the connections, and the names of each package, are written by hand on both sides. What is generated is
committed, so that people and type checkers read it; a test refuses a difference.
"""

from __future__ import annotations

import ast
import sys
import tokenize
from collections.abc import Iterator, Mapping
from io import StringIO
from itertools import pairwise
from pathlib import Path

_ROOT = Path(__file__).parents[2]
#: Folders that hold an ``aio`` and a ``blocking``: the clients, and in a checkout what is tested of their types.
_FOLDERS = ("taskengine/api", "tests/typing")
#: What each side has of its own.
_BY_HAND = frozenset({"__init__.py", "base_client.py"})
_NOTE = "# Generated from ../aio/{name}: change that file, then run python taskengine/api/generate.py\n"
_NAMES = {"aio": "blocking", "TaskAPI": "BlockingTaskAPI", "WorkflowHandle": "BlockingWorkflowHandle"}
#: Phrases of docstrings.
_PHRASES = {
    "The async client": "The blocking client",
    "from an event loop": "from scripts and threads, which may share one",
    "``TaskAPI": "``BlockingTaskAPI",
    ":meth:`TaskAPI": ":meth:`BlockingTaskAPI",
    "``async with``": "``with``",
}


def blocking(source: str) -> str:
    """*source*, a module of the async client, for the blocking one."""
    lines = source.splitlines(keepends=True)
    for start, end, text in reversed(list(_edits(source))):
        (row, begin), (last, stop) = start, end
        lines[row - 1 : last] = [lines[row - 1][:begin] + text + lines[last - 1][stop:]]
    return _sorted_imports("".join(lines))


def _edits(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    """Begin, end and new text of what is another one in the blocking client."""
    tokens = list(tokenize.generate_tokens(StringIO(source).readline))
    for token, following in pairwise(tokens):
        if token.type == tokenize.NAME and token.string in {"async", "await"}:
            yield token.start, following.start, ""
        elif token.type == tokenize.NAME and (name := _name(token.string)) != token.string:
            yield token.start, token.end, name
        elif token.type == tokenize.STRING and (text := _text(token.string)) != token.string:
            yield token.start, token.end, text


def _name(name: str) -> str:
    return _NAMES.get(name) or name.replace("Async", "Blocking")


def _text(text: str) -> str:
    for phrase, other in _PHRASES.items():
        text = text.replace(phrase, other)
    return text


def _sorted_imports(source: str) -> str:
    """*source* with its imports of our own modules in order again; they stand together."""
    ours = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("taskengine.")
    ]
    lines = source.splitlines(keepends=True)
    pieces = {node.module or "": "".join(lines[node.lineno - 1 : node.end_lineno]) for node in ours}
    first, last = ours[0].lineno - 1, ours[-1].end_lineno
    return "".join([*lines[:first], *(pieces[module] for module in sorted(pieces)), *lines[last:]])


def generated(root: Path = _ROOT) -> Mapping[Path, str]:
    """Return what stands in each generated file, by its path."""
    return {
        path.parents[1] / "blocking" / path.name: _with_note(path.name, blocking(path.read_text(encoding="utf-8")))
        for path in _modules(root, "aio")
    }


def _modules(root: Path, side: str) -> set[Path]:
    found = (path for folder in _FOLDERS for path in (root / folder / side).glob("*.py"))
    return {path for path in found if path.name not in _BY_HAND}


def _with_note(name: str, source: str) -> str:
    """Put the note behind the docstring of the module."""
    (docstring, *_) = ast.parse(source).body
    lines = source.splitlines(keepends=True)
    return "".join([*lines[: docstring.end_lineno], "\n", _NOTE.format(name=name), *lines[docstring.end_lineno :]])


def outdated(root: Path = _ROOT) -> list[Path]:
    """Files that are not what would be generated, are missing, or come from nowhere."""
    wanted, there = generated(root), _modules(root, "blocking")
    different = {path for path in there & wanted.keys() if path.read_text(encoding="utf-8") != wanted[path]}
    return sorted(different | (there ^ wanted.keys()))


def main() -> None:
    """Write every file that is not as it should be, and say which."""
    wanted = generated()
    for path in outdated():
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
