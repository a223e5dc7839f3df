"""Codegen's REST API: one organisation, one token, no faster than the service allows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from taskengine.models import Outcome
from workers.agents.addresses import Allowed, ForbiddenAddressError
from workers.agents.guard import guarded_client
from workers.agents.pace import Pace
from workers.agents.retry_after import delay_of

#: Longest ``Retry-After`` that a look waits for itself.
_LONGEST_HOLD = 30.0
#: Characters of an answer that an error shows.
_SHOWN = 300
_AUTH, _BILLING, _INVALID = frozenset({401, 403}), frozenset({402}), frozenset({400, 404, 422})

Run = dict[str, Any]


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.code = answer.status_code
        self.delay = delay_of(answer.headers, 1)
        shown = answer.text[:_SHOWN].strip()
        super().__init__(f"codegen answered {self.code}" + (f": {shown}" if shown else ""))


#: What asking the service may come to.
FAULTS = (httpx2.HTTPError, ForbiddenAddressError, TimeoutError, ValueError, RefusedError)


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the list of runs, the newest first."""

    runs: tuple[Run, ...]
    skip: int
    total: int


class Client:
    """The wire; for one loop."""

    def __init__(self, root: str, token: str, allowed: Allowed, *, seconds: float, reads: int) -> None:
        """*root* ends in ``/agent/``; *reads* is how many looks the service allows in 30 seconds."""
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # else a line for every look
        self._root = root
        self._seconds = seconds
        self._pace = Pace(reads, 30.0)
        self._http = guarded_client(allowed, seconds)
        self._http.headers["authorization"] = f"Bearer {token}"

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def page(self, skip: int, limit: int) -> Page:
        """Read a piece of the list of runs that were posted by API."""
        found = await self._get("runs", {"source_type": "API", "skip": skip, "limit": limit})
        runs = tuple(found.get("items") or ())
        return Page(runs, skip, int(found.get("total") or skip + len(runs)))

    async def run(self, id: str) -> Run | None:
        """Read one run; None when the service does not know it."""
        try:
            return await self._get(f"run/{id}", {})
        except RefusedError as exc:
            if exc.code == 404:
                return None
            raise

    async def post(self, path: str, body: dict[str, Any]) -> Run:
        """Send what changes something; the run as it is then."""
        return await self._send("POST", path, body)

    async def ban(self, id: str) -> None:
        """Have a run stopped; one that is not known needs no stop."""
        try:
            await self.post("run/ban", {"agent_run_id": int(id)})
        except RefusedError as exc:
            if exc.code != 404:
                raise

    async def _get(self, path: str, query: Mapping[str, Any]) -> Run:
        while True:
            await self._pace.wait()
            try:
                return await self._send("GET", path, None, query)
            except RefusedError as exc:
                if exc.code != 429 or exc.delay > _LONGEST_HOLD:
                    raise
                self._pace.hold(exc.delay)

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, query: Mapping[str, Any] | None = None
    ) -> Run:
        async with asyncio.timeout(self._seconds):
            answer = await self._http.request(method, self._root + path, json=body, params=query)
        if answer.status_code >= 300:
            raise RefusedError(answer)
        found = answer.json()
        if not isinstance(found, dict):
            raise ValueError(f"codegen answered {path} with a {type(found).__name__}")
        return found


def outcome_of(exc: Exception, attempt: int) -> Outcome:
    """Return what becomes of an attempt that the service refused, or did not answer."""
    error = said(exc)
    code = exc.code if isinstance(exc, RefusedError) else None
    if isinstance(exc, ForbiddenAddressError) or code in _INVALID:
        return _failed(error, "invalid_request")
    if code in _AUTH:
        return _failed(error, "auth")
    if code in _BILLING:
        return _failed(error, "billing")
    if isinstance(exc, RefusedError) and code == 429:
        return Outcome.not_now(exc.delay, error, scope="credential")
    # Nobody knows whether it came: the next attempt looks for it.
    return Outcome.not_now(min(60.0, 2.0 ** min(attempt, 6)), error)


def said(exc: Exception) -> str:
    """Return what went wrong as one line; the token stands in none."""
    text = str(exc) or type(exc).__name__
    return text if isinstance(exc, (RefusedError, ForbiddenAddressError)) else f"codegen did not answer: {text}"


def _failed(error: str, kind: str) -> Outcome:
    return Outcome("failed", error=error, error_kind=kind, retryable=False)
