"""``examples/task_management_example.py`` runs to its end, with its own coordinator and worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import Valkey
from .conftest import EXAMPLES

pytestmark = pytest.mark.process


def test_the_walk_through_the_api_ends_well(tmp_path: Path) -> None:
    server = Valkey()
    command = [sys.executable, str(EXAMPLES / "task_management_example.py")]
    variables = {**os.environ, "TASKENGINE_REDIS_URL": server.url}
    try:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=variables)
    finally:
        server.close()
    assert done.returncode == 0, done.stderr[-2000:]
    for said in (
        "Report: {'passed': True, 'scores': [28, 29, 30]}",
        "completed at attempt 3",
        "Failed, as expected",
        "Cancelled: True",
        "Workflow completed: {'best': 29, 'passed': True}",
        "'is_good': 'completed'",
        "Agent claude_agent_1 (code_review): offline, no living worker serves it",
        "Health: ",
    ):
        assert said in done.stdout, done.stdout
