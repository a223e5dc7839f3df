"""What ruff finds in a checked out commit, where ruff is installed."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from taskengine.errors import InvalidInputError
from workers.agents.builtin.clone import Clone

#: Rules of code that cannot work as it stands: syntax, and names that are not there or not used.
_CERTAIN = "E9,F"
#: What a result says where there is none.
MISSING = "ruff is not installed beside this worker: pip install ruff"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a line."""

    file: str
    line: int
    rule: str
    text: str


def program() -> str | None:
    """Return the ruff of this Python's environment, else the one on the path; None where there is none."""
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.is_file() else shutil.which("ruff")


def check(clone: Clone, ruff: str, *files: str) -> list[Finding]:
    """Return its findings by the repository's own rules, in these files or all; InvalidInputError when those rules
    cannot be read. Where it has none, what is certainly wrong: nobody chose the rest.
    """
    chosen = () if _has_rules(clone.folder) else ("--select", _CERTAIN)
    ended = clone.programs.run(
        ruff, "check", "--output-format", "json", "--no-cache", "--no-fix", "--force-exclude", *chosen, "--",
        *(files or (".",)), at=clone.folder,
    )  # fmt: skip
    if ended.code not in (0, 1):
        raise InvalidInputError(f"ruff cannot check the commit: {ended.errors[-500:]}", field="ref")
    return [_finding(clone.folder, one) for one in from_json(ended.output or b"[]")]


def _has_rules(folder: Path) -> bool:
    project = folder / "pyproject.toml"
    own = project.is_file() and "[tool.ruff" in project.read_text(encoding="utf-8", errors="replace")
    return own or (folder / "ruff.toml").is_file() or (folder / ".ruff.toml").is_file()


def _finding(folder: Path, said: dict[str, Any]) -> Finding:
    file = Path(said["filename"])
    shown = file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name
    return Finding(shown, int(said["location"]["row"]), str(said.get("code") or "syntax"), str(said["message"]))
