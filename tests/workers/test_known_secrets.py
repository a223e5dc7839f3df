"""A secret that an agent was given is in no store and no log afterwards, whatever the agent did with it."""

from __future__ import annotations

import gzip
import json
import logging
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from taskengine import Task
from workers import known_secrets

from ..fleet import Fleet

CANARY = 'ca na/ry"+8f31?&0c'


@pytest.fixture
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(known_secrets, "_FORMS", set())
    monkeypatch.setattr(known_secrets._Known, "text", None)
    monkeypatch.setattr(known_secrets._Known, "bytes", None)
    yield
    logging.setLogRecordFactory(factory)


@pytest.mark.usefixtures("nothing_known")
def test_each_spelling_of_a_value_is_hidden_and_nothing_else() -> None:
    assert known_secrets.without_secrets(CANARY) == CANARY
    known_secrets.learn(CANARY)
    known_secrets.learn(CANARY)
    known_secrets.learn("short")
    spelled = [CANARY, quote(CANARY, safe=""), quote_plus(CANARY), json.dumps(CANARY)[1:-1]]
    for before in ("", "u", "us", "use", "user:"):
        spelled += [encode(f"{before}{CANARY}!".encode()).decode() for encode in (b64encode, urlsafe_b64encode)]
    for each in spelled:
        hidden = known_secrets.without_secrets(f"a {each} b")
        assert each[8:20] not in hidden, each
        assert hidden.startswith("a ")
        assert hidden.endswith(" b")
        assert known_secrets.without_secret_bytes(f"a {each} b".encode()) == hidden.encode()
    assert known_secrets.without_secrets("a short text") == "a short text"
    value = {"k": [CANARY, 1], CANARY: None}
    assert known_secrets.without_secrets_in(value) == {"k": ["***", 1], "***": None}


@pytest.mark.usefixtures("nothing_known")
def test_a_value_of_several_lines_is_hidden_line_by_line() -> None:
    known_secrets.learn("-----BEGIN-----\nMIIEvQIBADANBgkqhkiG\n-----END-----")
    assert known_secrets.without_secrets("line MIIEvQIBADANBgkqhkiG") == "line ***"


@pytest.mark.usefixtures("nothing_known")
def test_a_log_record_shows_no_value_and_no_error_with_one(caplog: pytest.LogCaptureFixture) -> None:
    known_secrets.learn(CANARY)
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("any").exception("it is %s, and %d", CANARY, 7)
    assert caplog.messages == ["it is ***, and 7"]
    assert CANARY not in caplog.text
    assert "ValueError: ***" in caplog.text


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_canary_is_nowhere_after_a_run(bare_fleet: Fleet, pool: str) -> None:
    fleet = bare_fleet
    fleet.coordinator()
    with fleet.api() as api:
        for name, capability in (("teller", "tell"), ("awaiter", "tell_on_loop")):
            api.register_agent(name, "function", {capability}, secret="CANARY_KEY")  # its name
        fleet.worker("w", pool=pool, agents="canary_agents", CANARY_KEY=CANARY)
        ends, fails, awaits = (
            Task(name=name, capability=capability, max_retries=0)
            for name, capability in (("ends", "tell"), ("fails", "tell"), ("awaits", "tell_on_loop"))
        )
        ids = fleet.submit(ends, fails, awaits)
        for id in ids[:2]:
            fleet.until_status(id, "paused")
            api.answer(id, "go on")
        fleet.wait(ids)
        assert [api.get_task(id).status for id in ids] == ["completed", "failed", "failed"]
        result = api.get_task(ids[0]).result
        assert result is not None
        assert "***" in result["said"]
    found = [where for where, text in everything(fleet) if told(text)]
    assert found == []
    assert any("***" in text for where, text in everything(fleet) if where.endswith(".log") or "logs" in where)


def told(text: str) -> bool:
    forms = (CANARY, quote(CANARY, safe=""), json.dumps(CANARY)[1:-1], b64encode(CANARY.encode()).decode()[4:20])
    return any(form in text for form in forms)


def everything(fleet: Fleet) -> Iterator[tuple[str, str]]:
    """Where, and text: of each log, and of each key of the server with artifacts unpacked."""
    yield from fleet.logs()
    for key in fleet.server.client.scan_iter("*", count=1000):
        yield from ((key.decode(), text) for text in texts(fleet.server.client, key))


def texts(client: Any, key: bytes) -> Iterator[str]:
    kind = client.type(key).decode()
    if kind == "hash":
        held = client.hgetall(key)
        if b"artifact_bodies" in key:
            held = {name: gzip.decompress(b64decode(body)) for name, body in held.items()}
        raw: Any = [*held, *held.values()]
    elif kind == "list":
        raw = client.lrange(key, 0, -1)
    elif kind == "stream":
        raw = [value for _, fields in client.xrange(key) for value in fields.values()]
    elif kind in ("set", "zset"):
        raw = client.smembers(key) if kind == "set" else client.zrange(key, 0, -1)
    else:
        raw = [client.get(key)] if kind == "string" else []
    # A key that expired since it was listed has no kind, or no value any more.
    yield from (each.decode(errors="replace") for each in raw if each is not None)
