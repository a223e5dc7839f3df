"""What a text advises to do next, named as its reader would do it: a method in Python, a command on the command line.

A reason, an explanation and an error are written once, far from whoever reads them. Which of the two words they use is
decided where the question comes in: the command line asks through a client that runs each question within
:func:`as_commands`; everybody else reads Python. So a text of a user's own that names a verb stays as it is, which a
replacement on the way to the screen could not promise, and no operation passes on whom it talks to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from taskengine.models.enums import TaskType
from taskengine.models.pause import PauseScope

_NAMES_COMMANDS: ContextVar[bool] = ContextVar("names_commands", default=False)
#: A scope -> the argument that names it.
_ARGUMENTS = {
    PauseScope.CAPABILITY: "capability", PauseScope.AGENT: "agent_id", PauseScope.RUN: "run_id",
}  # fmt: skip


@contextmanager
def as_commands() -> Iterator[None]:
    """What is advised within is for a person at the command line."""
    token = _NAMES_COMMANDS.set(True)
    try:
        yield
    finally:
        _NAMES_COMMANDS.reset(token)


def named(python: str, command: str) -> str:
    """Return the one of the two that the reader can use."""
    return command if _NAMES_COMMANDS.get() else python


def execute_held(task_id: object) -> str:
    """Return how a held task starts."""
    return named("execute_task starts it", f"taskengine task release {task_id} lets it start")


def reopen(task_id: object) -> str:
    """Return how a task that failed or was cancelled is opened again."""
    return named("retry_task opens it again", f"taskengine task retry {task_id} opens it again")


def reopen_call(task_id: object) -> str:
    """Return the call that opens a task again, where the sentence says what it does."""
    return named(f"retry_task('{task_id}')", f"taskengine task retry {task_id}")


def retry_workflow_call(workflow_id: object) -> str:
    """Return the call that opens a workflow again, with whatever failed in it."""
    return named(f"retry_workflow('{workflow_id}')", f"taskengine workflow retry {workflow_id}")


def answer(task_id: object) -> str:
    """Return how a task that asks goes on."""
    return named(f"answer('{task_id}', value) lets it go on", f"taskengine task answer {task_id} VALUE lets it go on")


def resume_call(task_id: object) -> str:
    """Return the call that lets a task go on that was paused by name."""
    return named(f"resume_task('{task_id}')", f"taskengine task resume {task_id}")


def resume_scope(scope: PauseScope, name: str | None) -> str:
    """Return the call that ends a pause of everything (*name* is None), or of one capability, agent or run."""
    if name is None:
        return named("resume(everything=True)", "taskengine resume --everything")
    return named(f"resume({_ARGUMENTS[scope]}={name!r})", f"taskengine resume --{scope.value} {name}")


def start_worker(queue: str) -> str:
    """Return the command that starts a worker for a queue; what takes MODULE's place is said behind it.

    A task that was meant to run a registered workflow waits for a worker when its input names none.
    """
    option = "" if queue.startswith("@") else f"--queues {queue} "
    says = f"start one: taskengine worker {option}--import MODULE (the module with its agent)"
    meant = '; or, to run a registered workflow, name it: input={"workflow": NAME}'
    return says + meant if queue == TaskType.WORKFLOW else says


def start_agent(agent: str, executor: str | None = None) -> str:
    """Return the command that starts a worker for a registered agent, whose function may be in a module."""
    imports = f" --import {executor.partition(':')[0]}" if executor else ""
    return f"start one: taskengine worker --agent {agent}{imports}"


def resume_agent(agent: str) -> str:
    """Return the call that lets an agent take work again."""
    return named(f"resume_agent({agent!r})", f"taskengine agents resume {agent}")


def register_agent(agent: str) -> str:
    """Return the call that registers an agent."""
    python = f"register_agent({agent!r}, TYPE, {{CAPABILITY}})"
    return named(python, f"taskengine agents register {agent} TYPE CAPABILITY")


def register_model(capability: str) -> str:
    """Return the command that puts a model in the place of a built-in agent: workers say it, too, in their logs."""
    return (
        f"taskengine agents register claude_agent_1 claude {capability} --secret ANTHROPIC_API_KEY "
        """--config '{"model": "claude-sonnet-5"}'"""
    )


def switch(name: str) -> str:
    """Return an argument that is either given or not."""
    return named(f"{name}=True", f"--{name}")
