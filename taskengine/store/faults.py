"""Redis's own errors end here and become the library's; the message says what to do."""

from __future__ import annotations

from redis import exceptions as theirs
from redis.sentinel import MasterNotFoundError

from taskengine.errors import StoreError, StoreFullError, StoreUnavailableError, UnsupportedServerError


def translate(exc: theirs.RedisError | OSError, where: str) -> StoreError:
    """Return the library's error for one of redis-py's; *where* names the server."""
    # What a server refuses while redis-py greets it over a socket file comes wrapped as a lost connection.
    if isinstance(exc, theirs.ConnectionError) and isinstance(exc.__cause__, theirs.RedisError):
        exc = exc.__cause__
    text = str(exc)
    if isinstance(exc, theirs.OutOfMemoryError) or "OOM" in text[:4]:
        return StoreFullError(
            f"Redis at {where} is out of memory and refuses writes; raise maxmemory, or lower "
            "TASKENGINE_RETENTION_SECONDS"
        )
    if isinstance(exc, theirs.AuthenticationError | theirs.NoPermissionError):
        return StoreUnavailableError(
            f"Redis at {where} refuses the user or password: {text.rstrip('.')}; "
            "name them in TASKENGINE_REDIS_URL: redis://user:password@host:6379/0"
        )
    if isinstance(exc, theirs.ReadOnlyError | theirs.MasterDownError):  # redis-py cuts the code off the text
        return StoreUnavailableError(f"Redis at {where} is a replica and does not accept writes now: {text}")
    if isinstance(exc, MasterNotFoundError):  # its text goes on with the inside of every client
        text = text.partition(" : ")[0]
    if isinstance(exc, theirs.InvalidResponse):
        return StoreUnavailableError(f"what answers at {where} is no Redis ({text}); check TASKENGINE_REDIS_URL")
    if isinstance(exc, theirs.ConnectionError | theirs.TimeoutError | OSError):
        return StoreUnavailableError(
            f"no answer from Redis at {where} ({text}); check TASKENGINE_REDIS_URL and that the server runs"
        )
    if isinstance(exc, theirs.ClusterError | theirs.AskError | theirs.ClusterCrossSlotError):
        return UnsupportedServerError("this is a Redis Cluster; use a single server (or Sentinel)")
    if text.startswith(("MISCONF", "NOREPLICAS", "BUSY")):
        return StoreUnavailableError(f"Redis at {where} does not accept writes now: {text}")
    if text.startswith("DB index"):
        return StoreError(f"Redis at {where}: {text}; lower the database's number in TASKENGINE_REDIS_URL")
    return StoreError(f"Redis at {where}: {text}")
