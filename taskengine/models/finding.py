"""What an examination finds: one fact, how bad it is, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class FindingLevel(StrEnum):
    """How bad a finding is; only ``wrong`` makes the exit code of ``taskengine doctor`` 1."""

    OK = "ok"
    #: Needs eyes, harms nothing now.
    NOTICE = "notice"
    WRONG = "wrong"


class Finding(BaseModel):
    """One fact about server, coordinator, workers, work or a machine."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    level: FindingLevel
    #: What it is about, such as ``coordinator`` or ``queue lint``; several may be about one thing.
    about: str
    says: str
    #: What to do, in words or as a command of the shell; None where nothing is to be done.
    do: str | None = None


def ok(about: str, says: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(level=FindingLevel.OK, about=about, says=says)


def notice(about: str, says: str, do: str) -> Finding:
    """Something that somebody should look at."""
    return Finding(level=FindingLevel.NOTICE, about=about, says=says, do=do)


def wrong(about: str, says: str, do: str) -> Finding:
    """Something that must be mended."""
    return Finding(level=FindingLevel.WRONG, about=about, says=says, do=do)
