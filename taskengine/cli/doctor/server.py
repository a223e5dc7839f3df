"""Whether the server can hold the truth: its version, what it keeps on disk, what it throws away, who may
connect.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from taskengine import embedded
from taskengine.cli.doctor.finding import Finding, notice, ok, wrong
from taskengine.errors import SchemaMismatchError, StoreError, UnsupportedServerError
from taskengine.settings import Settings
from taskengine.store.call import Call
from taskengine.store.connect import ServerFacts, facts, refuse_unfit
from taskengine.store.sync import SyncStore

#: Share of ``maxmemory`` from which on it is short.
_SHORT = 0.9
_LOOPBACK = ("127.", "::1", "localhost")


def address(settings: Settings) -> tuple[str | None, list[Finding]]:
    """Return where the server is, None if there is none to ask, and what is known without asking it."""
    if settings.redis_url is not None:
        return settings.redis_url, []
    found = embedded.status(settings)
    about = f"embedded valkey in {found.home}"
    if found.state == "running":
        mib = found.data_bytes / 2**20
        return found.url, [ok("server", f"{about}: pid {found.pid}, {mib:.1f} MiB on disk, log {found.log}")]
    if found.state in {"absent", "stopped"}:
        says = f"{about} does not run; its data is at rest" if found.data_bytes else f"{about} does not run"
        do = "taskengine up (it starts the server), or set TASKENGINE_REDIS_URL if it should be another one"
        return None, [wrong("server", says, do)]
    why = found.problem or "it still reads its append-only file"
    return None, [wrong("server", f"{about} is {found.state}: {why}", f"wait a little; then read {found.log}")]


def examine(store: SyncStore) -> Generator[Finding, None, bool]:
    """Findings about a server that answers, and whether anything of ours can be stored there; StoreError from the
    first question if it does not answer.
    """
    try:
        store.check()
    except SchemaMismatchError as exc:
        yield wrong("stored form", str(exc), "nothing there is read or changed until then")
        return False
    except UnsupportedServerError:
        pass  # told below, with what else is known
    info = store.run(Call("INFO", (), dict, command=True))
    server = facts(info)
    try:
        refuse_unfit(server)
    except UnsupportedServerError as exc:
        yield wrong("server", str(exc), "nothing is sure on this server until that is changed")
        if server.cluster:
            return False
    else:
        yield ok(
            "server",
            f"{server.software} {server.version} at {store.where}, namespace {store.settings.namespace}, "
            f"maxmemory-policy {server.eviction}",
        )
    yield _append_only(server, info)
    yield from memory(server, info)
    yield from _access(store)
    return True


def _append_only(server: ServerFacts, info: Mapping[str, Any]) -> Finding:
    if not server.append_only:
        return wrong(
            "append-only file",
            "it is off: a crash of the server loses tasks",
            "redis-cli CONFIG SET appendonly yes, and the same in its configuration (deploy/redis.conf)",
        )
    if info.get("aof_last_write_status", "ok") != "ok":
        return wrong("append-only file", "the last write to it failed", "look at the server's disk and log")
    return ok("append-only file", "on")


def memory(server: ServerFacts, info: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding when little memory is left."""
    if server.max_memory and int(info["used_memory"]) > _SHORT * server.max_memory:
        yield notice(
            "memory",
            f"{info.get('used_memory_human')} of {info.get('maxmemory_human')} are used",
            "raise maxmemory, or lower TASKENGINE_RETENTION_SECONDS: a full server refuses new tasks",
        )


def _access(store: SyncStore) -> Iterator[Finding]:
    try:
        user = _pairs(store.run(Call("ACL GETUSER", ("default",), _any, command=True)))
        options = _pairs(store.run(Call("CONFIG GET", ("*",), _any, command=True)))
    except StoreError:
        return  # a server that does not let us ask has somebody who looks after it
    yield from access(user, options)


def access(user: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding when anybody on the network may connect; *user* is the default one, *options* the server's."""
    if "nopass" not in user.get("flags", ()) or "on" not in user.get("flags", ()):
        return
    bound = [place.lstrip("-") for place in str(options.get("bind", "")).split()]
    shut = str(options.get("port")) == "0" or options.get("protected-mode") == "yes"
    if not shut and not all(place.startswith(_LOOPBACK) for place in bound):
        yield wrong(
            "access",
            f"the default user has no password and may connect on {', '.join(bound) or 'every address'}",
            "set requirepass or ACL users, or bind a private address: who reaches it controls the workers",
        )


def _any(raw: Any) -> Any:
    return raw


def _pairs(raw: Any) -> Mapping[str, Any]:
    if isinstance(raw, Mapping):
        return raw
    words: Sequence[Any] = raw or ()
    return dict(zip(words[::2], words[1::2], strict=False))
