"""The schema of a problem document, and where it stands in the description."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from taskengine.api.problems import PROBLEM_JSON


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


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route's description says of the errors that it answers."""
    schema = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": schema} for status in sorted(statuses)}
