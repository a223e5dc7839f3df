"""Who starts the embedded server, who keeps it and who stops it: real processes, real forks, real kills."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from kombu import Connection

from taskengine import embedded
from taskengine.embedded import binary
from taskengine.settings import load

if TYPE_CHECKING:
    from conftest import World


def test_a_given_url_is_returned_untouched_and_starts_nothing(world: World) -> None:
    settings = load(redis_url="redis://example.org:1/7", home=world.home)
    assert embedded.ensure(settings) == "redis://example.org:1/7"
    assert not world.home.exists()


def test_kombu_sends_and_receives_over_the_url(world: World) -> None:
    with Connection(embedded.ensure(world.settings)) as connection:
        queue = connection.SimpleQueue("a")
        queue.put({"n": 1})
        message = queue.get(timeout=60)
        assert message.payload == {"n": 1}
        message.ack()
        queue.close()


def test_processes_at_once_start_one_server(world: World) -> None:
    users = [world.waiting_user() for _ in range(4)]
    for user in users:
        world.let_join(user)
    assert len({world.url_of(user) for user in users}) == 1
    assert world.log.count("Ready to accept connections") == 1


def test_threads_at_once_share_one_server(world: World) -> None:
    urls: list[str] = []

    def join() -> None:
        urls.append(embedded.ensure(world.settings))

    threads = [threading.Thread(target=join) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(urls) == 8
    assert len(set(urls)) == 1
    assert world.log.count("Ready to accept connections") == 1


def test_last_one_out_stops_the_server_and_removes_its_socket(world: World) -> None:
    first, second = world.user(), world.user()
    before = embedded.status(world.settings)
    world.leave(first)
    assert embedded.status(world.settings).run_id == before.run_id
    world.leave(second)
    assert world.state == "stopped"
    assert before.socket is not None
    assert not before.socket.parent.exists()
    assert "Calling fsync() on the AOF file" in world.log


def test_killed_user_leaves_the_server_and_the_next_one_reuses_it(world: World) -> None:
    starter, successor = world.user(), world.waiting_user()
    before = embedded.status(world.settings)
    world.client().set("k", "v")
    # Its whole process group: the server must not be in it.
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait(60)
    assert world.state == "running"
    world.let_join(successor)
    world.url_of(successor)
    after = embedded.status(world.settings)
    assert (after.pid, after.run_id, after.url) == (before.pid, before.run_id, before.url)
    assert world.client().get("k") == "v"
    world.leave(successor)
    assert world.state == "stopped"


def test_killed_server_is_back_with_its_data_at_the_same_url(world: World) -> None:
    url = embedded.ensure(world.settings)
    client = world.client()
    for number in range(200):
        client.set(f"k{number}", number)
    world.kill_server()
    assert world.state == "stopped"
    assert embedded.ensure(world.settings) == url
    assert client.dbsize() == 200
    embedded.release(world.settings)
    assert world.state == "stopped"


def test_user_of_a_killed_server_still_counts_when_another_one_restarted_it(world: World) -> None:
    survivor = world.user()
    world.kill_server()
    restarter = world.user()
    world.leave(restarter)
    assert world.state == "running"
    world.leave(survivor)
    assert world.state == "stopped"


def test_nothing_written_is_lost_over_many_starts_and_stops(world: World) -> None:
    script = """
for _ in range(10):
    with client() as c:
        c.incr("n")
    embedded.release(settings)
"""
    workers = [world.run(script) for _ in range(4)]
    for worker in workers:
        world.leave(worker)
    assert world.state == "stopped"
    embedded.ensure(world.settings)
    assert world.client().get("n") == "40"


def test_release_is_safe_to_repeat_and_ensure_joins_again(world: World) -> None:
    embedded.ensure(world.settings)
    world.client().set("k", "v")
    embedded.release(world.settings)
    embedded.release(world.settings)
    embedded.ensure(world.settings)
    assert world.client().get("k") == "v"


def test_release_waits_for_users_that_are_just_ending(world: World) -> None:
    embedded.ensure(world.settings)
    user = world.user()
    threading.Timer(0.3, user.kill).start()
    embedded.release(world.settings, wait_seconds=10)
    assert world.state == "stopped"


def test_two_homes_have_two_servers(make_world: Callable[[str], World]) -> None:
    one, other = make_world("one"), make_world("other")
    assert embedded.ensure(one.settings) != embedded.ensure(other.settings)
    embedded.release(one.settings)
    assert (one.state, other.state) == ("stopped", "running")


@pytest.mark.parametrize("end", ["sys.exit()", "embedded.release(); os._exit(0)", "embedded.release(); sys.exit()"])
def test_forked_child_does_not_stop_the_server_at_its_end(world: World, end: str) -> None:
    said = world.output(f"""
embedded.ensure(settings)
child = os.fork()
if child == 0:
    {end}
os.waitpid(child, 0)
print(client().ping(), embedded.status(settings).uptime_seconds is not None)
""")
    assert said == "True True"
    assert world.log.count("Ready to accept connections") == 1
    assert world.state == "stopped"


def test_server_stays_while_a_forked_child_lives_on(world: World) -> None:
    parent = world.run("""
embedded.ensure(settings)
if os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
os.close(0)
""")
    parent.wait(60)
    assert parent.returncode == 0
    another = world.user()
    world.leave(another)
    assert world.state == "running"
    parent.communicate(timeout=60)
    world.leave(world.user())
    assert world.state == "stopped"


def test_forked_child_that_joins_itself_is_the_last_one_out(world: World) -> None:
    parent = world.run("""
embedded.ensure(settings)
if os.fork() == 0:
    embedded.ensure(settings)
    print("joined", flush=True)
    sys.stdin.read()
    sys.exit()
os.close(0)
""")
    assert parent.stdout is not None
    assert parent.stdout.readline() == "joined\n"
    parent.wait(60)
    assert world.state == "running"
    parent.communicate(timeout=60)
    world.until(lambda: world.state == "stopped")


def test_server_outlives_the_childs_work_that_its_parent_joins_at_exit(world: World) -> None:
    said = world.output("""
import multiprocessing
def work():
    import time
    before = client().incr("n")
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        client().ping()
    print(before, client().incr("n"))
embedded.ensure(settings)
multiprocessing.get_context("fork").Process(target=work).start()
""")
    assert said == "1 2"
    assert world.state == "stopped"


def test_folder_deleted_under_its_users_leaves_no_server_behind(world: World) -> None:
    script = """
import shutil
embedded.ensure(settings)
print(embedded.status(settings).pid, embedded.status(settings).socket)
shutil.rmtree(settings.home)
"""
    pid, socket = world.output(script).split()
    world.until(lambda: has_ended(int(pid)))
    world.until(lambda: not pathlib.Path(socket).parent.exists())


def has_ended(pid: int) -> bool:
    """True for a zombie too: who reaps an orphan is not ours to say."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] in ("", "Z")


def test_the_server_keeps_more_memory_at_hand_unless_the_environment_says_otherwise(tmp_path):
    assert binary.variables({"PATH": "/bin"}, libraries=[tmp_path]) == {
        "PATH": "/bin", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=512",
    }  # fmt: skip
    assert binary.variables({"GLIBC_TUNABLES": "mine"}, libraries=[]) == {"GLIBC_TUNABLES": "mine"}


def test_the_server_allocates_with_the_machines_jemalloc_unless_the_environment_preloads_something(tmp_path):
    library = tmp_path / "libjemalloc.so.2"
    library.touch()
    assert binary.variables({}, libraries=[tmp_path / "other", tmp_path])["LD_PRELOAD"] == str(library)
    assert binary.variables({"LD_PRELOAD": "mine"}, libraries=[tmp_path])["LD_PRELOAD"] == "mine"
