"""Modules of ``examples/`` as a worker imports them, and a git repository for their agents."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@cache
def load_example(name: str) -> Any:
    """A module of the examples, forgotten by nobody's path; once, since its agents are declared once."""
    spec = spec_from_file_location(f"example_{name.replace('/', '_')}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


GOOD = {
    "app.py": "def double(x):\n    return 2 * x\n",
    "test_app.py": (
        "import unittest\nfrom app import double\n\n\nclass Double(unittest.TestCase):\n"
        "    def test_it(self):\n        self.assertEqual(double(2), 4)\n"
    ),
    "healthcheck.py": "from app import double\nassert double(1) == 2\n",
}


class Repository:
    """A git repository of one branch, and of changes as pull requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        return subprocess.run(
            ["git", *who, *words], cwd=self.folder, check=True, capture_output=True, text=True, encoding="utf-8"
        ).stdout.strip()

    @property
    def url(self) -> str:
        return str(self.folder)

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def deployed(self) -> str | None:
        """The commit that the staging environment points to."""
        link = self.folder.parent / "deployed" / "staging" / "current"
        return link.readlink().name if link.is_symlink() else None

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            (self.folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def pull_request(self, number: int, **files: str) -> str:
        self.git("checkout", "--quiet", "-b", f"change-{number}", "main")
        self.git("update-ref", f"refs/pull/{number}/head", self.commit(**files))
        self.git("checkout", "--quiet", "main")
        return f"{self.folder}/pull/{number}"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("TASKENGINE_DEPLOY_ROOT", str(tmp_path / "deployed"))
    monkeypatch.setenv("TASKENGINE_WORKSPACES", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    made = Repository(tmp_path / "repository")
    made.commit(**{name.replace(".", "__"): text for name, text in GOOD.items()})
    return made
