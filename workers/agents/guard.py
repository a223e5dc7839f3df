"""HTTP to addresses that others named: looked at before it connects, without redirects and proxies, bounded in size."""

from __future__ import annotations

import logging

import httpx2

from workers.agents.addresses import Allowed, reachable

#: Seconds to connect, and to hand a request over.
_CONNECT, _WRITE = 10.0, 60.0


class TooLargeError(Exception):
    """An answer is larger than its limit."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Connects to the address that was looked at; certificates are still those of the name."""

    def __init__(self, allowed: Allowed) -> None:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        self._inner = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)
        self._allowed = allowed

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it; ForbiddenAddressError for where nobody may go from here."""
        url = request.url
        try:
            address = await reachable(url.host, url.port or (443 if url.scheme == "https" else 80), self._allowed)
        except OSError as exc:
            raise httpx2.ConnectError(f"{url.host}: {exc}", request=request) from exc
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=str(address))
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


def guarded_client(allowed: Allowed, read_seconds: float) -> httpx2.AsyncClient:
    """Return a client for one agent: its connections are told apart by address alone."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line a request would be a trip a request
    timeout = httpx2.Timeout(connect=_CONNECT, write=_WRITE, read=read_seconds, pool=None)
    return httpx2.AsyncClient(
        transport=GuardedTransport(allowed), timeout=timeout, follow_redirects=False, trust_env=False
    )


async def bounded(response: httpx2.Response, most: int) -> bytes:
    """Return the body of a streamed answer; TooLargeError over *most* bytes, as soon as that is known."""
    said = response.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise TooLargeError(f"the answer is {said} bytes, the limit is {most}")
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > most:
            raise TooLargeError(f"the answer is over {most} bytes")
        parts.append(part)
    return b"".join(parts)
