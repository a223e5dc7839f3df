"""The manual's blocks about agents, as they are written."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import pytest

from taskengine import TaskAPI

from ..fleet import Fleet
from .conftest import Run


@pytest.fixture
async def api(here: Fleet) -> AsyncIterator[TaskAPI]:
    async with TaskAPI() as opened:
        yield opened


async def test_registering_agents(run: Run, api: TaskAPI) -> None:
    await run(
        """
        # Register different agent types
        await api.register_agent(
            agent_id="codegen_agent_1",
            agent_type="codegen", 
            capabilities={"code_analysis", "code_generation"}
        )

        await api.register_agent(
            agent_id="claude_agent_1",
            agent_type="claude",
            capabilities={"code_review", "testing"}
        )
        """,  # noqa: W291  # as it is written
        api=api,
    )
    codegen, claude = await api.get_agent("codegen_agent_1"), await api.get_agent("claude_agent_1")
    assert codegen.record.type == "codegen"
    assert claude.record.capabilities == {"code_review", "testing"}
    assert {codegen.record.origin, claude.record.origin} == {"api"}


async def test_a_function_that_uses_the_codegen_sdk(run: Run, api: TaskAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModuleType("codegen")
    made.Agent = _Agent  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "codegen", made)
    names = await run(
        """
        from codegen import Agent

        # Create Codegen agent executor
        def codegen_executor(task, context):
            agent = Agent(org_id="...", token="...")
            return agent.run(prompt=task.description)

        # Register with task management
        await api.register_agent(
            "codegen_agent",
            "codegen",
            {"code_analysis", "code_generation", "code_review"}
        )
        """,
        api=api,
    )
    info = await api.get_agent("codegen_agent")
    assert (info.record.type, info.record.revision) == ("codegen", 1)
    assert callable(names["codegen_executor"])


class _Agent:
    """Stands for the SDK's."""

    def __init__(self, **credentials: str) -> None:
        self.credentials = credentials

    def run(self, prompt: str) -> Any:
        return prompt
