"""A Codegen service: runs that last as long as their prompt says, its rate limits, and what can go wrong on the way.

Words of a prompt: ``[run=S]`` it lasts S seconds, ``[end=WORD]`` and ends with that status, ``[pause]`` it pauses until
somebody answers, ``[pause=N]`` N times, ``[result=TEXT]`` what it answers, ``[mended=TEXT]`` what it does once somebody
spoke to it, ``[post=S]`` the answer to its post takes S seconds, ``[late=S]`` it is made S seconds after the post,
``[lost]`` it is made and the connection dropped (once for each task), ``[refuse=N]`` its post is answered with N.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .web import Request, Running

ORG, TOKEN = 7, "codegen-canary-token-1234567890"
_PATH = re.compile(rf"^/v1/(alpha/)?organizations/{ORG}/agent/(.*)$")


def _word(prompt: str, name: str) -> str | None:
    found = re.search(rf"\[{name}(?:=([^\]]*))?\]", prompt)
    return None if found is None else found[1] or ""


@dataclass
class Run:
    """A run, as the service keeps it."""

    id: int
    prompt: str
    metadata: dict[str, Any]
    created: float
    #: When it goes on from: at first its creation.
    since: float
    banned: float | None = None
    answers: list[str] = field(default_factory=list)
    #: What it answers, in place of what its prompt says.
    result: str | None = None

    def status(self) -> str:
        if self.banned is not None:
            return "CANCELLED"
        pauses = _word(self.prompt, "pause")
        if pauses is not None and len(self.answers) < int(pauses or 1):
            return "PAUSED"
        if time.time() - self.since < float(_word(self.prompt, "run") or 0):
            return "ACTIVE"
        return _word(self.prompt, "end") or "COMPLETE"

    def shown(self) -> dict[str, Any]:
        status = self.status()
        done = status.upper() in ("COMPLETE", "COMPLETED")
        return {
            "id": self.id, "organization_id": ORG, "status": status, "metadata": self.metadata,
            "created_at": datetime.fromtimestamp(self.created, UTC).isoformat(), "source_type": "API",
            "web_url": f"https://codegen.test/runs/{self.id}",
            "summary": self._question() if status == "PAUSED" else None,
            "result": self._result() if done else None,
            "github_pull_requests": [{"id": 1, "url": "https://github.test/pull/1"}] if done else [],
        }  # fmt: skip

    def _question(self) -> str:
        return "which branch?" if not self.answers else f"and then? ({len(self.answers)})"

    def _result(self) -> str:
        if self.result is not None:
            return self.result
        if (mended := _word(self.prompt, "mended")) is not None and self.answers:
            return mended
        return _word(self.prompt, "result") or f"did: {self.prompt}"


class CodegenService:
    """The double; what it counts is what would be paid."""

    def __init__(self, *, reads: int = 60, posts: int = 1_000_000, read_seconds: float = 30.0, first: int = 0) -> None:
        #: Requests in so many seconds, and posts a minute; what is over gets a 429 with Retry-After.
        self.limits = {"read": (reads, read_seconds), "post": (posts, 60.0)}
        self.runs: list[Run] = []
        self._first = first
        self.requests: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        #: Answered to everything, while it is set.
        self.broken: int | None = None
        #: Path -> answered to the next request there.
        self.refuse_once: dict[str, int] = {}
        self._recent: dict[str, deque[float]] = {"read": deque(), "post": deque()}
        self._dropped: set[str] = set()
        self._refused_tasks: set[str] = set()
        #: Posts whose answer is on its way.
        self.posting = 0
        self._running = Running(self._handle)
        self.url = self._running.url

    def close(self) -> None:
        self._running.close()

    def __enter__(self) -> CodegenService:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def paid(self) -> Counter[str]:
        """Runs made for each task."""
        return Counter(str(run.metadata.get("taskengine_task")) for run in self.runs)

    def seed(self, count: int, prompt: str) -> list[Run]:
        """Make runs that nobody posts here."""
        return [self._made(prompt, {}) for _ in range(count)]

    # -- answering

    async def _handle(self, request: Request) -> None:
        found = _PATH.match(request.path)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return await self._refuse(request, 401, "bad token")
        if self.broken is not None:
            return await self._refuse(request, self.broken, "broken")
        if found is None:
            return await self._refuse(request, 404, "no such organisation")
        if once := self.refuse_once.pop(found[2], None):
            return await self._refuse(request, once, "refused once")
        kind = "post" if request.method == "POST" and found[2] == "run" else "read"
        self.requests[f"{request.method} {found[2].split('/')[0]}"] += 1
        if wait := self._over(kind):
            return await self._refuse(request, 429, "slow down", {"retry-after": f"{wait:.2f}"})
        match request.method, found[2]:
            case "POST", "run":
                await self._post(request)
            case "GET", "runs":
                await self._list(request)
            case "POST", "run/ban":
                await self._act(request, self._ban)
            case "POST", "run/resume":
                await self._act(request, self._resume)
            case "GET", path:
                await self._read(request, path)
        return None

    def _over(self, kind: str) -> float:
        most, seconds = self.limits[kind]
        recent, now = self._recent[kind], time.monotonic()
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if len(recent) >= most:
            return max(0.01, recent[0] + seconds - now)
        recent.append(now)
        return 0.0

    async def _refuse(self, request: Request, status: int, why: str, headers: Mapping[str, str] | None = None) -> None:
        self.refused[status] += 1
        await request.answer(status, {"message": why}, headers)

    def _made(self, prompt: str, metadata: dict[str, Any]) -> Run:
        now = time.time()
        run = Run(self._first + len(self.runs) + 1, prompt, metadata, now, now)
        self.runs.append(run)
        return run

    async def _post(self, request: Request) -> None:
        body = request.json()
        prompt, metadata = body["prompt"], body.get("metadata") or {}
        task = str(metadata.get("taskengine_task"))
        refuse = _word(prompt, "refuse")
        if refuse and task not in self._refused_tasks:
            if refuse == "429":  # once: the next try is taken
                self._refused_tasks.add(task)
            return await self._refuse(request, int(refuse), "refused", {"retry-after": "0.2"})
        self.posting += 1
        try:
            if late := _word(prompt, "late"):
                await asyncio.sleep(float(late))
            run = self._made(prompt, metadata)
            if _word(prompt, "lost") is not None and task not in self._dropped:
                self._dropped.add(task)
                return request.drop()
            if slow := _word(prompt, "post"):
                await asyncio.sleep(float(slow))
            return await request.answer(200, run.shown())
        finally:
            self.posting -= 1

    async def _list(self, request: Request) -> None:
        skip, limit = int(request.query.get("skip", 0)), min(100, int(request.query.get("limit", 100)))
        newest = self.runs[::-1]
        page = newest[skip : skip + limit]
        total = len(newest)
        await request.answer(
            200,
            {
                "items": [run.shown() for run in page], "total": total, "page": skip // limit + 1, "size": limit,
                "pages": -(-total // limit),
            },
        )  # fmt: skip

    async def _read(self, request: Request, path: str) -> None:
        id, _, rest = path.removeprefix("run/").partition("/")
        run = self._known(id)
        if run is None:
            return await self._refuse(request, 404, "no such run")
        lines = [{"message_type": "ACTION", "thought": "thinking", "created_at": run.shown()["created_at"]}]
        return await request.answer(200, run.shown() | ({"logs": lines, "total_logs": 1} if rest == "logs" else {}))

    async def _act(self, request: Request, act: Any) -> None:
        body = request.json()
        run = self._known(str(body.get("agent_run_id")))
        if run is None:
            return await self._refuse(request, 404, "no such run")
        act(run, body)
        return await request.answer(200, run.shown())

    def _ban(self, run: Run, _: dict[str, Any]) -> None:
        if run.status() in ("ACTIVE", "PAUSED"):
            run.banned = time.time()

    def _resume(self, run: Run, body: dict[str, Any]) -> None:
        run.answers.append(str(body["prompt"]))
        run.since = time.time()

    def _known(self, id: str) -> Run | None:
        at = int(id) - self._first - 1 if id.isdecimal() else -1
        return self.runs[at] if 0 <= at < len(self.runs) else None


def _main(reads: int) -> None:
    """Serve in a process of its own, for benchmarks: says where on standard output, and on each line of its input what
    it counts.
    """
    service = CodegenService(reads=reads)
    print(service.url, flush=True)
    for _ in sys.stdin:
        twice = sum(count > 1 for count in service.paid.values())
        print(json.dumps({"runs": len(service.runs), "twice": twice, "refused": service.refused[429]}), flush=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
