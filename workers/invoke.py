"""Runs one agent and turns whatever happens into an Outcome: data, not exceptions.

Whatever an agent makes (a result, an error, an exit code, an Outcome) may raise when it is looked at. That is a
failure of the agent too, and never leaves this room in another way: it would count as a lost worker.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any

from taskengine.agent import Agent, NotNow
from taskengine.agents import NeedsInput
from taskengine.core.questions import question_faults
from taskengine.errors import InvalidInputError
from taskengine.models import Outcome, Task
from taskengine.models.question import Question
from taskengine.store.codec import check_size, readable
from taskengine.store.kept import question_text
from workers.adoption import follow, is_begun
from workers.agent_context import AgentContext
from workers.failure import kept, place, traceback_of
from workers.fork_guard import ForkGuard
from workers.known_secrets import without_secrets
from workers.loop import Run
from workers.output import as_object, encoded
from workers.plain import name_of, names_of, sound, text_of, trace_of
from workers.prompt import NoPromptError
from workers.redaction import cleaned, redacted

#: Characters kept of an error's message.
ERROR_LIMIT = 4000


def invoke(agent: Agent, task: Task, context: AgentContext, wait: Callable[[Run], Any]) -> Outcome:
    """Return the outcome of one run; *wait* gives what a coroutine comes to."""
    try:
        return _outcome(agent, task, context, wait)
    except BaseException as exc:  # what it raised, raises when it is looked at
        error = f"the agent raised what cannot be shown: that raised {name_of(type(exc))}"
        return Outcome("failed", error=error, error_kind="crash")


def repairing(
    agent: Agent, task: Task, context: AgentContext, wait: Callable[[Run], Any]
) -> Callable[[Outcome, list[str]], Outcome] | None:
    """Return what gives the agent one more turn, where its type has a method ``repair``; None where it has none."""
    repair = getattr(agent.function, "repair", None)
    if repair is None:
        return None

    def again(outcome: Outcome, faults: list[str]) -> Outcome:
        asked = replace(agent, function=lambda task, context: repair(task, context, outcome, faults))
        return invoke(asked, task, context, wait)

    return again


def _outcome(agent: Agent, task: Task, context: AgentContext, wait: Callable[[Run], Any]) -> Outcome:
    try:
        with ForkGuard():
            value = agent.function(task, context)
            # Whoever made it, a coroutine function, a wrapper of one or an object with an async __call__.
            if type(value) is not dict and inspect.isawaitable(value):
                value = wait(Run(value))
            if type(value) is not dict and is_begun(value):
                return sound(follow(value, agent.remote, context))
    except (CancelledError, asyncio.CancelledError) as exc:
        if not context.cancelled:
            return _raised(exc)  # it comes from a future of the agent's own
        return Outcome("cancelled", error="the agent was cancelled", error_kind="cancelled")
    except NeedsInput as exc:
        return _asked(exc.question)
    except NotNow as exc:
        return _not_now(exc)
    except NoPromptError as exc:
        return Outcome("failed", error=str(exc), error_kind="expression", retryable=False)
    except SystemExit as exc:
        if context.cancelled:  # its worker ended it, by a signal that Celery turns into this
            return Outcome("cancelled", error="the agent was ended by its worker", error_kind="cancelled")
        return Outcome(
            "failed", error=f"the agent called exit({text_of(exc.code, repr)}); return or raise instead",
            error_kind="crash", error_classes=("SystemExit",), traceback=traceback_of(exc), exception=exc,
        )  # fmt: skip
    except BaseException as exc:  # whatever an agent raises is its outcome: a thread that dies of it keeps its slot
        return _raised(exc)
    return classify(value)


def classify(value: Any) -> Outcome:
    """Return the outcome of a returned value: an Outcome as it is, else what :mod:`workers.output` makes of it."""
    try:
        if type(value) is not dict and isinstance(value, Outcome):
            return _asked(value.question, value) if value.kind == "needs_input" else sound(value)
        return Outcome("completed", output=as_object(value))
    except BaseException as exc:
        return _unusable(exc)


def _asked(question: object, outcome: Outcome | None = None) -> Outcome:
    """Return the outcome of an attempt that asks a person; what cannot be asked fails, and would do so again."""
    try:
        if not isinstance(question, Question):
            raise InvalidInputError(f"{question!r:.80} is no Question", field="question")
        safe = Question(**cleaned(question.model_dump(mode="json", exclude_defaults=True) | {"id": question.id}))
        faults = list(question_faults(safe))
        if faults:
            raise InvalidInputError("; ".join(faults), field="question")
        question_text(safe)
        ended = outcome or Outcome("needs_input", question=safe)
        return sound(replace(ended, question=safe, error=safe.text, error_kind="asked"))
    except BaseException as exc:
        return Outcome(
            "failed", error=f"the agent asked what cannot be asked: {text_of(exc)}", error_kind="invalid_output",
            retryable=False,
        )  # fmt: skip


def encode(outcome: Outcome) -> tuple[Outcome, str, bool]:
    """Return the outcome, its output as JSON ('' without one), and whether that must lie by reference.

    An output that is not JSON or too large makes it a failure that is not retried: it would be so again.
    """
    if outcome.error or outcome.error_kind or outcome.kind != "completed":  # most need nothing, and a copy is dear
        outcome = replace(
            outcome, error=_storable(_reason(outcome)), error_kind=_storable(outcome.error_kind),
            traceback=outcome.traceback and kept(readable(outcome.traceback)),
        )  # fmt: skip
    if outcome.output is None:
        return outcome, "", False
    try:
        text = without_secrets(encoded(outcome.output))
        return outcome, text, check_size("result", text)
    except BaseException as exc:
        return replace(_unusable(exc), usage=outcome.usage), "", False


def _unusable(exc: BaseException) -> Outcome:
    """Return the outcome of what was returned and cannot be stored: it would be so again."""
    why = text_of(exc) if isinstance(exc, InvalidInputError) else f"{name_of(type(exc))}: {text_of(exc)}"
    error = _storable(f"the agent returned what cannot be stored: {why}")
    return Outcome("failed", error=error, error_kind="invalid_output", retryable=False)


def _reason(outcome: Outcome) -> str | None:
    return outcome.error if outcome.error or outcome.kind == "completed" else f"the agent said {outcome.kind}, not why"


def _storable(text: str | None) -> str | None:
    """*text* of bounded length, redacted, without lone surrogates, which names of files bring and Redis cannot take."""
    return text and redacted(readable(text[: 2 * ERROR_LIMIT]))[:ERROR_LIMIT]


def _raised(exc: BaseException) -> Outcome:
    return Outcome(
        "failed",
        error=f"{_said(exc)} ({place(exc)})",
        error_kind="crash",
        error_classes=names_of(type(exc)),
        traceback=traceback_of(exc),
        exception=exc,
    )


def _said(exc: BaseException) -> str:
    try:
        return "".join(traceback.format_exception_only(exc)).strip()
    except BaseException:  # its notes, its attributes or its class
        return f"{name_of(type(exc))}: {text_of(exc)}"


def _not_now(exc: NotNow) -> Outcome:
    try:
        said = Outcome.not_now(exc.delay, None if exc.reason is None else text_of(exc.reason), scope=exc.scope)
        return sound(replace(said, exception=exc))
    except InvalidInputError as wrong:
        return _raised(wrong.with_traceback(trace_of(exc)))
