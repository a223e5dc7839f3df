"""What an examination finds: one fact, how bad it is, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is; only ``wrong`` makes the exit code 1."""

    OK = "ok"
    #: Needs eyes, harms nothing now.
    NOTICE = "notice"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about server, coordinator, workers, work or this machine."""

    level: Level
    about: str
    says: str
    #: What to do; None where nothing is to be done.
    do: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the finding for programs."""
        return asdict(self)


def ok(about: str, says: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(Level.OK, about, says)


def notice(about: str, says: str, do: str) -> Finding:
    """Something that somebody should look at."""
    return Finding(Level.NOTICE, about, says, do)


def wrong(about: str, says: str, do: str) -> Finding:
    """Something that must be mended."""
    return Finding(Level.WRONG, about, says, do)
