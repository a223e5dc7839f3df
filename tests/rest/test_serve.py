"""A server as a process: its key, its end, its patience."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from taskengine import BlockingTaskAPI, Task
from taskengine.api import local_key
from taskengine.errors import SettingsError, StoreUnavailableError
from taskengine.rest.app import application
from taskengine.rest.bind import Bind, listen
from taskengine.rest.protocol import PatientProtocol
from taskengine.settings import Settings

from ..fleet import until
from .listening import listening
from .test_errors import problem

pytestmark = pytest.mark.process


@contextmanager
def served(settings: Settings, folder: Path, *words: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """What a server said when it listened, and its process."""
    variables = {**os.environ, "TASKENGINE_REDIS_URL": str(settings.redis_url)}
    process = subprocess.Popen(
        [sys.executable, "-m", "taskengine.cli", "-o", "json", "server", *(words or ("--port", "0"))],
        cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read()
            said += line
        yield json.loads(said), process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def get(said: dict[str, Any], path: str, key: str | None = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    deadline = time.monotonic() + 30
    while True:
        try:
            return httpx2.get(said["url"] + path, headers=headers, timeout=30)
        except httpx2.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def test_a_server_makes_a_key_for_its_user_alone_that_outlives_a_restart(settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    with served(settings, tmp_path, "--port", port) as (said, process):
        file = Path(said["key_file"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.parent.parent.stat().st_mode) == 0o700
        key = file.read_text(encoding="ascii").strip()
        assert key not in json.dumps(said)
        assert get(said, "/api/v1/limits").status_code == 401
        assert get(said, "/api/v1/limits", key).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    with served(settings, tmp_path, "--port", port) as (again, _):
        assert Path(again["key_file"]).read_text(encoding="ascii").strip() == key
        assert get(again, "/api/v1/limits", key).status_code == 200


def test_a_server_that_may_not_listen_says_why_in_one_sentence(settings: Settings, tmp_path: Path) -> None:
    for words in (["--host", "0.0.0.0"], ["--no-login", "--behind-proxy"]):
        done = subprocess.run(
            [sys.executable, "-m", "taskengine.cli", "server", *words],
            cwd=tmp_path, env={**os.environ, "TASKENGINE_REDIS_URL": str(settings.redis_url)},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("taskengine: ")
        assert "Traceback" not in done.stderr


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Of localhost, signed by itself, and its private key."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*words, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


def test_beyond_this_machine_a_server_speaks_tls_to_browsers_and_clients_that_trust_it(
    settings: Settings, key: Callable[..., str], tmp_path: Path, certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    cert, private = certificate
    words = ("--host", "0.0.0.0", "--port", "0", "--tls-cert", str(cert), "--tls-key", str(private))
    with served(settings, tmp_path, *words) as (said, _):
        assert said["key_file"] is None
        port = said["url"].removeprefix(f"https://{socket.gethostname()}:")
        url = f"https://localhost:{port}"
        with httpx2.Client(base_url=url, verify=ssl.create_default_context(cafile=str(cert)), timeout=30) as browser:
            answer = browser.post("/session", json={"key": key()}, headers={"Sec-Fetch-Site": "same-origin"})
            (cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()
            assert (cookie.key, cookie["secure"], cookie["path"], cookie["domain"]) == ("__Host-te", True, "/", "")
            assert browser.get("/session").json()["name"] == "ann"
        with BlockingTaskAPI(url, settings, api_key=key()) as api:
            with pytest.raises(StoreUnavailableError, match="is of nobody whom this machine trusts"):
                api.list_tasks()
            (found,) = api.examine()
            assert "set SSL_CERT_FILE to the certificate of who signed it" in found.says
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        with BlockingTaskAPI(url, settings, api_key=key()) as api:
            made = api.create_task(Task(name="a"))
            assert [each.id for each in api.list_tasks()] == [made.id]
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"http://localhost:{port}/livez", timeout=30)


def test_a_server_that_ends_says_that_it_is_not_ready_and_finishes_what_it_answers(
    settings: Settings, tmp_path: Path, one: BlockingTaskAPI
) -> None:
    task = one.create_task(Task(name="a", capability="lint"))
    with served(settings, tmp_path) as (said, process), ThreadPoolExecutor() as threads:
        key = {"Authorization": f"Bearer {Path(said['key_file']).read_text(encoding='ascii').strip()}"}
        assert get(said, "/readyz").status_code == 200
        body = {"task_ids": [str(task.id)], "timeout": 7}
        with httpx2.Client(base_url=f"{said['url']}/api/v1", headers=key, timeout=30) as client:
            assert client.get("/tasks").status_code == 200  # the request that waits is the connection's second
            waiting = threads.submit(client.post, "/tasks:wait", json=body)
            assert all(get(said, "/livez").status_code == 200 for _ in range(5))
            process.send_signal(signal.SIGTERM)
            until(lambda: get(said, "/readyz").status_code == 503, 6)
            events = f"{said['url']}/api/v1/runs/{task.run_id}/events"
            stream = httpx2.get(events, headers={**key, "Accept": "text/event-stream"}, timeout=30)
            assert (stream.status_code, "event: bye" in stream.text) == (200, True)
            assert get(said, "/livez").status_code == 200
            answer = waiting.result(30)
            assert (answer.status_code, answer.json()["done"]) == (200, False)
        assert process.wait(30) == 0


def test_a_server_with_nothing_to_answer_ends_at_once_or_listens_on_as_long_as_somebody_said(
    settings: Settings, tmp_path: Path
) -> None:
    with served(settings, tmp_path) as (said, process):
        assert get(said, "/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    with served(settings, tmp_path, "--port", "0", "--linger", "600") as (said, process):
        assert get(said, "/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        until(lambda: get(said, "/readyz").status_code == 503, 30)
        assert get(said, "/livez").status_code == 200
        assert get(said, "/docs").status_code == 200  # it serves as ever
        process.send_signal(signal.SIGTERM)  # who insists is heeded
        assert process.wait(30) == 0


def test_without_the_packages_of_the_server_the_command_says_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "fastapi.py").write_text("raise ModuleNotFoundError('no', name='fastapi')\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "taskengine.cli", "server"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip() == "taskengine: 'taskengine server' needs fastapi: pip install 'taskengine[server]'"


def test_a_key_that_others_may_read_is_not_used(settings: Settings, tmp_path: Path) -> None:
    path = local_key.path_of(settings.model_copy(update={"home": tmp_path / "home"}), 1)
    assert local_key.read(path) is None
    local_key.write(path, "te_x")
    assert local_key.read(path) == "te_x"
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="its user alone"):
        local_key.read(path)


class Impatient(PatientProtocol):
    """Waits a third of a second for a head."""

    head_seconds = 0.3


@pytest.fixture
async def address(settings: Settings) -> Any:
    """Of a server in this process that has little patience."""
    listening = listen(Bind(port=0))
    config = uvicorn.Config(
        application(settings, hosts=None), http=Impatient, ws="none", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    running = asyncio.ensure_future(server._serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listening.getsockname()
    server.should_exit = True
    await running


def ended_after(address: Any, *pieces: bytes, every: float) -> tuple[float, bytes]:
    """Seconds until the server closed the connection, and what it had said."""
    began, said = time.monotonic(), b""
    with socket.create_connection(address) as connection:
        connection.settimeout(every)
        for piece in [*pieces, *[b""] * 200]:
            try:
                connection.sendall(piece)
                got = connection.recv(65536)
                said += got
                if not got:
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            raise AssertionError("the server waits for ever")
    return time.monotonic() - began, said


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"GET /livez HTTP/1.1\r\n"],
        [b"GET /livez HTTP/1.1\r\nHost: x\r\n", *[b"X: y\r\n"] * 300],
    ],
    ids=["says nothing", "ends no head", "says a line at a time"],
)
async def test_whoever_ends_no_head_is_cut_off(address: Any, pieces: list[bytes]) -> None:
    seconds, said = await asyncio.to_thread(ended_after, address, *pieces, every=0.02)
    assert seconds < 5
    assert b"200" not in said


async def test_a_head_without_end_is_cut_off(address: Any) -> None:
    flood = [b"GET /livez HTTP/1.1\r\nHost: x\r\n", *[b"X: " + b"y" * 9000 + b"\r\n"] * 30]
    _, said = await asyncio.to_thread(ended_after, address, *flood, every=0.005)
    assert b"200" not in said


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_problem_too(address: Any, head: bytes) -> None:
    _, said = await asyncio.to_thread(ended_after, address, head, every=0.02)
    start, _, body = said.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"content-type: application/problem+json" in start
    assert json.loads(body)["type"] == "/problems/bad-request"


async def test_one_connection_too_many_is_told_to_come_back(settings: Settings) -> None:
    async with listening(settings, limit_concurrency=3) as url:
        where = url.removesuffix("/api/v1")
        port = int(where.rpartition(":")[2])
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        async with httpx2.AsyncClient(trust_env=False) as client:
            refused = await client.get(f"{where}/livez")
            problem(refused, 503, "busy")
            assert refused.headers["retry-after"] == "2"
            for _, writer in idle:
                writer.close()
            async with asyncio.timeout(60):
                while (await client.get(f"{where}/livez")).status_code != 200:
                    await asyncio.sleep(0.05)


async def test_a_second_request_has_as_long_as_the_first(address: Any) -> None:
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    pieces = [head, *[b""] * 10, head]  # behind the patience of the first
    _, said = await asyncio.to_thread(ended_after, address, *pieces, b"GET /livez", every=0.05)
    assert said.count(b"200 OK") == 2
