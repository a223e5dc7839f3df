"""One turn: a streamed request, and what it came to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anthropic
from pydantic_core import from_json

from taskengine.models.spent import Spent
from workers.agents.claude.classify import BrokenStreamError

#: Characters of text that make a token, roughly: of a stream that was cut nobody says how many it had.
_CHARACTERS_OF_A_TOKEN = 4


@dataclass(slots=True)
class Turn:
    """What a stream has brought so far."""

    model: str
    content: list[dict[str, Any]] = field(default_factory=list)
    stop: str = ""
    id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    #: Whether it was sent whole.
    is_whole: bool = False
    _parts: dict[int, list[str]] = field(default_factory=dict)
    _sizes: int = 0

    @property
    def spent(self) -> Spent:
        """What it used; of a stream that was cut, as far as the service said, and its text by size."""
        if not self.usage:
            return Spent(self.model)
        output = self.usage.get("output_tokens", 0)
        if not self.is_whole:
            output = max(output, self._sizes // _CHARACTERS_OF_A_TOKEN)
        return Spent(
            self.model, 1, self.usage.get("input_tokens", 0), output,
            self.usage.get("cache_read_input_tokens", 0), self.usage.get("cache_creation_input_tokens", 0),
        )  # fmt: skip

    def take(self, event: Any) -> str:
        """Take one event in; returns the text that it brought, '' for most."""
        match event.type:
            case "content_block_delta":
                return self._delta(event.index, event.delta)
            case "content_block_start":
                self.content.append(event.content_block.to_dict())
                self._parts[event.index] = []
            case "content_block_stop":
                self._close(event.index)
            case "message_start":
                self.id = event.message.id
                self._count(event.message.usage)
            case "message_delta":
                self.stop = event.delta.stop_reason or self.stop
                self._count(event.usage)
            case "message_stop":
                self.is_whole = True
            case _:
                pass  # the service adds kinds
        return ""

    def close(self) -> None:
        """Make what was cut readable: a block's text is kept as far as it came."""
        for index in list(self._parts):
            if index < len(self.content) and self.content[index].get("type") == "text":
                self._close(index)

    def _delta(self, index: int, delta: Any) -> str:
        block = self.content[index]
        match delta.type:
            case "text_delta":
                self._parts[index].append(delta.text)
                self._sizes += len(delta.text)
                text: str = delta.text
                return text
            case "input_json_delta":
                self._parts[index].append(delta.partial_json)
                self._sizes += len(delta.partial_json)
            case "thinking_delta":
                self._parts[index].append(delta.thinking)
                self._sizes += len(delta.thinking)
            case "signature_delta":
                block["signature"] = delta.signature
            case "citations_delta":
                block.setdefault("citations", []).append(delta.citation.to_dict())
            case _:
                pass
        return ""

    def _close(self, index: int) -> None:
        block, text = self.content[index], "".join(self._parts.pop(index, ()))
        match block.get("type"):
            case "text":
                block["text"] = block.get("text", "") + text
            case "thinking":
                block["thinking"] = block.get("thinking", "") + text
            case _ if text:
                block["input"] = from_json(text)
            case _:
                pass

    def _count(self, usage: Any) -> None:
        """Take the service's counts, which are of the whole answer so far; one that is not said stays."""
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
            value = getattr(usage, name, None)
            if value is not None:
                self.usage[name] = int(value)


async def stream(
    client: anthropic.AsyncAnthropic, turn: Turn, request: Mapping[str, Any], stall_seconds: float,
    show: Callable[[str], None], note: Callable[[], Awaitable[None]],
) -> None:  # fmt: skip
    """Fill *turn* with the answer to *request*; what it brought before an error is in it.

    *note* is awaited the moment that the answer is whole, before the connection is: from then on a kill costs nothing.

    BrokenStreamError when nothing but pings comes for *stall_seconds*: these keep a read from timing out, so only a
    clock of our own ends a stream that hangs. Cancelled, it closes the connection, and the service stops.
    """
    try:
        async with asyncio.timeout(stall_seconds) as clock:
            opened = await client.messages.create(**request, stream=True)
            async with opened:
                turn.headers = opened.response.headers
                loop = asyncio.get_running_loop()
                async for event in _events(opened):
                    clock.reschedule(loop.time() + stall_seconds)
                    if text := turn.take(event):
                        show(text)
                    elif turn.is_whole:
                        clock.reschedule(None)
                        await note()
                        clock.reschedule(loop.time() + stall_seconds)
    except TimeoutError as exc:
        turn.close()
        if clock.expired():
            raise BrokenStreamError(f"the stream went {stall_seconds:g} s without an event") from exc
        raise
    except BaseException:
        turn.close()
        raise
    if not turn.is_whole:
        turn.close()
        raise BrokenStreamError("the stream ended before its message did")


def _events(opened: Any) -> AsyncIterator[Any]:
    events: AsyncIterator[Any] = aiter(opened)
    return events
