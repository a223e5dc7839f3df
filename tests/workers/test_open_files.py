"""A threads worker takes as many open files as the system allows it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ASKS = """
import resource
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
from workers.open_files import open_files, raise_open_files
assert open_files() == 100
raise_open_files()
raise_open_files()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
"""


@pytest.mark.process
def test_the_limit_is_raised_as_far_as_it_goes() -> None:
    done = subprocess.run([sys.executable, "-c", _ASKS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
