"""What happens when those who would care are killed: the watchdog stops the server, or starts it again."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import psutil
import pytest

from taskengine import embedded
from taskengine.embedded import locks, watchdog
from taskengine.embedded.layout import Layout

if TYPE_CHECKING:
    from conftest import World

#: Seconds within which the watchdog has done what is to be done on an idle machine, and as many again on a busy one.
SOON = 10.0


def is_kept(world: World) -> bool:
    return locks.is_held(Layout.of(world.settings).watchdog_lock)


@pytest.mark.matrix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_whose_last_user_was_killed_is_stopped_with_its_data(world: World, number: int) -> None:
    first, last = world.user(), world.user()
    world.client().set("k", "v")
    world.leave(first)
    os.kill(last.pid, number)
    last.wait(60)
    world.until(lambda: world.state == "stopped", SOON)
    assert "Calling fsync() on the AOF file" in world.log
    world.until(lambda: not is_kept(world), SOON)
    world.user()
    assert world.client().get("k") == "v"


def test_a_server_that_somebody_holds_is_never_stopped(world: World) -> None:
    """Users come and are killed, one after the other; the last watchdog's look always finds one."""
    user = world.user()
    run_id = embedded.status(world.settings).run_id
    for _ in range(4):
        successor = world.user()
        user.kill()
        user.wait(60)
        user = successor
    assert embedded.status(world.settings).run_id == run_id


@pytest.mark.parametrize("times", [1, 3])
def test_a_killed_server_is_started_again_for_those_who_use_it(world: World, times: int) -> None:
    user = world.user()
    url = embedded.status(world.settings).url
    for n in range(times):
        world.client().set(f"k{n}", "v")
        world.kill_server()
        world.until(lambda: world.state == "running", SOON)
    assert embedded.status(world.settings).url == url
    assert world.client().dbsize() == times
    world.leave(user)
    assert world.state == "stopped"


def test_the_keeper_ends_after_the_server(world: World) -> None:
    user = world.user()
    assert is_kept(world)
    world.leave(user)
    world.until(lambda: not is_kept(world), SOON)


def test_a_killed_keeper_is_replaced_by_the_next_user(world: World) -> None:
    world.user()
    kill_watchdog(world)
    world.user()
    assert is_kept(world)


def test_a_server_that_was_killed_with_its_keeper_is_started_again_by_any_user(world: World) -> None:
    users = [world.user(), world.user()]
    url = embedded.status(world.settings).url
    world.client().set("k", "v")
    kill_watchdog(world)
    world.kill_server()
    for user in users:
        world.let_join(user)
    world.until(lambda: world.state == "running", SOON)
    assert embedded.status(world.settings).url == url
    assert world.client().get("k") == "v"
    assert len(keepers(world)) == 1
    for user in users:
        world.leave(user)
    assert world.state == "stopped"


def test_who_is_no_user_starts_no_keeper(world: World) -> None:
    user = world.user()
    kill_watchdog(world)
    embedded.keep(world.settings)
    assert not is_kept(world)
    world.leave(user)


def test_a_user_of_a_deleted_folder_starts_no_keeper(world: World) -> None:
    user = world.user()
    kill_watchdog(world)
    shutil.rmtree(world.home)
    world.let_join(user)
    world.leave(user)
    assert not world.home.exists()


def kill_watchdog(world: World) -> None:
    (found,) = keepers(world)
    found.kill()
    world.until(lambda: not is_kept(world))


def keepers(world: World) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if keeps(process, world)]


def keeps(process: psutil.Process, world: World) -> bool:
    words = process.info["cmdline"] or []
    return watchdog.__file__ in words and str(world.home) in words


def test_the_keeper_looks_only_while_nobody_joins_or_leaves(world: World) -> None:
    world.user()
    layout = Layout.of(world.settings)
    assert watchdog.look(layout.home) == (True, True)
    with locks.exclusively(layout.start_lock, seconds=5):
        assert watchdog.look(layout.home) is None


def test_a_folder_that_was_deleted_has_no_keeper(make_world: Callable[[str], World]) -> None:
    with pytest.raises(FileNotFoundError):
        watchdog.look(make_world("gone").home)
