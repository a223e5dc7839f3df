"""What an attempt asks of the server, as operations that the blocking and the async driver run."""

from __future__ import annotations

from dataclasses import replace

from taskengine.agents import Reference
from taskengine.errors import ConflictError, InvalidInputError, PayloadTooLargeError
from taskengine.models.artifact import MOST_OF_A_RUN
from taskengine.models.spent import Spent
from taskengine.store import artifacts, kept, spent
from taskengine.store.artifacts import Packed
from taskengine.store.call import Operation
from taskengine.store.replies import Assignment
from workers.known_secrets import without_secrets_in
from workers.permits import Permits


class AttemptVerbs:
    """The verbs of one attempt; each is safe to repeat, and ConflictError when the attempt is over."""

    def __init__(self, told: Assignment, agent: str) -> None:
        self._told = told
        self.agent = agent
        self.permits = Permits(told)
        #: What it used so far, by model.
        self.spent: dict[str, Spent] = {}

    def checkpoint(self, reference: Reference) -> Operation[None]:
        """Keep *reference* for the next attempt."""
        safe = replace(reference, words=without_secrets_in(reference.words))
        answer = yield from kept.checkpoint(self._told.execution_id, self._told.attempt, safe)
        self._refuse_over(answer.word)

    def note_spent(self, used: Spent) -> Operation[None]:
        """Note all that the attempt used so far of a model; it counts also when the attempt is over."""
        self.spent = spent.merged(self.spent, [used])
        answer = yield from spent.note(self._told.execution_id, self._told.attempt, self.spent.values())
        self._refuse_over(answer.word)

    def put_artifact(self, packed: Packed) -> Operation[None]:
        """Keep an artifact; PayloadTooLargeError when those of the execution together are too large."""
        answer = yield from artifacts.put(self._told.execution_id, self._told.attempt, packed)
        if answer.word == "full":
            raise PayloadTooLargeError(
                f"artifact {packed.name!r}, with the others of this execution,", answer.number() + len(packed.body),
                MOST_OF_A_RUN,
            )  # fmt: skip
        if answer.word == "many":
            raise InvalidInputError(
                f"artifact {packed.name!r} is one more than the {artifacts.MOST_NAMES} that an execution may have; "
                "put several files into one archive", field="name",
            )  # fmt: skip
        self._refuse_over(answer.word)

    def _refuse_over(self, word: str) -> None:
        if word != "ok":
            raise ConflictError(
                f"attempt {self._told.attempt} of task {self._told.task_id} is over; stop what it pays for, and return"
            )
