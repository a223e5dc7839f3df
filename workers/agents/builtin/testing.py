"""``pytest_run`` runs the tests of a commit and counts them: by pytest where it is installed, else by unittest.

``input.test_command`` (or ``command``) runs in their place, if this worker may start it. Failing tests fail the task,
with what failed in its output; those of a pull request are an answer, not a failure. ``input.test_type`` ``data`` says
whether the rows of a file are whole.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from taskengine.agents import AgentContext
from taskengine.models import Outcome, Task, TaskType
from workers.agents.builtin.clone import Clone, check_out
from workers.agents.builtin.commands import command
from workers.agents.builtin.declare import builtin
from workers.agents.builtin.place import place
from workers.agents.builtin.programs import SHOWN
from workers.agents.builtin.rows import are_whole, read_rows
from workers.agents.builtin.source import asked
from workers.agents.child import Ended

#: Failures that a result lists, and bytes of pytest's report that are read.
_LISTED, _LARGEST = 50, 16 * 1024 * 1024
#: pytest's code for a commit without tests; unittest has one as well since Python 3.12.
_NO_TESTS = 5
_ENV = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}


@builtin("pytest_run", TaskType.TESTING)
def pytest_run(task: Task, context: AgentContext) -> dict[str, Any] | Outcome:
    """Run the tests of a commit, or look at the rows of a file."""
    if task.input.get("test_type") == "data":
        return {"valid": are_whole(read_rows(str(task.input.get("location")), "location"))}
    said = task.input.get("test_command", task.input.get("command"))
    argv = None if said is None else command(said, "test_command")
    wanted = asked(task.input)
    with place(context) as programs:
        clone = check_out(programs, wanted, plain=True)
        found = _by_command(clone, argv) if argv else _by_pytest(clone) if find_spec("pytest") else _by_unittest(clone)
    found["commit"] = clone.commit
    if found["passed"] or "pull_request_url" in task.input:
        return found
    return Outcome("failed", output=found, error=_sentence(found), error_kind="tests")


def _by_command(clone: Clone, argv: Sequence[str]) -> dict[str, Any]:
    ended = clone.programs.run(*argv, at=clone.folder, env=_ENV)
    return {"runner": Path(argv[0]).name, "passed": ended.code == 0, "output": _end_of(ended)}


def _by_pytest(clone: Clone) -> dict[str, Any]:
    report = clone.programs.folder / "report.xml"
    ended = clone.programs.run(
        sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={report}",
        at=clone.folder, env=_ENV,
    )  # fmt: skip
    return {
        "runner": "pytest", "passed": ended.code in (0, _NO_TESTS), **_counted(report), "output": _end_of(ended),
    }  # fmt: skip


def _counted(report: Path) -> dict[str, Any]:
    """Return the counts and failures of a report in JUnit's form; none of one that is not there or no such report: what
    wrote it was the repository's own code.
    """
    text = _read(report)
    if not text or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return {"tests": 0, "failures": 0, "errors": 0, "skipped": 0, "failed": []}
    try:
        cases = list(ElementTree.fromstring(text).iter("testcase"))  # noqa: S314  # no entities, see above
    except ElementTree.ParseError:
        cases = []
    ends = {kind: [case for case in cases if case.find(kind) is not None] for kind in ("failure", "error", "skipped")}
    failed = [
        {"name": f"{case.get('classname')}.{case.get('name')}", "message": _message(case)[:500]}
        for case in [*ends["failure"], *ends["error"]][:_LISTED]
    ]
    return {
        "tests": len(cases), "failures": len(ends["failure"]), "errors": len(ends["error"]),
        "skipped": len(ends["skipped"]), "failed": failed,
    }  # fmt: skip


def _read(report: Path) -> str:
    if report.is_symlink() or not report.is_file() or report.stat().st_size > _LARGEST:
        return ""
    return report.read_text(encoding="utf-8", errors="replace")


def _message(case: ElementTree.Element) -> str:
    found = case.find("failure")
    found = case.find("error") if found is None else found
    return "" if found is None else found.get("message") or ""


def _by_unittest(clone: Clone) -> dict[str, Any]:
    ended = clone.programs.run(sys.executable, "-m", "unittest", "discover", "-v", at=clone.folder, env=_ENV)
    said = ended.errors
    ran = re.search(r"^Ran (\d+) tests?", said, re.MULTILINE)
    last = re.search(r"^(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", said, re.MULTILINE)
    counts = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", (last and last[1]) or "")}
    tests = int(ran[1]) if ran else 0
    return {
        "runner": "unittest", "passed": ended.code == 0 or (ended.code == _NO_TESTS and tests == 0), "tests": tests,
        "failures": counts.get("failures", 0), "errors": counts.get("errors", 0), "skipped": counts.get("skipped", 0),
        "failed": [{"name": name, "message": ""} for name in re.findall(r"^(?:FAIL|ERROR): (.+)$", said, re.MULTILINE)],
        "output": _end_of(ended),
    }  # fmt: skip


def _end_of(ended: Ended) -> str:
    return (ended.output.decode(errors="replace") + ended.errors)[-SHOWN:]


def _sentence(found: dict[str, Any]) -> str:
    names = ", ".join(one["name"] for one in found.get("failed", [])[:5])
    if "tests" in found:
        wrong = found["failures"] + found["errors"]
        return f"{wrong} of {found['tests']} tests failed{f': {names}' if names else ''}; {found['output'][-500:]}"
    return f"{found['runner']} failed: {found['output'][-500:]}"
