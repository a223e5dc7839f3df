"""What an attempt leaves for the next ones: where its work went on, what a person answered, what is left of a cap.

Its worker is told of it in :attr:`taskengine.store.replies.Assignment.extra`, which is empty for most tasks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from pydantic import JsonValue

from taskengine.agents.reference import LARGEST_REFERENCE, Reference
from taskengine.core.questions import LARGEST
from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models.question import Answer, Question
from taskengine.store.call import Call, Operation
from taskengine.store.codec import dumps, loads_object, moment
from taskengine.store.question_record import question_from
from taskengine.store.replies import Assignment, Reply, reply
from taskengine.store.tasks import settled
from taskengine.store.verb import Verb

_CHECKPOINT = Verb("checkpoint", reply)
_ANSWER = Verb("answer", reply)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is stored."""

    question: Question
    #: When it was asked, on the server's clock: of two with one id each has its own.
    ms: int


def checkpoint(execution: str, token: int, reference: Reference) -> Call[Reply]:
    """Keep *reference* for the next attempt; ``fenced`` comes with the status of an execution that is over.

    PayloadTooLargeError over :data:`LARGEST_REFERENCE`.
    """
    return _CHECKPOINT(execution=execution, token=token, reference=reference_text(reference))


def reference_text(reference: Reference) -> str:
    """Return a reference as JSON; PayloadTooLargeError over :data:`LARGEST_REFERENCE`."""
    text = dumps(asdict(reference), "reference")
    if (size := len(text.encode())) > LARGEST_REFERENCE:
        raise PayloadTooLargeError("reference", size, LARGEST_REFERENCE)
    return text


def answer_question(task: str, asked: Asked, value: JsonValue, by: str) -> Operation[Reply]:
    """Answer what a task asks: ok (status), other (its question now), conflict (status: it asks nothing) or missing."""
    said = {"question_id": asked.question.id, "value": value, "by": by}
    return settled(_ANSWER(task=task, asked_ms=asked.ms, answer=dumps(said, "value")))


def question_text(question: Question) -> str:
    """Return a question as its attempt's report says it; PayloadTooLargeError over the limit."""
    said = question.model_dump(mode="json", exclude={"asked_at"}, exclude_defaults=True)
    text = dumps(said | {"id": question.id}, "question")
    if (size := len(text.encode())) > LARGEST:
        raise PayloadTooLargeError("question", size, LARGEST)
    return text


def asked_from(record: str | None) -> Asked | None:
    """Return what a task asks; None when that is nothing. InvalidInputError when it cannot be read."""
    try:
        question = question_from(record)
    except ValueError as exc:
        raise InvalidInputError(f"the question {record!r:.80} cannot be read: {exc}", field="question") from exc
    return Asked(question, int((record or "").partition(" ")[0])) if question else None


def reference_from(record: str | None) -> Reference | None:
    """Return a stored reference; None without one. InvalidInputError when it cannot be read."""
    if not record:
        return None
    ms, _, text = record.partition(" ")
    try:
        found = Reference(**loads_object(text))
    except (TypeError, ValueError) as exc:
        raise InvalidInputError(f"the reference {text!r:.80} cannot be read: {exc}", field="reference") from exc
    return found if found.at_ms else replace(found, at_ms=int(ms))


def answers_from(record: str | None) -> tuple[Answer, ...]:
    """Return stored answers, the latest last. InvalidInputError when one cannot be read."""
    found = []
    for line in (record or "").splitlines():
        ms, _, text = line.split(" ", 2)
        try:
            found.append(Answer(**loads_object(text), at=moment(ms)))
        except (TypeError, ValueError) as exc:
            raise InvalidInputError(f"the answer {text!r:.80} cannot be read: {exc}", field="answer") from exc
    return tuple(found)


def previous(told: Assignment) -> Reference | None:
    """Return what an earlier attempt left."""
    return reference_from(told.extra.get("ref"))


def answers(told: Assignment) -> tuple[Answer, ...]:
    """Return what people answered to earlier attempts, the latest last."""
    return answers_from(told.extra.get("ans"))


def tokens_used(told: Assignment) -> int:
    """Return what earlier attempts of its task used."""
    return int(told.extra.get("used", 0))


def tokens_left(told: Assignment) -> int | None:
    """Return what its task may still use, as it was when this attempt started; None without a cap."""
    cap = told.extra.get("cap")
    return None if cap is None else max(0, int(cap) - tokens_used(told))
