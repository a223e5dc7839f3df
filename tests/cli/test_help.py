"""Help and usage: what a new user meets first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COMMANDS = (
    "demo", "up", "coordinator", "worker", "flower", "workers", "doctor", "queue stats",
    "pause", "resume", "pauses",
    "task submit", "task get", "task list", "task cancel", "task retry", "task logs", "task watch",
    "graph show", "graph lint", "graph plan", "graph submit",
    "dead list", "dead show", "dead requeue", "dead drop", "quarantine list", "quarantine show", "quarantine drop",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(taskengine, command):
    done = taskengine(*command.split(), "--help")
    assert done.code == 0
    assert f"taskengine {command}" in done.out.partition("Examples:")[2]


def test_every_command_is_in_the_help_of_its_group(taskengine):
    for command in COMMANDS:
        *group, name = command.split()
        assert f" {name} " in taskengine(*group, "--help").out


def test_help_loads_neither_celery_nor_networkx_nor_redis():
    heavy = {"celery", "kombu", "networkx", "redis", "pydantic"}
    ask = f"import sys, taskengine.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["task", "list", "--limit", "0"], ["up", "--pool", "gevent"], ["task", "submit", "--priority", "9"]],
)
def test_wrong_usage_is_exit_code_2(taskengine, words):
    done = taskengine(*words)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert "Usage:" in done.err


def test_the_shell_completes_commands():
    words = {"_TASKENGINE_COMPLETE": "complete_bash", "COMP_WORDS": "taskengine task ", "COMP_CWORD": "2"}
    code = "import sys; sys.argv = ['taskengine']; from taskengine.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **words}, capture_output=True, text=True)
    assert set(done.stdout.split()) == {"submit", "get", "list", "cancel", "retry", "logs", "watch", "why"}


def test_the_version_is_said(taskengine):
    assert taskengine("--version").out.startswith("taskengine 0.")
