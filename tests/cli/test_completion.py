"""The shell completes words, and ids and capabilities of a server that answers at once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taskengine import BlockingTaskAPI, Workflow
from taskengine.cli import completion
from taskengine.transport.quarantine import put_aside

from ..store.world import World

QUEUES = "lint=ruff deploy=bot @ruff=ruff @bot=bot"
RUN = [sys.executable, "-c", "import sys; sys.argv = ['taskengine']; from taskengine.cli import main; main()"]


def asking(words, shell="bash"):
    """Variables by which a shell asks for the last of *words*, which may be ''."""
    line = " ".join(["taskengine", *words])
    return {
        "_TASKENGINE_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": str(len(words)),
        "_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip


def complete_anew(url, *words):
    """What a process of its own offers."""
    env = {**os.environ, **asking(words), "TASKENGINE_REDIS_URL": url}
    done = subprocess.run(RUN, env=env, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def complete(taskengine, at_server, monkeypatch):
    """What is offered; asked in this process, for an interpreter's start costs a second."""

    def ask(*words, shell="bash"):
        for name, value in asking(words, shell).items():
            monkeypatch.setenv(name, value)
        done = taskengine()
        assert (done.code, done.err) == (0, "")
        return done.out.split() if shell == "bash" else done.out

    return ask


@pytest.fixture
def world(store, at_server):
    made = World(store, at_server.client, lambda _: store)
    made.beat(queues=QUEUES)
    return made


def test_ids_are_those_that_the_command_can_mean(world, at_server, complete):
    done, waits = world.new("done"), world.new("waits", capability="nobody")
    world.finish(done, disposition="failed")
    assert set(complete("task", "get", "")) == {str(done.id), str(waits.id)}
    assert complete("task", "get", str(done.id)[:9]) == [str(done.id)]
    assert complete("task", "retry", "") == [str(done.id)]
    assert complete("task", "cancel", "") == [str(waits.id)]
    assert complete("task", "get", "zz") == []


def test_capabilities_agents_letters_and_messages_are_offered(world, at_server, complete):
    assert complete("task", "submit", "--capability", "") == ["deploy", "lint"]
    assert complete("task", "submit", "--capability", "l") == ["lint"]
    world.beat(queues=QUEUES)  # an interpreter's start may take longer than a lease
    assert complete("task", "submit", "--assigned-to", "") == ["bot", "ruff"]
    letter = world.new("letter")
    world.raw.zadd(world.keys.fixed("dead"), {str(letter.id): 5})
    assert complete("dead", "show", "") == [str(letter.id)]
    put_aside(at_server.client.connection_pool, world.keys.fixed("quarantine"), "lint", b"x", "not JSON")
    assert len(complete("quarantine", "show", "")) == 1


def test_runs_are_offered_where_runs_are_asked_for(world, at_server, complete):
    run, again = (world.submit(world.task("a"), world.task("b"), name="nightly") for _ in range(2))
    other = world.submit(world.task("a"), world.task("b"))
    odd = [world.submit(world.task("a"), name=name) for name in ("$(touch x)", "two words", "a'b")]
    world.new("lone")
    assert set(complete("run", "watch", "")) == {run, again, other, *odd, "nightly"}
    assert complete("run", "show", "nig") == ["nightly"]
    assert set(complete("task", "list", "--run", "")) == {run, again, other, *odd}
    assert complete("pause", "--run", other[:13]) == [other]


def test_workflows_and_their_approvals_are_offered(world, at_server, complete):
    steps = [{"name": "ask", "kind": "approval", "prompt": "?"}, {"name": "go", "kind": "wait", "signal": "go"}]
    with BlockingTaskAPI(at_server.url) as api:
        id = str(api.start_workflow(Workflow(name="release", steps=steps)))
    other = world.submit(world.task("a"), world.task("b"), name="nightly")
    assert complete("workflow", "watch", "") == [id, "release"]
    assert complete("workflow", "cancel", "") == [id]
    assert complete("workflow", "cancel", other[:9]) == []
    assert complete("workflow", "approve", id[:8], "") == ["ask"]
    assert complete("workflow", "approve", "none", "") == []


def test_a_workflow_to_run_is_a_file_or_a_registered_name(world, at_server, complete, tmp_path):
    (tmp_path / "release.yaml").touch()
    (tmp_path / "release.txt").touch()
    (tmp_path / "relics").mkdir()
    (tmp_path / "relics" / "old.json").touch()
    with BlockingTaskAPI(at_server.url) as api:
        api.register_workflow(Workflow(name="release-all", steps=[{"name": "go", "kind": "wait", "signal": "go"}]))
    assert complete("workflow", "run", "rel") == ["release.yaml", "relics/", "release-all"]
    assert complete("workflow", "start", "relics/") == ["relics/old.json"]


def test_four_digits_find_older_tasks_than_the_newest(world, at_server, complete):
    old = world.new("old")
    world.submit(*(world.task(f"t{n}") for n in range(600)))
    assert str(old.id) not in complete("task", "get", "")
    assert complete("task", "get", str(old.id)[:9]) == [str(old.id)]
    assert complete("task", "resume", str(old.id)[:9]) == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_names_beside_ids(world, at_server, complete, shell):
    task = world.new("render")
    offered = complete("task", "get", "", shell=shell)
    assert str(task.id) in offered
    assert "render ready" in offered


@pytest.mark.process
@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://10.255.255.1:6379/0", "nonsense"])
def test_a_server_that_does_not_answer_costs_no_wait_and_no_noise(url):
    began = time.monotonic()
    assert complete_anew(url, "task", "ge") == ["get"]  # the interpreter's start, which asks nobody
    asks = time.monotonic()
    assert complete_anew(url, "task", "get", "") == []
    assert time.monotonic() - asks < 2 * (asks - began) + 3


@pytest.mark.process
def test_no_embedded_server_is_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env = {k: v for k, v in os.environ.items() if not k.startswith("TASKENGINE_")}
    ask = {"_TASKENGINE_COMPLETE": "complete_bash", "COMP_WORDS": "taskengine task get ", "COMP_CWORD": "3"}
    done = subprocess.run(RUN, env=env | ask, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr, list(tmp_path.iterdir())) == ("", "", [])


@pytest.mark.process
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes_with_the_script_that_is_shown(tmp_path):
    command = Path(sys.executable).with_name("taskengine")
    script = (
        'eval "$(taskengine --show-completion bash)"; COMP_WORDS=(taskengine qua); COMP_CWORD=1; '
        "_taskengine_completion taskengine; echo ${COMPREPLY[@]}"
    )
    env = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True)
    assert done.stdout.split() == ["quarantine"], done.stderr


def test_what_commands_offer_is_known_and_all_of_it_is_offered():
    commands = Path(completion.__file__).parent.rglob("*.py")
    named = {name for file in commands for name in re.findall(r'=offers\("(\w+)"\)', file.read_text(encoding="utf-8"))}
    assert named == completion.OFFERS.keys()
