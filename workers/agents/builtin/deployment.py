"""``run_deploy`` puts a commit where releases lie, or runs a command; without leave it says what it would do.

Leave is given by the operator for folders: TASKENGINE_DEPLOY_ROOT names where releases go, each in a folder of its own
with a link to the present one. A command asks for it each time: the program stands in TASKENGINE_COMMANDS, the task
says ``dry_run: false``, and a person answers its question with *run*. All else is a dry run.
"""

from __future__ import annotations

import shlex
from typing import Any

from pydantic import JsonValue

from taskengine.agents import AgentContext
from taskengine.errors import InvalidInputError
from taskengine.models import Outcome, Task, TaskType
from taskengine.models.question import Question, QuestionKind
from workers.agents.builtin.clone import check_out
from workers.agents.builtin.commands import command
from workers.agents.builtin.declare import builtin
from workers.agents.builtin.place import place
from workers.agents.builtin.programs import SHOWN
from workers.agents.builtin.releases import environment_of, point_to, put_release, root, step_back
from workers.agents.builtin.source import asked

_RUN, _NOT = "run", "leave it"


@builtin("run_deploy", TaskType.DEPLOYMENT)
def run_deploy(task: Task, context: AgentContext) -> dict[str, Any] | Outcome:
    """Deploy a commit, roll it back, or say what would be done."""
    given = task.input
    if "command" in given:
        return _by_command(task, context)
    match given.get("action", "deploy"):
        case "publish":
            context.log(f"published {given.get('rows')} rows")
            return {"published": given.get("rows")}
        case "rollback":
            return _roll_back(environment_of(given))
        case "deploy":
            return _deploy(task, context, environment_of(given))
        case other:
            raise InvalidInputError(
                f"input.action is {other!r:.60}; use deploy, rollback or publish, or give input.command", field="action"
            )


def _deploy(task: Task, context: AgentContext, environment: str) -> dict[str, Any]:
    releases = root()
    with place(context) as programs:
        clone = check_out(programs, asked(task.input))
        commit = str(clone.commit)
        if releases is None or _is_dry(task.input):
            return _dry(f"put {commit} into {releases or 'TASKENGINE_DEPLOY_ROOT'}/{environment}", release=commit)
        put_release(releases / environment, commit, clone.folder)
    point_to(releases / environment, commit)
    return {"url": (releases / environment / "current").as_uri(), "release": commit, "dry_run": False}


def _roll_back(environment: str) -> dict[str, Any]:
    releases = root()
    if releases is None:
        return _dry(f"point TASKENGINE_DEPLOY_ROOT/{environment} to the release before")
    return {"release": step_back(releases / environment), "dry_run": False}


def _by_command(task: Task, context: AgentContext) -> dict[str, Any] | Outcome:
    argv = command(task.input["command"], "command")
    if _is_dry(task.input, otherwise=True) or (context.answer is not None and context.answer.value != _RUN):
        return _dry(f"run {shlex.join(argv)}", command=list(argv))
    wanted = asked(task.input) if "repository_url" in task.input else None
    if context.answer is None:
        where = f" in {task.input['repository_url']} at {wanted.ref}" if wanted else ""
        context.ask(Question(text=f"Run {shlex.join(argv)}{where}?", kind=QuestionKind.CHOICE, options=(_RUN, _NOT)))
    with place(context) as programs:
        at = check_out(programs, wanted).folder if wanted else programs.folder
        said = programs.output(*argv, at=at)
    return {"output": said[-SHOWN:], "dry_run": False, "command": list(argv)}


def _is_dry(given: dict[str, JsonValue], *, otherwise: bool = False) -> bool:
    return given.get("dry_run", otherwise) is not False


def _dry(would: str, **more: Any) -> dict[str, Any]:
    return {"dry_run": True, "would": would, "url": "", **more}

