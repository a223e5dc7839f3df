"""What an agent type implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from taskengine.agents.context import AgentContext
from taskengine.agents.reference import Reference, Tracked
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from taskengine.models.question import Question


class Secrets(Protocol):
    """Values by name; they are on this machine alone."""

    def get(self, name: str) -> str:
        """Return the value; AgentError names the secret and the two places where it was looked for."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether an agent could work here and now."""

    ok: bool
    #: One sentence: what answered, or what is wrong and what to do.
    text: str


class Executor(Protocol):
    """A type whose run holds a slot. One instance a process serves all its runs, on one loop.

    One whose work is paid for says ``stops_when_cut_off = True``: its runs are cancelled where their worker cannot
    reach the server for a lease, for their tasks may start elsewhere then.
    """

    holds_slot: ClassVar[bool] = True

    def __init__(self, record: AgentRecord, secrets: Secrets) -> None: ...

    @classmethod
    def check(cls, record: AgentRecord, secrets: Secrets) -> None:
        """AgentError, one sentence with what to do, when this machine cannot serve *record*. Asks no service."""

    async def open(self) -> None:
        """Make clients; on the loop, before the first run, once a process."""

    async def close(self) -> None:
        """Close them; nothing runs any more."""

    async def health(self) -> Health:
        """Ask the service whether it would take work with this credential."""

    async def run(self, task: Task, context: AgentContext) -> Outcome:
        """Run one attempt. Cancelled as a coroutine when it should end: it stops what it pays for, and raises on."""


class Repairs(Protocol):
    """What an executor may have beside: one more turn over a result that does not fit its task's ``output_schema``."""

    async def repair(self, task: Task, context: AgentContext, outcome: Outcome, faults: list[str]) -> Outcome:
        """Return the outcome of one more turn, with *faults* told to whoever made *outcome*; called once a run."""


class RemoteRepairs(Protocol):
    """The same of a :class:`RemoteExecutor`."""

    def repair(self, reference: Reference, outcome: Outcome, faults: list[str]) -> Reference | None:
        """Return the reference of a run that is to have one more turn, or None: it had one, or there is none.

        Asks no service. The reference is durable before the next ``poll``, which sends *faults* to whoever made
        *outcome*, if that did not happen yet.
        """


@dataclass(frozen=True, slots=True)
class Running:
    """Still at work."""

    #: One line for people.
    note: str = ""
    #: 0 to 1; None when the service does not say.
    fraction: float | None = None
    #: The reference from now on, when it changed.
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Over:
    """It ended."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Asks:
    """It waits for a person."""

    question: Question


@dataclass(frozen=True, slots=True)
class Gone:
    """The service does not know it any more: its execution is LOST."""

    why: str


RemoteState = Running | Over | Asks | Gone
#: Whether a cancel stopped the work at the service, was only asked for, or cannot be.
Stopped = Literal["stopped", "requested", "unsupported"]


class RemoteExecutor(Protocol):
    """A type whose work runs at a service and holds no slot."""

    holds_slot: ClassVar[bool] = False

    def __init__(self, record: AgentRecord, secrets: Secrets) -> None: ...

    @classmethod
    def check(cls, record: AgentRecord, secrets: Secrets) -> None:
        """As :meth:`Executor.check`."""

    async def open(self) -> None:
        """As :meth:`Executor.open`."""

    async def close(self) -> None:
        """As :meth:`Executor.close`."""

    async def health(self) -> Health:
        """As :meth:`Executor.health`."""

    async def submit(self, task: Task, context: AgentContext) -> Reference | Outcome:
        """Post it, or find what an attempt before posted (``context.previous``).

        An intent is checkpointed before the post: what is not, is posted twice after a kill. An Outcome ends the
        attempt without a run.
        """

    async def poll(self, tracked: Sequence[Tracked]) -> Sequence[RemoteState | None]:
        """Say how each stands, in order, those first that waited longest; None: not reached, it is asked again soon.

        A call takes seconds, not minutes: what it says is told when it is back. Raising means: nobody knows, ask again
        later.
        """

    async def cancel(self, reference: Reference, reason: str) -> Stopped:
        """Stop it at the service as far as it can be; safe to repeat."""
