"""Celery's configuration as data: what it says, what it refuses, and that Flower works with it."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from celery.app.defaults import DEFAULTS
from flower.utils.broker import Broker

from taskengine.errors import SettingsError
from taskengine.settings import Settings
from taskengine.transport import celery_options

from ..cases import each
from .celery_fleet import ROOT, Fleet, until, wake

OURS = Settings(namespace="t")  # type: ignore[call-arg]  # the other fields have defaults


def test_every_option_is_one_that_celery_knows() -> None:
    assert set(celery_options(OURS, "redis://h")) - set(DEFAULTS) == set()


def test_options_say_early_ack_no_prefetch_no_results_json_only() -> None:
    options = celery_options(OURS, "redis://h/1")
    assert options["broker_url"] == "redis://h/1"
    assert options["task_acks_late"] is False
    assert (options["worker_disable_prefetch"], options["worker_prefetch_multiplier"]) == (True, 1)
    assert (options["accept_content"], options["result_accept_content"]) == (["json"], ["json"])
    assert (options["result_backend"], options["task_ignore_result"]) == (None, True)
    transport = options["broker_transport_options"]
    assert transport["priority_steps"] == [0, 1, 2, 3, 4]
    assert (transport["global_keyprefix"], transport["quarantine"]) == ("t:q:", "t:quarantine")
    assert (transport["socket_timeout"], transport["health_check_interval"]) == (5, 5)


def test_two_calls_share_nothing() -> None:
    celery_options(OURS, "redis://h")["broker_transport_options"]["priority_steps"].clear()
    assert celery_options(OURS, "redis://h")["broker_transport_options"]["priority_steps"] == [0, 1, 2, 3, 4]


@each(
    ("url", "broker_url"),
    [
        ("redis://user:pw@h:1/2", "redis://user:pw@h:1/2"),
        ("redis+socket:///tmp/s", "redis+socket:///tmp/s"),
        ("redis+socket://:pw@/tmp/s?virtual_host=2", "redis+socket://:pw@/tmp/s?virtual_host=2"),
        ("unix:///tmp/s?db=3", "redis+socket:///tmp/s?virtual_host=3"),
        ("sentinel://u:p@a:1,b:2/main", "sentinel://u:p@a:1/0;sentinel://u:p@b:2/0"),
        ("sentinel://a:1?master_name=main", "sentinel://a:1/0"),
    ],
)
def test_url_is_written_as_kombu_reads_it(url: str, broker_url: str) -> None:
    options = celery_options(OURS, url)
    assert options["broker_url"] == broker_url
    assert options["broker_transport_options"].get("master_name") == ("main" if "sentinel" in url else None)


@each(
    ("url", "said"),
    [
        ("", "must begin with"),
        ("redis", "must begin with"),
        ("amqp://h", "got scheme 'amqp'"),
        ("redis://h?db=2", "does not take 'db'"),
        ("redis+socket:///tmp/s?socket_timeout=1", "does not take 'socket_timeout' (known: virtual_host)"),
        ("sentinel://a:1", "does not name the service"),
        ("rediss://h", "append ?ssl_cert_reqs=required"),
        ("rediss://h?ssl_ca_certs=/ca.pem", "without verification"),
        ("rediss://h?ssl_cert_reqs=none", "without verification"),
        ("rediss://h?ssl_cert_reqs=CERT_OPTIONAL", "without verification"),
        ("rediss://h?ssl_cert_reqs=perhaps", "must be required, optional or none"),
    ],
)
def test_wrong_url_is_refused_with_what_to_do(url: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as refused:
        celery_options(OURS, url)
    assert refused.value.field == "redis_url"
    assert str(refused.value).startswith("TASKENGINE_REDIS_URL: ")


@pytest.mark.parametrize("spelt", ["required", "CERT_REQUIRED"])
def test_verified_tls_is_told_to_kombu_and_flower_alike(spelt: str) -> None:
    options = celery_options(OURS, f"rediss://h:1/0?ssl_cert_reqs={spelt}&ssl_ca_certs=/ca.pem")
    assert options["broker_url"] == "rediss://h:1/0"
    assert options["broker_use_ssl"] == {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": "/ca.pem"}


def test_unverified_tls_needs_the_explicit_setting() -> None:
    allowed = Settings(allow_unverified_tls=True)  # type: ignore[call-arg]  # as above
    assert celery_options(allowed, "rediss://h")["broker_use_ssl"] == {"ssl_cert_reqs": ssl.CERT_NONE}


@pytest.mark.parametrize("over", ["unix", "tcp"])
def test_flower_counts_what_waits_in_every_priority(valkey: Any, over: str) -> None:
    options = celery_options(OURS, valkey.url if over == "unix" else valkey.open_port())
    for priority in ("", "\x06\x161", "\x06\x164"):
        valkey.client.lpush(f"t:q:lint{priority}", wake("e1"))
    broker = Broker(
        options["broker_url"], broker_options=options["broker_transport_options"], broker_use_ssl=False
    )
    assert asyncio.run(broker.queues(["lint"])) == [{"name": "lint", "messages": 3}]


def test_flower_shows_what_ran_on_loopback_and_changes_nothing(any_fleet: Fleet, tmp_path: Path) -> None:
    fleet = any_fleet
    log = tmp_path / "flower.log"
    command = [sys.executable, "-m", "celery", "-A", "tiny", "flower", f"--conf={ROOT}/deploy/flower.py"]
    fleet.environment["TASKENGINE_FLOWER_PORT"] = "0"
    fleet.start("-Q", "lint", "-c", "1")
    with log.open("wb") as out:
        flower = subprocess.Popen(command, cwd=tmp_path, env=fleet.environment, stdout=out, stderr=out)
    try:
        until(lambda: "Visit me at" in log.read_text(), 30)
        (address,) = re.findall(r"Visit me at (http://127\.0\.0\.1:\d+)", log.read_text())
        until(lambda: "celery@w0" in page(f"{address}/workers"))
        fleet.push(wake("e1"))
        metrics = until(lambda: (text := page(f"{address}/metrics")) and "task-succeeded" in text and text)
        assert 'flower_events_total{task="lint",type="task-succeeded",worker="celery@w0"} 1.0' in metrics
        assert "e1" in page(f"{address}/task/e1")
        until(lambda: re.search(r"<td>\s*lint\s*</td>", page(f"{address}/broker")))
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/api/worker/shutdown/celery@w0", data=b"", timeout=10)
        assert refused.value.code in (401, 403, 405)
        refused.value.close()
    finally:
        flower.terminate()
        flower.wait(15)


def page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        text: bytes = answer.read()
    return text.decode()
