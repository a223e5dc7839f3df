"""The agent type ``command``: a program that gets a task and prints its result.

What a record may start is its worker's decision: the program must stand in TASKENGINE_COMMANDS, else whoever may write
a record could run anything here. There is no shell: an argument is one, whatever its value. The child gets an
environment of its own, without what its worker knows, and ends with all that it started when its attempt or its worker
does.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic_core import from_json, to_json

from taskengine.agents import AgentContext, Health, Secrets
from taskengine.agents.command import CommandConfig
from taskengine.core import expressions
from taskengine.core.bindings import Bindings
from taskengine.core.refs import expressions_in
from taskengine.core.templates import bind, refuse_open
from taskengine.errors import AgentError, ExpressionError, InvalidInputError
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from taskengine.models.template_text import is_template
from workers.agents.child import Children, Ended, OutputTooLargeError, child_environment
from workers.agents.settings import worker_settings

_MARK = "secret:"
#: Characters of what a command printed that a failure keeps.
_KEPT = 20_000


class Command:
    """Runs one program for each task."""

    holds_slot: ClassVar[bool] = True
    reads_prompt: ClassVar[bool] = True

    def __init__(self, record: AgentRecord, secrets: Secrets) -> None:
        self._config = _config_of(record)
        self._program = _program(record, self._config)
        self._env = _environment(self._config.env, secrets)
        self._children = Children(worker_settings().kill_after_seconds)

    @classmethod
    def check(cls, record: AgentRecord, secrets: Secrets) -> None:
        """AgentError when the program may not be started here or is not there, or the template cannot be read."""
        config = _config_of(record)
        _program(record, config)
        _environment(config.env, secrets)
        try:
            for each in expressions_in(list(config.argv[1:])):
                refuse_open(each)
                expressions.check(each.source)
        except ExpressionError as exc:
            raise AgentError(f"agent {record.id!r}, config.argv: {exc}") from exc

    async def open(self) -> None:
        """Start who ends its children when this process is killed."""
        self._children.begin()

    async def close(self) -> None:
        """Nothing of it runs any more."""
        self._children.close()

    async def health(self) -> Health:
        """Whether the program is there; it is not run."""
        return Health(True, f"{self._program} is there")

    async def run(self, task: Task, context: AgentContext) -> Outcome:
        """Run it once, and take what it printed."""
        try:
            argv = [self._program, *self._arguments(task, context)]
        except ExpressionError as exc:
            return Outcome("failed", error=f"argv: {exc}", error_kind="expression", retryable=False)
        except InvalidInputError as exc:
            return _refused(str(exc))
        workdir = context.workdir
        told = {
            "TASKENGINE_TASK_ID": str(task.id), "TASKENGINE_EXECUTION_ID": str(context.execution_id),
            "TASKENGINE_ATTEMPT": str(context.attempt),
        }  # fmt: skip
        try:
            ended = await self._children.run(
                argv, given=self._given(task, context), env=child_environment(workdir, {**told, **self._env}),
                cwd=workdir, most=self._config.max_bytes, say=context.log,
            )  # fmt: skip
        except OutputTooLargeError as exc:
            return Outcome("failed", error=str(exc), error_kind="invalid_output", retryable=False)
        except (OSError, ValueError) as exc:
            return _refused(f"{self._program} cannot be started: {exc}")
        return self._outcome(ended)

    def _arguments(self, task: Task, context: AgentContext) -> list[str]:
        """Return the arguments; InvalidInputError for a value that could be taken for an option."""
        about = {
            "prompt": context.prompt, "name": task.name, "task_id": str(task.id), "workdir": str(context.workdir),
        }  # fmt: skip
        seen = Bindings(context=about, others={"input": task.input})
        return [self._argument(item, seen) for item in self._config.argv[1:]]

    def _argument(self, item: str, seen: Bindings) -> str:
        if not is_template(item):
            return item
        value = bind(item, seen)
        text = value if isinstance(value, str) else to_json(value).decode()
        if "\0" in text:
            raise InvalidInputError(f"argv: the value of {item} holds a zero byte", field="argv")
        if text.startswith("-") and not item.startswith("-") and not self._config.dashes:
            raise InvalidInputError(
                f"argv: the value of {item} is {text!r:.60}, which the program could take for an option; put '--' "
                "before it in argv and dashes=True into the config, if it knows that",
                field="argv",
            )
        return text

    def _given(self, task: Task, context: AgentContext) -> bytes:
        match self._config.stdin:
            case "json":
                told = {"task_id": str(task.id), "name": task.name, "prompt": context.prompt, "input": task.input}
                return to_json(told)
            case "prompt":
                return context.prompt.encode(errors="replace")
            case _:
                return b""

    def _outcome(self, ended: Ended) -> Outcome:
        if ended.code in self._config.exit_codes:
            return self._completed(ended.output)
        last = ended.errors.strip().splitlines()[-1:] or ["it said nothing"]
        if ended.code in self._config.not_now_codes:
            return Outcome.not_now(self._config.not_now_seconds, f"exit code {ended.code}: {last[0]}")
        text = ended.output[-_KEPT:].decode(errors="replace")
        return Outcome(
            "failed", output={"text": text} if text else None, error=f"{_how(ended.code)}: {last[0]}",
            error_kind="crash", traceback=ended.errors or None,
        )  # fmt: skip

    def _completed(self, output: bytes) -> Outcome:
        if self._config.result == "text":
            return Outcome("completed", output={"text": output.decode(errors="replace")})
        lines = output.strip().splitlines()
        text = b"\n".join(lines[-1:]) if self._config.result == "last_line" else output
        try:
            value: Any = from_json(text, allow_inf_nan=False)
        except ValueError as exc:
            shown = output[-_KEPT:].decode(errors="replace")
            return Outcome(
                "failed", output={"text": shown}, error=f"it printed what is no JSON: {exc}",
                error_kind="invalid_output", retryable=False,
            )  # fmt: skip
        return Outcome("completed", output=value if isinstance(value, dict) else {"value": value})


def _refused(text: str) -> Outcome:
    return Outcome("failed", error=text, error_kind="invalid_request", retryable=False)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _program(record: AgentRecord, config: CommandConfig) -> str:
    """Return the path of a record's program; AgentError when this worker may not start it, or it is not here."""
    name = config.argv[0]
    allowed = [word.strip() for word in worker_settings().commands.split(",") if word.strip()]
    if name not in allowed:
        raise AgentError(
            f"agent {record.id!r} runs {name!r:.100}, and this worker may start {', '.join(allowed) or 'nothing'}: add "
            "it to TASKENGINE_COMMANDS"
        )
    found = shutil.which(name)
    if found is None:
        raise AgentError(f"agent {record.id!r} runs {name!r:.100}, which is not on this machine; install it")
    return found


def _environment(said: Mapping[str, str], secrets: Secrets) -> dict[str, str]:
    return {
        name: secrets.get(value.removeprefix(_MARK)) if value.startswith(_MARK) else value
        for name, value in said.items()
    }


def _config_of(record: AgentRecord) -> CommandConfig:
    try:
        return CommandConfig.model_validate(record.config)
    except InvalidInputError as exc:
        raise AgentError(f"agent {record.id!r}, config: {exc}") from exc
