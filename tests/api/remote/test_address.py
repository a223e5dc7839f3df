"""Where a server is, and the key that is shown to it."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, InvalidInputError, SettingsError, TaskAPI
from taskengine.api import local_key
from taskengine.api.remote.address import address
from taskengine.settings import Settings

from ...cases import each

KEY = "te_0123456789ab_secret"


@each("client", [TaskAPI, BlockingTaskAPI])
def test_an_address_of_http_makes_the_same_class_over_http(client: type[Any]) -> None:
    made = client("HTTPS://tasks.example.org/", api_key=KEY)
    assert isinstance(made, client)
    assert type(made) is not client
    assert type(client(settings=Settings(url="http://127.0.0.1:1"))) is type(made)
    assert type(client("redis://127.0.0.1:1")) is client


def test_what_a_class_of_the_users_own_overrides_stays_overridden() -> None:
    class Mine(BlockingTaskAPI):
        def get_task(self, task_id: Any) -> Any:
            return f"mine {task_id}"

        def both(self) -> tuple[Any, Any]:
            return self.get_task(1), self.health_check()["status"]

    assert Mine("http://127.0.0.1:1").both() == ("mine 1", "unhealthy")


@each(
    "url",
    [
        "http://", "https://:80", "http://host:port", "http://[::1", "https://user:pass@host", "https://host/?x=1",
        "https://host/#there", "https://host/?x=1#key=te_1",
    ],
)  # fmt: skip
def test_a_wrong_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        BlockingTaskAPI(url)
    assert refused.value.field == "url"
    assert "pass@" not in str(refused.value)


@each("url", ["http://tasks.example.org", "http://10.0.0.1:8460", "http://127.0.0.1.example.org"])
def test_no_key_crosses_a_network_in_clear_unless_one_says_so(url: str) -> None:
    with pytest.raises(SettingsError, match="in clear; use https://, or set TASKENGINE_ALLOW_PLAIN_HTTP=true") as no:
        BlockingTaskAPI(url, Settings(), api_key=KEY)
    assert KEY not in str(no.value)
    assert address(url, Settings(), None).shown() is None
    assert address(url, Settings(allow_plain_http=True), KEY).shown() == KEY
    assert address(url.replace("http:", "https:"), Settings(), KEY).shown() == KEY


@each("url", ["http://127.0.0.1:8460", "http://[::1]:8460", "http://LOCALHOST", "http://127.8.9.1"])
def test_a_key_never_leaves_this_machine_where_the_server_is_on_it(url: str) -> None:
    assert address(url, Settings(), KEY).shown() == KEY


@each("key", ["", "te_\n", "té", "x" * 201, 5])
def test_what_cannot_be_a_key_is_refused_and_not_repeated(key: Any) -> None:
    with pytest.raises(InvalidInputError, match="api_key is no key") as refused:
        BlockingTaskAPI("https://host", api_key=key)
    assert not key or str(key) not in str(refused.value)


def test_the_key_is_the_given_one_else_the_environments_else_this_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    url = "http://127.0.0.1:8460"
    assert address(url, settings, None).shown() is None
    local_key.write(local_key.path_of(settings, 8460), "te_file")
    assert address(url, settings, None).shown() == "te_file"
    assert address("http://127.0.0.1:8461", settings, None).shown() is None
    assert address("https://host:8460", settings, None).shown() is None
    monkeypatch.setenv("TASKENGINE_API_KEY", "te_environment")
    assert address(url, settings, None).shown() == "te_environment"
    assert address(url, settings, KEY).shown() == KEY


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    path = local_key.path_of(settings, 8460)
    local_key.write(path, "te_file")
    path.chmod(path.stat().st_mode | stat.S_IRGRP)
    with pytest.raises(SettingsError, match="not for its user alone"):
        address("http://127.0.0.1:8460", settings, None).shown()


def test_the_address_that_a_server_prints_brings_its_key() -> None:
    with BlockingTaskAPI("http://127.0.0.1:8460/#key=te_printed", Settings()) as api:
        assert api.settings.url == "http://127.0.0.1:8460/"
    found = address("http://127.0.0.1:8460/#key=te_printed", Settings(), None)
    assert (found.url, found.shown()) == ("http://127.0.0.1:8460", "te_printed")
    assert address("http://127.0.0.1:8460/#key=te_printed", Settings(), KEY).shown() == KEY


def test_a_copied_address_of_the_routes_is_the_servers() -> None:
    assert address("https://host/tasks/api/v1/", Settings(), None).url == "https://host/tasks"


def test_a_key_is_for_a_server_and_not_for_a_store() -> None:
    with pytest.raises(InvalidInputError, match="pass https://HOST as url"):
        BlockingTaskAPI("redis://127.0.0.1:1", api_key=KEY)


@pytest.mark.process
def test_without_httpx2_the_sentence_that_installs_it() -> None:
    code = (
        "import sys; sys.modules['httpx2'] = None\n"
        "from taskengine import BlockingTaskAPI, SettingsError\n"
        "BlockingTaskAPI('redis://127.0.0.1:1')\n"
        "try:\n"
        "    BlockingTaskAPI('https://host')\n"
        "except SettingsError as exc:\n"
        "    print(exc)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout == (
        "a client of a server of REST needs httpx2: pip install 'taskengine[http]'\n"
    ), ran.stderr


@pytest.mark.process
def test_who_asks_no_server_imports_nothing_for_it() -> None:
    code = (
        "import sys\n"
        "from taskengine import BlockingTaskAPI\n"
        "BlockingTaskAPI('redis://127.0.0.1:1')\n"
        "print([m for m in sys.modules if 'httpx' in m or '.remote' in m and 'api' in m])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
