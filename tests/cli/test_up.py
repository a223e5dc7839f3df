"""``taskengine up`` as processes: what it runs, and that nothing of it is ever left."""

from __future__ import annotations

import json
import signal
import socket

import pytest

from .conftest import until

READY = "ready; "
START = ("up", "--import", "my_agents", "--concurrency", "1", "--no-flower", "--no-page")


@pytest.fixture
def up(shell):
    """A stack that is up."""
    running = shell.start(*START)
    running.await_word(READY[:5])
    return running


def until_empty(shell, seconds=60):
    until(shell.is_empty, seconds, "no process left")


def test_the_stack_runs_tasks_and_ctrl_c_leaves_nothing(shell):
    running = shell.start("up", "--import", "my_agents", "--concurrency", "1")
    said = running.await_word("ready; Flower: http://127.0.0.1:")
    for name in ("coordinator", "worker", "flower"):
        assert f"{name} started, pid " in said
    done = shell.run("task", "submit", "-C", "echo", "-i", '{"n": 1}', "--wait", "--wait-timeout", "30", "-o", "json")
    assert done.json["result"] == {"n": 1}
    running.interrupt()
    assert running.end() == 0
    assert "up          | Ctrl-C: stopping" in running.said
    assert "worker ended with exit code 0" in running.said
    assert running.said.rstrip().endswith("| everything stopped")
    until_empty(shell)


def test_without_any_agent_of_ones_own_the_built_in_ones_work_and_a_line_says_who_does_what(shell):
    shell.variables["ANTHROPIC_API_KEY"] = "sk-canary"
    running = shell.start("up", "--concurrency", "1", "--no-flower", "--no-page")
    said = running.await_word("ready; Ctrl-C")
    assert (
        "served: code_analysis by ast_analysis, code_generation by patch_apply, code_review by ruff_review, "
        "custom by echo, deployment by run_deploy, monitoring by probe, testing by pytest_run"
    ) in " ".join(said.split())
    assert "ANTHROPIC_API_KEY is set; to let Claude write and review code: taskengine agents register" in said
    assert "sk-canary" not in said
    submit = ("task", "submit", "-t", "code_analysis", "--wait", "--wait-timeout", "60", "-o", "json")
    done = shell.run(*submit, "-i", '{"path": "."}')
    assert done.json["result"]["files"] == 1
    refused = shell.run(*submit, "-i", '{"path": "/etc"}')
    assert refused.json["status"] == "failed"
    agents = shell.run("agents", "list", "-o", "json").json
    assert {one["origin"] for one in agents} == {"code"}  # nobody was registered
    running.interrupt()
    assert running.end() == 0
    until_empty(shell)


def test_an_agent_of_ones_own_stands_before_a_built_in_one(shell):
    (shell.folder / "my_tests.py").write_text(
        'from taskengine import agent\n\n@agent("mine", capabilities={"testing"})\ndef mine(task, context):\n'
        "    return {}\n"
    )
    running = shell.start("up", "--import", "my_tests", "--concurrency", "1", "--no-flower", "--no-page")
    said = running.await_word("ready; Ctrl-C")
    assert "testing by mine" in said
    assert "custom by echo" in said
    running.interrupt()
    assert running.end() == 0


def test_lines_for_programs_are_json(shell):
    running = shell.start(*START, "-o", "json")
    running.await_word('"line": "ready')
    running.interrupt()
    assert running.end() == 0
    lines = [json.loads(line) for line in running.said.splitlines()]
    assert {"up", "coordinator", "worker"} == {line["process"] for line in lines}


def test_a_killed_stack_leaves_nothing(shell, up):
    shell.run("task", "submit", "-C", "sleep", "-i", '{"seconds": 0.5}', "--wait")
    up.process.kill()
    until_empty(shell)


def part(shell, up, word, *others):
    """The process of the stack with this word in its command line, that is none of the *others*."""
    found = [each for each in shell.processes(word) if each.ppid() == up.process.pid and each not in others]
    return found[0] if found else None


def test_a_process_that_ends_is_started_again_and_named_and_waited_for_longer_each_time(shell, up):
    for delay in (1, 2):
        worker = part(shell, up, "celery_door")
        worker.kill()
        up.await_word(f"worker was ended by SIGKILL: starting it again in {delay} s")
        until(lambda before=worker: part(shell, up, "celery_door", before), 60, "a new worker")
    part(shell, up, "coordinator").kill()
    up.await_word("coordinator was ended by SIGKILL: starting it again in 1 s")
    up.await_word("coordinator started again, pid ")
    done = shell.run("task", "submit", "-C", "echo", "-i", '{"n": 1}', "--wait", "--timeout", "60", "-o", "json")
    assert done.json["result"] == {"n": 1}
    up.interrupt()
    assert up.end() == 0
    until_empty(shell)


def test_a_page_whose_server_dies_is_served_again_and_the_fleet_works_on(shell):
    up = shell.start(*(word for word in START if word != "--no-page"))
    up.await_word(READY[:5])
    (server,) = [each for each in shell.processes("cli --tied-to") if "server" in each.cmdline()]
    server.kill()
    up.await_word("server was ended by SIGKILL: starting it again in 1 s")
    up.await_word("server started again, pid ")
    done = shell.run("task", "submit", "-C", "echo", "-i", '{"n": 1}', "--wait", "--timeout", "60", "-o", "json")
    assert done.json["result"] == {"n": 1}
    up.interrupt()
    assert up.end() == 0
    until_empty(shell)


def test_a_worker_that_can_not_start_ends_the_stack_with_its_reason(shell):
    running = shell.start("up", "--import", "nobody_wrote_this", "--no-flower")
    assert running.end() == 1
    assert "worker      | taskengine: --import nobody_wrote_this: there is no such module" in running.said
    assert "worker ended with exit code 1: stopping the others" in running.said
    until_empty(shell)


@pytest.mark.matrix
@pytest.mark.parametrize("with_its_keeper", [False, True])
def test_a_killed_embedded_server_is_started_again_with_its_data(shell, up, with_its_keeper):
    id = shell.run("task", "submit", "-C", "echo", "-i", '{"n": 1}', "--wait", "-o", "json").json["id"]
    (server,) = shell.processes("valkey-server")
    if with_its_keeper:
        (watchdog,) = shell.processes("watchdog.py")
        watchdog.kill()
    server.kill()
    up.await_word("the embedded valkey ended and was started again, pid ", 20)
    assert shell.run("task", "get", id, "-o", "json").json["result"] == {"n": 1}
    done = shell.run("task", "submit", "-C", "echo", "-i", '{"n": 2}', "--wait", "--timeout", "60", "-o", "json")
    assert done.json["result"] == {"n": 2}
    up.interrupt()
    assert up.end() == 0
    until_empty(shell)


@pytest.mark.parametrize(("part", "is_up"), [("coordinator", "leads "), ("worker --import my_agents", "ready.")])
def test_each_part_starts_a_server_again_that_was_killed_with_its_keeper(shell, part, is_up):
    running = shell.start(*part.split())
    running.await_word(is_up)
    for word in ("watchdog.py", "valkey-server"):
        (found,) = shell.processes(word)
        found.kill()
    until(lambda: shell.processes("watchdog.py"), 60, "a watchdog")
    until(lambda: shell.processes("valkey-server"), 60, "a server")
    running.process.terminate()
    running.end()
    until_empty(shell)


def test_an_embedded_server_that_cannot_start_again_ends_the_stack(shell, up):
    (piece,) = (shell.folder / ".taskengine" / "data" / "appendonlydir").glob("*.incr.aof")
    (server,) = shell.processes("valkey-server")
    server.suspend()
    piece.write_bytes(b"*1\r\n$-9\r\n" * 100)
    server.kill()
    assert up.end(60) == 1
    assert "the embedded valkey does not start again" in up.said
    until_empty(shell)


def test_a_second_ctrl_c_hands_running_work_back_and_leaves_nothing(shell, up):
    id = shell.run("task", "submit", "-C", "sleep", "-i", '{"seconds": 200}', "-o", "json").json["id"]
    until(lambda: shell.run("task", "get", id, "-o", "json").json["status"] == "running", 60, "it runs")
    up.interrupt()
    up.await_word("Ctrl-C: stopping")
    up.interrupt()
    assert up.end(30) == 0
    until_empty(shell)
    task = shell.run("task", "get", id, "-o", "json").json
    assert (task["status"], task["lost_count"]) == ("ready", 0)


def test_sigterm_is_a_ctrl_c(shell, up):
    up.process.send_signal(signal.SIGTERM)
    assert up.end() == 0
    assert "SIGTERM: stopping" in up.said
    until_empty(shell)


def test_a_port_in_use_is_said_before_anything_starts(shell):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shell.variables["TASKENGINE_FLOWER_PORT"] = str(port)
        done = shell.run("up")
    assert (done.code, f"port {port}" in done.err, "TASKENGINE_FLOWER_PORT" in done.err) == (1, True, True)
    assert not (shell.folder / ".taskengine").exists()
