"""The folders in which attempts work, and those that a killed worker left behind.

Each is locked as long as whoever works in it lives: the system lets go of a lock when its process ends, however it
ends, also in another container that shares the folder of temporary files. So what nobody holds is nobody's. (Rejected:
to ask the server which executions run. Several fleets may share a machine, and none knows those of another.)
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir, mkdtemp

logger = logging.getLogger(__name__)
#: Before it is locked, and from then on.
_NEW, _PREFIX = "taskengine-new-", "taskengine-work-"
_NAME = re.compile(re.escape(_PREFIX) + r"[0-9a-f-]{36}-\w+")


@dataclass(frozen=True, slots=True)
class Workdir:
    """A folder of one attempt."""

    path: Path
    _lock: int

    @classmethod
    def make(cls, execution: object) -> Workdir:
        """Make it, for its user alone."""
        made = Path(mkdtemp(prefix=f"{_NEW}{execution}-"))
        lock = _opened(made)
        with suppress(OSError):  # a file system without locks: then nobody gets one, and nothing is swept
            fcntl.flock(lock, fcntl.LOCK_SH)
        return cls(made.rename(made.with_name(_PREFIX + made.name.removeprefix(_NEW))), lock)

    def close(self) -> None:
        """Delete it; once."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def sweep() -> list[Path]:
    """Delete the folders of attempts that are dead, of this user alone; those that are gone. Never raises."""
    gone = []
    with suppress(OSError):
        for entry in os.scandir(gettempdir()):
            if _NAME.fullmatch(entry.name) and _is_dead(path := Path(entry.path)):
                shutil.rmtree(path, ignore_errors=True)
                gone.append(path)
    if gone:
        logger.warning("deleted %d folders that killed workers left, such as %s", len(gone), gone[0])
    return gone


def _is_dead(path: Path) -> bool:
    try:
        folder = _opened(path)
    except OSError:  # no folder, somebody else's, or gone
        return False
    try:
        if os.fstat(folder).st_uid != os.geteuid():
            return False
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(folder)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
