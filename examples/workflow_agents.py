"""Agents of the built-in task types that work on git repositories with real commands.

    taskengine up --import workflow_agents

They run the prebuilt workflows (``WorkflowBuilder.create_ci_cd_workflow`` and its siblings) on any repository that
``git clone`` reaches, a folder included. ``action`` in a task's input says what is asked for. What is deployed lies in
``DEPLOY_ROOT`` (``./deployed``): a folder for each release, and a link to the present one.
"""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from taskengine import Task, TaskContext, agent

#: Seconds that one command may take.
PATIENCE = 300
#: Characters of a command's output that an error shows: the end says what was wrong.
SHOWN = 2000


def command(*words: str, folder: Path | None = None) -> str:
    """Run a program, never a shell; its output, or an error with the end of it."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(words[:3])} ended with {done.returncode}: {(done.stdout + done.stderr)[-SHOWN:]}"
        )
    return done.stdout


@contextmanager
def checked_out(repository: str, ref: str) -> Iterator[Path]:
    """A clone at a commit, branch or ``refs/pull/7/head``, gone afterwards."""
    with TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        command(
            "git", "-c", "protocol.ext.allow=never", "clone", "--quiet", "--no-checkout", "--", repository, str(clone)
        )
        command("git", "fetch", "--quiet", "--", "origin", ref, folder=clone)
        command("git", "checkout", "--quiet", "--detach", "FETCH_HEAD", folder=clone)
        yield clone


def pull_request(url: str) -> tuple[str, str]:
    """Repository and ref of ``REPOSITORY/pull/7``."""
    repository, _, number = url.rpartition("/pull/")
    if not repository or not number.isdigit():
        raise ValueError(f"{url!r} is no pull request; write REPOSITORY/pull/7")
    return repository, f"refs/pull/{number}/head"


def asked(task: Task) -> tuple[str, str]:
    """Repository and ref that a task is about."""
    if "pull_request_url" in task.input:
        return pull_request(str(task.input["pull_request_url"]))
    return str(task.input["repository_url"]), str(task.input.get("ref", "HEAD"))


@agent("git_builder", capabilities={"code_generation"})
def build(task: Task, context: TaskContext) -> dict[str, Any]:
    """Compile every module; the commit that was built, which the other steps check out."""
    with checked_out(*asked(task)) as clone:
        command(sys.executable, "-m", "compileall", "-q", ".", folder=clone)
        return {"commit": command("git", "rev-parse", "HEAD", folder=clone).strip()}


@agent("git_analyser", capabilities={"code_analysis"})
def analyse(task: Task, context: TaskContext) -> dict[str, Any]:
    """Lint a commit, or say what a pull request changes."""
    with checked_out(*asked(task)) as clone:
        if task.input["analysis_type"] == "diff":
            return difference(clone)
        # What git calls wrong with white space, from the empty tree on: a linter that is everywhere.
        empty = command("git", "hash-object", "-t", "tree", os.devnull, folder=clone).strip()
        command("git", "diff", "--check", empty, "HEAD", folder=clone)
        return {"clean": True}


def difference(clone: Path) -> dict[str, Any]:
    """Files and lines between the branch that a change goes to and the change."""
    lines = command("git", "diff", "--numstat", "origin/HEAD...HEAD", folder=clone).splitlines()
    counted = [line.split("\t") for line in lines]
    added, removed = (sum(int(row[at]) for row in counted if row[at] != "-") for at in (0, 1))
    return {"files": [row[2] for row in counted], "additions": added, "deletions": removed}


@agent("git_tester", capabilities={"testing"})
def test(task: Task, context: TaskContext) -> dict[str, Any]:
    """Run the tests of a commit; of a pull request say whether they pass; of data whether its rows are whole."""
    if task.input["test_type"] == "data":
        rows = read_rows(str(task.input["location"]))
        return {"valid": bool(rows) and all(None not in row.values() and None not in row for row in rows)}
    words = shlex.split(str(task.input.get("test_command", ""))) or [sys.executable, "-m", "unittest", "discover", "-q"]
    with checked_out(*asked(task)) as clone:
        try:
            return {"passed": True, "output": command(*words, folder=clone)[-SHOWN:]}
        except RuntimeError as exc:
            if "pull_request_url" not in task.input:
                raise
            return {"passed": False, "output": str(exc)}


@agent("git_reviewer", capabilities={"code_review"})
def review(task: Task, context: TaskContext) -> dict[str, Any]:
    """Read the added lines of a change, sum up what was found, or answer the pull request."""
    match task.input["action"]:
        case "review":
            with checked_out(*asked(task)) as clone:
                return {"findings": findings(clone, str(task.input["review_type"]))}
        case "summarise":
            found = [text for several in dict(task.input["findings"]).values() for text in several]
            passed = "pass" if task.input["passed"] else "fail"
            return {"findings": len(found), "text": f"{len(found)} findings, tests {passed}. " + "; ".join(found[:20])}
        case answer:
            context.log(f"{answer}: {task.input['text']}")
            return {"answer": answer, "text": task.input["text"]}


#: What each kind of review looks for in an added line.
LOOKED_FOR = {
    "style": {"\t": "a tab", "print(": "a print"},
    "security": {"eval(": "eval", "shell=True": "a shell", "verify=False": "unverified TLS"},
}


def findings(clone: Path, kind: str) -> list[str]:
    """What stands in the lines that a change adds."""
    words = LOOKED_FOR.get(kind, {})
    found, file = [], ""
    for line in command("git", "diff", "--unified=0", "origin/HEAD...HEAD", folder=clone).splitlines():
        if line.startswith("+++ "):
            file = line[6:]
        elif line.startswith("+"):
            found += [f"{file}: {what}" for word, what in words.items() if word in line]
    return found


@agent("folder_deployer", capabilities={"deployment"})
def deploy(task: Task, context: TaskContext) -> dict[str, Any]:
    """Put a commit beside the releases before it and point to it; or point to the one before; or publish data."""
    if task.input["action"] == "publish":
        context.log(f"published {task.input['rows']} rows")
        return {"published": task.input["rows"]}
    root = deploy_root() / Path(str(task.input["environment"])).name
    if task.input["action"] == "rollback":
        return roll_back(root)
    release = put_release(root, *asked(task))
    if current(root) != release.name:  # a repeated deploy is not the release before itself
        point(root, "previous", current(root))
        point(root, "current", release.name)
    return {"url": (root / "current").as_uri(), "release": release.name}


def put_release(root: Path, repository: str, ref: str) -> Path:
    """The folder of a commit, whole or not there at all; a repeated deploy finds it where the first one put it."""
    root.mkdir(parents=True, exist_ok=True)
    with checked_out(repository, ref) as clone:
        release = root / command("git", "rev-parse", "HEAD", folder=clone).strip()
        if not release.is_dir():
            fresh = root / f".{release.name}.{os.getpid()}"
            shutil.copytree(clone, fresh, ignore=shutil.ignore_patterns(".git"))
            fresh.rename(release)
    return release


def roll_back(root: Path) -> dict[str, Any]:
    """Point to the release before."""
    before = current(root, "previous")
    if before is None:
        raise RuntimeError(f"there is no release before the present one in {root}")
    point(root, "current", before)
    return {"release": before}


def deploy_root() -> Path:
    """Where releases lie."""
    return Path(os.environ.get("DEPLOY_ROOT", "deployed")).resolve()


def current(root: Path, link: str = "current") -> str | None:
    """The release that a link points to; None where there is none."""
    return (root / link).readlink().name if (root / link).is_symlink() else None


def point(root: Path, link: str, release: str | None) -> None:
    """Let a link point to a release, at once and whole."""
    if release is not None and current(root, link) != release:
        fresh = root / f".{link}.{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(release)
        fresh.replace(root / link)


@agent("monitor", capabilities={"monitoring"})
def monitor(task: Task, context: TaskContext) -> dict[str, Any]:
    """Ask a release's ``healthcheck.py`` whether it is well; or report how a workflow ended."""
    if task.input["action"] != "verify":
        context.log(json.dumps(task.input))
        return {"reported": task.input}
    release = Path(str(task.input["target"]).removeprefix("file://"))
    check = release / "healthcheck.py"
    if not check.is_file():
        return {"healthy": True, "output": "there is no healthcheck.py"}
    try:
        return {"healthy": True, "output": command(sys.executable, str(check), folder=release)[-SHOWN:]}
    except RuntimeError as exc:
        return {"healthy": False, "output": str(exc)}


@agent("rows", capabilities={"custom"})
def process(task: Task, context: TaskContext) -> dict[str, Any]:
    """Work on files of comma separated values: take one, leave out what is empty, or count what came of all."""
    if task.input["action"] == "load":
        loaded = [source for source in task.input["sources"] or [] if source and "rows" in source]
        return {"rows": sum(int(source["rows"]) for source in loaded)}
    location = str(task.input.get("location") or task.input["source"])
    rows = read_rows(location)
    if task.input["action"] == "transform":
        rows = [row for row in rows if any(value.strip() for value in row.values())]
        location = write_rows(f"{location}.clean", rows)
    return {"rows": len(rows), "location": location}


def read_rows(location: str) -> list[dict[str, str]]:
    """The rows of a file by the names in its first line."""
    with Path(location).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(location: str, rows: list[dict[str, str]]) -> str:
    """Write rows; where they are."""
    with Path(location).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    return location
