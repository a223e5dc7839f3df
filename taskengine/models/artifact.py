"""What an execution leaves beside its result: a diff, a file, a transcript."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from taskengine.models.base import Moment

#: Bytes of one artifact, and of all of one run, that the server keeps.
LARGEST_ARTIFACT = 16 * 1024 * 1024
MOST_OF_A_RUN = 64 * 1024 * 1024


class ArtifactKind(StrEnum):
    """What an artifact is, so that a reader can show it."""

    DIFF = "diff"
    FILE = "file"
    LOG = "log"
    TRANSCRIPT = "transcript"
    URL = "url"


class Artifact(BaseModel):
    """What is known of an artifact without its bytes."""

    model_config = ConfigDict(frozen=True)

    execution_id: UUID
    #: Unique in its execution: a later one of that name replaces it.
    name: str
    kind: ArtifactKind
    #: Bytes as they were given.
    size: int
    #: Whether the middle was left out because it was too large.
    is_cut: bool = False
    created_at: Moment | None = None
