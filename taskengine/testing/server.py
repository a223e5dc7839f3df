"""A fakeredis server that goes by a clock of ours; a process compiles each script once.

fakeredis asks ``time.time`` for TIME and for what expires. Replacing that for the whole process would deceive the
tests of everybody and forbid two engines side by side. So each server gets databases and connections that ask its own
clock; nothing outside of this server changes.

Each EVALSHA of fakeredis compiles the script anew and then runs a full garbage collection: more than half of what a
small script costs (measured: a beat 2.9 -> 0.5 ms, a report 4.4 -> 2.8). Lua collects by itself without being told.
The next server of the process loads what the first compiled: 6 ms for the scripts of an engine that runs a workflow,
where compiling them takes 35. And fakeredis looks through all globals at each command of a script, for one that a
script made: here making one is an error at once, as on a server.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha1
from typing import Any

import lupa  # noqa: F401  # fakeredis imports without it, and then knows no scripts
from fakeredis import FakeRedis, FakeRedisConnection, FakeServer
from fakeredis._core import Database

from taskengine.testing.clock import Clock

_FACTS = {
    "valkey_version": "8.0", "run_id": "inline", "uptime_in_seconds": 0, "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
}  # fmt: skip


#: Compiled chunks of this process by the digest of their source. The settings stand in scripts, so there is no end to
#: them; these are about 20 MB.
_COMPILED: dict[bytes, bytes] = {}
_MOST_COMPILED = 3000
_NO_NEW_GLOBALS = """
setmetatable(_G, {__newindex = function(_, name)
    error("Attempt to modify a readonly table: the script sets the global " .. tostring(name), 2)
end})
"""


class Server(FakeServer):
    """A server whose time is the clock's."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(server_type="valkey")
        self.clock = clock
        self.dbs = defaultdict(lambda: _Database(clock, self.lock))
        make_fit(self)

    def client(self) -> FakeRedis:
        """Return a blocking client as the engine makes them."""
        return _Client(server=self, connection_class=_Connection, decode_responses=True, protocol=2)


class _Client(FakeRedis):
    """A client that answers INFO, which fakeredis does not know, like a server that is fit."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        if args[0] == "INFO":
            return dict(_FACTS)
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # as fakeredis has it


class _Database(Database):
    """Keys that expire by the clock."""

    def __init__(self, clock: Clock, lock: Any) -> None:
        self._clock = clock
        super().__init__(lock)

    @property
    def time(self) -> float:
        """Seconds, which fakeredis compares with the moment at which a key expires."""
        return self._clock.seconds()

    @time.setter
    def time(self, _: float) -> None:
        """fakeredis sets it before each command; it is the clock's."""


class _Connection(FakeRedisConnection):
    """A connection on which TIME is the clock's, in scripts as well."""

    def _connect(self) -> Any:
        socket: Any = super()._connect()
        server = self._server
        assert isinstance(server, Server)
        socket.time = lambda: [b"%d" % part for part in divmod(server.clock.micros, 1_000_000)]
        return socket


class _Runtime:
    """The Lua of one server; a chunk is compiled when it comes first to any server of the process."""

    def __init__(self, lua: Any) -> None:
        self._lua = lua
        self._dump, self._load = lua.eval("string.dump"), lua.eval("loadstring or load")
        self._chunks: dict[bytes | str, Any] = {}
        self.table_from = lua.table_from

    def execute(self, source: bytes | str) -> Any:
        """Run a chunk; fakeredis's own call for a collection is left out."""
        if source == "collectgarbage()":
            return None
        chunk = self._chunks.get(source)
        if chunk is None:
            chunk = self._chunks[source] = self._chunk(source)
        return chunk()

    def globals(self) -> dict[bytes, Any]:
        """Return globals that fakeredis should refuse: none, for nobody can make one."""
        return {}

    def _chunk(self, source: bytes | str) -> Any:
        digest = sha1(source if isinstance(source, bytes) else source.encode(), usedforsecurity=False).digest()
        compiled = _COMPILED.get(digest)
        if compiled is None:
            compiled = self._dump(self._lua.compile(source))
            if len(_COMPILED) >= _MOST_COMPILED:
                _COMPILED.clear()
            _COMPILED[digest] = compiled
        return self._load(compiled)


def make_fit(server: Any) -> None:
    """Let a new fakeredis server run our scripts, and each compiled once."""
    FakeRedis(server=server).eval("return 1", 0)  # makes the runtime
    lua = server._lua_runtime
    # fakeredis has no ``redis.sha1hex``, which every server has.
    lua.globals()[b"redis"][b"sha1hex"] = lambda text: sha1(text, usedforsecurity=False).hexdigest().encode()
    lua.execute(_NO_NEW_GLOBALS)
    server._lua_runtime = _Runtime(lua)
