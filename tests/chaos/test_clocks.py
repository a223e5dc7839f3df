"""Row 18: clocks of workers and coordinators are hours off, and nobody notices: the only clock is the server's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taskengine.models import RetryRules, Task, TriggerRule

from ..fleet import overlaps, until
from .aftermath import intact
from .conftest import MakeFleet

HOURS = 7200
AT_ONCE = RetryRules(initial_interval=0.5, jitter=0.0)


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that sets one process's wall clock off."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler on Linux, to set one process's clock off by LD_PRELOAD")
    made = tmp_path_factory.mktemp("skew") / "skew.so"
    source = Path(__file__).with_name("skew.c")
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return made


def clock(off: Path, seconds: int) -> dict[str, str]:
    """Variables of a process whose clock is that far ahead."""
    return {"LD_PRELOAD": str(off), "SKEW_SECONDS": str(seconds)}


@pytest.mark.parametrize("ahead", [HOURS, -HOURS], ids=["ahead", "behind"])
def test_row_18_clocks_that_are_hours_off_change_nothing(make_fleet: MakeFleet, off: Path, ahead: int) -> None:
    fleet = make_fleet()
    shown = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time())"],
        capture_output=True, text=True, check=True, timeout=60, env={**fleet.environment(), **clock(off, ahead)},
    ).stdout  # fmt: skip
    assert abs(float(shown) - datetime.now(UTC).timestamp() - ahead) < 60, "the clock is set off"
    fleet.coordinator("off", **clock(off, ahead))
    fleet.await_leader()
    workers = [
        fleet.celery("off-prefork", "-Q", "play", slots=2, **clock(off, ahead)),
        fleet.celery("off-threads", "-Q", "play", pool="threads", slots=2, **clock(off, -ahead)),
        fleet.celery("right", "-Q", "play", slots=2),
    ]
    fleet.await_ready(*workers)

    soon = datetime.now(UTC) + timedelta(seconds=3)
    later = Task(capability="play", scheduled_at=soon, name="later")
    # Longer than a lease: whose clock is off does not lose it.
    long = [Task(capability="play", input={"do": "patient", "seconds": 5}, name=f"long {n}") for n in range(3)]
    again = Task(capability="play", input={"do": "fail", "times": 1}, retry=AT_ONCE, name="again")
    hung = Task(capability="play", input={"do": "patient", "seconds": 60}, timeout=1.5, max_retries=0, name="hung")
    silent = Task(
        capability="play", input={"do": "patient", "seconds": 60}, heartbeat_timeout=1.5, max_retries=0, name="silent"
    )
    expires = Task(capability="play", hold=True, expires_at=soon, name="expires")
    nobody = Task(capability="nobody", queue_timeout=2, name="nobody")
    clean = Task(
        capability="play",
        depends_on={hung.id, expires.id, nobody.id},
        trigger_rule=TriggerRule.ALL_DONE,
        name="clean",
    )
    quick = [Task(capability="play", name=f"quick {n}") for n in range(40)]
    new = [later, *long, again, hung, silent, expires, nobody, clean, *quick]
    ids = fleet.submit(*new)
    fleet.wait(ids)

    ended = {task.name: fleet.task(str(task.id)) for task in new}
    assert {name for name, task in ended.items() if task.status.value == "failed"} == {"hung", "silent", "nobody"}
    assert {name for name, task in ended.items() if task.status.value == "cancelled"} == {"expires"}
    assert all(ended[f"long {n}"].attempt == 1 for n in range(3)), "lost although its worker lived"

    def took(name: str, since: datetime | None, at: datetime | None) -> float:
        assert since is not None
        assert at is not None, name
        return (at - since).total_seconds()

    assert 0 <= took("later", soon, ended["later"].started_at) < 30
    assert 0 <= took("expires", soon, ended["expires"].completed_at) < 30
    assert 2 <= took("nobody", ended["nobody"].ready_at, ended["nobody"].completed_at) < 30
    for name in ("hung", "silent"):
        assert 1.4 <= took(name, ended[name].started_at, ended[name].completed_at) < 30
    first, second = fleet.executions(str(again.id))
    assert 0.4 <= took("again", first.completed_at, second.started_at) < 30
    intact(fleet, new)
    assert not overlaps(fleet.effects())
    until(lambda: len(fleet.nodes()) == 3, what="all nodes alive")
