"""What a failure tells: where it happened, in the execution, bounded and to whoever asks."""

from __future__ import annotations

import asyncio
import json
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taskengine import RetryRules, Task, agent
from taskengine.models import Outcome
from taskengine.testing import Engine
from workers.failure import TRACEBACK_BYTES, brief, kept, place, traceback_of

START = datetime(2030, 1, 1, tzinfo=UTC)
QUEUE = "failing"


def _line_of(text):
    lines = Path(__file__).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def _parses(task, context):
    return json.loads("{")  # the agent's line


async def _waits(task, context):
    await asyncio.sleep(0)
    await asyncio.wait_for(_raises(), 5)


async def _raises():
    raise LookupError("in a coroutine")  # the coroutine's line


def _chains(task, context):
    try:
        _parses(task, context)
    except ValueError as exc:
        raise RuntimeError("no plan") from exc


def _exits(task, context):
    sys.exit(3)


def _misuses(task, context):
    context.progress(float("nan"))  # what the context refuses


def _recurses(task, context):
    return _recurses(task, context)


def _fails_late(task, context):
    if context.attempt < 3:
        raise ValueError(f"attempt {context.attempt}")
    return {}


def _succeeds(task, context):
    return {}


def _hands_over(task, context):
    return Outcome("failed", error="remote", traceback="far away\nRemoteError: x")


@pytest.fixture
def run():
    """Runs a function as an agent; its task and its executions."""
    engines = []

    def run(function, **options):
        engines.append(Engine([agent(f"failing{function.__name__}", capabilities={QUEUE})(function)], start=START))
        retry = RetryRules(initial_interval=1, jitter=0)
        (task,) = engines[-1].submit(Task(name="t", capability=QUEUE, retry=retry, **{"max_retries": 0} | options))
        engines[-1].run_until_done(task)
        return engines[-1], task

    yield run
    for engine in engines:
        engine.check()
        engine.close()


@pytest.mark.parametrize(
    ("function", "error", "line"),
    [
        (_parses, "JSONDecodeError", "# the agent's line"),
        (_waits, "LookupError: in a coroutine", "# the coroutine's line"),
        (_chains, "RuntimeError: no plan", 'RuntimeError("no plan")'),
        (_exits, "exit(3)", "sys.exit(3)"),
        (_misuses, "InvalidInputError", "# what the context refuses"),
    ],
)
def test_the_execution_keeps_the_traceback_from_the_agents_first_line_on(run, function, error, line):
    engine, task = run(function)
    (execution,) = engine.executions(task)
    assert error in execution.error_message
    at = _line_of(line)
    assert f'test_failure.py", line {at}, in ' in execution.traceback
    assert "invoke.py" not in execution.traceback
    assert "loop.py" not in execution.traceback
    if function is not _exits:
        assert f"(test_failure.py:{at})" in execution.error_message


def test_causes_are_in_the_traceback(run):
    engine, task = run(_chains)
    text = engine.executions(task)[0].traceback
    assert "JSONDecodeError" in text
    assert "direct cause" in text
    assert text.splitlines()[-1] == "RuntimeError: no plan"


def test_of_earlier_attempts_the_agents_deepest_frame_and_the_error_are_kept(run):
    engine, task = run(_parses, max_retries=2)
    first, second, last = engine.executions(task)
    place_of_it = f'test_failure.py", line {_line_of("# the agent")}'
    assert last.traceback.startswith("Traceback (most recent call last)")
    assert place_of_it in last.traceback
    for early in (first, second):
        assert early.traceback.count('  File "') == 1
        assert place_of_it in early.traceback
        assert "# the agent's line" in early.traceback
        assert early.traceback.splitlines()[-1].startswith("json.decoder.JSONDecodeError: ")


def test_a_later_success_leaves_the_traceback_of_the_last_failure(run):
    engine, task = run(_fails_late, max_retries=5)
    *_, second, last = engine.executions(task)
    assert last.traceback is None
    assert second.traceback.startswith("Traceback")


def test_a_success_stores_no_traceback(run):
    engine, task = run(_succeeds)
    assert engine.executions(task)[0].traceback is None


def test_the_traceback_is_the_last_line_of_the_log_and_told_once(run):
    engine, task = run(_fails_late, max_retries=1)
    found, cursor, pages = [], None, 0
    while pages < 10:
        page = engine.api.get_logs(task.id, after=cursor)
        found += [(page.attempt, line.logger, line.level.value) for line in page]
        cursor, pages = page.cursor, pages + 1
        if page.is_over:
            break
    assert found == [(1, "traceback", "error"), (2, "traceback", "error")] or found == [(2, "traceback", "error")]
    assert not engine.api.get_logs(task.id, after=cursor)


def test_the_explanation_has_the_traceback(run):
    engine, task = run(_parses)
    facts = {fact.kind: fact for fact in engine.api.explain(task.id).facts}
    assert facts["traceback"].details["traceback"] == engine.executions(task)[0].traceback


def test_an_agents_own_traceback_is_kept(run):
    engine, task = run(_hands_over)
    assert engine.executions(task)[0].traceback == "far away\nRemoteError: x"


def test_a_long_traceback_loses_its_middle(run):
    engine, task = run(_recurses)
    assert len(engine.executions(task)[0].traceback.encode()) <= TRACEBACK_BYTES
    text = "first\n" + "é and more\n" * 100_000 + "last"
    assert kept(text).startswith("first\n")
    assert kept(text).endswith("\nlast")
    assert " characters …\n" in kept(text)
    assert len(kept(text).encode()) <= TRACEBACK_BYTES
    assert len(kept("x" * 100_000).encode()) <= TRACEBACK_BYTES


def test_a_traceback_is_redacted_before_it_is_cut():
    text = "Traceback\n" + "x\n" * 100_000 + "ValueError: password=hunter2"
    assert "hunter2" not in kept(text)
    assert "hunter2" not in kept(f"Traceback\npassword={'hunter2' * 30_000}")


def test_the_short_form_is_the_last_frame_and_the_error():
    text = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\n  File "b.py", line 2, in g\n' + (
        "    raise ValueError\nValueError: a\nb"
    )
    assert brief(text) == '  File "b.py", line 2, in g\n    raise ValueError\nValueError: a'
    assert brief("far away") == "far away"


def test_the_short_form_names_the_place_that_the_error_names():
    for function in (_parses, _chains):
        with pytest.raises((ValueError, RuntimeError)) as raised:
            function(None, None)
        frame, _, error = brief(traceback_of(raised.value)).splitlines()
        file, line = place(raised.value).split(":")
        assert f'{file}", line {line}, in {function.__name__}' in frame
        assert error.startswith(("json.decoder.JSONDecodeError: ", "RuntimeError: no plan"))


def _raised_in(path, source="def f():\n    import json\n    json.loads('{')\n"):
    namespace = {}
    exec(compile(source, path, "exec"), namespace)
    try:
        namespace["f"]()
    except ValueError as exc:
        return exc.with_traceback(exc.__traceback__.tb_next)


def test_an_installed_agents_own_line_is_named():
    installed = f"{sysconfig.get_paths()['purelib']}/my_agents/lint.py"
    assert place(_raised_in(installed)) == "lint.py:3"
    assert place(_raised_in("/home/me/agents.py")) == "agents.py:3"
    assert place(ValueError("never raised")) == "unknown:0"
