"""The Messages API on a real socket, which answers as the prompt asks it to, and counts what was paid.

A prompt holds its script as ``[double {"task": "a", "replies": [{…}, {…}]}]``: the n-th request of that task gets the
n-th reply, and all further ones the last; with ``"by_turn": true`` its n-th turn does, however often it is asked for.
Without a script the reply is the text ``ok``. Kinds of replies:

==========  ==========================================================================================
text        ``text`` in ``pieces`` over ``seconds``, then ``stop`` (``end_turn``)
tool        ``calls``: ``[{"name": …, "input": {…}}]``, after ``text``
error       ``status``, ``type``, ``message``, ``headers``, ``details``; nothing is paid
mid_error   text, then an ``error`` event of ``type``
cut         text, then the connection is gone
hang        text, then only pings until the client hangs up; ``silent``: not even headers
==========  ==========================================================================================

Every kind takes ``input_tokens`` and ``output_tokens``, and ``headers``; ``{key}`` in a message is the client's key.
Run as a script it serves until it is killed and says its port; ``GET /double`` tells the counts.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent)) if __name__ == "__main__" else None

if __name__ == "__main__":
    from web import Request, Running, Web
else:
    from .web import Request, Running

#: Rate headers, as the service sends them.
RATES = {
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2030-01-01T00:00:00Z",
    "anthropic-ratelimit-input-tokens-remaining": "40000",
    "anthropic-ratelimit-output-tokens-remaining": "8000",
}


@dataclass
class Seen:
    """What one task asked for."""

    requests: int = 0
    #: Turn -> replies that began, which are paid.
    paid: Counter[int] = field(default_factory=Counter)
    #: Turn -> replies that were sent whole.
    finished: Counter[int] = field(default_factory=Counter)
    #: The latest turn that its client surely heard: it asked for the next one. And requests for one of these again.
    heard: int = 0
    again: int = 0
    #: When its clients hung up in the middle, by ``time.monotonic``.
    hung_up: list[float] = field(default_factory=list)
    #: Bodies of its requests.
    bodies: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Service:
    """The double; it keeps bodies while *keeps* says so."""

    #: Keys that are known; empty knows all.
    keys: frozenset[str] = frozenset()
    keeps: bool = True
    #: What it says to a body whose prompt holds no script; None says ``ok``.
    answers: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    tasks: dict[str, Seen] = field(default_factory=dict)
    #: Streams open now, and at most.
    open: int = 0
    peak: int = 0
    #: When the first and the last stream began.
    began: list[float] = field(default_factory=list)

    async def __call__(self, request: Request) -> None:
        if request.path == "/double":
            return await request.answer(200, self.counts())
        key = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.keys and key not in self.keys:
            refused = {"status": 401, "type": "authentication_error", "message": "invalid x-api-key"}
            return await _error(request, refused)
        if request.path == "/v1/models":
            return await request.answer(200, {"data": [], "has_more": False, "first_id": None, "last_id": None})
        if request.path != "/v1/messages":
            return await _error(request, {"status": 404, "type": "not_found_error", "message": request.path})
        return await self._message(request)

    def of(self, task: str) -> Seen:
        return self.tasks.setdefault(task, Seen())

    def counts(self) -> dict[str, Any]:
        return {
            "open": self.open, "peak": self.peak, "tasks": len(self.tasks),
            "seconds": self.began[-1] - self.began[0] if self.began else 0.0,
            "paid": sum(seen.paid.total() for seen in self.tasks.values()),
            "paid_twice": sum(1 for seen in self.tasks.values() for n in seen.finished.values() if n > 1),
            "by_task": {name: [sorted(s.paid.items()), sorted(s.finished.items())] for name, s in self.tasks.items()}
            if len(self.tasks) < 100 else {},
        }  # fmt: skip

    async def _message(self, request: Request) -> None:
        body = request.json()
        script = _script(body)
        seen = self.of(script["task"])
        replies = script["replies"]
        turn = 1 + sum(1 for message in body["messages"] if message["role"] == "assistant")
        reply = replies[min(turn - 1 if script["by_turn"] else seen.requests, len(replies) - 1)]
        if self.answers is not None and reply == {}:
            reply = self.answers(body)
        seen.requests += 1
        if "{key}" in reply.get("message", ""):
            key = request.headers.get("x-api-key", "")
            reply = {**reply, "message": reply["message"].replace("{key}", key)}
        if self.keeps:
            seen.bodies.append({**body, "headers": request.headers})
        if reply.get("kind") == "error":
            return await _error(request, reply)
        if not _is_closed(body.get("output_config", {}).get("format", {}).get("schema")):
            said = (
                "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
            )
            return await _error(request, {"status": 400, "type": "invalid_request_error", "message": said})
        if reply.get("silent"):
            while not await request.until_gone(0.1):
                pass
            seen.hung_up.append(time.monotonic())
            return request.drop()
        seen.paid[turn] += 1
        seen.again += turn <= seen.heard
        seen.heard = max(seen.heard, turn - 1)
        if not body.get("stream"):
            await request.answer(200, _whole(body, reply), {**RATES, **reply.get("headers", {})})
        elif not await self._stream(request, body, reply):
            seen.hung_up.append(time.monotonic())
            return request.drop()
        seen.finished[turn] += 1
        return None

    async def _stream(self, request: Request, body: dict[str, Any], reply: dict[str, Any]) -> bool:
        """Whether the client was there to the end."""
        self.open += 1
        self.peak = max(self.peak, self.open)
        self.began.append(time.monotonic())
        try:
            await request.stream({**RATES, "request-id": "req_double", **reply.get("headers", {})})
            events = list(_events(body, reply))
            pause = reply.get("seconds", 0.0) / max(1, len(events))
            for event in events:
                await request.piece(event)
                if pause and await request.until_gone(pause):
                    return False
            match reply.get("kind"):
                case "cut":
                    request.drop()
                    return False
                case "hang":
                    while not await request.until_gone(0.2):
                        await request.piece(_sse("ping"))
                    return False
            await request.end()
            return True
        except ConnectionError:
            return False
        finally:
            self.open -= 1


def _is_closed(schema: Any) -> bool:
    """Whether every object of a schema says that it has no other names, as the service demands."""
    if isinstance(schema, list):
        return all(map(_is_closed, schema))
    if not isinstance(schema, dict):
        return True
    is_open = schema.get("type") == "object" and schema.get("additionalProperties") is not False
    return not is_open and all(map(_is_closed, schema.values()))


def _script(body: dict[str, Any]) -> dict[str, Any]:
    first = body["messages"][0]["content"]
    text = first if isinstance(first, str) else "".join(block.get("text", "") for block in first)
    at = text.find("[double ")
    found: dict[str, Any] = json.JSONDecoder().raw_decode(text, at + 8)[0] if at >= 0 else {}
    replies = found.get("replies") or [{}]
    return {"task": found.get("task", text), "replies": replies, "by_turn": found.get("by_turn", False)}


def _sse(kind: str, **more: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"


def _content(reply: dict[str, Any]) -> list[dict[str, Any]]:
    text = reply.get("text", "ok" if reply.get("kind", "text") != "tool" else "")
    calls = [
        {"type": "tool_use", "id": f"toolu_{call['name']}_{at}", "name": call["name"], "input": call.get("input", {})}
        for at, call in enumerate(reply.get("calls", ()))
    ]
    return ([{"type": "text", "text": text}] if text else []) + calls


def _stop(reply: dict[str, Any]) -> str:
    return str(reply.get("stop", "tool_use" if reply.get("kind") == "tool" else "end_turn"))


def _usage(reply: dict[str, Any]) -> dict[str, int]:
    return {
        "input_tokens": reply.get("input_tokens", 10), "output_tokens": reply.get("output_tokens", 5),
        "cache_read_input_tokens": reply.get("cache_read", 0),
        "cache_creation_input_tokens": reply.get("cache_write", 0),
    }  # fmt: skip


def _whole(body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_double", "type": "message", "role": "assistant", "model": body["model"],
        "content": _content(reply), "stop_reason": _stop(reply), "stop_sequence": None, "usage": _usage(reply),
    }  # fmt: skip


def _events(body: dict[str, Any], reply: dict[str, Any]) -> Iterator[str]:
    usage = _usage(reply)
    begun = {**_whole(body, reply), "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield _sse("message_start", message=begun)
    yield _sse("ping")
    for index, block in enumerate(_content(reply)):
        yield from _block(index, block, reply.get("pieces", 2))
    if reply.get("kind") == "mid_error":
        error = {"type": reply.get("type", "overloaded_error"), "message": reply.get("message", "Overloaded")}
        yield _sse("error", error=error)
    elif reply.get("kind") not in ("cut", "hang"):
        yield _sse("message_delta", delta={"stop_reason": _stop(reply), "stop_sequence": None}, usage=usage)
        yield _sse("message_stop")


def _block(index: int, block: dict[str, Any], pieces: int) -> Iterator[str]:
    if block["type"] == "text":
        text = block["text"]
        yield _sse("content_block_start", index=index, content_block={"type": "text", "text": ""})
        size = -(-len(text) // pieces)
        for at in range(0, len(text), size):
            yield _sse("content_block_delta", index=index, delta={"type": "text_delta", "text": text[at : at + size]})
    else:
        yield _sse("content_block_start", index=index, content_block={**block, "input": {}})
        part = json.dumps(block["input"])
        for each in (part[:3], part[3:]):
            yield _sse("content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": each})
    yield _sse("content_block_stop", index=index)


async def _error(request: Request, reply: dict[str, Any]) -> None:
    error: dict[str, Any] = {"type": reply.get("type", "api_error"), "message": reply.get("message", "no")}
    if "details" in reply:
        error["details"] = reply["details"]
    headers = {"request-id": "req_double", **reply.get("headers", {})}
    await request.answer(reply["status"], {"type": "error", "error": error, "request_id": "req_double"}, headers)


class Anthropic(Running):
    """The service in a thread."""

    def __init__(self, **options: Any) -> None:
        self.service = Service(**options)
        super().__init__(self.service)

    def of(self, task: str) -> Seen:
        return self.service.of(task)


def prompt(task: str, *replies: dict[str, Any], text: str = "Do it.", by_turn: bool = False) -> str:
    """Return a prompt that has these replies."""
    return f"{text} [double {json.dumps({'task': task, 'replies': list(replies), 'by_turn': by_turn})}]"


async def _main(port: int) -> None:
    web = Web(Service(keeps=False), port)
    await web.start()
    print(web.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
