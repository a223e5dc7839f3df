"""The page beside a fleet: an address with this machine's key, on a port that is free, and no fleet that needs it."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from taskengine.api import local_key
from taskengine.cli import page
from taskengine.cli.stack import first_free
from taskengine.settings import Settings

from .conftest import until

KEY = re.compile(r"te_[0-9a-f]{12}_[\w-]{43}")
HIDES = """
import sys
from importlib.abc import MetaPathFinder

class Hides(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "fastapi":
            raise ModuleNotFoundError("No module named 'fastapi'", name="fastapi")

sys.meta_path.insert(0, Hides())
"""


def opened(said: str) -> tuple[str, dict[str, list[str]]]:
    """The address without its fragment, and what the fragment says."""
    (address,) = re.findall(r"Page: (\S+)", said)
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}", parse_qs(parts.fragment)


def who_is_in(url: str, key: str) -> dict[str, str]:
    """What a browser is told that shows the key as the page does."""
    with httpx2.Client(base_url=url) as client:
        answer = client.post("/session", json={"key": key}, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 204, answer.text
        who: dict[str, str] = client.get("/session").json()
        return who


@pytest.mark.process
def test_up_prints_an_address_that_logs_in_also_when_its_port_is_taken(shell):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shell.variables["TASKENGINE_HTTP_PORT"] = port = str(taken.getsockname()[1])
        running = shell.start("up", "--import", "my_agents", "--concurrency", "1", "--no-flower")
        said = running.await_word("ready; ")
        assert "server started, pid " in said
        url, words = opened(said)
        assert not url.endswith(f":{port}")
        assert who_is_in(url, words["key"][0])["scope"] == "admin"
        assert KEY.findall(said) == words["key"]  # the server itself told nobody
        running.interrupt()
        assert running.end() == 0
    until(shell.is_empty, 60, "no process left")


@pytest.mark.process
def test_without_the_packages_of_the_page_a_line_says_how_to_get_them_and_the_fleet_works(shell):
    (shell.folder / "hides").mkdir()
    (shell.folder / "hides" / "sitecustomize.py").write_text(HIDES)
    shell.variables["PYTHONPATH"] = str(shell.folder / "hides")
    running = shell.start("up", "--import", "my_agents", "--concurrency", "1", "--no-flower")
    said = running.await_word("ready; ")
    assert "no page: it needs fastapi; pip install 'taskengine[server]'" in said
    assert "Page" not in said
    done = shell.run("task", "submit", "-C", "echo", "-i", '{"n": 1}', "--wait", "--timeout", "60", "-o", "json")
    assert done.json["result"] == {"n": 1}
    running.interrupt()
    assert running.end() == 0


@pytest.mark.process
def test_a_page_that_does_not_start_leaves_the_fleet_at_work(shell):
    shell.variables["TASKENGINE_HTTP_PORT"] = "0"
    keys = shell.folder / ".taskengine" / "servers"
    keys.parent.mkdir(mode=0o700, exist_ok=True)
    keys.write_text("no folder, so no key can be put there")
    running = shell.start("up", "--import", "my_agents", "--concurrency", "1", "--no-flower")
    said = running.await_word("ready; ")
    assert "server ended with exit code 1: going on without the page" in said
    running.interrupt()
    assert running.end() == 0


@pytest.mark.process
def test_a_server_shows_its_key_on_a_terminal_and_in_no_log(shell):
    running = shell.start("server")
    said = running.await_word("Page: ")
    assert opened(said)[1] == {}
    assert not KEY.search(said)
    running.interrupt()
    assert running.end() == 0
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        shell.command("server"), cwd=shell.folder, env=shell.environment(), stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=theirs, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = ""
        while "Page: " not in shown or not shown.endswith("\n"):
            shown += os.read(ours, 4096).decode()
        url, words = opened(shown.replace("\r", ""))
        until(lambda: page.serves(int(url.rpartition(":")[2])), 60, "an answer")
        assert who_is_in(url, words["key"][0])["scope"] == "admin"
        process.send_signal(signal.SIGINT)
    os.close(ours)


def test_the_port_that_is_wanted_comes_first_then_its_neighbours_then_any():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = first_free(page.ports(port))
    assert found is not None
    assert found != port
    assert list(page.ports(0)) == [0]
    assert list(page.ports(65_535)) == [65_535, 0]
    assert first_free([]) is None


def test_an_address_carries_key_and_place_where_no_server_sees_them(tmp_path):
    settings = Settings(home=tmp_path / "home")
    assert page.address(settings, 81) == "http://127.0.0.1:81/"
    local_key.write(local_key.path_of(settings, 81), "te_x")
    assert page.address(settings, 81, "/runs/a b&c") == "http://127.0.0.1:81/#key=te_x&to=/runs/a%20b%26c"


def test_a_port_where_nobody_answers_serves_no_page():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert not page.serves(port)
    assert not page.serves(port)
