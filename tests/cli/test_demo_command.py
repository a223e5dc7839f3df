"""``taskengine demo`` as a user runs it."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from taskengine import BlockingTaskAPI
from taskengine.cli.page import serves

from .conftest import until


@pytest.fixture
def code(shell):
    """A code base whose numbers are known: b and c import a, c imports b, and x and y import each other."""
    folder = shell.folder / "code"
    folder.mkdir()
    (folder / "a.py").write_text("def f(x):\n    return 1 if x else 2\n")
    (folder / "b.py").write_text("import a\n")
    (folder / "c.py").write_text("import a\nimport b\n")
    (folder / "x.py").write_text("import y\n")
    (folder / "y.py").write_text("import x\n")
    return folder


def wide(folder, count):
    """A code base of many modules in a chain, which takes its time."""
    folder.mkdir()
    for n in range(count):
        body = "".join(f"def f{k}(x):\n    return x if x else {k}\n" for k in range(20))
        (folder / f"m{n:04}.py").write_text((f"import m{n - 1:04}\n" if n else "") + body)
    return folder


def test_the_demo_shows_and_writes_its_findings_and_leaves_nothing(shell, code):
    done = shell.run("demo", str(code), "--exit", "--concurrency", "1")
    assert done.code == 0, done.err
    assert "5 modules, " in done.out
    assert "Flower    http://127.0.0.1:" in done.out
    run = json.loads((shell.folder / "taskengine-report" / "report.json").read_text())["run"]["run"]
    assert re.search(rf"^Page: http://127\.0\.0\.1:\d+/#key=te_\S+&to=/runs/{run}$", done.out, re.MULTILINE)
    assert "x +1" in done.out
    assert "\x1b" not in done.out
    page = shell.folder / "taskengine-report" / "report.html"
    assert f"Report    {page.resolve()}" in done.out
    assert "began" in page.read_text()
    whole = json.loads(page.with_name("report.json").read_text())
    found = {module["module"]: (module["fan_in"], module["fan_out"], module["reach"]) for module in whole["modules"]}
    assert found == {"a": (2, 0, 2), "b": (1, 1, 1), "c": (0, 2, 0), "x": (1, 1, 1), "y": (1, 1, 1)}
    logs = {log.name for log in (page.parent / "logs").iterdir()}
    assert logs == {"coordinator.log", "worker.log", "flower.log", "server.log"}
    until(shell.is_empty, 60, "no process left")


def test_a_graph_that_only_waits_has_as_many_tasks_as_were_asked_for_and_no_report(shell):
    done = shell.run("demo", "--synthetic", "60", "--exit", "--concurrency", "2", "-o", "json")
    assert done.code == 0, done.err
    assert done.json["counts"] == {"completed": 60}
    assert (done.json["report"], done.json["findings"]) == (None, None)
    assert not (shell.folder / "taskengine-report" / "report.html").exists()
    until(shell.is_empty, 60, "no process left")


@pytest.mark.parametrize(
    ("words", "code"), [(("--synthetic", "3"), 2), (("--synthetic", "9999999"), 2), (("--synthetic", "100", "."), 1)]
)
def test_a_graph_that_cannot_be_made_is_refused_before_anything_starts(shell, words, code):
    done = shell.run("demo", *words)
    assert done.code == code
    assert "--synthetic" in done.err
    assert not (shell.folder / "taskengine-report").exists()


def test_for_programs_the_demo_is_one_object_on_stdout(shell, code):
    done = shell.run("demo", str(code), "--exit", "--concurrency", "1", "-o", "json")
    assert done.code == 0
    assert done.json["counts"] == {"completed": 6}
    assert done.json["findings"]["totals"]["modules"] == 5
    assert "Flower" in done.err


@pytest.mark.parametrize("path", ["missing", "empty"])
def test_a_path_without_python_is_said_before_anything_starts(shell, path):
    (shell.folder / "empty").mkdir()
    done = shell.run("demo", path)
    assert done.code == 1
    assert done.err.startswith("taskengine: path: ")
    assert not (shell.folder / ".taskengine").exists()
    assert shell.is_empty()


def test_a_report_folder_that_can_not_be_written_is_said_before_anything_starts(shell, code):
    done = shell.run("demo", str(code), "--report", "my_agents.py")
    assert (done.code, "--report my_agents.py" in done.err) == (1, True)
    assert not (shell.folder / ".taskengine").exists()


def test_without_exit_the_fleet_stays_until_ctrl_c(shell, code):
    running = shell.start("demo", str(code), "--concurrency", "1")
    running.await_word("The fleet stays up")
    assert shell.run("workers", "-o", "json").json[0]["agents"] == ["code_analyser"]
    running.interrupt()
    assert running.end() == 0
    until(shell.is_empty, 60, "no process left")


def test_an_interrupted_demo_cancels_what_has_not_run_and_leaves_nothing(shell):
    running = shell.start("demo", str(wide(shell.folder / "wide", 400)), "--exit", "--concurrency", "1")
    running.await_word("waiting for the fleet")
    with BlockingTaskAPI(shell.server_url()) as api:  # asked by a command, the demo could be over before the answer
        until(lambda: api.get_queue_statistics()["total_tasks"], 60, "tasks are submitted")
    running.interrupt()
    assert running.end() == 130
    until(shell.is_empty, 60, "no process left")
    assert "tasks cancelled that had not ended" in running.said
    assert shell.run("queue", "stats", "-o", "json").json["open_tasks"] == 0


def test_a_demo_whose_task_did_not_complete_fails_and_names_it(shell):
    running = shell.start("demo", str(wide(shell.folder / "wide", 300)), "--exit", "--concurrency", "1")

    running.await_word("waiting for the fleet")
    with BlockingTaskAPI(shell.server_url()) as api:
        (report,) = until(lambda: [each for each in api.list_tasks() if each.name == "report"], 60, "it exists")
        assert api.cancel_task(report.id, "by a test")
    assert running.end() == 1
    assert "Did not complete: 1" in running.said
    assert "by a test" in running.said
    until(shell.is_empty, 60, "no process left")


def test_a_page_whose_server_dies_is_served_again_and_the_demo_goes_on(shell):
    running = shell.start("demo", str(wide(shell.folder / "wide", 400)), "--concurrency", "1")
    running.await_word("Page: ")
    (server,) = [each for each in shell.processes("cli --tied-to") if "server" in each.cmdline()]
    server.kill()
    running.await_word("The page's server was ended by SIGKILL: starting it again in 1 s")
    running.await_word("The page's server is started again")
    running.await_word("The fleet stays up")
    address = next(line for line in running.said.splitlines() if line.startswith("Page: ")).split()[1]
    until(lambda: serves(urlsplit(address).port or 0), 60, "the page again")
    running.interrupt()
    assert running.end() == 0
    until(shell.is_empty, 60, "no process left")


def test_a_worker_that_dies_ends_the_demo_with_its_last_words(shell):
    running = shell.start("demo", str(wide(shell.folder / "wide", 400)), "--exit", "--concurrency", "1")
    running.await_word("submitting")
    (worker,) = [each for each in shell.processes("celery_door worker") if each.parent().pid == running.process.pid]
    worker.kill()
    assert running.end() == 1
    assert "taskengine: worker was ended by SIGKILL" in running.said
    until(shell.is_empty, 60, "no process left")
