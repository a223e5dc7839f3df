"""A context without a server, which keeps the ports: what an agent type asks of the engine is written down."""

# ruff: noqa: ARG002  # the parameters are the ports'

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

from pydantic_core import from_json, to_json

from taskengine.agent import Dependency
from taskengine.agents import NeedsInput, Reference
from taskengine.agents.reference import LARGEST_REFERENCE
from taskengine.errors import AgentError, PayloadTooLargeError
from taskengine.models.artifact import ArtifactKind
from taskengine.models.question import Answer, Question
from taskengine.models.spent import Spent


@dataclass
class FakeContext:
    """One attempt; :meth:`again` is the next one, which gets what this one left."""

    prompt: str = ""
    previous: Reference | None = None
    attempt: int = 1
    answer: Answer | None = None
    tokens_used: int = 0
    tokens_left: int | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    run_id: UUID = field(default_factory=uuid4)
    execution_id: UUID = field(default_factory=uuid4)
    deadline: datetime | None = None
    cancelled: bool = False
    results: dict[str, Any] = field(default_factory=dict)
    dependencies: tuple[Dependency, ...] = ()
    steps: dict[str, Any] = field(default_factory=dict)
    #: Latest of each, in order.
    references: list[Reference] = field(default_factory=list)
    noted: list[Spent] = field(default_factory=list)
    permits: list[tuple[int, int, int]] = field(default_factory=list)
    observed: list[dict[str, float]] = field(default_factory=list)
    artifacts: dict[str, bytes | str | Path] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    streamed: list[str] = field(default_factory=list)
    said: list[tuple[float, str | None]] = field(default_factory=list)

    @property
    def aio(self) -> Aio:
        return Aio(self)

    @cached_property
    def workdir(self) -> Path:
        made = Path(tempfile.mkdtemp())
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        return made

    def again(self, **changes: Any) -> FakeContext:
        kept = {
            "prompt": self.prompt, "attempt": self.attempt + 1, "secrets": self.secrets,
            "run_id": self.run_id,
            "previous": self.references[-1] if self.references else self.previous,
        }  # fmt: skip
        return FakeContext(**{**kept, **changes})

    def secret(self, name: str) -> str:
        try:
            return self.secrets[name]
        except KeyError:
            raise AgentError(f"no secret {name}") from None

    def checkpoint(self, reference: Reference) -> None:
        text = to_json(asdict(reference))
        if len(text) > LARGEST_REFERENCE:
            raise PayloadTooLargeError("reference", len(text), LARGEST_REFERENCE)
        self.references.append(Reference(**from_json(text)))

    def artifact(self, name: str, body: bytes | str | Path, kind: ArtifactKind = ArtifactKind.FILE) -> None:
        self.artifacts[name] = body

    def ask(self, question: Question) -> NoReturn:
        raise NeedsInput(question)

    def stream(self, text: str) -> None:
        self.streamed.append(text)

    def progress(self, fraction: float, note: str | None = None) -> None:
        self.said.append((fraction, note))

    def log(self, message: str, level: str = "info", **metadata: Any) -> None:
        self.lines.append(message)


@dataclass
class Aio:
    """The same, to be awaited."""

    context: FakeContext

    async def checkpoint(self, reference: Reference) -> None:
        self.context.checkpoint(reference)

    async def result(self, name: str) -> dict[str, Any]:
        return dict(self.context.results[name])

    async def permit(self, requests: int = 1, input_tokens: int = 0, output_tokens: int = 0) -> None:
        self.context.permits.append((requests, input_tokens, output_tokens))

    async def spent(self, spent: Spent) -> None:
        self.context.noted.append(spent)

    async def artifact(self, name: str, body: bytes | str | Path, kind: ArtifactKind = ArtifactKind.FILE) -> None:
        self.context.artifact(name, body, kind)

    async def observe(self, remaining: dict[str, float]) -> None:
        self.context.observed.append(remaining)


@dataclass
class FakeSecrets:
    """Values by name."""

    known: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        try:
            return self.known[name]
        except KeyError:
            raise AgentError(f"secret {name} is missing") from None
