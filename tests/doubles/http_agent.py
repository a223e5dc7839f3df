"""An endpoint that runs tasks, on a real socket: it keeps idempotency keys, and does each once.

The task's input says what it does: ``{"reply": {…}}`` or ``{"replies": [{…}, {…}]}``, of which the n-th request for the
task gets the n-th; the last repeats. Kinds of replies: ``result`` (``status`` 200 and ``body``), ``accept`` (202, then
``polls`` looks that still say 202, then its ``body``), ``lost`` (the work is done and the reply is not sent),
``silent``, ``redirect``, ``large``. Each takes ``seconds`` until it is answered.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .web import Request, Running


@dataclass
class Endpoint:
    """The double."""

    #: Key -> how often work began under it; an endpoint that keeps keys does it once.
    done: Counter[str] = field(default_factory=Counter)
    #: Task -> keys, in order of their coming.
    keys: dict[str, list[str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    polls: Counter[str] = field(default_factory=Counter)
    headers: list[dict[str, str]] = field(default_factory=list)
    hung_up: int = 0
    #: Requests whose answer is on its way.
    posting: int = 0

    async def __call__(self, request: Request) -> None:
        self.headers.append(request.headers)
        if request.method == "OPTIONS":
            return await request.answer(204)
        if request.path.startswith("/jobs/"):
            return await self._look(request, request.path.removeprefix("/jobs/"))
        key = request.headers["idempotency-key"]
        told = request.json()
        task = told["name"]
        if self.bodies.setdefault(key, request.body) != request.body:
            return await request.answer(422, {"error": "another body under this key"})
        if key not in self.keys.setdefault(task, []):
            self.keys[task].append(key)
        given = told["input"]
        replies = given.get("replies") or [given.get("reply", {})]
        reply = replies[min(self.requests[task], len(replies) - 1)]
        self.requests[task] += 1
        self.posting += 1
        try:
            await asyncio.sleep(reply.get("seconds", 0))
            return await self._answer(request, key, told, reply)
        finally:
            self.posting -= 1

    async def _answer(self, request: Request, key: str, told: dict[str, Any], reply: dict[str, Any]) -> None:
        kind = reply.get("kind", "result")
        status = reply.get("status", 200)
        if status < 300 and key not in self.done:
            self.done[key] += 1
        match kind:
            case "lost":
                return request.drop()
            case "silent":
                while not await request.until_gone(0.1):
                    pass
                self.hung_up += 1
                return request.drop()
            case "redirect":
                return await request.answer(302, b"", {"location": reply["to"]})
            case "large":
                return await request.answer(200, b'"' + b"x" * reply["bytes"] + b'"')
            case "accept":
                self.polls[key] = reply.get("polls", 1)
                return await request.answer(202, {}, {"location": reply.get("to", f"/jobs/{key}")})
        body = reply.get("body", {"prompt": told["prompt"], "input": told["input"]})
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        return await request.answer(status, raw, reply.get("headers", {}))

    async def _look(self, request: Request, key: str) -> None:
        self.polls[key] -= 1
        if self.polls[key] >= 0:
            return await request.answer(202, {}, {"retry-after": "0.05"})
        return await request.answer(200, {"done": key})


class HttpAgent(Running):
    """The endpoint in a thread."""

    def __init__(self) -> None:
        self.endpoint = Endpoint()
        super().__init__(self.endpoint)
