"""What is no server, another one, or does not let one in: each a clear error, and no key for strangers."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskengine import (
    BlockingTaskAPI,
    InvalidInputError,
    ScopeError,
    StoreUnavailableError,
    Task,
    TaskAPI,
    UnknownKeyError,
    UnsupportedServerError,
)
from taskengine.settings import Settings

from ...cases import each
from ...served import Served
from .conftest import VERSION, Stranger

KEY = "te_0123456789ab_secret"
pytestmark = pytest.mark.process
Make = Callable[..., Stranger]


@each(
    "said",
    [
        (200, "text/html", b"<h1>It works!</h1>"),
        (404, "text/html", b"no"),
        (200, "application/json", b'{"name": "grafana", "version": "1"}'),
        (200, "application/json", b"[]"),
        (302, "text/html", b"https://elsewhere.example.org/"),
        (401, "text/plain", b"who are you"),
    ],
)
def test_another_program_is_named_as_none_of_ours_and_sees_no_key(
    stranger: Make, said: tuple[int, str, bytes]
) -> None:
    other = stranger(lambda _path, _times: said)
    with (
        BlockingTaskAPI(other.url, api_key=KEY) as api,
        pytest.raises(UnsupportedServerError, match="is no taskengine server") as refused,
    ):
        api.list_tasks()
    assert other.url in str(refused.value)
    assert [path for _, path, _ in other.asked] == ["/version"]
    assert KEY not in str(other.asked)


def test_a_server_with_other_routes_is_named_with_its_version(stranger: Make) -> None:
    said = b'{"name": "taskengine", "version": "9.0", "api": "/api/v9"}'
    other = stranger(lambda _path, _times: (200, "application/json", said))
    with BlockingTaskAPI(other.url) as api, pytest.raises(UnsupportedServerError) as refused:
        api.list_tasks()
    assert "is taskengine 9.0 and serves" in str(refused.value)
    assert "pip install 'taskengine==9.0'" in str(refused.value)


@each(
    "said",
    [
        (200, "application/json", b'{"things": 5}'),
        (404, "application/problem+json", b'{"type": "/problems/no-such-page", "status": 404}'),
        (405, "application/problem+json", b'{"type": "/problems/method-not-allowed", "status": 405}'),
    ],
)
def test_a_server_of_ours_that_lacks_a_verb_or_tells_it_otherwise_is_another_version(
    stranger: Make, said: tuple[int, str, bytes]
) -> None:
    other = stranger(lambda path, _times: (200, "application/json", VERSION) if path == "/version" else said)
    with BlockingTaskAPI(other.url) as api, pytest.raises(UnsupportedServerError) as refused:
        api.list_tasks()
    assert "is another version of taskengine than this client" in str(refused.value)
    assert "ValidationError" not in str(refused.value)


def test_a_proxy_without_a_server_is_a_server_that_does_not_answer(stranger: Make) -> None:
    other = stranger(lambda _path, _times: (502, "text/html", b"bad gateway"))
    with BlockingTaskAPI(other.url) as api:
        with pytest.raises(StoreUnavailableError, match="is one running behind its proxy"):
            api.list_tasks()
        assert api.health_check()["status"] == "unhealthy"


@pytest.mark.parametrize("client", ["blocking", "async"])
def test_nobody_there_is_a_clear_error_within_five_seconds(client: str) -> None:
    url, task = "http://127.0.0.1:1", Task(name="a")
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match="is 'taskengine server' running there"):
        BlockingTaskAPI(url).create_task(task) if client == "blocking" else asyncio.run(
            TaskAPI(url).create_task(task)
        )
    assert time.monotonic() - began < 5


def test_a_connection_that_breaks_is_tried_again_where_that_is_safe(stranger: Make) -> None:
    def answers(path: str, times: int) -> tuple[int, str, bytes] | None:
        if path == "/version":
            return 200, "application/json", VERSION
        return None if times < 2 else (200, "application/json", b'{"items": [], "cursor": null}')

    flaky = stranger(answers)
    with BlockingTaskAPI(flaky.url) as api:
        assert api.list_tasks() == []
        with pytest.raises(StoreUnavailableError, match="may have been done"):
            api.restart_workflow("00000000-0000-0000-0000-000000000001")
    assert [verb for verb, path, _ in flaky.asked if path != "/version"] == ["GET", "GET", "GET", "POST"]


BUSY = (503, "application/problem+json", b'{"type": "/problems/busy", "detail": "busy; ask again", "status": 503}')


@each("client", ["blocking", "async"])
def test_a_server_that_is_too_busy_to_begin_is_asked_again_whatever_it_was_asked(stranger: Make, client: str) -> None:
    def answers(path: str, times: int) -> tuple[int, str, bytes] | None:
        if path == "/version":
            return 200, "application/json", VERSION
        return BUSY if times < 2 else (200, "application/json", b'{"result": true}')

    busy = stranger(answers)
    id = "00000000-0000-0000-0000-000000000001"

    async def asked() -> bool:
        async with TaskAPI(busy.url) as api:
            return await api.cancel_task(id)

    if client == "blocking":
        with BlockingTaskAPI(busy.url) as api:
            assert api.cancel_task(id) is True
    else:
        assert asyncio.run(asked()) is True


def test_a_server_that_stays_too_busy_is_asked_three_times(stranger: Make) -> None:
    busy = stranger(lambda path, _: (200, "application/json", VERSION) if path == "/version" else BUSY)
    with BlockingTaskAPI(busy.url) as api, pytest.raises(StoreUnavailableError, match="ask again"):
        api.list_tasks()
    assert len([path for _, path, _ in busy.asked if path != "/version"]) == 3


def test_a_question_that_finds_no_answer_may_be_asked_again(stranger: Make) -> None:
    cut = stranger(lambda path, _: (200, "application/json", VERSION) if path == "/version" else None)
    with BlockingTaskAPI(cut.url) as api, pytest.raises(StoreUnavailableError, match="ask again, which is safe"):
        api.list_tasks()


def test_what_could_be_done_twice_is_sent_with_a_key_that_stays_the_same(stranger: Make) -> None:
    def answers(path: str, times: int) -> tuple[int, str, bytes] | None:
        if path == "/version":
            return 200, "application/json", VERSION
        return None if times < 1 else (200, "application/json", b'{"result": true}')

    flaky = stranger(answers)
    with BlockingTaskAPI(flaky.url) as api:
        assert api.signal_workflow("00000000-0000-0000-0000-000000000001", "go") is True
    first, second = (headers["Idempotency-Key"] for _, path, headers in flaky.asked if path != "/version")
    assert first == second


def test_tls_is_spoken_with_whom_the_machine_trusts_alone(
    settings: Settings, key: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, only = tmp_path / "both.pem", tmp_path / "only.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*words, "-keyout", str(pem), "-out", str(only)], check=True, capture_output=True)
    pem.write_text(pem.read_text(encoding="ascii") + only.read_text(encoding="ascii"), encoding="ascii")
    server = Served(settings, pem=pem)
    try:
        with (
            BlockingTaskAPI(server.url, settings, api_key=key()) as api,
            pytest.raises(StoreUnavailableError, match="set SSL_CERT_FILE to the certificate of who signed it"),
        ):
            api.list_tasks()
        monkeypatch.setenv("SSL_CERT_FILE", str(only))
        with BlockingTaskAPI(server.url, settings, api_key=key()) as api:
            assert api.list_tasks() == []
    finally:
        server.close()


def test_no_key_says_where_it_was_looked_for(locked: Served, settings: Settings) -> None:
    with (
        BlockingTaskAPI(locked.url, settings) as api,
        pytest.raises(UnknownKeyError, match=r"wants a key; no key was given, and .*\.key, .* set TASKENGINE_API_KEY"),
    ):
        api.list_tasks()


def test_a_wrong_key_says_so_and_is_not_repeated(locked: Served, settings: Settings) -> None:
    with (
        BlockingTaskAPI(locked.url, settings, api_key=KEY) as api,
        pytest.raises(UnknownKeyError, match="does not know the key that was shown") as refused,
    ):
        api.list_tasks()
    assert KEY not in str(refused.value)


def test_a_key_without_the_scope_says_which_it_needs(
    locked: Served, settings: Settings, key: Callable[..., str]
) -> None:
    with BlockingTaskAPI(locked.url, settings, api_key=key("read")) as api:
        assert api.list_tasks() == []
        with pytest.raises(ScopeError, match="needs a key with the scope submit") as refused:
            api.create_task(Task(name="a"))
    assert (refused.value.needs, refused.value.has) == ("submit", "read")


@each("name", ["", ".", "..", "a/b", 5, None])
def test_what_cannot_stand_in_a_path_is_refused(
    locked: Served, settings: Settings, key: Callable[..., str], name: Any
) -> None:
    with BlockingTaskAPI(locked.url, settings, api_key=key()) as api, pytest.raises(InvalidInputError) as refused:
        api.get_agent(name)
    assert refused.value.field == "agent_id"
