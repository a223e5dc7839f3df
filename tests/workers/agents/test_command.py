"""The type command: what a program gets, what becomes of what it prints, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from taskengine import AgentError, Task
from taskengine.models import Outcome
from workers.agents import reaper
from workers.agents.command import Command

from ...doubles.context import FakeContext, FakeSecrets
from .conftest import record

pytestmark = pytest.mark.process

PYTHON = sys.executable


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKENGINE_COMMANDS", f"{PYTHON}, no-such-program")
    monkeypatch.setenv("TASKENGINE_KILL_AFTER_SECONDS", "0.5")
    monkeypatch.setenv("REDIS_URL", "redis://canary")
    monkeypatch.setenv("TASKENGINE_REDIS_URL", "redis://canary")
    monkeypatch.setenv("CANARY_KEY", "canary")


def argv(code: str, *more: str) -> list[str]:
    return [PYTHON, "-c", code, *more]


async def run(
    code: str, *more: str, task: Task | None = None, context: FakeContext | None = None, **config: Any
) -> Outcome:
    given = {"argv": argv(code, *more), **config}
    made = Command(record("command", given), FakeSecrets({"KEY": "s3cret"}))
    await made.open()
    try:
        return await made.run(task or Task(name="t"), context or FakeContext("Do it"))
    finally:
        await made.close()


ECHO = "import json, sys; print(json.dumps([sys.argv[1:], json.load(sys.stdin)]))"


async def test_a_program_gets_the_task_and_its_output_is_the_result() -> None:
    task = Task(name="t", input={"path": "a; rm -rf /", "n": 3, "l": ["$HOME"]})
    given = ("${input.path}", "--n=${input.n}", "${input.l}", "${context.prompt} ${context.name}", "$${x}", "a b")
    outcome = await run(ECHO, *given, task=task)
    assert outcome.output == {
        "value": [
            ["a; rm -rf /", "--n=3", '["$HOME"]', "Do it t", "${x}", "a b"],
            {"task_id": str(task.id), "name": "t", "prompt": "Do it", "input": task.input},
        ]
    }


@pytest.mark.parametrize(
    ("code", "config", "output"),
    [
        ("print('{\"a\": 1}')", {}, {"a": 1}),
        ("print('working'); print('[1]')", {"result": "last_line"}, {"value": [1]}),
        ("print('hi')", {"result": "text"}, {"text": "hi\n"}),
        ("import sys; print(sys.stdin.read())", {"result": "text", "stdin": "prompt"}, {"text": "Do it\n"}),
        ("import sys; print(repr(sys.stdin.read()))", {"result": "text", "stdin": "none"}, {"text": "''\n"}),
        ("import sys; print('{}'); sys.exit(3)", {"exit_codes": [0, 3]}, {}),
        ("import os; os.close(0); print('{}')", {}, {}),
    ],
)
async def test_what_it_prints_is_json_or_text(code: str, config: dict[str, Any], output: dict[str, Any]) -> None:
    assert (await run(code, **config)).output == output


@pytest.mark.parametrize(
    ("code", "kind", "says", "retryable"),
    [
        ("import sys; print('so far'); sys.exit('no disk')", "crash", "exit code 1: no disk", True),
        ("import os; os.kill(os.getpid(), 9)", "crash", "ended by SIGKILL: it said nothing", True),
        ("print('{')", "invalid_output", "no JSON", False),
        ("print('x' * 5000)", "invalid_output", "more than 1000 bytes", False),
    ],
)
async def test_what_is_no_result_is_a_failure_of_its_kind(code: str, kind: str, says: str, retryable: bool) -> None:
    outcome = await run(code, max_bytes=1000)
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", kind, retryable)
    assert says in str(outcome.error)


async def test_what_it_said_before_it_failed_is_kept() -> None:
    context = FakeContext()
    outcome = await run("import sys; print('so far'); sys.exit('no disk')", context=context)
    assert outcome.output == {"text": "so far\n"}
    assert context.lines == ["no disk"]


async def test_an_exit_code_may_say_not_now() -> None:
    outcome = await run("import sys; print('busy', file=sys.stderr); sys.exit(75)", not_now_seconds=7)
    assert (outcome.kind, outcome.delay, outcome.error) == ("not_now", 7, "exit code 75: busy")


async def test_its_environment_holds_what_it_is_given_and_no_more() -> None:
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    outcome = await run(code, env={"TOKEN": "secret:KEY", "MODE": "x"})
    assert outcome.output is not None
    env: dict[str, Any] = outcome.output
    assert env["TOKEN"] == "s3cret"
    assert env["MODE"] == "x"
    assert "canary" not in json.dumps(env)
    assert set(env) <= {
        "PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "HOME",
        "TMPDIR", "TASKENGINE_TASK_ID", "TASKENGINE_EXECUTION_ID", "TASKENGINE_ATTEMPT", "TOKEN", "MODE",
    }  # fmt: skip


async def test_a_value_is_no_option_unless_the_record_says_so() -> None:
    task = Task(name="t", input={"x": "--upload-pack=evil"})
    outcome = await run(ECHO, "${input.x}", task=task)
    assert outcome.error_kind == "invalid_request"
    assert "could take for an option" in str(outcome.error)
    assert (await run(ECHO, "--", "${input.x}", task=task, dashes=True)).kind == "completed"


async def test_a_template_without_a_value_is_a_failure_of_the_task() -> None:
    outcome = await run(ECHO, "${input.x}")
    assert (outcome.error_kind, outcome.retryable) == ("expression", False)


TREE = """
import subprocess, sys, time
inner = "import signal, time; {}; print('up', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", inner], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, file=sys.stderr, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("ignores", ["0", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"], ids=["ends", "stubborn"])
async def test_a_cancel_ends_it_with_all_that_it_started(ignores: str) -> None:
    context = FakeContext()
    running = asyncio.create_task(run(TREE.replace("{}", ignores), context=context))
    await _until(lambda: bool(context.lines))
    pid = int(context.lines[0])
    began = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began < 5
    await _until(lambda: _is_gone(pid))


async def test_what_a_program_leaves_behind_ends_with_it() -> None:
    code = TREE.replace("{}", "0").replace("time.sleep(600)\n", "print('{}')\n")
    context = FakeContext()
    await run(code.rstrip().removesuffix("time.sleep(600)"), context=context, result="text")
    await _until(lambda: _is_gone(int(context.lines[0])))


WORKER = """
import asyncio, sys
sys.path.insert(0, {root!r})
from taskengine import Task
from tests.doubles.context import FakeContext, FakeSecrets
from taskengine.models.agent import AgentRecord
from workers.agents.command import Command

class Loud(FakeContext):
    def log(self, message, level="info", **metadata):
        print(message, flush=True)

async def main():
    config = {{"argv": {argv!r}}}
    made = Command(AgentRecord(id="a", type="command", capabilities={{"a"}}, config=config), FakeSecrets())
    await made.open()
    await made.run(Task(name="t"), Loud("x"))

asyncio.run(main())
"""


async def test_a_killed_worker_leaves_nothing_behind() -> None:
    code = TREE.replace("{}", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    root = str(Path(__file__).parents[3])
    script = WORKER.format(argv=argv(code), root=root)
    worker = subprocess.Popen([PYTHON, "-c", script], stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        family = psutil.Process(worker.pid).children(recursive=True)
        assert any(one.pid == pid for one in family)
    finally:
        worker.kill()
        worker.wait()
    await _until(lambda: all(_is_gone(one.pid) for one in family), reaper.GRACE + 5)
    worker.stdout.close()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"argv": ["rm", "-rf"]}, "runs 'rm', and this worker may start .*python.*: add it to TASKENGINE_COMMANDS"),
        ({"argv": ["no-such-program"]}, "'no-such-program', which is not on this machine"),
        ({"argv": []}, "CommandConfig.argv"),
        ({"argv": [PYTHON, "${1 +}"]}, "config.argv: 1 \\+"),
        ({"argv": [PYTHON, "${input.x"]}, "without its '}'"),
        ({"argv": [PYTHON], "env": {"A": "secret:NO"}}, "NO is missing"),
        ({"argv": "rm -rf /"}, "CommandConfig.argv"),
    ],
)
def test_a_wrong_record_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(AgentError, match=says):
        Command.check(record("command", config), FakeSecrets())


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def _until(fact: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it did not come to be"
        await asyncio.sleep(0.02)


def test_it_ignores_who_ends_a_whole_session() -> None:
    child = subprocess.Popen([PYTHON, "-I", "-S", reaper.__file__], stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.write(b"+1\n-1\n")
    child.stdin.flush()
    end = time.monotonic() + 10
    while signal.SIGTERM not in _ignored(child.pid):
        assert time.monotonic() < end
    os.kill(child.pid, signal.SIGTERM)
    child.stdin.close()
    assert child.wait(10) == 0


def _ignored(pid: int) -> set[int]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    mask = int(next(line for line in lines if line.startswith("SigIgn:")).split()[1], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}
