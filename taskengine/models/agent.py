"""An agent is a name: its record says what it may do and how much, its workers say how.

What it *is doing* (:class:`AgentInfo`) is derived from its workers and pauses when somebody asks, and never stored.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from taskengine.models.base import InputModel, Moment
from taskengine.models.enums import AgentStatus
from taskengine.models.pause import Pause
from taskengine.models.task import AgentName, Capability

#: ``function`` (what ``@agent`` declares), ``claude``, ``codegen``, ``command``, ``http``, or a third party's.
AgentType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
#: What the name of a secret looks like.
NAMED = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
#: The name of a secret: a file in TASKENGINE_SECRETS or a variable of the worker's environment, never its value.
SecretName = Annotated[str, StringConstraints(pattern=NAMED)]
LimitName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
ResourceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Share = Annotated[float, Field(gt=0, le=1e9)]
_Count = Annotated[int, Field(ge=1, le=10**12)]


class Limit(InputModel):
    """How much of something all agents that share it may use; None is no bound of that kind."""

    model_config = ConfigDict(frozen=True)

    name: LimitName
    #: Executions at once.
    in_flight: _Count | None = None
    requests_per_minute: _Count | None = None
    input_tokens_per_minute: _Count | None = None
    output_tokens_per_minute: _Count | None = None
    #: Of all kinds together, a day in UTC; the agents of the limit take nothing more until the next one.
    tokens_per_day: _Count | None = None


class AgentRecord(InputModel):
    """What is stored of an agent."""

    model_config = ConfigDict(frozen=True)

    id: AgentName
    type: AgentType
    capabilities: frozenset[Capability] = Field(min_length=1, max_length=100)
    #: Executions at once on all its workers together; None: as many as these have slots.
    max_concurrency: _Count | None = None
    #: What each of its executions reserves unless its task says otherwise, such as ``{"memory_gb": 2}``.
    resources: dict[ResourceName, Share] = Field(default_factory=dict)
    #: Names of the limits that it shares.
    limits: tuple[LimitName, ...] = Field(default=(), max_length=8)
    #: The credential that it works with, by name.
    secret: SecretName | None = None
    #: Where its function is, as ``module:name``, if its type alone does not say what runs.
    executor: Annotated[str, StringConstraints(pattern=r"^[\w.]+:[\w.]+$")] | None = None
    #: What its type knows: model, prompts, command, address. JSON of at most 64 KiB.
    config: dict[str, JsonValue] = Field(default_factory=dict)
    #: 0 to 9: of several agents with a free slot, the one with the lowest number is given the task; among equal ones
    #: whichever slot is free takes it. A slot that ends something still goes on with the next task itself.
    preference: Annotated[int, Field(ge=0, le=9)] = 5
    #: Seconds that what it runs may take when its worker is told to go; None is the worker's own.
    drain_seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None
    description: Annotated[str, StringConstraints(max_length=10_000)] = ""
    #: ``code``: a worker that imported ``@agent`` made it; ``api``: somebody registered it.
    origin: Literal["code", "api"] = "api"
    #: Raised by one with each change of content.
    revision: int = 0
    created_at: Moment | None = None
    #: When its content changed last.
    updated_at: Moment | None = None
    #: Who drains it and why; None while it takes work.
    draining: str | None = None


class AgentInfo(InputModel):
    """An agent as of one moment."""

    model_config = ConfigDict(frozen=True)

    record: AgentRecord
    #: Whether what is stored of it can be read: else *record* holds no more than its name, type and capabilities, as
    #: far as these are there, and *reason* says what is wrong. Only lists have such agents.
    is_readable: bool = True
    status: AgentStatus
    #: Why it is so, one sentence.
    reason: str
    #: Since when; None where nothing noted it.
    since: Moment | None = None
    #: When that ends by itself; None when nobody knows.
    until: Moment | None = None
    #: The pause of its name, or of everything, whatever its status.
    pause: Pause | None = None
    #: Live worker nodes that serve it.
    workers: tuple[str, ...] = ()
    #: Slots of these, and executions of it that run now.
    slots: int = 0
    running: int = 0
    #: Those that run with an older type, function, secret or config than its record has, and are to be started again;
    #: for a beat after any change also others.
    outdated: tuple[str, ...] = ()
    #: When its last worker was alive; None while one is, or none ever was.
    seen_at: Moment | None = None
    #: What its executions used beside what each reserves; '' where nothing was measured, and in lists.
    used: str = ""
