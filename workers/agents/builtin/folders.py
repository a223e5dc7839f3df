"""Sizes of folders, and copies of them that nothing leads out of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Container, Iterator
from pathlib import Path

from taskengine.errors import InvalidInputError

#: Files that a task may have.
MOST_FILES = 100_000
#: What no task needs of a folder that is worked on.
LEFT_OUT = frozenset({
    ".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".taskengine", ".mypy_cache", ".ruff_cache",
    ".pytest_cache", ".tox", ".nox", "build", "dist",
})  # fmt: skip


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder, as they are while others write to it."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(path, name)).st_size
            except OSError:
                continue
    return total


def copy(source: Path, target: Path, most_bytes: int) -> None:
    """Copy a folder that is no repository, links as links; InvalidInputError when it is too large."""
    size, files = 0, 0
    for path in _files(source, LEFT_OUT):
        size, files = size + path.lstat().st_size, files + 1
        if size > most_bytes or files > MOST_FILES:
            raise InvalidInputError(
                f"{source} is more than {most_bytes >> 20} MiB or {MOST_FILES} files; name a folder in it, or make it "
                "a git repository",
                field="path",
            )
    shutil.copytree(source, target, symlinks=True, ignore=lambda _, names: LEFT_OUT.intersection(names))


def refuse_ways_out(folder: Path) -> None:
    """InvalidInputError names the first link in a folder that leads out of it."""
    home = folder.resolve()
    for path in _files(folder, {".git"}):
        if path.is_symlink() and not _is_in(path, home):
            shown, leads = path.relative_to(folder), str(path.readlink())
            raise InvalidInputError(f"the link {shown} leads out of the repository, to {leads:.200}", field="ref")


def _is_in(link: Path, home: Path) -> bool:
    try:
        found = link.resolve()
    except (OSError, RuntimeError):
        return False
    return (found == home or home in found.parents) and home / ".git" not in (found, *found.parents)


def _files(folder: Path, left_out: Container[str]) -> Iterator[Path]:
    """Yield all but folders; links to folders, too."""
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in left_out]
        yield from (Path(path, name) for name in names)
        yield from (Path(path, name) for name in folders if Path(path, name).is_symlink())
