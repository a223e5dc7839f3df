"""Whether the server can hold the truth: its version, what it keeps on disk, what it throws away, who may
connect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taskengine.api.context import OperationContext
from taskengine.errors import SchemaMismatchError, StoreError, UnsupportedServerError
from taskengine.models.finding import Finding, notice, ok, wrong
from taskengine.store.call import Call, Operation
from taskengine.store.connect import ServerFacts, facts, refuse_unfit
from taskengine.store.schema import refuse_other_form

#: Share of ``maxmemory`` from which on it is short.
_SHORT = 0.9
_LOOPBACK = ("127.", "::1", "localhost")


def examine(context: OperationContext) -> Operation[tuple[list[Finding], bool]]:
    """Return findings about a server that answers, and whether anything of ours can be stored there."""
    info: Mapping[str, Any] = yield from Call("INFO", (), dict, command=True)
    server = facts(dict(info))
    try:
        refuse_unfit(server)
        found = [ok("server", _described(context, server))]
    except UnsupportedServerError as exc:
        found = [refused(exc)]
        if server.cluster:
            return found, False
    found += [_append_only(server, info), *memory(server, info)]
    try:
        refuse_other_form((yield from Call("GET", (context.keys.fixed("schema"),), _any, command=True)))
    except SchemaMismatchError as exc:
        return [*found, refused(exc)], False
    return found, True


def refused(exc: StoreError) -> Finding:
    """Return why nothing can be asked, or kept: the server does not answer, or is not one for us."""
    if isinstance(exc, SchemaMismatchError):
        return wrong("stored form", str(exc), "nothing there is read or changed until then")
    if isinstance(exc, UnsupportedServerError):
        return wrong("server", str(exc), "nothing is sure on this server until that is changed")
    return wrong("server", str(exc), "start it, or correct TASKENGINE_REDIS_URL")


def _described(context: OperationContext, server: ServerFacts) -> str:
    policy = f"maxmemory-policy {server.eviction}"
    return f"{server.software} {server.version}, namespace {context.settings.namespace}, {policy}"


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


def examine_access() -> Operation[list[Finding]]:
    """Return whether anybody may connect; StoreError where the server does not let us ask."""
    user = yield from Call("ACL GETUSER", ("default",), _pairs, command=True)
    options = yield from Call("CONFIG GET", ("*",), _pairs, command=True)
    return list(access(user, options))


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
