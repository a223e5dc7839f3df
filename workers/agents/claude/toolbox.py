"""Calls of a model to functions of the user's own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic_core import to_json

from taskengine.agent import NotNow
from taskengine.agents import AgentContext, NeedsInput
from taskengine.agents.tools import TOOLS, Tool
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models.agent import AgentRecord
from workers.plain import name_of, text_of

#: Characters of a result that a model is told.
LONGEST_RESULT = 200_000
#: Functions that run at once in threads, in one process.
_THREADS = 32


def tools_of(record: AgentRecord, names: Iterable[str]) -> dict[str, Tool]:
    """Return the tools that a record names, by name; AgentError for one that this process did not import."""
    found: dict[str, Tool] = {}
    for name in names:
        known = TOOLS.get(name)
        if known is None:
            there = ", ".join(TOOLS.names()) or "none"
            raise AgentError(
                f"agent {record.id!r}: no tool {name!r} is imported here; declare it with @tool and start the worker "
                f"with --import of its module (there are {there})"
            )
        found[known.name] = known
    return found


class Toolbox:
    """The tools of one agent in one process."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools
        self._threads = ThreadPoolExecutor(_THREADS, "taskengine-tools") if tools else None

    @property
    def told(self) -> list[dict[str, Any]]:
        """What the service is told of them."""
        return [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
            for tool in self._tools.values()
        ]

    def close(self) -> None:
        """Let their threads go."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def call(self, calls: Sequence[Mapping[str, Any]], context: AgentContext) -> list[dict[str, Any]]:
        """Return what becomes of calls, each as the model is told it, in order; all at once.

        What a tool raises is told to the model, which may do better; NotNow and a question end the attempt.
        """
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._one(call, context)) for call in calls]
        ends = next((end for one in running if isinstance(end := one.result(), Exception)), None)
        if ends is not None:
            raise ends
        return [result for one in running if isinstance(result := one.result(), dict)]

    async def _one(self, call: Mapping[str, Any], context: AgentContext) -> dict[str, Any] | NotNow | NeedsInput:
        told = {"type": "tool_result", "tool_use_id": call["id"]}
        tool = self._tools.get(call["name"])
        if tool is None:
            return {**told, "content": f"there is no tool {call['name']!r:.100}", "is_error": True}
        try:
            result = await self._run(tool, tool.bound(call["input"], call_id=str(call["id"]), context=context))
            return {**told, "content": _shown(result)}
        except (NotNow, NeedsInput) as exc:
            return exc
        except InvalidInputError as exc:
            return {**told, "content": text_of(exc)[:LONGEST_RESULT], "is_error": True}
        except Exception as exc:  # the tool is somebody else's, and its failure is the model's to deal with
            said = f"{name_of(type(exc))}: {text_of(exc)}"
            return {**told, "content": said[:4000], "is_error": True}

    async def _run(self, tool: Tool, given: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(tool.function):
            return await tool.function(**given)
        assert self._threads is not None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: tool.function(**given))


def _shown(result: Any) -> str:
    text = result if isinstance(result, str) else to_json(result, fallback=str).decode()
    if len(text) <= LONGEST_RESULT:
        return text
    return f"{text[:LONGEST_RESULT]}… ({len(text)} characters, cut)"
