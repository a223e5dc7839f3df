"""Agent types behind one face, each with the double of its service: what the laws of ``test_contract.py`` ask of all.

A situation is a word; a type says how its double brings it about, or leaves the word out where it has no such thing.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import psutil

from taskengine import Task
from taskengine.agents import Asks, Over, Reference, Running, Tracked
from taskengine.models import Outcome
from taskengine.models.agent import AgentRecord
from workers.agents.claude import Claude
from workers.agents.codegen import Codegen
from workers.agents.command import Command
from workers.agents.http import Http
from workers.schema_check import fitted, misfits

from ...doubles.anthropic import Anthropic, prompt
from ...doubles.codegen import ORG, CodegenService
from ...doubles.codegen import TOKEN as KEY
from ...doubles.context import FakeContext, FakeSecrets
from ...doubles.http_agent import HttpAgent

SECRET = "THE_KEY"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


class TypeUnderTest(Protocol):
    """One agent type on its double."""

    name: ClassVar[str]
    kind: ClassVar[Any]
    #: Situation -> what its task is made from.
    situations: ClassVar[Mapping[str, Any]]

    def variables(self) -> dict[str, str]:
        """Of the worker's environment."""

    def record(self) -> AgentRecord:
        """A right one, which names :data:`SECRET`."""

    def task(self, situation: str) -> tuple[Task, str]:
        """A task that comes into it, and its prompt."""

    async def attempt(self, executor: Any, task: Task, context: FakeContext) -> Outcome:
        """Run one attempt to its end; what cancels it is cancelled there too."""

    def requests(self) -> int:
        """Pieces of work that the service was asked for, and took."""

    def has_stopped(self) -> bool:
        """Whether what was asked for has ended there."""

    def close(self) -> None: ...


class _RunsInSlot:
    async def attempt(self, executor: Any, task: Task, context: FakeContext) -> Outcome:
        outcome: Outcome = await executor.run(task, context)
        return outcome


class ClaudeUnderTest(_RunsInSlot):
    name, kind = "claude", Claude
    situations: ClassVar[Mapping[str, Any]] = {
        "done": [{}],
        "limited": [{"kind": "error", "status": 429, "type": "rate_limit_error", "headers": {"retry-after": "3"}}, {}],
        "refused": [{"kind": "error", "status": 400, "type": "invalid_request_error"}],
        "unpaid": [{"kind": "error", "status": 402, "type": "billing_error"}],
        "broken": [{"kind": "error", "status": 500, "type": "api_error"}],
        "hangs": [{"kind": "hang", "text": "half"}],
        "misfits": [{"text": '{"n": "?"}'}, {"text": '{"n": "!"}'}],
        "mended": [{"text": '{"n": "?"}'}, {"text": '{"n": 2}'}],
        "asks": [{"kind": "tool", "calls": [{"name": "ask_person", "input": {"question": "which branch?"}}]}, {}],
    }

    def __init__(self) -> None:
        self.service = Anthropic(keys=frozenset({KEY}))

    def variables(self) -> dict[str, str]:
        return {"ANTHROPIC_BASE_URL": self.service.url}

    def record(self) -> AgentRecord:
        config = {"model": "claude-test", "may_ask": True}
        return AgentRecord(id="a", type="claude", capabilities={"x"}, secret=SECRET, config=config)

    def task(self, situation: str) -> tuple[Task, str]:
        return Task(name="t", output_schema=_schema(situation)), prompt("t", *self.situations[situation])

    def requests(self) -> int:
        return self.service.of("t").paid.total()

    def has_stopped(self) -> bool:
        return bool(self.service.of("t").hung_up)

    def close(self) -> None:
        self.service.close()


class CodegenUnderTest:
    name, kind = "codegen", Codegen
    situations: ClassVar[Mapping[str, Any]] = {
        "done": "", "limited": "[refuse=429]", "refused": "[refuse=400]", "unpaid": "[refuse=402]",
        "broken": "[end=FAILED]", "hangs": "[run=100]", "asks": "[pause]", "lost": "[lost]",
        "misfits": '[result={"n": "?"}]', "mended": '[result={"n": "?"}][mended={"n": 2}]',
    }  # fmt: skip

    def __init__(self) -> None:
        self.service = CodegenService(reads=1_000_000)

    def variables(self) -> dict[str, str]:
        return {"TASKENGINE_ALLOWED_HOSTS": self.service.url.removeprefix("http://")}

    def record(self) -> AgentRecord:
        config = {"org_id": ORG, "base_url": self.service.url, "requests_per_30_seconds": 100_000}
        return AgentRecord(id="a", type="codegen", capabilities={"x"}, secret=SECRET, config=config)

    def task(self, situation: str) -> tuple[Task, str]:
        return Task(name="t", output_schema=_schema(situation)), self.situations[situation]

    async def attempt(self, executor: Any, task: Task, context: FakeContext) -> Outcome:
        found = await executor.submit(task, context)
        if isinstance(found, Outcome):
            return found
        context.checkpoint(found)  # as the engine does, with the slot that it frees
        try:
            return await self._polled(executor, found, task.output_schema)
        except asyncio.CancelledError:
            await executor.cancel(found, "not wanted")
            raise

    async def _polled(self, executor: Any, reference: Reference, schema: Any) -> Outcome:
        """Ask as a poller does, which holds what it hears against the task's schema."""
        while True:
            (state,) = await executor.poll([Tracked("e", 1, "t", reference)])
            match state:
                case Over(outcome):
                    faults = misfits(schema, outcome)
                    again = executor.repair(reference, outcome, faults) if faults else None
                    if again is None:
                        return fitted(schema, outcome)
                    reference = again
                case Asks(question):
                    return Outcome("needs_input", question=question)
                case Running() if state.reference is not None:
                    reference = state.reference
            await asyncio.sleep(0.02)

    def requests(self) -> int:
        return len(self.service.runs)

    def has_stopped(self) -> bool:
        return {run.status() for run in self.service.runs} == {"CANCELLED"}

    def close(self) -> None:
        self.service.close()


class HttpUnderTest(_RunsInSlot):
    name, kind = "http", Http
    situations: ClassVar[Mapping[str, Any]] = {
        "done": [{}], "limited": [{"status": 429, "headers": {"retry-after": "3"}}, {}], "refused": [{"status": 400}],
        "unpaid": [{"status": 402}], "broken": [{"status": 500}], "hangs": [{"kind": "silent"}],
        "lost": [{"kind": "lost"}, {}], "misfits": [{"body": "{"}],
    }  # fmt: skip

    def __init__(self) -> None:
        self.service = HttpAgent()

    def variables(self) -> dict[str, str]:
        return {"TASKENGINE_ALLOWED_HOSTS": self.service.url.removeprefix("http://")}

    def record(self) -> AgentRecord:
        headers = {"authorization": f"Bearer secret:{SECRET}"}
        config = {"url": f"{self.service.url}/run", "headers": headers}
        return AgentRecord(id="a", type="http", capabilities={"x"}, config=config)

    def task(self, situation: str) -> tuple[Task, str]:
        return Task(name="t", input={"replies": self.situations[situation]}), "Do it"

    def requests(self) -> int:
        return self.service.endpoint.done.total()

    def has_stopped(self) -> bool:
        return self.service.endpoint.hung_up > 0

    def close(self) -> None:
        self.service.close()


class CommandUnderTest(_RunsInSlot):
    name, kind = "command", Command
    situations: ClassVar[Mapping[str, Any]] = {
        "done": "print('{}')", "limited": "raise SystemExit(75)", "broken": "raise SystemExit('no disk')",
        "hangs": "import time; time.sleep(600)", "misfits": "print('{')",
    }  # fmt: skip
    _BEGUN = "import os, sys; print(os.getpid(), file=sys.stderr, flush=True); exec(sys.argv[1])"

    def __init__(self) -> None:
        self._lines: list[str] = []

    def variables(self) -> dict[str, str]:
        return {"TASKENGINE_COMMANDS": sys.executable, "TASKENGINE_KILL_AFTER_SECONDS": "0.5"}

    def record(self) -> AgentRecord:
        config = {
            "argv": [sys.executable, "-c", self._BEGUN, "${input.code}"], "env": {"TOKEN": f"secret:{SECRET}"},
            "not_now_seconds": 3,
        }  # fmt: skip
        return AgentRecord(id="a", type="command", capabilities={"x"}, config=config)

    def task(self, situation: str) -> tuple[Task, str]:
        return Task(name="t", input={"code": self.situations[situation]}), "Do it"

    async def attempt(self, executor: Any, task: Task, context: FakeContext) -> Outcome:
        self._lines = context.lines
        return await super().attempt(executor, task, context)

    def requests(self) -> int:
        return len(self._lines)

    def has_stopped(self) -> bool:
        return not psutil.pid_exists(int(self._lines[0]))

    def close(self) -> None:
        pass


def _schema(situation: str) -> dict[str, Any] | None:
    return SCHEMA if situation in ("misfits", "mended") else None


TYPES: tuple[type[TypeUnderTest], ...] = (ClaudeUnderTest, CodegenUnderTest, HttpUnderTest, CommandUnderTest)


def without_secret(record: AgentRecord) -> FakeSecrets:
    """Secrets of a machine on which that of *record* is not."""
    assert SECRET in str(record)
    return FakeSecrets()


def with_more_config(record: AgentRecord, **more: Any) -> AgentRecord:
    return record.model_copy(update={"config": {**record.config, **more}})
