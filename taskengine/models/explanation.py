"""Why a task is where it is, as a sentence for people and facts for programs."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from taskengine.models.enums import TaskStatus


class Fact(BaseModel):
    """One thing that is so, the most telling first."""

    model_config = ConfigDict(frozen=True)

    #: dependencies, rule, held, scheduled, undecided, paused, parked, unoffered, room, too_large, reserved, granted,
    #: stuck, limit, queue, draining, untaken, retry, not_now, running, progress, cancel, expires, deadline, completed,
    #: failed, traceback, dead_letter, cancelled, closed or coordinator; of steps and workflows also waiting, steps (in
    #: it) and poisoned.
    kind: str
    #: A clause that a person understands.
    text: str
    #: The same for programs: ids, numbers, moments as ISO text.
    details: dict[str, JsonValue] = Field(default_factory=dict)


class Explanation(BaseModel):
    """The answer to *why is it not done yet*, as of one moment."""

    model_config = ConfigDict(frozen=True)

    task_id: UUID
    name: str
    status: TaskStatus
    #: One sentence; the first fact in it.
    headline: str
    facts: tuple[Fact, ...]
