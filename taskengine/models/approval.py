"""The answer to an approval, as it is kept: who said what, and when."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from taskengine.models.base import Moment


class ApprovalAnswer(BaseModel):
    """One answer; who gave it is recorded, not proven."""

    model_config = ConfigDict(frozen=True)

    approved: bool
    by: str
    at: Moment
    reason: str | None = None
    #: Who was asked, where the step names them.
    approvers: tuple[str, ...] = ()
    #: What the step's form asked for.
    form: dict[str, JsonValue] = Field(default_factory=dict)

    def __str__(self) -> str:
        said = "approved" if self.approved else "rejected"
        return f"{self.by} {said} it at {self.at:%Y-%m-%d %H:%M:%S} UTC" + (f": {self.reason}" if self.reason else "")
