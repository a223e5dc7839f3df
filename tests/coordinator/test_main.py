"""Laws of the process: it leads, ends cleanly on a signal, and says in one sentence why it cannot start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from taskengine.coordinator import new_id
from taskengine.models import TaskStatus
from taskengine.store import fleet_settings

from .bench import QUICK, Bench, lint, until


@contextmanager
def coordinator(folder: Path, url: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """``python -m taskengine.coordinator`` with shortened clocks."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TASKENGINE_")}
    clocks = {f"TASKENGINE_{name.upper()}": str(value) for name, value in QUICK.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "taskengine.coordinator"],
        cwd=folder, env={**inherited, **clocks, "TASKENGINE_REDIS_URL": url, **more},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_its_term(bench: Bench, tmp_path: Path, number: signal.Signals) -> None:
    with coordinator(tmp_path, bench.server.url) as process:
        until(lambda: bench.fleet.leader)
        process.send_signal(number)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert bench.fleet.leader is None
    assert "leads id=" in said
    assert "resigned id=" in said
    assert "Traceback" not in said


def test_it_does_its_duties(bench: Bench, tmp_path: Path) -> None:
    with coordinator(tmp_path, bench.server.url):
        until(lambda: bench.fleet.leader)
        a = lint("a")
        ids = bench.submit(a, lint("b", a))
        bench.node().work({"a": "failed"})
        bench.until_status(ids[1:], TaskStatus.CANCELLED)


def test_after_a_kill_the_next_one_takes_over(bench: Bench, tmp_path: Path) -> None:
    with coordinator(tmp_path, bench.server.url) as first:
        leader = until(lambda: bench.fleet.leader)
        with coordinator(tmp_path, bench.server.url):
            first.kill()
            until(lambda: bench.fleet.leader not in {None, leader})


@pytest.mark.process
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://127.0.0.1:1/0", "no answer from Redis"),
        ("redis+socket:///nowhere/s", "no answer from Redis"),
        ("http://localhost", "TASKENGINE_REDIS_URL"),
    ],
)
def test_what_it_cannot_use_is_said_in_a_sentence(tmp_path: Path, url: str, says: str) -> None:
    with coordinator(tmp_path, url) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert says in said
    assert "Traceback" not in said


def test_a_server_that_throws_tasks_away_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.server.client.config_set("maxmemory-policy", "allkeys-lru")
    with coordinator(tmp_path, bench.server.url) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "noeviction" in said


@pytest.mark.process
def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    with coordinator(tmp_path, "redis://127.0.0.1:1/0", TASKENGINE_LEADER_SECONDS="soon") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "TASKENGINE_LEADER_SECONDS" in said


def test_a_variable_that_is_no_setting_is_a_warning_and_the_settings_are_told(bench: Bench, tmp_path: Path) -> None:
    with coordinator(tmp_path, bench.server.url, TASKENGINE_LEADER_SECOND="4") as process:
        until(lambda: bench.fleet.leader)
        digest = until(lambda: bench.fleet.leader_settings)
        values = until(lambda: bench.run(fleet_settings.get(bench.keys, digest)))
        process.terminate()
        said, _ = process.communicate(timeout=60)
    assert "WARNING" in said
    assert "TASKENGINE_LEADER_SECOND is no setting, the nearest is TASKENGINE_LEADER_SECONDS" in said
    assert values.keys() == bench.settings.shared.keys()


def test_no_two_coordinators_have_one_id() -> None:
    assert new_id() != new_id()
