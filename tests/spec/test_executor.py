"""``TaskExecutor``: a worker of one's own, from a user's own folder and script."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from taskengine import AgentError, InvalidInputError, TaskExecutor

from ..cases import each
from ..fleet import Fleet, until

AGENTS = '''
import os, time
from pathlib import Path
from taskengine import agent

{block}

agent("codegen_agent", capabilities={{"code_analysis", "code_generation", "code_review"}})(codegen_executor)

@agent("meet", capabilities={{"meet"}})
def meet(task, context):
    """Waits for all the others."""
    place = Path(task.input["place"])
    (place / str(task.id)).touch()
    end = time.monotonic() + 100
    while len(list(place.iterdir())) < task.input["all"] and time.monotonic() < end:
        time.sleep(0.02)
    return len(list(place.iterdir()))

@agent("eater", capabilities={{"eat"}})
def eat(task, context):
    held = b"x" * (task.input["mb"] << 20)
    time.sleep(task.input["seconds"])
    return len(held)
'''
#: As in the manual.
EXECUTOR_FUNCTION = '''
from codegen import Agent

# Create Codegen agent executor
def codegen_executor(task, context):
    agent = Agent(org_id="...", token="...")
    return agent.run(prompt=task.description)
'''
CODEGEN = '''
class Agent:
    def __init__(self, org_id, token):
        pass
    def run(self, prompt):
        return f"did: {prompt}"
'''
SCRIPT = '''
import json, sys
import my_agents
from taskengine import BlockingTaskAPI, Task, TaskExecutor, TaskType

# Configure task executor
executor = TaskExecutor(
    max_concurrent_tasks=20,
    resource_monitor_interval=1.0
)
place = sys.argv[1]
executor.start()
executor.start()  # does nothing
with BlockingTaskAPI() as api:
    (worker,) = api.list_workers()
    done = api.execute_task(api.create_task(Task(task_type=TaskType.CODE_REVIEW, description="tidy up")).id)
    met = api.create_tasks(Task(capability="meet", input={"place": place, "all": 20}) for _ in range(20))
    met = [task.result["value"] for task in api.wait([task.id for task in met], timeout=120)]
    running = executor.is_running
    executor.stop()
    executor.stop()  # does nothing
    left = api.list_workers()
with BlockingTaskAPI() as api, TaskExecutor(1, 0.05, queues=["eat"]) as executor:
    used = []
    for mb, seconds in ((100, 0.4), (0, 0)):
        task = api.create_task(Task(capability="eat", input={"mb": mb, "seconds": seconds}))
        used.append(api.execute_task(task.id).resource_usage.memory_mb)
print(json.dumps({
    "slots": worker["slots"], "capabilities": worker["capabilities"], "result": done.result, "met": met,
    "running": [running, executor.is_running], "left": [one for one in left if one["alive"]], "used": used,
}))
'''


FORGETS = """
import os, signal, sys, threading
import my_agents
from taskengine import TaskExecutor

executor = TaskExecutor(1)
starting = threading.Thread(target=executor.start)
starting.start()
starting.join()
print(executor._process.pid, flush=True)
if sys.argv[1] == "raises":
    raise RuntimeError("and nobody stopped the worker")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "codegen.py").write_text(CODEGEN)
    (tmp_path / "my_agents.py").write_text(AGENTS.format(block=EXECUTOR_FUNCTION))
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "forgets.py").write_text(FORGETS)
    (tmp_path / "place").mkdir()
    return tmp_path


@pytest.fixture
def coordinator(valkey: Any, tmp_path: Path) -> Iterator[None]:
    fleet = Fleet(valkey, tmp_path)
    fleet.coordinator()
    fleet.await_leader()
    yield
    fleet.close()


@pytest.mark.usefixtures("coordinator")
def test_an_executor_runs_a_worker_with_its_concurrency_and_its_interval(folder: Path, valkey: Any) -> None:
    done = subprocess.run(
        [sys.executable, "script.py", "place"], cwd=folder, capture_output=True, text=True, timeout=300,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "TASKENGINE_REDIS_URL": valkey.url},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    big, small = told.pop("used")
    assert told == {
        "slots": 20,
        "capabilities": ["code_analysis", "code_generation", "code_review", "eat", "meet"],
        "result": {"value": "did: tidy up"},
        "met": [20] * 20,
        "running": [True, False],
        "left": [],
    }
    assert big > small + 90, "what an earlier task needed is none of the next one's"


@each("end", ["raises", "is killed"])
def test_the_worker_of_an_executor_ends_with_its_script(folder: Path, valkey: Any, end: str) -> None:
    with (folder / "said").open("w+") as said:
        subprocess.run(
            [sys.executable, "forgets.py", end], cwd=folder, stdout=said, stderr=subprocess.DEVNULL, timeout=300,
            check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "TASKENGINE_REDIS_URL": valkey.url},
        )  # fmt: skip
        said.seek(0)
        worker = int(said.read())
    until(lambda: not psutil.pid_exists(worker), 60, "the worker's end")


@each(
    ("field", "value"),
    [
        ("max_concurrent_tasks", 0), ("max_concurrent_tasks", -1), ("max_concurrent_tasks", "many"),
        ("max_concurrent_tasks", 2.5), ("max_concurrent_tasks", None), ("resource_monitor_interval", 0),
        ("resource_monitor_interval", -1.0), ("resource_monitor_interval", "often"),
        ("resource_monitor_interval", float("nan")), ("resource_monitor_interval", float("inf")), ("pool", "gevent"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=field) as refused:
        TaskExecutor(**{"imports": ["json"], field: value})
    assert refused.value.field == field


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(AgentError, match="'no_such_agents' cannot be imported"):
        TaskExecutor(imports=["no_such_agents"])


def test_a_worker_that_can_not_start_is_an_error_and_no_process(valkey: Any) -> None:
    executor = TaskExecutor(imports=["json"])  # declares no agent
    with pytest.raises(AgentError, match="ended with exit code"):
        executor.start()
    assert not executor.is_running
