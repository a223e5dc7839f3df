"""Which folders a task may name: those in TASKENGINE_WORKSPACES, and what lies in them."""

from __future__ import annotations

from pathlib import Path

from taskengine.errors import InvalidInputError
from workers.agents.settings import worker_settings


def roots() -> tuple[Path, ...]:
    """Return the folders of the setting, links followed; without it the one in which the worker was started."""
    said = [word.strip() for word in worker_settings().workspaces.split(",") if word.strip()]
    return tuple(Path(word).expanduser().resolve() for word in said or ["."])


def within(named: str, field: str) -> Path:
    """Return a path of a task's input, links followed, from the first root on where it is relative; InvalidInputError
    where that leads out of all roots.
    """
    allowed = roots()
    if "\0" in named:
        raise InvalidInputError(f"{field} holds a zero byte", field=field)
    try:
        path = (allowed[0] / named).resolve()
    except (OSError, RuntimeError) as exc:  # a circle of links
        raise InvalidInputError(f"{field}: {named:.200} cannot be followed: {exc}", field=field) from exc
    if not is_within(path, allowed):
        shown = ", ".join(map(str, allowed))
        raise InvalidInputError(
            f"{field}: {named:.200} lies outside of {shown}; if built-in agents may work there, add its folder to "
            "TASKENGINE_WORKSPACES",
            field=field,
        )
    return path


def is_within(path: Path, folders: tuple[Path, ...]) -> bool:
    """Whether a resolved path is one of the folders, or in one."""
    return any(path == folder or folder in path.parents for folder in folders)
