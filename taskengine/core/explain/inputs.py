"""What an explanation of a task rests on: what stands around it and is not in its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from taskengine.core.peaks import Peak
from taskengine.models.agent import AgentRecord
from taskengine.models.enums import TaskPriority, TaskStatus
from taskengine.models.execution import TaskExecution
from taskengine.models.host import HostInfo
from taskengine.models.limit import Closed
from taskengine.models.pause import Pause
from taskengine.models.task import Task

#: Dependencies, queues and causes that a sentence names.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Server:
    """A living worker node that offers a task's queue."""

    node: str
    slots: int
    held: int
    #: Why it drains, or ''.
    draining: str
    #: Times in a row that it took nothing of what it was granted.
    untaken: int = 0
    #: Whether it is therefore granted one task a minute and no more.
    is_distrusted: bool = False
    #: Slots that agents hold which do not return after their end; not among *slots*.
    stuck: int = 0
    #: Who would run it there.
    agent: str = ""


@dataclass(frozen=True, slots=True)
class QueueView:
    """What stands around a task and is not in its record."""

    #: On the server's clock.
    now: datetime
    queue: str
    #: Dependencies not over, and those that count as failed and as skipped.
    waiting: int
    failed: int
    skipped: int
    #: Its schedule or its next attempt.
    due: datetime | None
    held: bool
    #: Its graph was committed a moment ago.
    settling: bool
    #: Scope under which it is parked, or ''.
    park: str
    #: Why its cancel was asked; None when nobody did.
    cancel: str | None
    #: Until when the worker that it was offered to may take it; None unless a slot was offered.
    claim_by: datetime | None
    #: How many stand before it in its queue; -1 when it does not stand there.
    position: int
    #: READY tasks of its queue that wait, and that were offered to a worker.
    ready: int
    granted: int
    servers: tuple[Server, ...]
    #: What living workers offer, 100 at most.
    queues: tuple[str, ...]
    #: The coordinator that leads, or ''.
    leader: str
    #: The priority among whose tasks it stands by waiting; None while it stands among its own.
    aged_to: TaskPriority | None = None
    #: One that it feels, or None.
    pause: Pause | None = None
    #: Of a slotless execution the worker that asks its service, and until when it said it would; '' for none ever.
    poller: str = ""
    polled_until: datetime | None = None
    #: Agents that would run it, with what their limits say, where those of all of them let nothing start.
    closed: Sequence[tuple[str, Closed]] = ()


@dataclass(frozen=True, slots=True)
class Blocker:
    """A dependency that is not over: a task, or a step of the same workflow."""

    id: UUID
    #: Of a step its path.
    name: str
    status: TaskStatus


@dataclass(frozen=True, slots=True)
class Part:
    """The workflow that a task or a step is a part of: the outermost one."""

    workflow_id: str
    status: TaskStatus


@dataclass(frozen=True, slots=True)
class ExplainInputs:
    """All that an explanation rests on."""

    queue_view: QueueView
    #: Some of the dependencies that are not over, :data:`NAMED` at most.
    blockers: Sequence[Blocker] = ()
    #: What the task and its blockers will take, by id, where anybody knows.
    seconds: Mapping[UUID, float] = field(default_factory=dict)
    #: What tasks of its queue take, or None.
    queue_seconds: float | None = None
    #: The latest execution.
    execution: TaskExecution | None = None
    #: Whose end closed it, that one's cause, and so on up to the root.
    causes: Sequence[Task] = ()
    #: Whose part it is; None of a task of its own, and of one that is not to be opened again.
    part: Part | None = None
    #: Known agents that could run it, where no living worker offers that; some of them where there are many.
    able: Sequence[AgentRecord] = ()
    #: What the steps wait for of the workflow that it runs; None where it runs none, or they wait for nothing.
    steps: str | None = None
    #: Machines on which workers live, of a READY task that reserves something.
    hosts: Sequence[HostInfo] = ()
    #: Thousandths that the agents that would run it reserve where it does not say otherwise.
    share: Mapping[str, int] = field(default_factory=dict)
    #: What tasks of its kind used that reserved something; None where nobody knows.
    peak: Peak | None = None
