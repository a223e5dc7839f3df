"""What an agent type gets beside the task: all that ``@agent`` functions get, and what paid or remote work needs.

Whatever waits has two forms, as the engine's API has: a method for functions in a thread, and the same name in
:attr:`AgentContext.aio` to await on a loop. A coroutine that calls the first form would hold up everybody on its loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, Protocol

from pydantic import JsonValue

from taskengine.agent import TaskContext
from taskengine.agents.reference import Reference
from taskengine.models.artifact import ArtifactKind
from taskengine.models.question import Answer, Question
from taskengine.models.spent import Spent


class NeedsInput(Exception):  # noqa: N818  # an answer, not an error
    """Raised by ``context.ask``: the attempt ends, the task is PAUSED with the question, and goes on when answered."""

    def __init__(self, question: Question) -> None:
        super().__init__(getattr(question, "text", question))
        self.question = question


class AsyncContext(Protocol):
    """What waits for the server, to be awaited."""

    async def checkpoint(self, reference: Reference) -> None:
        """Make *reference* durable: the next attempt gets it as ``previous``. Fenced: ConflictError when this attempt
        is over, and its work must not go on. Safe to repeat."""

    async def result(self, name: str) -> dict[str, JsonValue]:
        """Return the output of the dependency *name*, however large; NoResultError when it has none."""

    async def permit(self, requests: int = 1, input_tokens: int = 0, output_tokens: int = 0) -> None:
        """Wait until the agent's limits allow that much more. The first request of a run came with its start."""

    async def spent(self, spent: Spent) -> None:
        """Note what the attempt used *so far* of a model, cumulative: what is noted counts even if its worker dies."""

    async def artifact(self, name: str, body: bytes | str | Path, kind: ArtifactKind = ArtifactKind.FILE) -> None:
        """Keep *body* beside the result: a later one of that name replaces it. PayloadTooLargeError over the limit."""

    async def observe(self, remaining: dict[str, float]) -> None:
        """Tell the limits what the provider's headers say is left: ``requests``, ``input_tokens``, ``output_tokens``.

        It counts where that is less than the limits counted themselves, for others may use the key. At most one trip a
        second a process: what is said in between is not told.
        """


class AgentContext(TaskContext, Protocol):
    """One attempt, as the type that runs it sees it."""

    @property
    def aio(self) -> AsyncContext:
        """The same verbs, to be awaited."""

    @property
    def previous(self) -> Reference | None:
        """What an earlier attempt checkpointed; None: begin at the beginning."""

    @property
    def answer(self) -> Answer | None:
        """What a person answered to the latest question, until the task ends; None: no question was."""

    @property
    def answers(self) -> Mapping[str, Answer]:
        """What was answered to each question of the task, by the id of the question."""

    @property
    def prompt(self) -> str:
        """The task's description with its ``${…}`` filled in; upstream text stands fenced as data."""

    @property
    def tokens_used(self) -> int:
        """What earlier attempts of the task used."""

    @property
    def tokens_left(self) -> int | None:
        """What the task might still use over all its attempts when this one began; None: no cap."""

    @property
    def workdir(self) -> Path:
        """A folder of this attempt alone, made when it is first asked for and gone at its end."""

    def secret(self, name: str) -> str:
        """Return a secret that the agent's record names; AgentError for any other."""

    def checkpoint(self, reference: Reference) -> None:
        """As ``aio.checkpoint``, in a thread."""

    def permit(self, requests: int = 1, input_tokens: int = 0, output_tokens: int = 0) -> None:
        """As ``aio.permit``, in a thread."""

    def artifact(self, name: str, body: bytes | str | Path, kind: ArtifactKind = ArtifactKind.FILE) -> None:
        """As ``aio.artifact``, in a thread."""

    def spent(self, spent: Spent) -> None:
        """As ``aio.spent``, in a thread."""

    def ask(self, question: Question | str) -> NoReturn:
        """Ask a person: raises NeedsInput, which ends the attempt and pauses the task. Text is a question for text.

        The next attempt finds the answer in :attr:`answer`. An agent that was answered looks there first.
        """

    def stream(self, text: str) -> None:
        """Show *text* to whoever follows the logs right now; costs nothing while nobody does."""
