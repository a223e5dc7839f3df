"""What an operator holds back, and who said so."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, computed_field

from taskengine.models.base import Moment


class PauseScope(StrEnum):
    """What one pause holds back."""

    EVERYTHING = "everything"
    CAPABILITY = "capability"
    AGENT = "agent"
    RUN = "run"
    TASK = "task"


class PausedBy(StrEnum):
    """What kind of one paused it."""

    #: Whoever uses the API or the command line.
    CLIENT = "client"
    #: The agent itself, which can do nothing for a while.
    AGENT = "agent"


class PauseState(StrEnum):
    """Whether what was paused has come to rest."""

    #: Executions that began before the pause still run; their results are kept and acted on.
    DRAINING = "draining"
    #: Nothing of it runs.
    DRAINED = "drained"


class Pause(BaseModel):
    """A pause that holds, as of one moment."""

    model_config = ConfigDict(frozen=True)

    scope: PauseScope
    #: Capability, agent's name, id of the run or task; None for everything.
    name: str | None = None
    #: Who paused it.
    by: str
    by_kind: PausedBy = PausedBy.CLIENT
    reason: str | None = None
    since: Moment
    #: When it ends by itself; None: when somebody resumes it.
    until: Moment | None = None
    #: Executions of the scope that run at this moment.
    running: int = 0

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way of it
    @property
    def state(self) -> PauseState:
        """``draining`` while something runs, then ``drained``."""
        return PauseState.DRAINING if self.running else PauseState.DRAINED

    def __str__(self) -> str:
        what = f"{self.scope} {self.name}" if self.name else str(self.scope)
        ends = f" until {self.until:%Y-%m-%d %H:%M:%S} UTC" if self.until else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"{what} by {self.by} since {self.since:%Y-%m-%d %H:%M:%S} UTC{ends}{why}"
