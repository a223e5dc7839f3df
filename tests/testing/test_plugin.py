"""The fixtures, as pytest finds them in a project that knows nothing of this one."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
USERS_TEST = '''
import pytest
from datetime import datetime, timedelta
from taskengine import Task, agent

@pytest.fixture
def lint():
    @agent("lint", capabilities={"lint"})
    def lint(task, context):
        print("looking at", task.input["path"])
        if task.input["path"] == "b.py" and context.attempt == 1:
            raise OSError("disk")
        return {"seen": sorted(result["path"] for result in context.results.values()), "path": task.input["path"]}

def test_pipeline(engine, engine_clock, lint):
    a = Task(name="a", capability="lint", input={"path": "a.py"})
    b = Task(name="b", capability="lint", input={"path": "b.py"}, depends_on={a.id})
    engine.submit(a, b)
    engine.run_until_idle()
    assert engine.task(b).status == "retrying"
    before = engine_clock.now
    engine.clock.advance(60)
    assert engine_clock.now - before == timedelta(seconds=60)
    engine.run_until_idle()
    assert engine.task(b).result == {"seen": ["a.py"], "path": "b.py"}
    assert [line.message for line in engine.api.get_task_execution(b.id).logs] == ["looking at b.py"]

def test_nothing_is_left_of_the_test_before(engine):
    assert engine.api.list_tasks() == []
    (a,) = engine.submit(Task(capability="lint"))
    assert engine.run_until_idle() == 0

@pytest.mark.taskengine(max_lost=1)
def test_poison(engine):
    @agent("lint", capabilities={"lint"})
    def other_lint(task, context):
        """Of the same name as the first test's."""
    (a,) = engine.submit(Task(capability="lint"))
    engine.lose_worker()
    engine.run_until_idle()
    assert engine.task(a).error_kind == "poison"
'''
QUIET_TEST = '''
import sys

def test_the_plugin_brought_nothing_heavy():
    heavy = {"celery", "kombu", "redis", "fakeredis", "lupa", "pydantic", "networkx", "workers"} & set(sys.modules)
    assert "taskengine.testing.plugin" in sys.modules
    assert not heavy, heavy
'''


def pytest_in(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_mine.py").write_text(text)
    words = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-W", "error"]
    words += ["-p", "no:cacheprovider", "-p", "no:asyncio"]  # whose own deprecations are not our affair
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.process
def test_a_users_tests_run_in_an_empty_folder_and_start_no_server(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, USERS_TEST)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert {entry.name for entry in tmp_path.iterdir()} <= {"test_mine.py", "__pycache__"}


@pytest.mark.process
def test_the_readmes_examples_run_as_written(tmp_path: Path) -> None:
    blocks = README.read_text().split("```python\n")[1:]
    examples = [block.partition("```")[0] for block in blocks if "(engine):" in block]
    done = pytest_in(tmp_path, "\n".join(examples))
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.process
def test_who_does_not_use_it_does_not_pay_for_it(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, QUIET_TEST)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.process
def test_a_fixture_of_the_users_own_wins(tmp_path: Path) -> None:
    text = "import pytest\n@pytest.fixture\ndef engine(): return 'sql'\ndef test_mine(engine): assert engine == 'sql'\n"
    assert pytest_in(tmp_path, text).returncode == 0


@pytest.mark.process
def test_a_package_that_hides_the_workers_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "workers.py").write_text("")
    done = pytest_in(tmp_path, "def test_mine(engine): pass\n")
    assert "a package 'workers' of your own hides taskengine's" in done.stdout


@pytest.mark.matrix
@pytest.mark.process
@pytest.mark.parametrize("missing", ["fakeredis", "lupa"])
def test_what_is_not_installed_is_told_in_a_sentence(tmp_path: Path, missing: str) -> None:
    hidden = f"import sys\nsys.modules[{missing!r}] = None\ndef test_mine(engine): pass\n"
    done = pytest_in(tmp_path, hidden)
    assert "pip install 'taskengine[testing]'" in done.stdout, done.stdout


def test_pytest_finds_it_by_its_entry_point() -> None:
    found = {entry.name: entry.value for entry in entry_points(group="pytest11")}
    assert found["taskengine"] == "taskengine.testing.plugin"
