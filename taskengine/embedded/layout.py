"""Which file lies where in the embedded server's folder, and that nobody else may read it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from taskengine.errors import EmbeddedServerError
from taskengine.settings import Settings

#: Bytes. ``sun_path`` holds 108 on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_LIMIT = 100
_SOCKET_PATH_BYTES = len("/taskengine-12345678/redis.sock")


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one embedded server; *home* is absolute and without links: equal means the same server."""

    home: Path

    @classmethod
    def of(cls, settings: Settings) -> Layout:
        """Return the layout below ``settings.home``; touches nothing."""
        return cls(settings.home.expanduser().resolve())

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def manifest(self) -> Path:
        """Lists the pieces of the append-only file, in the order in which the server loads them."""
        return self.data / "appendonlydir" / "appendonly.aof.manifest"

    @property
    def config(self) -> Path:
        return self.home / "valkey.conf"

    @property
    def log(self) -> Path:
        return self.home / "valkey.log"

    @property
    def pid_file(self) -> Path:
        """Written and removed by the server; shown to people only, no decision hangs on it."""
        return self.home / "valkey.pid"

    @property
    def note(self) -> Path:
        return self.home / "server.json"

    @property
    def start_lock(self) -> Path:
        return self.home / "start.lock"

    @property
    def users_lock(self) -> Path:
        return self.home / "users.lock"

    @property
    def server_lock(self) -> Path:
        return self.home / "server.lock"

    @property
    def watchdog_lock(self) -> Path:
        return self.home / "watchdog.lock"

    @property
    def check_tool(self) -> Path:
        """Link to the server binary: under this name it checks and repairs append-only files."""
        return self.home / "valkey-check-aof"

    def prepare(self) -> None:
        """Create the folders, 0700; EmbeddedServerError if they are another user's or hold foreign files."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _claim(self.home, marker=self.start_lock)
        self.data.mkdir(mode=0o700, exist_ok=True)
        _claim(self.data, marker=self.manifest.parent)
        ignore = self.home / ".gitignore"
        if not ignore.exists():
            write_private(ignore, "*\n")


def _claim(folder: Path, *, marker: Path) -> None:
    """Tighten *folder* to 0700 if it is ours: empty, or with *marker* in it, not a /tmp named by mistake."""
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise EmbeddedServerError(
            f"{folder} belongs to user {found.st_uid} and this process runs as user {os.geteuid()}; "
            "run it as that user, or set TASKENGINE_HOME to another folder"
        )
    if stat.S_IMODE(found.st_mode) == 0o700:
        return
    if not marker.exists() and any(folder.iterdir()):
        raise EmbeddedServerError(
            f"{folder} holds other files and is open to other users; set TASKENGINE_HOME to a folder of its "
            f"own, or close this one with: chmod 700 {folder}"
        )
    folder.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Replace *path* by *text* in one step, 0600 from its first byte on."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    fresh.replace(path)


def is_private(folder: Path) -> bool:
    """True if *folder* is a real folder of this user that nobody else may enter (/tmp is everybody's)."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    closed = not stat.S_IMODE(found.st_mode) & 0o077
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and closed


def socket_folder(noted: Path | None, environment: Mapping[str, str]) -> Path:
    """Return a private folder for the socket: the *noted* one again where possible, so that clients find it.

    A new one goes below /tmp and only else below XDG_RUNTIME_DIR: that one is deleted at the last logout,
    under the feet of a server that was left running, while cleaners of /tmp spare sockets in use.
    """
    if noted is not None and _recreate(noted):
        return noted
    for parent in ("/tmp", environment.get("XDG_RUNTIME_DIR")):  # noqa: S108  # mkdtemp makes a private folder in it
        if parent and _is_usable(parent):
            return Path(tempfile.mkdtemp(prefix="taskengine-", dir=parent))
    raise EmbeddedServerError(
        "no folder for the embedded server's socket: neither /tmp nor XDG_RUNTIME_DIR is writable and short "
        "enough; set XDG_RUNTIME_DIR to a short private folder, or TASKENGINE_REDIS_URL to a server"
    )


def _is_usable(parent: str) -> bool:
    short = len(os.fsencode(parent)) + _SOCKET_PATH_BYTES < SOCKET_PATH_LIMIT
    return short and os.access(parent, os.W_OK | os.X_OK)


def _recreate(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    return is_private(folder)
