"""From a URL to a client, and whether the server behind it can hold the truth.

Every blocking read is at most 5 s long and every socket waits 10 s for an answer: redis-py 8.1 defaults to 5 s with
ten retries, which turned a read blocking 8 s into an error after 57 s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from taskengine.errors import SettingsError, UnsupportedServerError

SOCKET_TIMEOUT = 10.0
#: Seconds.
LONGEST_BLOCK = 5.0
#: Three tries of it stay below the 5 s within which a caller learns that the server is not there.
CONNECT_TIMEOUT = 1.5
_RETRIES = 2
_MAX_CONNECTIONS = 1000
_SCHEMES = ("redis", "rediss", "unix", "redis+socket", "sentinel")


def client_url(url: str) -> str:
    """The URL as redis-py spells it: kombu's ``redis+socket:///path`` is ``unix:///path``."""
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise SettingsError(f"TASKENGINE_REDIS_URL: {_redacted(url)}: {exc}", field="redis_url") from exc
    if parts.scheme not in _SCHEMES:
        raise SettingsError(
            f"TASKENGINE_REDIS_URL: {_redacted(url)} has scheme {parts.scheme!r}; use one of {', '.join(_SCHEMES)}",
            field="redis_url",
        )
    if parts.scheme != "redis+socket":
        return url
    query = urlencode([("db" if k == "virtual_host" else k, v) for k, v in parse_qsl(parts.query)])
    return f"unix://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def connect(url: str, answer_seconds: float = SOCKET_TIMEOUT) -> redis.Redis:
    """A blocking client that waits *answer_seconds* for each answer; nothing is sent before its first command."""
    retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), _RETRIES)
    options = _options() | {"socket_timeout": answer_seconds, "retry": retry}
    try:
        if url.startswith("sentinel://"):
            hosts, service, extra = _sentinel(url)
            found: redis.Redis = Sentinel(hosts, sentinel_kwargs=extra, **options).master_for(service)  # type: ignore[no-untyped-call]  # redis-py leaves Sentinel untyped
            return found
        pool = redis.BlockingConnectionPool.from_url(client_url(url), timeout=SOCKET_TIMEOUT, **options)
        return redis.Redis(connection_pool=pool)
    except ValueError as exc:
        raise SettingsError(f"TASKENGINE_REDIS_URL: {_redacted(url)}: {exc}", field="redis_url") from exc


def connect_async(url: str) -> redis.asyncio.Redis:
    """An async client; nothing is sent before its first command."""
    options = _options() | {"retry": AsyncRetry(ExponentialBackoff(cap=0.5, base=0.05), _RETRIES)}
    try:
        if url.startswith("sentinel://"):
            hosts, service, extra = _sentinel(url)
            found: redis.asyncio.Redis = AsyncSentinel(hosts, sentinel_kwargs=extra, **options).master_for(service)  # type: ignore[no-untyped-call]  # as above
            return found
        pool = redis.asyncio.BlockingConnectionPool.from_url(client_url(url), timeout=SOCKET_TIMEOUT, **options)
        return redis.asyncio.Redis(connection_pool=pool)
    except ValueError as exc:
        raise SettingsError(f"TASKENGINE_REDIS_URL: {_redacted(url)}: {exc}", field="redis_url") from exc


def block_ms(seconds: float) -> int:
    """Milliseconds that a read may block which wants to wait *seconds*: never for ever, which 0 would mean."""
    return max(1, round(min(seconds, LONGEST_BLOCK) * 1000))


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "protocol": 2,
        "socket_timeout": SOCKET_TIMEOUT,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "health_check_interval": 5,
        "max_connections": _MAX_CONNECTIONS,
    }


def _sentinel(url: str) -> tuple[list[tuple[str, int]], str, dict[str, Any]]:
    parts = urlsplit(url)
    service = dict(parse_qsl(parts.query)).get("master_name") or parts.path.strip("/") or "mymaster"
    hosts = []
    for place in parts.netloc.rpartition("@")[2].split(","):
        host, _, port = place.partition(":")
        hosts.append((host, int(port or 26379)))
    return hosts, service, {"socket_timeout": 2.0}


def _redacted(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{urlsplit(head).scheme}://…@{tail}" if at else url


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself, as far as the engine cares."""

    version: str
    software: str
    cluster: bool
    eviction: str
    append_only: bool
    max_memory: int
    run_id: str
    uptime_seconds: int
    warnings: tuple[str, ...] = field(default=())


def facts(info: dict[str, Any]) -> ServerFacts:
    """The facts in a reply of INFO."""
    return ServerFacts(
        version=str(info.get("valkey_version") or info.get("redis_version", "0")),
        software="valkey" if "valkey_version" in info else str(info.get("server_name", "redis")),
        cluster=str(info.get("cluster_enabled", 0)) == "1" or info.get("redis_mode") == "cluster",
        eviction=str(info.get("maxmemory_policy", "noeviction")),
        append_only=str(info.get("aof_enabled", 0)) == "1",
        max_memory=int(info.get("maxmemory", 0)),
        run_id=str(info.get("run_id", "")),
        uptime_seconds=int(info.get("uptime_in_seconds", 0)),
    )


def refuse_unfit(server: ServerFacts) -> None:
    """Raise UnsupportedServerError for a server that would lose the truth."""
    if server.cluster:
        raise UnsupportedServerError(
            "this is a Redis Cluster; a shard is one Redis server (or Sentinel), never a cluster: "
            "point TASKENGINE_REDIS_URL at a single server"
        )
    if server.software == "redis" and _older(server.version, (7, 0)):
        raise UnsupportedServerError(f"Redis {server.version} is too old; use Redis 7.0 or later, or Valkey")
    if server.eviction != "noeviction":
        raise UnsupportedServerError(
            f"maxmemory-policy is {server.eviction}: the server would throw tasks away when memory is short; "
            "set it with: redis-cli CONFIG SET maxmemory-policy noeviction"
        )


def _older(version: str, wanted: Iterable[int]) -> bool:
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    return bool(numbers) and tuple(numbers) < tuple(wanted)
