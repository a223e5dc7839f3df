"""The key of a server for its machine: it is there while the server is, and behind none for ever."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from taskengine import BlockingTaskAPI
from taskengine.api import local_key
from taskengine.api.operations.keys import id_of
from taskengine.rest import own_key as own
from taskengine.rest.auth import Door
from taskengine.rest.bind import Bind
from taskengine.rest.own_key import own_key
from taskengine.settings import Settings

from ..store.world import World
from .listening import until
from .test_serve import served

pytestmark = pytest.mark.process


@pytest.fixture
def at_home(settings: Settings, tmp_path: Path) -> Settings:
    """With a folder of its own for its files."""
    return settings.model_copy(update={"home": tmp_path / "home"})


def test_a_server_on_a_port_that_nobody_chose_takes_its_key_with_it(
    settings: Settings, one: BlockingTaskAPI, tmp_path: Path
) -> None:
    with served(settings, tmp_path) as (said, process):
        file = Path(said["key_file"])
        (key,) = one.list_keys()
        assert key.id == id_of(file.read_text(encoding="ascii").strip())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert one.list_keys() == []
    assert not file.exists()


def test_a_server_that_is_killed_leaves_a_key_for_a_day_and_its_file_until_the_next_start(
    settings: Settings, one: BlockingTaskAPI, world: World, tmp_path: Path
) -> None:
    with served(settings, tmp_path) as (said, process):
        process.kill()
        process.wait(30)
    file = Path(said["key_file"])
    (key,) = one.list_keys()
    assert key.is_local
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).total_seconds() == pytest.approx(24 * 3600, abs=1)
    shown = file.read_text(encoding="ascii").strip()
    local_key.write(file.with_name("1.key"), "te_of_another_store")
    lapse(world, shown)
    with served(settings, tmp_path) as (said, _):
        assert [each.id for each in one.list_keys()] == [id_of(Path(said["key_file"]).read_text("ascii").strip())]
        assert not file.exists()
        assert file.with_name("1.key").exists()


def lapse(world: World, key: str) -> None:
    """Let a day go by for it."""
    world.raw.hset(world.keys.of("api_key", id_of(key)), "end", 1)


async def test_a_key_is_renewed_while_its_server_lives(
    at_home: Settings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "_EVERY", 0.02)
    async with Door(settings=at_home) as door, own_key(door, Bind(), 81) as file:
        assert file is not None
        shown = file.read_text(encoding="ascii").strip()
        lapse(world, shown)  # as on a machine that slept
        name = world.keys.of("api_key", id_of(shown))
        await until(lambda: int(world.raw.hget(name, "end")) > 1)


async def test_a_server_goes_on_with_the_key_of_its_port_and_takes_a_new_one_where_that_was_revoked(
    at_home: Settings, one: BlockingTaskAPI
) -> None:
    async def shown() -> str:
        async with Door(settings=at_home) as door, own_key(door, Bind(port=81), 81) as file:
            assert file is not None
            return file.read_text(encoding="ascii").strip()

    first = await shown()
    assert await shown() == first
    one.revoke_key(first)
    assert await shown() != first
    assert len(one.list_keys()) == 1


async def test_what_one_server_gives_up_is_not_the_key_of_another(at_home: Settings, one: BlockingTaskAPI) -> None:
    """Two of them share a port, one of 127.0.0.1 and one of ::1, and so its file."""
    async with Door(settings=at_home) as door, own_key(door, Bind(port=0), 81) as file:
        assert file is not None
        local_key.write(file, "te_of_another")
    assert file.exists()
    assert one.list_keys() == []
