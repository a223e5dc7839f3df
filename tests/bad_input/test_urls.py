"""A wrong URL is refused by everybody who takes one, with the same sentence; a right one means the same to all."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from kombu import Connection
from kombu.transport.redis import Channel

from taskengine import BlockingTaskAPI, SettingsError, TaskAPI
from taskengine.settings import Settings
from taskengine.store.address import client_url, read, redacted
from taskengine.store.connect import connect
from taskengine.transport import celery_options

from ..cases import each

WRONG = {
    "": "must begin with redis://",
    " ": "must begin with redis://",
    "localhost:6379": "got scheme 'localhost'",
    "amqp://localhost": "got scheme 'amqp'",
    "ftp://user:secret@h": "got scheme 'ftp' in 'ftp://…@h'",
    "redis://": "names no host",
    "redis:///0": "names no host",
    "redis://h:port": "Port could not be cast",
    "redis://h:99999": "Port out of range",
    "redis://[::1": "Invalid IPv6 URL",
    "redis://h/name": "the database is 'name'; write its number",
    "redis://h/-1": "the database is '-1'",
    "redis://h/0/1": "the database is '0/1'",
    "redis://h?db=2": "does not take 'db'",
    "redis://h/0?socket_timeout=5": "does not take 'socket_timeout' (known: none); remove it",
    "redis://h\n": "holds white space",
    "redis://my host": "holds white space",
    "unix://": "names no socket; write unix:///path/to/socket",
    "redis+socket://tmp/s": "names no socket",
    "unix:///tmp/s?db=x": "the database is 'x'",
    "sentinel://h:26379": "does not name the service",
    "sentinel://h:x/main": "invalid literal",
    "rediss://h": "append ?ssl_cert_reqs=required",
    "rediss://h?ssl_cert_reqs=none": "without verification",
    "rediss://h?ssl_cert_reqs=maybe": "must be required, optional or none",
}
EVERYBODY: dict[str, Callable[[str], Any]] = {
    "blocking": BlockingTaskAPI,
    "async": TaskAPI,
    "settings": lambda url: BlockingTaskAPI(settings=Settings(redis_url=url)),
    "worker": lambda url: celery_options(Settings(), url),
    "client": connect,
}


def _parameters(connection: Connection) -> dict[str, Any]:
    """What kombu's channel would connect with; a whole one would connect at once."""
    channel = object.__new__(Channel)
    channel.connection = SimpleNamespace(client=connection, default_port=6379)
    return dict(channel._connparams())


@each("url", WRONG)
@each("who", EVERYBODY)
def test_a_wrong_url_is_refused_by_everybody_alike(who: str, url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        EVERYBODY[who](url)
    assert refused.value.field == "redis_url"
    assert str(refused.value).startswith("TASKENGINE_REDIS_URL: ")
    assert WRONG[url] in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("command", ["task list", "worker", "coordinator", "up", "demo", "flower", "doctor"])
@pytest.mark.parametrize("url", ["redis://h/name", "amqp://h", "rediss://h", ""])
def test_a_wrong_url_is_a_sentence_on_the_command_line(
    at: Callable[[str], None], taskengine: Any, caplog: Any, command: str, url: str
) -> None:
    at(url)
    done = taskengine(*command.split())
    said = f"{done.err} {caplog.text}"
    assert (done.code, done.out) == (1, "")
    assert "TASKENGINE_REDIS_URL" in said
    assert WRONG.get(url, "got scheme 'amqp'") in said
    assert "Traceback" not in said


@each(
    ("url", "host", "database", "password"),
    [
        ("redis://h", "h", 0, None),
        ("redis://h:1/2", "h", 2, None),
        ("redis://:p%40ss@h/2", "h", 2, "p@ss"),
        ("redis://user:p@[::1]:1/0", "::1", 0, "p"),
        ("redis+socket:///tmp/s", "/tmp/s", 0, None),
        ("redis+socket://:p@/tmp/s?virtual_host=3", "/tmp/s", 3, "p"),
        ("unix:///tmp/s?db=3", "/tmp/s", 3, None),
    ],
)
def test_a_right_url_means_the_same_to_state_and_broker(
    url: str, host: str, database: int, password: str | None
) -> None:
    address = read(url, allow_unverified_tls=False)
    ours = redis.ConnectionPool.from_url(client_url(address)).connection_kwargs
    assert (ours.get("path") or ours["host"], int(ours.get("db", 0)), ours.get("password")) == (
        host, database, password,
    )  # fmt: skip
    options = celery_options(Settings(), url)
    with Connection(options["broker_url"], transport_options=options["broker_transport_options"]) as connection:
        theirs = _parameters(connection)
    assert (theirs.get("path") or theirs["host"], int(theirs["db"]), theirs["password"]) == (host, database, password)


def test_tls_that_verifies_is_told_to_both() -> None:
    url = "rediss://h:1/2?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs=/ca.pem"
    ours = redis.ConnectionPool.from_url(client_url(read(url, allow_unverified_tls=False)))
    assert (ours.connection_kwargs["ssl_cert_reqs"], ours.connection_kwargs["ssl_ca_certs"]) == ("required", "/ca.pem")


def test_a_login_at_a_sentinel_reaches_the_server() -> None:
    address = read("sentinel://user:p%40ss@a:1,b/main", allow_unverified_tls=False)
    assert (address.sentinels, address.service) == ([("a", 1), ("b", 26379)], "main")
    assert address.user_and_password == {"username": "user", "password": "p@ss"}
    found = connect("sentinel://user:p%40ss@a:1,b/main").connection_pool.connection_kwargs
    assert (found["username"], found["password"]) == ("user", "p@ss")


def test_a_password_is_never_shown() -> None:
    assert redacted("redis://user:secret@h:1/0") == "redis://…@h:1/0"
    assert redacted("redis://h:1/0") == "redis://h:1/0"
