"""The manual's snippets work together, in one folder, as somebody would type them."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from taskengine.models import TaskCreateRequest

from ..cases import each

README = Path(__file__).resolve().parents[2] / "README.md"
#: What a snippet may import that this project does not bring: such a one is only read.
OTHERS = ("django", "sqlalchemy", "openai", "fastapi", "flask")


@dataclass(frozen=True)
class Snippet:
    """A fenced block, and the words before it."""

    language: str
    text: str
    before: str
    number: int

    @property
    def file(self):
        """The name that the words before it, or its first comment, give it; None for none."""
        named = re.findall(r"`([\w/]+\.(?:py|yaml))`", self.before[-200:].replace("\n", " "))
        named += re.findall(r"^# ([\w/]+\.(?:py|yaml))\b", self.text)
        return named[-1] if named else None

    @property
    def is_test(self):
        return "def test_" in self.text

    @property
    def is_agent(self):
        return re.search(r"^@agent\b", self.text, re.MULTILINE) is not None and not self.is_test

    @property
    def is_script(self):
        whole = re.search(r"^(from|import) taskengine\b|^from taskengine\b", self.text, re.MULTILINE)
        kinds = (self.is_test, self.is_agent, self.is_foreign, self.is_receiver)
        return self.language == "python" and whole and not any(kinds)

    @property
    def is_foreign(self):
        return re.search(rf"^(from|import) ({'|'.join(OTHERS)})\b", self.text, re.MULTILINE) is not None

    @property
    def is_receiver(self):
        """A module that listens to Celery's signals in a worker."""
        return "\nfrom celery.signals import" in f"\n{self.text}"

    @property
    def as_run(self):
        """The text, and a call of each task of Celery's that it declares, twice: a message may come again."""
        declared = re.findall(r"^@app\.task.*\ndef (\w+)\(\)", self.text, re.MULTILINE)
        return self.text + "".join(f"\n{name}()\n{name}()\n" for name in declared)


def snippets():
    text = README.read_text()
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Snippet(one[1], one[2], text[: one.start()], number) for number, one in enumerate(found)]


def python():
    return [one for one in snippets() if one.language == "python"]


@each("snippet", python())
def test_a_snippet_is_python_and_gives_tasks_fields_that_there_are(snippet):
    for node in ast.walk(ast.parse(snippet.text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Task":
            assert {word.arg for word in node.keywords if word.arg} <= set(TaskCreateRequest.model_fields)


@pytest.fixture
def folder(shell):
    """One folder that holds every snippet under the name that the manual gives it."""
    for one in snippets():
        if one.is_foreign:
            continue
        if one.is_agent:
            file = shell.folder / (one.file or "my_agents.py")
            written = file.read_text() if file.exists() and one.number > first_agent() else ""
            file.write_text(f"{written}\n{one.text}")
        elif one.is_test or one.is_receiver or one.language == "yaml":
            (shell.folder / (one.file or f"test_snippet_{one.number}.py")).write_text(one.text)
    return shell.folder


def first_agent():
    return next(one.number for one in snippets() if one.is_agent)


def test_tests_of_the_manual_pass_beside_its_agents(folder):
    tests = sorted(folder.glob("test_*.py"))
    assert tests
    # As the manual says: declared inside the test, or with the module that has an agent of that name.
    for before in ("", "import my_agents\n"):
        for file in tests:
            file.write_text(before + file.read_text())
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", *map(str, tests)]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


def test_scripts_graphs_and_commands_of_the_manual_run_against_one_stack(shell, folder):
    up = shell.start("up", "--import", "my_agents,alarms", "--no-flower", "-c", "2")
    up.await_word("ready")
    scripts = [one for one in snippets() if one.is_script]
    assert scripts
    for one in scripts:
        ran = subprocess.run(
            [sys.executable, "-c", one.as_run], cwd=folder, env=shell.environment(), capture_output=True, text=True,
            timeout=90,
        )  # fmt: skip
        assert ran.returncode == 0, (one.text, ran.stderr, up.said)
    for file in folder.glob("*.yaml"):
        if "\nsteps:" not in file.read_text():
            done = shell.run("graph", "submit", file.name, "--wait", "--wait-timeout", "60")
            assert done.code == 0, (done, up.said)
    lines = [*commands("Your own work", "From the shell:"), *commands("Workflows", "Run it,")]
    assert any(words[:2] == ["task", "submit"] for words in lines)
    assert sum(words[:2] == ["workflow", "run"] for words in lines) == 2
    for words in lines:
        done = shell.run(*words)
        assert done.code == 0, (words, done, up.said)
    fan_out(shell)
    tell_an_alarm(shell, up)
    up.interrupt()
    assert up.end() == 0


def fan_out(shell):
    """``split`` puts parts and their join into its own run, and nobody waits in a slot for them."""
    done = shell.run("task", "submit", "--capability", "split", "--input", '{"parts": 3}', "--wait", "-o", "json")
    assert done.json["result"] == {"parts": 3}, done
    run = done.json["run_id"]
    assert shell.run("run", "watch", run, "--wait-timeout", "60").code == 0
    listed = shell.run("task", "list", "--run", run, "-o", "json").json["tasks"]
    (join,) = (one["id"] for one in listed if one["name"] == "join")
    assert shell.run("task", "get", join, "-o", "json").json["result"] == {"sum": 5, "failed": []}
    assert len(listed) == 5


def tell_an_alarm(shell, up):
    """A receiver of Celery's signals hears of a failure by the task's name, with the real exception."""
    asked = ("task", "submit", "--name", "broken", "--capability", "lint", "--max-retries", "0", "--wait")
    assert shell.run(*asked).code == 1
    assert "KeyError('path')" in up.await_word("broken (")


def commands(section, before):
    """What a section says from the shell behind some words, once a stack runs."""
    page = README.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    shown = page.partition(before)[2]
    found = [shlex.split(line, comments=True)[1:] for line in re.findall(r"^    (taskengine .*)$", shown, re.MULTILINE)]
    return [words for words in found if not {"ID", "RUN", "-f"} & set(words)]
