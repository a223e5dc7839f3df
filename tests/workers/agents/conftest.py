"""Doubles of the services, and executors that speak to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from taskengine.models.agent import AgentRecord
from workers.agents.claude import Claude

from ...doubles.anthropic import Anthropic
from ...doubles.context import FakeSecrets

KEY = "sk-canary-000"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Anthropic]:
    """The Messages API, where the client looks for it."""
    with Anthropic(keys=frozenset({KEY})) as made:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", made.url)
        yield made


def record(type: str, config: dict[str, Any], **fields: Any) -> AgentRecord:
    given = {"secret": "ANTHROPIC_API_KEY", **fields}
    return AgentRecord(id=f"{type}_agent", type=type, capabilities={type}, config=config, **given)


@asynccontextmanager
async def claude(key: str = KEY, **config: Any) -> AsyncIterator[Claude]:
    made = Claude(record("claude", {"model": "claude-test", **config}), FakeSecrets({"ANTHROPIC_API_KEY": key}))
    await made.open()
    try:
        yield made
    finally:
        await made.close()
