"""The folder of an attempt: its own while somebody works in it, and gone at the next start where nobody does."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from taskengine import Task
from workers.workdirs import Workdir, sweep

from ..fleet import Fleet, until

_AGENTS = """
import time
from taskengine import agent

@agent("digger", capabilities={"dig"})
def dig(task, context):
    (context.workdir / "hole").write_text("deep")
    time.sleep(60)
"""
_WORKS = """
import sys
from workers.workdirs import Workdir
made = Workdir.make(sys.argv[1])
(made.path / "deep").mkdir()
(made.path / "deep" / "file").write_text("x")
print(made.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


@contextmanager
def working() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that works in a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WORKS, str(uuid4())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.process
def test_what_a_killed_worker_left_is_gone_with_the_next_start_and_what_a_living_one_uses_is_not() -> None:
    with working() as (_, lives), working() as (process, left):
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert left.is_dir()
        assert sweep() == [left]
        assert not left.exists()
        assert (lives / "deep" / "file").read_text() == "x"


def test_a_folder_is_gone_when_its_attempt_is_over() -> None:
    made = Workdir.make(uuid4())
    assert made.path.stat().st_mode & 0o777 == 0o700
    assert sweep() == []
    made.close()
    assert not made.path.exists()


def test_what_is_no_folder_of_an_attempt_stays(folder: Path) -> None:
    target = folder / "somebodys"
    target.mkdir()
    (folder / f"taskengine-work-{uuid4()}-abc").symlink_to(target)
    (folder / f"taskengine-work-{uuid4()}-file").write_text("")
    (folder / "taskengine-work-mine").mkdir()
    before = sorted(folder.iterdir())
    assert sweep() == []
    assert sorted(folder.iterdir()) == before


def test_a_folder_of_another_user_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"taskengine-work-{uuid4()}-abc").mkdir()
    monkeypatch.setattr("os.geteuid", lambda: 1)
    assert sweep() == []
    monkeypatch.undo()


@pytest.mark.process
def test_a_worker_that_starts_deletes_what_a_killed_one_left(bare_fleet: Fleet, folder: Path) -> None:
    fleet = bare_fleet
    (fleet.folder / "diggers.py").write_text(_AGENTS)
    fleet.coordinator()
    first = fleet.worker("first", agents="diggers", TMPDIR=str(folder))
    fleet.submit(Task(name="d", capability="dig", max_retries=0))
    until(lambda: list(folder.glob("taskengine-work-*/hole")), what="it works in its folder")
    (left,) = folder.glob("taskengine-work-*")
    first.kill()
    fleet.worker("second", agents="canary_agents", TMPDIR=str(folder), CANARY_KEY="x" * 20)
    until(lambda: not left.exists(), what="the next start deletes it")
