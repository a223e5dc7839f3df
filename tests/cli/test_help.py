"""Help and usage: what a new user meets first."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest
import typer

from taskengine.cli import COMMANDS as OUTLINES
from taskengine.cli import app

from ..cases import each

#: Commands that become a process and answer nothing.
SERVES = {"coordinator", "worker", "flower"}
COMMANDS = (
    "demo", "up", "coordinator", "worker", "flower", "server", "workers", "doctor", "status", "queue stats",
    "queue demand", "pause", "resume", "pauses",
    "task submit", "task get", "task list", "task cancel", "task retry", "task logs", "task watch",
    "task update", "task execute", "task delete", "task events", "task pause", "task resume", "task hold",
    "task release", "task set-priority", "task depend",
    "graph show", "graph lint", "graph plan", "graph submit",
    "run list", "run show", "run watch", "run events", "run graph",
    "workflow run", "workflow start", "workflow status", "workflow watch", "workflow pause", "workflow resume",
    "workflow cancel", "workflow signal", "workflow approve", "workflow update", "workflow graph", "workflow lint",
    "workflow schema", "workflow register", "workflow list", "workflow retry", "workflow restart",
    "agents list", "agents show", "agents register", "agents update", "agents remove", "agents pause", "agents resume",
    "agents drain", "agents test", "agents apply", "agents limits list", "agents limits set", "agents limits remove",
    "keys create", "keys list", "keys revoke",
    "dead list", "dead show", "dead requeue", "dead drop", "quarantine list", "quarantine show", "quarantine drop",
)  # fmt: skip


@each("command", COMMANDS)
def test_every_command_explains_itself_with_examples(taskengine, command):
    done = taskengine(*command.split(), "--help")
    assert done.code == 0
    assert f"taskengine {command}" in done.out.partition("Examples:")[2]


def test_every_command_is_in_the_help_of_its_group(taskengine):
    for command in COMMANDS:
        *group, name = command.split()
        assert f" {name} " in taskengine(*group, "--help").out


def leaves(command, *path):
    """Every command, however deep, with its words."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, *path, name)
    if not hasattr(command, "commands"):
        yield " ".join(path), command


def test_no_command_is_without_examples_and_json():
    found = dict(leaves(typer.main.get_command(app)))
    assert set(COMMANDS) <= set(found)
    for name, command in found.items():
        assert f"taskengine {name}" in (command.epilog or ""), name
        assert any("--output" in parameter.opts for parameter in command.params) or name in SERVES, name


def test_timeout_is_the_tasks_everywhere_and_wait_timeout_the_limit_of_waiting():
    meant = {"--timeout": "One attempt may take so long", "--wait-timeout": "Wait no longer"}
    found = [
        (option, parameter.help)
        for _, command in leaves(typer.main.get_command(app))
        for parameter in command.params
        for option in parameter.opts
        if "--timeout" in option or option == "--wait-timeout"
    ]
    assert {option for option, _ in found} == set(meant)
    assert all(help.startswith(meant[option]) for option, help in found)


#: What nobody waits for who only asks what commands there are, and modules of ours that bring it.
HEAVY = {"celery", "kombu", "networkx", "redis", "pydantic", "taskengine.api", "taskengine.cli.task"}


def loaded_by(words, **variables):
    """Those of HEAVY that the command line imports for *words*."""
    code = (
        f"import atexit, sys; sys.argv = ['taskengine', *{words}]\n"
        f"atexit.register(lambda: print(sorted({HEAVY} & set(sys.modules)), file=sys.stderr))\n"
        "from taskengine.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True)
    return done.stderr.splitlines()[-1]


@pytest.mark.process
def test_help_version_and_the_completion_of_a_first_word_load_no_command():
    for words in (["--help"], ["--version"]):
        assert loaded_by(words) == "[]"
    first_word = {"_TASKENGINE_COMPLETE": "complete_bash", "COMP_WORDS": "taskengine ta", "COMP_CWORD": "1"}
    assert loaded_by([], **first_word) in ("[]", "['pydantic']")  # Typer's own, where it reads options
    assert "taskengine.cli.task" in loaded_by(["task", "--help"])


def test_what_is_said_of_a_command_before_it_is_loaded_begins_its_own_help():
    for name, outline in OUTLINES.items():
        help = typer.main.get_command(app).commands[name].help
        assert help.split("\n\n")[0] == outline.help, name


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["task", "list", "--limit", "0"], ["up", "--pool", "gevent"], ["task", "submit", "--priority", "9"]],
)
def test_wrong_usage_is_exit_code_2(taskengine, words):
    done = taskengine(*words)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert "Usage:" in done.err


@pytest.mark.process
def test_the_shell_completes_commands():
    words = {"_TASKENGINE_COMPLETE": "complete_bash", "COMP_WORDS": "taskengine task ", "COMP_CWORD": "2"}
    code = "import sys; sys.argv = ['taskengine']; from taskengine.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **words}, capture_output=True, text=True)
    assert set(done.stdout.split()) == {
        "submit", "get", "list", "cancel", "retry", "logs", "watch", "why", "update", "execute", "delete", "events",
        "answer", "artifacts", "depend", "pause", "resume", "hold", "release", "set-priority",
    }  # fmt: skip


def test_the_version_is_said(taskengine):
    assert taskengine("--version").out.startswith("taskengine 0.")


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_for_terminals_that_want_it(at_server, variables, coloured):
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    command = [sys.executable, "-P", "-m", "taskengine.cli", "doctor"]
    process = subprocess.Popen(
        command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL,
        env={**kept, "TERM": "xterm-256color", "TASKENGINE_REDIS_URL": at_server.url, **variables},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 65_536):
            said += piece
    except OSError:  # how the end of a terminal is told
        pass
    process.wait()
    os.close(ours)
    assert b"server" in said
    assert bool(re.search(rb"\x1b\[[0-9;]*3[0-7]", said)) is coloured


def test_no_colour_goes_into_a_pipe(at_server):
    command = [sys.executable, "-P", "-m", "taskengine.cli", "doctor"]
    env = {**os.environ, "TERM": "xterm-256color", "TASKENGINE_REDIS_URL": at_server.url}
    assert b"\x1b" not in subprocess.run(command, capture_output=True, env=env).stdout


def test_a_pool_that_cannot_keep_leases_is_refused_with_what_to_take_instead(taskengine):
    for command in ("worker", "up"):
        done = taskengine(command, "--pool", "gevent")
        said = " ".join(done.err.split())
        assert done.code == 2
        assert [word in said for word in ("'gevent'", "--pool threads", "coroutine agents")] == [True] * 3
