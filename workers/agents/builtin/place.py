"""The folder of a task: made when it begins, gone at its end, whatever the end.

A process that was killed cannot clean up. So a folder's name says whose it is, and who makes one first removes those of
processes that are no more.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp

import psutil

from taskengine.agents import AgentContext
from taskengine.errors import AgentError
from workers.agents.builtin.programs import Programs
from workers.agents.child import child_environment


@contextmanager
def place(context: AgentContext) -> Iterator[Programs]:
    """A folder of this task alone, and what runs programs in it."""
    home = _home()
    _sweep(home)
    folder = Path(mkdtemp(prefix=f"{os.getpid()}-{_started(os.getpid())}-", dir=home)).resolve()
    try:
        (folder / "home").mkdir()
        yield Programs(context, folder, child_environment(folder / "home", {"LC_ALL": "C.UTF-8"}))
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder, also where what ran in it took rights away."""

    def once_more(function: object, path: str, error: object) -> None:  # noqa: ARG001  # as shutil calls it
        for each in (Path(path).parent, Path(path)):
            if not each.is_symlink() and each.exists() and folder in (each, *each.parents):
                each.chmod(stat.S_IRWXU)
        if Path(path).is_dir() and not Path(path).is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            Path(path).unlink(missing_ok=True)

    shutil.rmtree(folder, onerror=once_more)
    shutil.rmtree(folder, ignore_errors=True)


def _home() -> Path:
    """Return the folder of all tasks of this user, which nobody else may enter; AgentError when somebody else made
    it.
    """
    home = Path(gettempdir()) / f"taskengine-tasks-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise AgentError(f"{home} is not this user's alone; remove it, or set TMPDIR to another folder")
    return home


def _sweep(home: Path) -> None:
    for folder in home.iterdir():
        pid, _, rest = folder.name.partition("-")
        if pid.isdecimal() and rest.partition("-")[0] != _started(int(pid)):
            remove(folder)


def _started(pid: int) -> str:
    """Return when a process began, since numbers come again; '' when there is none."""
    try:
        return str(int(psutil.Process(pid).create_time()))
    except psutil.Error:
        return ""
