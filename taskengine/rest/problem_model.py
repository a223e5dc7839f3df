"""The schema of a problem document."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    pointer: str = Field(description="Where, as a JSON pointer (RFC 6901).")
    detail: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457); fields of the error stand beside these."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="/problems/SLUG, which explains it.")
    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do.")
    instance: str | None = None
    errors: list[Fault] = Field(default_factory=list)
