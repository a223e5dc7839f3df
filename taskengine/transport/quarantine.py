"""The list of messages that nobody could read: what it keeps of one, and how it stays bounded."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import redis

#: Entries that the list keeps; the oldest go first.
MAX_ENTRIES = 10_000
#: Bytes kept of one message.
MAX_RAW = 64 * 1024

logger = logging.getLogger(__name__)


def put_aside(pool: Any, key: str, queue: str, raw: bytes, reason: str) -> None:
    """Keep a refused message with its reason. Never raises: at worst the log line is what remains of it."""
    logger.warning("quarantined a message from queue %s: %s", queue, reason)
    client = redis.Redis(connection_pool=pool)  # plain, not kombu's: *key* needs no prefix
    try:
        seconds, micros = client.time()
        about = {"reason": reason, "queue": queue, "at": seconds + micros / 1e6, "size": len(raw)}
        with client.pipeline(transaction=False) as pipe:
            pipe.lpush(key, json.dumps(about | _kept(raw)))
            pipe.ltrim(key, 0, MAX_ENTRIES - 1)
            pipe.execute()
    except (redis.RedisError, OSError) as exc:
        logger.error("lost a message from queue %s, Redis did not take it: %s: %r", queue, exc, raw[:500])


def _kept(raw: bytes) -> dict[str, str]:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return {"raw": base64.b64encode(raw[:MAX_RAW]).decode(), "encoding": "base64"}
    return {"raw": raw[:MAX_RAW].decode(errors="ignore"), "encoding": "utf-8"}  # the cut may split a letter
