"""Which ``workers`` package a worker gets, what it refuses to start with, and what it leaves out of Celery's sight."""

from __future__ import annotations

import shutil

import pytest

from taskengine.cli import own_workers
from taskengine.cli.celery_door import undiverted

from .conftest import until


@pytest.mark.parametrize("file", ["workers/__init__.py", "workers.py"])
def test_a_foreign_package_is_found_where_celery_would_find_it(tmp_path, file):
    assert own_workers.foreign(tmp_path) is None
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("")
    assert own_workers.foreign(tmp_path) == tmp_path / file


def test_our_own_package_is_not_foreign():
    assert own_workers.foreign(own_workers._HOME) is None


def test_a_checkout_from_which_it_was_installed_is_not_foreign(tmp_path):
    shutil.copytree(own_workers._HOME / "workers", tmp_path / "workers")
    assert own_workers.foreign(tmp_path) is None
    (tmp_path / "workers" / "__init__.py").write_text('"""Somebody else\'s."""')
    assert own_workers.foreign(tmp_path) == tmp_path / "workers" / "__init__.py"


def test_celery_does_not_see_variables_that_would_part_broker_and_state():
    kept = {"PATH": "/bin", "TASKENGINE_REDIS_URL": "x", "FLOWER_BASIC_AUTH": "a:b"}
    diverting = {"BROKER_URL": "x", "CELERY_BROKER_URL": "x", "CELERY_WORKER_CONCURRENCY": "9", "LOADER": "x"}
    assert undiverted(kept | diverting) == kept


def test_a_worker_uses_our_package_beside_a_foreign_one_and_says_so(shell, valkey):
    shell.variables |= {"TASKENGINE_REDIS_URL": valkey.url, "BROKER_URL": "redis://127.0.0.1:1/0"}
    (shell.folder / "workers.py").write_text("raise SystemExit('the foreign one was imported')")
    worker = shell.start("worker", "--import", "my_agents", "--concurrency", "1")
    said = worker.await_word(" ready.")
    assert f"{shell.folder / 'workers.py'} is a package 'workers' that is not taskengine's" in said
    assert "agents of my_agents: echo (echo), sleeper (sleep)" in said
    done = shell.run("task", "submit", "-C", "echo", "-i", '{"n": 1}', "--wait", "--wait-timeout", "30", "-o", "json")
    assert done.json["result"] == {"n": 1}
    worker.process.terminate()
    assert worker.end() == 0


def test_two_workers_of_one_kind_have_different_names_and_show_their_pids(shell, valkey):
    shell.variables |= {"TASKENGINE_REDIS_URL": valkey.url}
    started = [shell.start("worker", "--import", "my_agents", "--concurrency", "1") for _ in range(2)]
    for worker in started:
        worker.await_word(" ready.")
    seen = until(lambda: len(both := shell.run("workers", "-o", "json").json) == 2 and both, 60, "both beat")
    pids = {worker.process.pid for worker in started}
    assert {each["info"]["pid"] for each in seen} == pids
    assert {each["info"]["hostname"].partition("@")[0] for each in seen} == {f"prefork-{pid}" for pid in pids}
    shown = shell.run("workers").out
    assert all(f" {pid} " in shown for pid in pids)
    for worker in started:
        worker.process.terminate()
        assert worker.end() == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--import", "nobody_wrote_this"], "there is no such module"),
        (["--import", "needs_more"], "it imports something_else"),
        (["--import", "half_written"], "SyntaxError"),
        (["--import", "./my_agents.py"], "--import my_agents"),
        (["--import", "my_agents", "--queues", "paint"], "no imported agent offers paint"),
        (["--import", "empty"], "no agent is imported"),
    ],
)
def test_a_worker_that_can_not_work_ends_with_a_sentence(shell, valkey, words, says):
    shell.variables |= {"TASKENGINE_REDIS_URL": valkey.url}
    (shell.folder / "needs_more.py").write_text("import something_else")
    (shell.folder / "half_written.py").write_text("def")
    (shell.folder / "empty.py").write_text("")
    done = shell.run("worker", *words)
    assert done.code == 1, done.err
    assert "taskengine: " in done.err
    assert says in done.err
    assert "Traceback" not in done.err
    assert shell.is_empty()
