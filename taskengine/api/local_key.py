"""The key that a server on the loopback interface makes for this machine: one file a port, for its user alone.

Whoever may read it may do what the server may, and is who could open the store itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from taskengine.embedded.layout import write_private
from taskengine.errors import SettingsError
from taskengine.settings import Settings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def path_of(settings: Settings, port: int) -> Path:
    """Return where the key for a server on this port is."""
    return settings.home.expanduser().resolve() / "servers" / f"{port}.key"


def read(path: Path) -> str | None:
    """Return the key; None when there is none. SettingsError when others could have read or written it."""
    try:
        with path.open(encoding="ascii") as file:
            state = os.fstat(file.fileno())
            if state.st_mode & _OTHERS or state.st_uid != os.geteuid():
                raise SettingsError(f"{path} is not for its user alone; remove it and start the server again")
            return file.read(200).strip() or None
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def remove(folder: Path, ids: Collection[str]) -> None:
    """Remove the files with the keys of these ids, which let nobody in any more."""
    for path in folder.glob("*.key"):
        with suppress(SettingsError, OSError):
            if any((read(path) or "").startswith(f"te_{id}_") for id in ids):
                path.unlink()


def write(path: Path, key: str) -> None:
    """Put a key there, in one step and for its user alone."""
    folder = path.parent
    for each in (folder.parent, folder):  # the upper one too is for its user alone: an embedded server would insist
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / ".gitignore", "*\n")
    write_private(path, f"{key}\n")
