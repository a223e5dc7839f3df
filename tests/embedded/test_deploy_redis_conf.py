"""The configuration recommended for a server of one's own says what the embedded server does."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import redis

from taskengine.embedded import binary, config

if TYPE_CHECKING:
    from conftest import World

FILE = Path(__file__).resolve().parents[2] / "deploy" / "redis.conf"


def directives() -> dict[str, str]:
    lines = [shlex.split(line, comments=True) for line in FILE.read_text().splitlines()]
    return {words[0]: " ".join(words[1:]) for words in lines if words}


def test_both_servers_have_the_same_durability() -> None:
    written = directives()
    assert {name: written.get(name) for name, _ in config.DURABILITY} == dict(config.DURABILITY)


def test_a_server_accepts_every_directive_and_listens_on_this_machine_alone(world: World) -> None:
    world.home.mkdir(mode=0o700)
    socket = world.home / "s"
    own = ["--port", "0", "--unixsocket", str(socket), "--dir", str(world.home)]
    with subprocess.Popen([binary.locate(), FILE, *own], stdout=subprocess.DEVNULL) as process:
        try:
            world.until(socket.exists)
            with redis.Redis(unix_socket_path=str(socket), decode_responses=True) as client:
                given = {"port": "0", "dir": str(world.home), "auto-aof-rewrite-min-size": str(256 << 20)}
                wanted = directives() | given
                assert client.config_get(*wanted) == wanted
        finally:
            process.terminate()
    assert wanted["bind"] == "127.0.0.1 -::1"
    assert wanted["protected-mode"] == "yes"
