"""Declares a built-in agent: it yields to every other agent of its capability, and what it refuses is an outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from taskengine.agent import REGISTRY, as_agent
from taskengine.agents import AgentContext
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models import Outcome, Task, TaskType
from workers.agents.builtin.programs import ProgramError, TooLargeError

BuiltIn = Callable[[Task, AgentContext], Any]


def builtin(name: str, task_type: TaskType) -> Callable[[BuiltIn], BuiltIn]:
    """Declare a function as the built-in agent *name* of a task type."""

    def declare(function: BuiltIn) -> BuiltIn:
        @wraps(function)
        def run(task: Task, context: AgentContext) -> Any:
            try:
                return function(task, context)
            except (InvalidInputError, AgentError) as exc:
                return refused(str(exc))
            except TooLargeError as exc:
                return Outcome("failed", error=str(exc), error_kind="limit", retryable=False)
            except ProgramError as exc:
                return Outcome("failed", error=str(exc), error_kind="crash")

        declared = as_agent(name, frozenset({task_type.value}), run, batch=False)
        REGISTRY.add(replace(declared, yields=True))
        return run

    return declare


def refused(text: str, output: dict[str, Any] | None = None) -> Outcome:
    """Return the outcome of a task that no attempt can do."""
    return Outcome("failed", output=output, error=text, error_kind="invalid_request", retryable=False)
