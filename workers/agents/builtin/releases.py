"""Releases in folders: each commit in its own, and a link to the present one and to the one before."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from taskengine.errors import InvalidInputError
from workers.agents.builtin.programs import ProgramError
from workers.agents.settings import worker_settings

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")


def root() -> Path | None:
    """Return where releases lie, links followed; None where the operator named no place, and nothing is deployed."""
    said = worker_settings().deploy_root
    return None if said is None else said.expanduser().resolve()


def environment_of(given: Mapping[str, JsonValue]) -> str:
    """Return the environment that a task names; InvalidInputError when it is no name of a folder."""
    said = given.get("environment", "staging")
    if not isinstance(said, str) or not _NAME.match(said):
        raise InvalidInputError(f"environment is {said!r:.100}; write a name such as staging", field="environment")
    return said


def put_release(folder: Path, commit: str, source: Path) -> None:
    """Copy a commit's files, whole or not at all; a repeated deploy finds them where the first one put them."""
    folder.mkdir(parents=True, exist_ok=True)
    release = folder / commit
    if not release.is_dir():
        fresh = folder / f".{commit}.{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(source, fresh, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        fresh.rename(release)


def point_to(folder: Path, commit: str) -> None:
    """Let the present release be this one, and remember the one before; a repeated deploy is not before itself."""
    if current(folder) != commit:
        _point(folder, "previous", current(folder))
        _point(folder, "current", commit)


def step_back(folder: Path) -> str:
    """Let the present release be the one before; ProgramError when there is none."""
    before = current(folder, "previous")
    if before is None:
        raise ProgramError(f"there is no release before the present one in {folder}")
    _point(folder, "current", before)
    return before


def current(folder: Path, link: str = "current") -> str | None:
    """Return the release that a link points to; None where there is none."""
    return (folder / link).readlink().name if (folder / link).is_symlink() else None


def _point(folder: Path, link: str, release: str | None) -> None:
    """Let a link point to a release, at once and whole."""
    if release is not None and current(folder, link) != release:
        fresh = folder / f".{link}.{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(release)
        fresh.replace(folder / link)
