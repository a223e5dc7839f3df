"""Agent types whose workers are killed: the moments of each, what its tasks are, and what may have been paid for them.

A moment is where a module of ``tests/agents/dying_*.py`` stops. What counts is what the service on the other side saw.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import psutil

from taskengine import Task
from taskengine.models import ExecutionStatus

from ..doubles.anthropic import Anthropic, prompt
from ..doubles.codegen import ORG, TOKEN, CodegenService
from ..doubles.http_agent import HttpAgent
from ..fleet import Fleet, until

KEY = "sk-canary-0123456789"
#: Of each fleet.
TASKS = 6
SCHEMA: dict[str, Any] = {
    "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False,
}  # fmt: skip
ASKED = frozenset({"after_ask", "after_answer"})


class AgentType(Protocol):
    """One type, with the double of its service."""

    name: ClassVar[str]
    moments: ClassVar[tuple[str, ...]]
    #: Slots of each of its workers.
    slots: ClassVar[int]

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc_info: object) -> None: ...

    def record(self, folder: Path) -> dict[str, Any]:
        """What it is registered with."""

    def variables(self) -> dict[str, str]:
        """Of a worker's environment."""

    def tasks(self, moment: str) -> list[dict[str, Any]]:
        """Fields of its tasks."""

    def is_posting(self) -> bool:
        """Whether the service has a request that it did not answer."""

    def check(self, fleet: Fleet, tasks: Sequence[Task], moment: str | None) -> None:
        """Assert what was paid; *moment* is the one at which a worker was killed, None: somebody else was."""


class _OnService:
    """A type with a double to be closed."""

    service: Any

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.service.close()

    def allowed(self) -> dict[str, str]:
        return {"TASKENGINE_ALLOWED_HOSTS": self.service.url.removeprefix("http://")}


class CodegenType(_OnService):
    """One run a task, and what is said to it once, whatever is killed."""

    name = "codegen"
    moments = (
        "before_intent", "after_intent", "in_post", "after_post", "after_detach", "in_poll", "before_report",
        "after_report", "after_ask", "after_answer", "in_repair",
    )  # fmt: skip
    slots = 2

    def __init__(self) -> None:
        self.service = CodegenService(reads=1_000_000)

    def record(self, folder: Path) -> dict[str, Any]:  # noqa: ARG002  # the port's
        about = {"org_id": ORG, "base_url": self.service.url, "poll_seconds": 0.3, "requests_per_30_seconds": 100_000}
        return {"secret": "CODEGEN_TOKEN", "config": about}

    def variables(self) -> dict[str, str]:
        return {"CODEGEN_TOKEN": TOKEN, **self.allowed()}

    def tasks(self, moment: str) -> list[dict[str, Any]]:
        words = "[run=0.5]" + "[post=1.5]" * (moment == "in_post") + "[pause]" * (moment in ASKED)
        if moment == "in_repair":
            words += '[result={"n": "?"}][mended={"n": 2}]'
            return [{"description": words, "output_schema": SCHEMA}] * TASKS
        return [{"description": words}] * TASKS

    def is_posting(self) -> bool:
        return bool(self.service.posting and self.service.runs)

    def check(self, fleet: Fleet, tasks: Sequence[Task], moment: str | None) -> None:  # noqa: ARG002  # the port's
        assert self.service.paid == {str(task.id): 1 for task in tasks}, "one run a task"
        said = [len(run.answers) for run in self.service.runs]
        spoken = [1 if "[pause]" in run.prompt or "[mended=" in run.prompt else 0 for run in self.service.runs]
        assert said == spoken, f"said to each run: {[run.answers for run in self.service.runs]}"


class ClaudeType(_OnService):
    """Each turn is asked for once; one whose answer was not heard to its end when its worker was killed, twice."""

    name = "claude"
    moments = (
        "before_call", "in_stream", "before_checkpoint", "after_checkpoint", "in_tool", "in_repair", "after_ask",
        "after_answer", "before_report", "after_report",
    )  # fmt: skip
    #: So that one call at most is in flight where somebody is killed.
    slots = 1
    _CALL: ClassVar[dict[str, Any]] = {"kind": "tool", "calls": [{"name": "slow_count", "input": {"n": 1}}]}
    _ASK: ClassVar[dict[str, Any]] = {"kind": "tool", "calls": [{"name": "ask_person", "input": {"question": "Go?"}}]}
    _CUT = frozenset({"in_stream", "before_checkpoint", "in_repair"})

    def __init__(self) -> None:
        self.service = Anthropic(keys=frozenset({KEY}))

    def record(self, folder: Path) -> dict[str, Any]:  # noqa: ARG002  # the port's
        about = {"model": "claude-test", "tools": ["slow_count"], "max_turns": 5, "may_ask": True}
        return {"secret": "ANTHROPIC_API_KEY", "config": about}

    def variables(self) -> dict[str, str]:
        return {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": self.service.url}

    def tasks(self, moment: str) -> list[dict[str, Any]]:
        asks = [self._ASK] * (moment in ASKED)
        turns = [{**self._CALL, "seconds": 0.2}, *asks, {"text": '{"n": "?"}'}, {"text": '{"n": 2}'}]
        words = [prompt(f"t{n}", *turns, by_turn=True) for n in range(TASKS)]
        return [{"description": each, "output_schema": SCHEMA} for each in words]

    def is_posting(self) -> bool:
        return bool(self.service.service.open)

    def check(self, fleet: Fleet, tasks: Sequence[Task], moment: str | None) -> None:  # noqa: ARG002  # the port's
        paid = {task.name: dict(self.service.of(task.name).paid) for task in tasks}
        twice = [(name, turn) for name, turns in paid.items() for turn, count in turns.items() if count > 1]
        assert len(twice) == (moment in self._CUT), f"paid again: {paid}"
        assert sum(map(sum, (turns.values() for turns in paid.values()))) == sum(map(len, paid.values())) + len(twice)
        asked = 1 if any(task.question is not None or len(paid[task.name]) == 4 for task in tasks) else 0
        assert {tuple(sorted(turns)) for turns in paid.values()} == {tuple(range(1, 4 + asked))}
        assert {json.dumps(task.result) for task in tasks} == {'{"n": 2}'}


class HttpType(_OnService):
    """One key a task, and one more for each failure that was answered and heard."""

    name = "http"
    moments = (
        "before_intent", "after_intent", "in_post", "after_post", "after_accept", "in_poll", "before_report",
        "after_report",
    )  # fmt: skip
    slots = 2

    def __init__(self) -> None:
        self.service = HttpAgent()

    def record(self, folder: Path) -> dict[str, Any]:  # noqa: ARG002  # the port's
        return {"config": {"url": f"{self.service.url}/run", "poll_seconds": 0.2}}

    def variables(self) -> dict[str, str]:
        return self.allowed()

    def tasks(self, moment: str) -> list[dict[str, Any]]:
        slow = {"seconds": 1.5 * (moment == "in_post")}
        accepted = {"kind": "accept", "polls": 2, **slow}
        replies = [
            [{"status": 500, **slow}, accepted],
            [{"kind": "lost", **slow}, accepted],
            *[[accepted]] * (TASKS - 2),
        ]
        retry = {"initial_interval": 0.1, "maximum_interval": 0.1}
        return [{"input": {"replies": each}, "max_retries": 3, "retry": retry} for each in replies]

    def is_posting(self) -> bool:
        return self.service.endpoint.posting > 0

    def check(self, fleet: Fleet, tasks: Sequence[Task], moment: str | None) -> None:  # noqa: ARG002  # the port's
        keys = {task.name: len(self.service.endpoint.keys[task.name]) for task in tasks}
        heard = {task.name: 1 + _answered_failures(fleet, task) for task in tasks}
        assert keys == heard, f"keys: {keys}, and by the failures that were heard: {heard}"
        assert keys.pop("t0") <= 2
        assert set(keys.values()) == {1}, f"keys: {keys}"
        assert set(self.service.endpoint.done.values()) == {1}


def _answered_failures(fleet: Fleet, task: Task) -> int:
    ran = fleet.executions(str(task.id))
    return sum(one.status is ExecutionStatus.FAILED and one.error_kind == "remote_failed" for one in ran)


class CommandType:
    """A program is started once a task; once more where its worker was killed. It ends with its worker."""

    name = "command"
    moments = ("before_start", "in_program", "before_report", "after_report")
    slots = 1
    _PROGRAM = """
import json, os, sys, time
with open(sys.argv[1], "a") as file:
    file.write(sys.argv[2] + chr(10))
time.sleep(0.3)
print(json.dumps({"attempt": os.environ["TASKENGINE_ATTEMPT"]}))
"""
    #: Starts beside one a task: at least and at most.
    _AGAIN: ClassVar[Mapping[str | None, tuple[int, int]]] = {"in_program": (0, 1), "before_report": (1, 1)}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def record(self, folder: Path) -> dict[str, Any]:
        argv = [sys.executable, "-c", self._PROGRAM, self._started(folder), "${context.task_id}"]
        return {"config": {"argv": argv}}

    def variables(self) -> dict[str, str]:
        return {"TASKENGINE_COMMANDS": sys.executable}

    def tasks(self, moment: str) -> list[dict[str, Any]]:  # noqa: ARG002  # the port's
        return [{}] * TASKS

    def is_posting(self) -> bool:
        return False

    def check(self, fleet: Fleet, tasks: Sequence[Task], moment: str | None) -> None:
        place = self._started(fleet.folder)
        until(lambda: not _running(place), what="no program is left")
        starts = Counter(Path(place).read_text().split())
        assert set(starts) == {str(task.id) for task in tasks}
        least, most = self._AGAIN.get(moment, (0, 0))
        assert least <= starts.total() - len(tasks) <= most, f"started: {starts}"

    def _started(self, folder: Path) -> str:
        return str(folder / "started")


def _running(word: str) -> list[int]:
    return [one.pid for one in psutil.process_iter(["cmdline"]) if word in (one.info["cmdline"] or ())]
