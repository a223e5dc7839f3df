"""Redis's own errors end here and become the library's; the message says what to do."""

from __future__ import annotations

from redis import exceptions as theirs

from taskengine.errors import StoreError, StoreFullError, StoreUnavailableError, UnsupportedServerError


def translate(exc: theirs.RedisError | OSError, where: str) -> StoreError:
    """The library's error for one of redis-py's; *where* names the server."""
    text = str(exc)
    if isinstance(exc, theirs.OutOfMemoryError) or "OOM" in text[:4]:
        return StoreFullError(f"Redis at {where} is out of memory and refuses writes; raise maxmemory or prune sooner")
    if isinstance(exc, theirs.AuthenticationError | theirs.NoPermissionError):
        return StoreUnavailableError(f"Redis at {where} refuses the user or password: {text}")
    if isinstance(exc, theirs.ReadOnlyError | theirs.MasterDownError):  # redis-py cuts the code off the text
        return StoreUnavailableError(f"Redis at {where} is a replica and does not accept writes now: {text}")
    if isinstance(exc, theirs.ConnectionError | theirs.TimeoutError | OSError):
        return StoreUnavailableError(
            f"no answer from Redis at {where} ({text}); check TASKENGINE_REDIS_URL and that the server runs"
        )
    if isinstance(exc, theirs.ClusterError | theirs.AskError | theirs.ClusterCrossSlotError):
        return UnsupportedServerError("this is a Redis Cluster; use a single server (or Sentinel)")
    if text.startswith(("MISCONF", "NOREPLICAS", "BUSY")):
        return StoreUnavailableError(f"Redis at {where} does not accept writes now: {text}")
    return StoreError(f"Redis at {where}: {text}")
