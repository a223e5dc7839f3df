"""Asks a socket who answers there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from taskengine.embedded.layout import Layout, is_private
from taskengine.embedded.note import Note

#: Seconds until a server that accepts and says nothing (stopped, swapping) counts as silent.
REPLY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers PING, in its own words."""

    pid: int
    run_id: str
    config_file: str
    version: str
    uptime_seconds: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Loading:
    """A server that is still reading its append-only file."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody that we could use; *reason* is for people."""

    reason: str


Answer = Running | Loading | Silent


def connect(socket: Path) -> redis.Redis:
    """Return a client that tries once: the caller knows whether to try again."""
    return redis.Redis(
        unix_socket_path=str(socket),
        socket_timeout=REPLY_SECONDS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def probe(socket: Path) -> Answer:
    """Who answers on *socket*; never raises for a server that does not."""
    if not is_private(socket.parent):
        return Silent(f"{socket.parent} is gone or not private to this user")
    with connect(socket) as client:
        try:
            client.ping()
            found = client.info("server", "memory")
        except redis.BusyLoadingError:
            return Loading()
        except redis.RedisError as exc:
            return Silent(str(exc))
    return Running(
        pid=found["process_id"],
        run_id=found["run_id"],
        config_file=found["config_file"],
        version=found.get("valkey_version", found["redis_version"]),
        uptime_seconds=found["uptime_in_seconds"],
        memory_bytes=found["used_memory"],
    )


def is_ours(layout: Layout, note: Note, found: Running) -> bool:
    """True if *found* is the server of this folder and, once noted, the very process of the note."""
    noted = note.run_id is None or (found.pid, found.run_id) == (note.pid, note.run_id)
    return noted and found.config_file == str(layout.config)
