"""Where a server may listen: beyond this machine no key travels in clear, and nobody is let in without one."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from taskengine.errors import SettingsError
from taskengine.rest.bind import Bind, listen, refuse_unsafe


@pytest.fixture
def pem(tmp_path: Path) -> dict[str, Path]:
    files = {name: tmp_path / name for name in ("tls_cert", "tls_key")}
    for file in files.values():
        file.touch()
    return files


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.5"])
def test_on_the_loopback_interface_nothing_more_is_wanted(host: str) -> None:
    bind = Bind(host)
    refuse_unsafe(bind)
    assert bind.hosts is not None
    assert {"localhost", "127.0.0.1", host} <= bind.hosts


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_beyond_it_keys_want_tls_or_a_proxy_that_has_it(host: str, pem: dict[str, Path]) -> None:
    with pytest.raises(SettingsError, match=r"--tls-cert and --tls-key, or --behind-proxy"):
        refuse_unsafe(Bind(host))
    refuse_unsafe(Bind(host, **pem))  # type: ignore[arg-type]
    refuse_unsafe(Bind(host, behind_proxy=True))
    assert Bind(host).hosts is None
    assert Bind(host, allow_hosts=["Tasks.Example.org:443"]).hosts == {"tasks.example.org"}


def test_browsers_are_given_a_cookie_for_tls_wherever_they_come_by_tls(pem: dict[str, Path]) -> None:
    assert not Bind().is_secure
    assert Bind(**pem).is_secure  # type: ignore[arg-type]
    assert Bind("0.0.0.0", behind_proxy=True).is_secure


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_who_listens_everywhere_names_an_address_to_go_to(host: str, pem: dict[str, Path]) -> None:
    assert Bind(host, **pem).url(8460) == f"https://{socket.gethostname()}:8460"  # type: ignore[arg-type]
    named = ["tasks.example.org", "other"]
    assert Bind(host, allow_hosts=named, **pem).url(8460) == "https://tasks.example.org:8460"  # type: ignore[arg-type]
    assert Bind(host, behind_proxy=True).url(8460) == f"http://{socket.gethostname()}:8460"
    assert Bind(host, behind_proxy=True, allow_hosts=["t.example.org:444"]).url(8460) == "https://t.example.org:444"


def test_who_listens_somewhere_is_there() -> None:
    assert Bind("192.168.1.5").url(1) == "http://192.168.1.5:1"
    assert Bind("fd00::5").url(1) == "http://[fd00::5]:1"
    assert Bind("127.0.0.1", behind_proxy=True, allow_hosts=["t.example.org"]).url(1) == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "asked", [{"host": "0.0.0.0"}, {"behind_proxy": True}, {"host": "0.0.0.0", "behind_proxy": True}]
)
def test_without_a_login_it_is_for_this_machine_alone(asked: dict[str, Any]) -> None:
    refuse_unsafe(Bind(no_login=True))
    with pytest.raises(SettingsError, match="--no-login"):
        refuse_unsafe(Bind(no_login=True, **asked))


def test_a_certificate_and_its_key_go_together_and_must_be_there(pem: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="go together"):
        refuse_unsafe(Bind(tls_cert=pem["tls_cert"]))
    with pytest.raises(SettingsError, match="there is no file"):
        refuse_unsafe(Bind(tls_cert=pem["tls_cert"], tls_key=tmp_path / "gone"))


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    first = listen(Bind(port=0))
    with first, pytest.raises(SettingsError, match=r"TASKENGINE_HTTP_PORT.*--port"):
        listen(Bind(port=first.getsockname()[1]))


def test_a_host_that_is_none_is_said() -> None:
    with pytest.raises(SettingsError, match="--host nowhere"):
        listen(Bind("nowhere.invalid", port=0))


def test_an_answer_is_sent_at_once_on_a_connection_that_is_kept() -> None:
    async def sends_at_once() -> bool:
        connected: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            no_delay = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            connected.set_result(bool(no_delay))
            writer.close()

        listening = listen(Bind(port=0))
        async with await asyncio.start_server(note, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            writer.close()
            return await connected

    assert asyncio.run(sends_at_once())
