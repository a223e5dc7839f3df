"""Who runs beneath ``.ci/beneath.py`` is not left behind, whatever it did to get away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

BENEATH = Path(__file__).resolve().parents[2] / ".ci" / "beneath.py"

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux hands orphans to a chosen parent"),
]
#: Starts a process in a session of its own with an empty environment, says its id, and ends.
RUNS_AWAY = (
    "import subprocess, sys; "
    "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep({seconds})'], start_new_session=True, "
    "env={{}}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
    "print(left.pid)"
)


def run(*command: str, grace: str = "15") -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(BENEATH), *command]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env={"CI_GRACE": grace})


def test_who_is_left_is_named_and_ended_and_fails_the_run() -> None:
    done = run(sys.executable, "-c", RUNS_AWAY.format(seconds=300), grace="0.5")
    pid = int(done.stdout)
    assert done.returncode == 1
    assert f"left behind: {pid} " in done.stderr
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_who_ends_within_the_grace_is_not_left() -> None:
    done = run(sys.executable, "-c", RUNS_AWAY.format(seconds=0.5))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_the_commands(code: int) -> None:
    assert run(sys.executable, "-c", f"raise SystemExit({code})").returncode == code
