"""The server that an engine in one process has: fakeredis, made quick, with the manners of a real one."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from lupa import lua51

from taskengine.testing.clock import Clock
from taskengine.testing.server import Server, _Runtime


def test_a_global_is_refused_before_it_is_made_and_the_next_script_runs() -> None:
    client = Server(Clock()).client()
    with pytest.raises(redis.ResponseError, match="sets the global stray"):
        client.eval("stray = 1; redis.call('SET', 'k', 'v')", 0)
    assert client.get("k") is None
    assert client.eval("return {KEYS[1], ARGV[1], tostring(rawget(_G, 'stray'))}", 1, "k", "v") == ["k", "v", "nil"]


def test_a_chunk_that_one_server_compiled_is_only_loaded_by_the_next() -> None:
    compiled: list[bytes] = []

    class Counted:
        def __init__(self) -> None:
            self._lua = lua51.LuaRuntime(encoding=None)

        def compile(self, source: bytes) -> Any:
            compiled.append(source)
            return self._lua.compile(source)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._lua, name)

    source = b"return 'a chunk of this test'"
    runtimes = [_Runtime(Counted()) for _ in range(3)]
    found = [runtime.execute(source) for runtime in (*runtimes, *runtimes)]
    assert found == [b"a chunk of this test"] * 6
    assert compiled == [source]
