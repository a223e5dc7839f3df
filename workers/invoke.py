"""Runs one agent and turns whatever happens into an Outcome: data, not exceptions."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any

from taskengine.agent import Agent, NotNow
from taskengine.errors import InvalidInputError
from taskengine.models import Outcome, Task
from taskengine.store.codec import check_size, dumps, readable
from workers.context import Context
from workers.failure import kept, place, traceback_of
from workers.loop import Run
from workers.redaction import redacted

#: Characters kept of an error's message.
ERROR_LIMIT = 4000


def invoke(agent: Agent, task: Task, context: Context, wait: Callable[[Run], Any]) -> Outcome:
    """The outcome of one run; *wait* gives what a coroutine comes to."""
    try:
        if agent.is_coroutine:
            value = wait(Run(agent.function(task, context)))
        else:
            value = agent.function(task, context)
    except (CancelledError, asyncio.CancelledError) as exc:
        if not context.cancelled:
            return _raised(exc)  # it comes from a future of the agent's own
        return Outcome("cancelled", error="the agent was cancelled", error_kind="cancelled")
    except NotNow as exc:
        return _not_now(exc)
    except SystemExit as exc:
        return Outcome(
            "failed", error=f"the agent called exit({exc.code!r}); return or raise instead", error_kind="crash",
            error_classes=("SystemExit",), traceback=traceback_of(exc), exception=exc,
        )  # fmt: skip
    except BaseException as exc:  # whatever an agent raises is its outcome: a thread that dies of it keeps its slot
        return _raised(exc)
    return classify(value)


def classify(value: Any) -> Outcome:
    """The outcome of a returned value: an object as it is, any other JSON value ``x`` as ``{"value": x}``."""
    if isinstance(value, Outcome):
        return value
    return Outcome("completed", output=value if isinstance(value, dict) else {"value": value})


def encode(outcome: Outcome) -> tuple[Outcome, str, bool]:
    """The outcome, its output as JSON ('' without one), and whether that must lie by reference.

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
        text = dumps(outcome.output, "result")
        return outcome, text, check_size("result", text)
    except InvalidInputError as exc:
        error = f"the agent returned what can not be stored: {exc}"
        failed = Outcome(
            "failed", error=error, error_kind="invalid_output", retryable=False, usage=outcome.usage
        )
        return failed, "", False


def _reason(outcome: Outcome) -> str | None:
    return outcome.error if outcome.error or outcome.kind == "completed" else f"the agent said {outcome.kind}, not why"


def _storable(text: str | None) -> str | None:
    """*text* of bounded length, redacted, without lone surrogates, which names of files bring and Redis cannot take."""
    return text and redacted(readable(text[:ERROR_LIMIT]))


def _raised(exc: BaseException) -> Outcome:
    text = "".join(traceback.format_exception_only(exc)).strip()
    return Outcome(
        "failed",
        error=f"{text} ({place(exc)})",
        error_kind="crash",
        error_classes=tuple(name for cls in type(exc).__mro__ for name in _names(cls)),
        traceback=traceback_of(exc),
        exception=exc,
    )


def _not_now(exc: NotNow) -> Outcome:
    try:
        return Outcome.not_now(exc.delay, None if exc.reason is None else str(exc.reason), scope=exc.scope)
    except InvalidInputError as wrong:
        return _raised(wrong.with_traceback(exc.__traceback__))


def _names(cls: type) -> tuple[str, str]:
    return cls.__name__, f"{cls.__module__}.{cls.__qualname__}"
