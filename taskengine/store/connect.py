"""From a URL to a client, and whether the server behind it can hold the truth.

Every blocking read is at most 5 s long and every socket waits 10 s for an answer: redis-py 8.1 defaults to 5 s with
ten retries, which turned a read blocking 8 s into an error after 57 s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as NoAnswer
from redis.retry import Retry
from redis.sentinel import Sentinel

from taskengine.errors import UnsupportedServerError
from taskengine.store.address import SOCKETS, client_url, read

SOCKET_TIMEOUT = 10.0
#: Seconds.
LONGEST_BLOCK = 5.0
#: Three tries of it stay below the 5 s within which a caller learns that the server is not there.
CONNECT_TIMEOUT = 1.5
#: Seconds for a first answer, once: longer ones may come late, but a server that is hung must not look like a slow one.
FIRST_ANSWER = 3.0
_RETRIES = 2
#: Of one client.
MAX_CONNECTIONS = 1000
#: How a sentinel is asked; the next one may know if it does not.
_SENTINEL: dict[str, Any] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}


def connect(
    url: str,
    answer_seconds: float = SOCKET_TIMEOUT,
    *,
    allow_unverified_tls: bool = False,
    asks_again: bool = True,
    most: int = MAX_CONNECTIONS,
) -> redis.Redis:
    """Return a blocking client that waits *answer_seconds* for each answer; nothing is sent before its first command.

    It connects again when it is refused and, if it *asks_again*, also after silence. It opens *most* connections.
    """
    address = read(url, allow_unverified_tls=allow_unverified_tls)
    retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), _RETRIES, _worth_another_try(asks_again))
    options = _options() | {"socket_timeout": answer_seconds, "retry": retry, "max_connections": most}
    if address.scheme == "sentinel":
        alone = _SENTINEL | {"retry": Retry(NoBackoff(), 0)}
        options |= address.user_and_password
        sentinel = Sentinel(address.sentinels, sentinel_kwargs=alone, **options)  # type: ignore[no-untyped-call]  # redis-py leaves Sentinel untyped
        found: redis.Redis = sentinel.master_for(address.service)  # type: ignore[no-untyped-call]  # as above
        return found
    pool = redis.BlockingConnectionPool.from_url(client_url(address), timeout=SOCKET_TIMEOUT, **options)
    return redis.Redis(connection_pool=pool)


def connect_once(url: str, seconds: float, *, allow_unverified_tls: bool = False) -> redis.Redis:
    """Return a blocking client that tries once and waits *seconds*: for whom no answer is better than a late one."""
    client = connect(url, seconds, allow_unverified_tls=allow_unverified_tls, asks_again=False)
    once = {"socket_connect_timeout": seconds, "retry": Retry(NoBackoff(), 0)}
    client.connection_pool.connection_kwargs.update(once)
    return client


def connect_async(
    url: str,
    answer_seconds: float = SOCKET_TIMEOUT,
    *,
    allow_unverified_tls: bool = False,
    asks_again: bool = True,
    most: int = MAX_CONNECTIONS,
) -> redis.asyncio.Redis:
    """:func:`connect` for an event loop; it opens *most* connections."""
    address = read(url, allow_unverified_tls=allow_unverified_tls)
    # redis-py greets over a socket file while it connects, and calls silence there a lost connection.
    retries = _RETRIES if asks_again or address.scheme not in SOCKETS else 0
    retry = AsyncRetry(ExponentialBackoff(cap=0.5, base=0.05), retries, _worth_another_try(asks_again))
    options = _options() | {"socket_timeout": answer_seconds, "retry": retry, "max_connections": most}
    if address.scheme == "sentinel":
        alone = _SENTINEL | {"retry": AsyncRetry(NoBackoff(), 0)}
        options |= address.user_and_password
        sentinel = AsyncSentinel(address.sentinels, sentinel_kwargs=alone, **options)  # type: ignore[no-untyped-call]  # as above
        found: redis.asyncio.Redis = sentinel.master_for(address.service)
        return found
    pool = redis.asyncio.BlockingConnectionPool.from_url(client_url(address), timeout=SOCKET_TIMEOUT, **options)
    return redis.asyncio.Redis(connection_pool=pool)


def connect_once_async(url: str, *, allow_unverified_tls: bool = False) -> redis.asyncio.Redis:
    """Return a client of one connection that is not made again unseen: whoever blocks it must know that it was lost."""
    client = connect_async(url, allow_unverified_tls=allow_unverified_tls, asks_again=False, most=1)
    client.connection_pool.connection_kwargs.update({"retry": AsyncRetry(NoBackoff(), 0), "health_check_interval": 0})
    return client


def _worth_another_try(also_silence: bool) -> tuple[type[RedisError], ...]:
    return (LostConnection, NoAnswer) if also_silence else (LostConnection,)


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
        "max_connections": MAX_CONNECTIONS,
    }


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
    """Return the facts in a reply of INFO."""
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
