"""The embedded server's configuration file."""

from __future__ import annotations

from pathlib import Path

from taskengine.embedded.layout import Layout

#: What the engine's promises rest on, equal to ``deploy/redis.conf`` (a test compares them).
DURABILITY: tuple[tuple[str, str], ...] = (
    # A write is handed to the kernel before its reply, so that kill -9 of the server loses nothing, a power cut one
    # second. While a flush to a slow disk lasts, the server puts the write off, up to 2 s, and answers meanwhile.
    ("appendonly", "yes"),
    ("appendfsync", "everysec"),
    ("no-appendfsync-on-rewrite", "no"),
    ("aof-use-rdb-preamble", "yes"),
    ("auto-aof-rewrite-percentage", "100"),
    # While a rewrite runs, whatever a script touches is copied first: the longest scripts of a graph of 100 000
    # tasks, 18 to 31 ms, mostly lay in one. So not for little, and the writer does not stop to compress.
    ("auto-aof-rewrite-min-size", "256mb"),
    ("rdbcompression", "no"),
    # A tail torn by a crash was never acknowledged: cut it off and start.
    ("aof-load-truncated", "yes"),
    # The append-only file is the truth; snapshots beside it only cost.
    ("save", ""),
    # Full means that a write is refused, never that an old key is dropped.
    ("maxmemory-policy", "noeviction"),
    # A task's record and its list of events stay in the compact encodings.
    ("hash-max-listpack-entries", "128"),
    ("hash-max-listpack-value", "2048"),
    ("stream-node-max-bytes", "4096"),
)


def render(layout: Layout, socket: Path) -> str:
    """Return the text of ``valkey.conf`` for a server in *layout* that listens on *socket* alone."""
    own = (
        # Forks away from its starter; its descriptors, and with them the server lock, go along.
        ("daemonize", "yes"),
        # By default a daemon writes /var/run/valkey.pid.
        ("pidfile", str(layout.pid_file)),
        ("port", "0"),
        ("unixsocket", str(socket)),
        ("unixsocketperm", "700"),
        ("dir", str(layout.data)),
        ("logfile", str(layout.log)),
        ("loglevel", "notice"),
        # Names the server in ps by the folder that it serves.
        ("proc-title-template", "{title} {config-file}"),
    )
    lines = [f"{name} {_quoted(value)}" for name, value in own + DURABILITY]
    return "\n".join(["# Written at every start of the embedded server: changes are lost.", *lines, ""])


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
