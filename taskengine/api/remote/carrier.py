"""Carries requests to a server and answers back: httpx2, blocking and on an event loop.

What is decided here, once for both: a server that cannot be reached, or is too busy to begin, is asked three times in
all, and what may have arrived only if it may be sent again. A redirect is followed nowhere: the key would go with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

import httpx2

from taskengine.api.remote.address import Address
from taskengine.api.remote.message import NDJSON, Answer, Exchange, Request
from taskengine.api.surface import ADVICE
from taskengine.core import remedy
from taskengine.errors import InvalidInputError, StoreUnavailableError, UnsupportedServerError

T = TypeVar("T")

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
#: Seconds before the second and the third try.
_PAUSES = (0.1, 0.4)
#: Seconds that a busy server may ask for; one that wants more is left alone.
_MOST_LATER = 10.0
#: How a server that has begun nothing of what it was asked says so.
_PROBLEM, _BUSY = "application/problem+json", b'"/problems/busy"'
#: Bytes of one answer.
_MOST = 256 * 2**20
#: Below the five seconds after which the server closes a connection that nobody uses.
_KEPT_SECONDS = 4.0
_NEVER_ARRIVED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_PERHAPS_ARRIVED = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError)


def options(address: Address) -> dict[str, Any]:
    """Return how a client of httpx2 is made for a server."""
    return {
        "timeout": httpx2.Timeout(CONNECT_SECONDS, read=READ_SECONDS, write=READ_SECONDS),
        "limits": httpx2.Limits(max_connections=100, keepalive_expiry=_KEPT_SECONDS),
        "headers": {"User-Agent": f"taskengine/{version('taskengine')}"},
        "follow_redirects": False,
        # What speaks no TLS need not read the certificates that the machine trusts: a tenth of a second.
        "verify": not address.is_plain,
        # No proxy stands between this machine and itself, whatever the environment says.
        "trust_env": not (address.is_loopback and address.is_plain),
    }


def sent(request: Request, address: Address) -> dict[str, Any]:
    """Return a request as httpx2 takes it."""
    headers = {"Accept": f"{NDJSON}, application/json" if request.told else "application/json"}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    if advice := remedy.named("", "commands"):
        headers[ADVICE] = advice
    if not request.is_open and (key := address.shown()) is not None:
        headers["Authorization"] = f"Bearer {key}"
    return {
        "method": request.verb, "url": address.url + request.path, "params": request.query, "content": request.body,
        "headers": headers,
    }  # fmt: skip


@dataclass(slots=True)
class _Tries:
    """How often one request was sent."""

    request: Request
    where: str
    count: int = 0

    def pause(self, error: httpx2.HTTPError) -> float:
        """Return the seconds before it is sent again; StoreUnavailableError when it is not."""
        again = (isinstance(error, _NEVER_ARRIVED) and _UNTRUSTED not in str(error)) or (
            self.request.is_repeatable and isinstance(error, _PERHAPS_ARRIVED)
        )
        if not again or self.count >= len(_PAUSES):
            raise _unavailable(error, self.where, self.request.is_repeatable) from error
        self.count += 1
        return _PAUSES[self.count - 1]

    def later(self, answer: Answer) -> float | None:
        """Return the seconds before a server that was too busy is asked again; None where the answer is one."""
        after = answer.retry_after
        if after is None or after > _MOST_LATER or answer.media_type != _PROBLEM or _BUSY not in answer.body:
            return None
        if self.count >= len(_PAUSES):
            return None
        self.count += 1
        return max(after, _PAUSES[self.count - 1])


def _unavailable(error: httpx2.HTTPError, where: str, may_repeat: bool) -> StoreUnavailableError:
    then = "; ask again, which is safe" if may_repeat else "; what was asked may have been done"
    if isinstance(error, httpx2.ReadTimeout):
        why = f"no answer from {where} within {READ_SECONDS:g} s{then}"
    elif _UNTRUSTED in str(error):
        why = (
            f"the certificate of {where} is of nobody whom this machine trusts ({error}); set SSL_CERT_FILE to the "
            "certificate of who signed it"
        )
    elif isinstance(error, _NEVER_ARRIVED):
        why = f"no answer from {where} ({error or type(error).__name__}); is 'taskengine server' running there?"
    else:
        why = f"the connection to {where} broke ({error or type(error).__name__}){then}"
    return StoreUnavailableError(why)


class _Body:
    """The pieces of one answer, bounded."""

    def __init__(self, where: str) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._where = where

    def take(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _MOST:
            raise UnsupportedServerError(f"{self._where} answers with more than {_MOST >> 20} MiB; ask for less")

    def whole(self) -> bytes:
        return b"".join(self._pieces)


def _answer(response: httpx2.Response, body: bytes) -> Answer:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Answer(response.status_code, media_type, body, _seconds(response.headers.get("retry-after", "")))


def _seconds(named: str) -> float | None:
    """Return what Retry-After says; None for a date, which our server never gives."""
    return float(named) if named.isascii() and named.isdigit() else None


def _lines(request: Request, response: httpx2.Response) -> Callable[[str], None] | None:
    """Return what is told the lines of an answer; None when it is none of lines."""
    return request.told if _answer(response, b"").media_type == NDJSON else None


class BlockingCarrier:
    """For threads, which may share it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client = httpx2.Client(**options(address))

    def run(self, exchange: Exchange[T]) -> T:
        """Return what a verb comes to."""
        try:
            step = next(exchange)
            while True:
                step = exchange.send(self._carried(step))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # an exchange's return value is its T

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _carried(self, request: Request) -> Answer:
        tries, how = _Tries(request, self._address.url), sent(request, self._address)
        while True:
            try:
                answer = self._once(request, how)
                if (later := tries.later(answer)) is None:
                    return answer
                time.sleep(later)
            except httpx2.HTTPError as exc:
                time.sleep(tries.pause(exc))
            except httpx2.InvalidURL as exc:
                raise _unsendable(exc) from exc

    def _once(self, request: Request, how: Mapping[str, Any]) -> Answer:
        with self._client.stream(**how) as response:
            body = _Body(self._address.url)
            if (told := _lines(request, response)) is not None:
                for line in response.iter_lines():
                    told(line)
            else:
                for piece in response.iter_bytes():
                    body.take(piece)
        return _answer(response, body.whole())


class AsyncCarrier:
    """For one event loop."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._client = httpx2.AsyncClient(**options(address))

    async def run(self, exchange: Exchange[T]) -> T:
        """Return what a verb comes to."""
        try:
            step = next(exchange)
            while True:
                step = exchange.send(await self._carried(step))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # an exchange's return value is its T

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _carried(self, request: Request) -> Answer:
        tries, how = _Tries(request, self._address.url), sent(request, self._address)
        while True:
            try:
                answer = await self._once(request, how)
                if (later := tries.later(answer)) is None:
                    return answer
                await asyncio.sleep(later)
            except httpx2.HTTPError as exc:
                await asyncio.sleep(tries.pause(exc))
            except httpx2.InvalidURL as exc:
                raise _unsendable(exc) from exc

    async def _once(self, request: Request, how: Mapping[str, Any]) -> Answer:
        async with self._client.stream(**how) as response:
            body = _Body(self._address.url)
            if (told := _lines(request, response)) is not None:
                async for line in response.aiter_lines():
                    told(line)
            else:
                async for piece in response.aiter_bytes():
                    body.take(piece)
        return _answer(response, body.whole())


def _unsendable(error: httpx2.InvalidURL) -> InvalidInputError:
    return InvalidInputError(f"the request cannot be sent: {error}; shorten what it names", field="url")
