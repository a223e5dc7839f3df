"""The agent type ``http``: sends a task to an endpoint, which answers at once, or 202 and where to look.

The key is written down before the first byte is sent, and repeated by whatever attempt comes next until there was an
answer: after a lost reply, a kill, a hand-back, a *not now*. An endpoint that keeps keys does the work once. An attempt
that was told a failure leaves no key, so its retry is a new request.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import httpx2
from pydantic_core import from_json, to_json

from taskengine.agents import AgentContext, Health, Reference, Secrets
from taskengine.agents.http import HttpConfig
from taskengine.errors import AgentError, InvalidInputError
from taskengine.models import Outcome, Task
from taskengine.models.agent import AgentRecord
from workers.agents.addresses import Allowed, ForbiddenAddressError
from workers.agents.guard import TooLargeError, bounded, guarded_client
from workers.agents.retry_after import delay_of
from workers.agents.settings import worker_settings

TYPE = "http"
_SECRET = re.compile(r"secret:([A-Za-z_][A-Za-z0-9_]*)")
#: Statuses of a failure that the same request would meet again.
_REFUSED = frozenset({400, 404, 405, 406, 410, 411, 413, 414, 415, 422, 451})
#: Those of an endpoint that takes it later: 409 and 425 while another request of the key is at work.
_LATER = frozenset({409, 425, 429, 503})
#: Characters of an answer that an error shows.
_SHOWN = 300


class Http:
    """Sends tasks to one endpoint; one client a process."""

    holds_slot: ClassVar[bool] = True
    #: What it does is paid for, or has effects elsewhere.
    stops_when_cut_off: ClassVar[bool] = True
    reads_prompt: ClassVar[bool] = True

    def __init__(self, record: AgentRecord, secrets: Secrets) -> None:
        self._config = _config_of(record)
        self._secrets = secrets
        self._allowed = Allowed.of(worker_settings().allowed_hosts)
        self._client: httpx2.AsyncClient | None = None
        self._headers: dict[str, str] = {}

    @classmethod
    def check(cls, record: AgentRecord, secrets: Secrets) -> None:
        """AgentError for a wrong config, a missing secret or a wrong list of allowed hosts."""
        Allowed.of(worker_settings().allowed_hosts)
        _headers(_config_of(record).headers, secrets)

    async def open(self) -> None:
        """Make the client."""
        self._headers = _headers(self._config.headers, self._secrets)
        self._client = guarded_client(self._allowed, self._config.request_seconds)

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def health(self) -> Health:
        """Connect, and ask for nothing that costs: an OPTIONS. Any answer will do."""
        try:
            status, _, _ = await self._send("OPTIONS", self._config.url, None, "")
        except (httpx2.HTTPError, ForbiddenAddressError, TooLargeError, TimeoutError) as exc:
            return Health(False, f"{self._config.url}: {_said(exc)}")
        return Health(status < 500, f"{self._config.url} answers ({status})")

    async def run(self, task: Task, context: AgentContext) -> Outcome:
        """Send it, or look for what an earlier attempt sent, until there is an answer."""
        reference = await self._begin(context)
        try:
            if reference.state == "intent":
                answer = await self._send(self._config.method, self._config.url, _body(task, context), reference.id)
            else:
                answer = await self._look(reference)
            while answer[0] == 202:
                reference = await self._accepted(reference, answer, context)
                await asyncio.sleep(_pause(answer[1], self._config.poll_seconds))
                answer = await self._look(reference)
        except (ForbiddenAddressError, TooLargeError) as exc:
            return _failed("invalid_output" if isinstance(exc, TooLargeError) else "invalid_request", str(exc))
        except (httpx2.HTTPError, TimeoutError) as exc:
            return _failed("network", f"{self._config.url}: {_said(exc)}", retryable=True)
        return self._outcome(*answer, context)

    async def _begin(self, context: AgentContext) -> Reference:
        """Return what an earlier attempt left, or a key that is written down."""
        previous = context.previous
        if previous is not None and previous.type == TYPE:
            return previous
        made = Reference(TYPE, "intent", f"te-{context.execution_id}")
        await context.aio.checkpoint(made)
        return made

    async def _accepted(self, reference: Reference, answer: Answer, context: AgentContext) -> Reference:
        """Write down where to look; the endpoint may say another place each time."""
        place = self._place(reference, answer)
        if reference.words.get("poll") == place:
            return reference
        posted = replace(reference, state="posted", words={"poll": place})
        await context.aio.checkpoint(posted)
        return posted

    def _place(self, reference: Reference, answer: Answer) -> str:
        _, headers, body = answer
        said = headers.get("location") or _object(body).get("poll_url") or reference.words.get("poll")
        if not isinstance(said, str) or not said:
            raise ForbiddenAddressError(
                f"{self._config.url} accepted the task (202) and did not say where to look: no Location, no poll_url"
            )
        place = urljoin(self._config.url, said)
        if urlsplit(place)[:2] != urlsplit(self._config.url)[:2]:
            raise ForbiddenAddressError(f"{self._config.url} says to look at {place:.200}, which is another host")
        return place

    async def _look(self, reference: Reference) -> Answer:
        return await self._send("GET", str(reference.words["poll"]), None, reference.id)

    async def _send(self, method: str, url: str, body: bytes | None, key: str) -> Answer:
        assert self._client is not None
        headers = {**self._headers, "accept": "application/json, text/plain"}
        if key:
            headers[self._config.key_header] = key
        if body is not None:
            headers["content-type"] = "application/json"
        async with asyncio.timeout(self._config.request_seconds):
            async with self._client.stream(method, url, content=body, headers=headers) as response:
                return response.status_code, response.headers, await bounded(response, self._config.max_bytes)

    def _outcome(self, status: int, headers: Mapping[str, str], body: bytes, context: AgentContext) -> Outcome:
        said = f"{self._config.url} answered {status}: {body[:_SHOWN].decode(errors='replace')}".rstrip(": ")
        match status:
            case _ if 200 <= status < 300:
                return self._completed(body)
            case _ if status in _LATER:
                return Outcome.not_now(delay_of(headers, context.attempt), said, scope=_scope(status))
            case _ if 300 <= status < 400:
                return _failed("invalid_request", f"{said}; redirects are not followed: register where it leads")
            case 401 | 403 | 407:
                return _failed("auth", said)
            case 402:
                return _failed("billing", said)
            case _ if status in _REFUSED:
                return _failed("invalid_request", said)
            case _:
                return _failed("remote_failed", said, retryable=True)

    def _completed(self, body: bytes) -> Outcome:
        if self._config.result == "text" or not body.strip():
            return Outcome("completed", output={"text": body.decode(errors="replace")})
        try:
            value: Any = from_json(body, allow_inf_nan=False)
        except ValueError as exc:
            return _failed("invalid_output", f"{self._config.url} answered what is no JSON: {exc}")
        return Outcome("completed", output=value if isinstance(value, dict) else {"value": value})


#: Status, headers, body.
Answer = tuple[int, Mapping[str, str], bytes]


def _scope(status: int) -> Any:
    """A key that is at work concerns its own task; a limit, all that share it."""
    return None if status in (409, 425) else "credential"


def _body(task: Task, context: AgentContext) -> bytes:
    """Return what the endpoint gets: the same bytes at each attempt, since they go under one key."""
    told = {
        "task_id": str(task.id), "run_id": str(context.run_id), "name": task.name, "prompt": context.prompt,
        "input": task.input, "metadata": task.metadata,
    }  # fmt: skip
    return to_json(told)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found: Any = from_json(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pause(headers: Mapping[str, str], seconds: float) -> float:
    return delay_of(headers, 1) if "retry-after" in headers else seconds


def _failed(kind: str, text: str, *, retryable: bool = False) -> Outcome:
    return Outcome("failed", error=text, error_kind=kind, retryable=retryable)


def _said(exc: Exception) -> str:
    return str(exc) or ("no answer in time" if isinstance(exc, TimeoutError) else type(exc).__name__)


def _config_of(record: AgentRecord) -> HttpConfig:
    try:
        return HttpConfig.model_validate(record.config)
    except InvalidInputError as exc:
        raise AgentError(f"agent {record.id!r}, config: {exc}") from exc


def _headers(said: Mapping[str, str], secrets: Secrets) -> dict[str, str]:
    """Return headers with the secrets that they name."""
    return {name: _SECRET.sub(lambda found: secrets.get(found[1]), value) for name, value in said.items()}
