"""The example of agents by type runs as its first lines say: without a key, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.process
@pytest.mark.slow
def test_an_endpoint_claude_and_a_program_work_one_after_the_other(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TASKENGINE_", "ANTHROPIC_"))}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "agents" / "run.py")], cwd=tmp_path, env=env, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines[:3]] == ["completed"] * 3, done.stdout
    assert "Dear Ada," in lines
