"""What a process imports before it does anything: every command, child and server pays for it.

Told without a clock: by the modules that it has, and by how often modules of ours have Python compile something that is
no file, as each dataclass, named tuple and quoted annotation does several times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from ..cases import each

pytestmark = pytest.mark.process


class Start(NamedTuple):
    """What a start runs, what it may not bring, and how often it may compile."""

    code: str
    without: set[str]
    compiles: int


#: What only some verbs need.
SELDOM = {"cel", "jsonschema", "networkx", "httpx2", "fastapi", "flower"}
#: What only who decides needs, and who runs workflows.
THOUGHT = {"taskengine.core.decide", "taskengine.core.steps", "taskengine.models.steps", "taskengine.models.workflow"}
STARTS = {
    "the door": Start(
        "from taskengine import BlockingTaskAPI, Task, TaskAPI",
        {
            "celery", "kombu", "rich", "typer", "taskengine.transport", "taskengine.store.tasks", *THOUGHT,
            "taskengine.models.execution", "taskengine.api.operations.ask", "taskengine.api.operations.submit",
        },
        400,
    ),
    "commands about tasks": Start(
        "import taskengine.cli.task", {"celery", "kombu", "taskengine.cli.completion", *THOUGHT}, 800
    ),
    "a child of a worker": Start(
        "import workers.app", {"rich", "typer", "taskengine.api", "taskengine.models.task", *THOUGHT}, 200
    ),
    "a coordinator": Start("import taskengine.coordinator.serve", {"rich", "typer", "taskengine.api"}, 1500),
}  # fmt: skip
PROGRAM = """
import json, sys

def of_ours(frame):
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame is not None and frame.f_globals["__name__"].startswith(("taskengine", "workers"))

compiled = []
def hear(event, arguments):
    if event == "compile" and str(arguments[1]).startswith("<") and of_ours(sys._getframe(1)):
        compiled.append(arguments)
sys.addaudithook(hear)
{code}
print(json.dumps([len(compiled), *sys.modules]), file=sys.stderr)
"""


def started(code: str, **variables: str) -> tuple[int, set[str]]:
    """How often a process that runs *code* compiled what is no file, and its modules."""
    program = [sys.executable, "-c", PROGRAM.replace("{code}", code)]
    done = subprocess.run(program, env=os.environ | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    compiled, *modules = json.loads(done.stderr.splitlines()[-1])
    return compiled, set(modules)


@each("name", STARTS)
def test_a_start_brings_what_it_uses_and_makes_little(name: str) -> None:
    start = STARTS[name]
    compiled, modules = started(start.code)
    assert modules & (SELDOM | start.without) == set()
    assert 0 < compiled <= start.compiles


def test_a_list_of_tasks_asks_without_celery(shared_valkey) -> None:
    code = "import sys; sys.argv = ['taskengine', 'task', 'list']\nfrom taskengine.cli import main\n"
    code += "try: main()\nexcept SystemExit: pass"
    _, modules = started(code, TASKENGINE_REDIS_URL=shared_valkey.url)
    assert "taskengine.api.operations.ask" in modules
    assert modules & (SELDOM | THOUGHT | {"celery", "kombu"}) == set()
