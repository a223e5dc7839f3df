"""What an agent type gets beside the task (:class:`taskengine.agents.AgentContext`); every agent gets the same.

Made for each execution, so it makes nothing before it is asked: of most tasks nobody ever asks for these.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from taskengine.agent import Agent
from taskengine.agents import NeedsInput, Reference
from taskengine.errors import AgentError
from taskengine.models import Outcome, Task
from taskengine.models.artifact import ArtifactKind
from taskengine.models.question import Answer, Question
from taskengine.models.spent import Spent
from taskengine.store import artifacts, kept
from taskengine.store.call import Call, Operation
from taskengine.store.codec import dumps
from taskengine.store.replies import Assignment
from taskengine.store.spent import merged, spent_text
from workers.attempt_verbs import AttemptVerbs
from workers.context import Context, Here, refuse_on_loop
from workers.known_secrets import without_secret_bytes
from workers.log_buffer import LogStream
from workers.outage_retry import retry_outage
from workers.permits import NEWS
from workers.shared_store import SharedStore
from workers.workdirs import Workdir

T = TypeVar("T")


class AioContext:
    """The verbs that wait for the server, to be awaited."""

    def __init__(self, verbs: AttemptVerbs, context: Context, store: SharedStore) -> None:
        self._verbs = verbs
        self._context = context
        self._store = store

    async def checkpoint(self, reference: Reference) -> None:
        """Make *reference* durable; ConflictError when this attempt is over."""
        await self._store.run(lambda: self._verbs.checkpoint(reference), "checkpoint")

    async def spent(self, spent: Spent) -> None:
        """Note what the attempt used so far of a model; ConflictError when it is over, and it counts all the same."""
        await self._store.run(lambda: self._verbs.note_spent(spent), "note_spent")

    async def artifact(self, name: str, body: bytes | str | Path, kind: ArtifactKind = ArtifactKind.FILE) -> None:
        """Keep *body* beside the result: a later one of that name replaces it. PayloadTooLargeError over the limit."""
        packed = await asyncio.to_thread(artifacts.pack, name, body, kind, without_secret_bytes)
        await self._store.run(lambda: self._verbs.put_artifact(packed), "put_artifact")

    async def result(self, name: str) -> dict[str, Any]:
        """Return the output of the dependency *name*, however large; NoResultError when it has none."""
        return await self._store.run(lambda: self._context.result(name), "output")

    async def permit(self, requests: int = 1, input_tokens: int = 0, output_tokens: int = 0) -> None:
        """Wait until the agent's limits allow that much more; ConflictError when this attempt is over."""
        wanted = self._verbs.permits.wanted(requests, input_tokens, output_tokens)
        while not wanted.is_taken:
            await asyncio.sleep(await self._store.run(wanted.ask, "permit"))

    async def observe(self, remaining: dict[str, float]) -> None:
        """Tell the limits what the provider says is left; at most once a second a process."""
        if (news := NEWS.worth(self._verbs.agent, remaining)) is not None:
            await self._store.run(lambda: news, "observe")


def more_of(outcome: Outcome, noted: Mapping[str, Spent] | None = None) -> str:
    """Return what a report says beside *outcome*, with what its attempt *noted* so far, by model; '' for most."""
    said = {} if outcome.question is None else {"question": kept.question_text(outcome.question)}
    if all_so_far := merged(noted or {}, outcome.spent):
        said["spent"] = spent_text(all_so_far.values())
    if outcome.spent:
        said["used"] = _used(outcome.spent)
    return dumps(said, "report") if said else ""


def _used(spent: Sequence[Spent]) -> str:
    """As limits count it: requests, tokens in and tokens out. What comes from a cache is in no provider's rate."""
    requests = sum(each.requests for each in spent)
    read = sum(each.input_tokens + each.cache_write_tokens for each in spent)
    return f"{requests} {read} {sum(each.output_tokens for each in spent)}"


class AgentContext(Context):
    """One execution, as the type that runs it sees it."""

    def __init__(
        self, assignment: Assignment, here: Here, log_stream: LogStream, task: Task, raw: Task, agent: Agent
    ) -> None:
        super().__init__(assignment, here, log_stream, task, raw)
        self._agent = agent
        self._verbs: AttemptVerbs | None = None
        #: Where its work goes on without its slot; None while it does not.
        self.detached: Reference | None = None
        self.poll_seconds = 0.0

    @cached_property
    def aio(self) -> AioContext:
        """The same verbs, to be awaited."""
        return AioContext(self._of_verbs(), self, self._here.shared_store)

    @property
    def previous(self) -> Reference | None:
        """What an earlier attempt checkpointed; None: begin at the beginning."""
        return kept.previous(self._assignment)

    @property
    def answer(self) -> Answer | None:
        """What a person answered to the latest question; None: no question was."""
        return next(reversed(kept.answers(self._assignment)), None)

    @property
    def answers(self) -> Mapping[str, Answer]:
        """What was answered to each question of the task, by the id of the question."""
        return {one.question_id: one for one in kept.answers(self._assignment)}

    @property
    def tokens_used(self) -> int:
        """What earlier attempts of the task used."""
        return kept.tokens_used(self._assignment)

    @property
    def tokens_left(self) -> int | None:
        """What the task might still use over all its attempts when this one began; None: no cap."""
        return kept.tokens_left(self._assignment)

    @property
    def workdir(self) -> Path:
        """A folder of this attempt alone, made now and gone at its end."""
        return self._folder.path

    @cached_property
    def _folder(self) -> Workdir:
        return Workdir.make(self._assignment.execution_id)

    def secret(self, name: str) -> str:
        """Return a secret that the agent's record names; AgentError for any other, and when it is missing."""
        if self._agent.secret is None:
            raise AgentError(f"no record of this agent names a secret {name!r:.100}; register the agent with secret=…")
        return self._agent.secret(name)

    def checkpoint(self, reference: Reference) -> None:
        """Make *reference* durable; ConflictError when this attempt is over."""
        verbs = self._of_verbs()
        self._wait(lambda: verbs.checkpoint(reference), "checkpoint", "await context.aio.checkpoint(reference)")

    def permit(self, requests: int = 1, input_tokens: int = 0, output_tokens: int = 0) -> None:
        """Wait until the agent's limits allow that much more; ConflictError when this attempt is over."""
        wanted = self._of_verbs().permits.wanted(requests, input_tokens, output_tokens)
        while not wanted.is_taken:
            time.sleep(self._wait(wanted.ask, "permit", "await context.aio.permit()"))

    def spent(self, spent: Spent) -> None:
        """Note what the attempt used so far of a model; ConflictError when it is over, and it counts all the same."""
        verbs = self._of_verbs()
        self._wait(lambda: verbs.note_spent(spent), "spent(…)", "await context.aio.spent(…)")

    def artifact(self, name: str, body: bytes | str | Path, kind: ArtifactKind = ArtifactKind.FILE) -> None:
        """Keep *body* beside the result: a later one of that name replaces it. PayloadTooLargeError over the limit."""
        verbs, packed = self._of_verbs(), artifacts.pack(name, body, kind, without_secret_bytes)
        self._wait(lambda: verbs.put_artifact(packed), "artifact(…)", "await context.aio.artifact(…)")

    def ask(self, question: Question | str) -> NoReturn:
        """Ask a person: raises NeedsInput, which ends the attempt and pauses the task."""
        raise NeedsInput(Question(text=question) if isinstance(question, str) else question)

    def goes_on_at(self, reference: Reference, poll_seconds: float) -> None:
        """Note that the work goes on at a service: the slot is freed, whatever the outcome, and a poller asks there
        after *poll_seconds*.
        """
        self.detached = reference
        self.poll_seconds = poll_seconds

    @property
    def is_taken_up(self) -> bool:
        """Whether what goes on is what an earlier attempt began."""
        previous, detached = self.previous, self.detached
        return previous is not None and detached is not None and previous.at_ms == detached.at_ms

    def more(self, outcome: Outcome) -> str:
        """Return what its report says beside *outcome*; '' for most."""
        if self._verbs is None:
            return more_of(outcome) if outcome.spent or outcome.question else ""
        return more_of(outcome, self._verbs.spent)

    def close(self) -> None:
        """Let go of what the attempt had here; safe to repeat."""
        if (folder := self.__dict__.pop("_folder", None)) is not None:
            folder.close()

    def _of_verbs(self) -> AttemptVerbs:
        if self._verbs is None:
            self._verbs = AttemptVerbs(self._assignment, self._agent.name)
        return self._verbs

    def _wait(self, ask: Callable[[], Call[T] | Operation[T]], name: str, instead: str) -> T:
        refuse_on_loop(f"context.{name}", instead)
        return retry_outage(lambda: self._store.run(ask()), name)
