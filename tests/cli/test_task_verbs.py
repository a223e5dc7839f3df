"""``taskengine task …`` against a server of its own, without workers."""

from __future__ import annotations

import json
import re
import time
from uuid import uuid4

import pytest

from taskengine.settings import current
from taskengine.store import executions

from ..store.world import World


@pytest.fixture(autouse=True)
def _server(at_server):
    """All of these need one."""


@pytest.fixture
def submit(taskengine):
    """Submit a task; its record."""

    def run(*words):
        done = taskengine("task", "submit", *words, "-o", "json")
        assert done.code == 0, done.err
        return done.json

    return run


def test_submit_says_the_id_and_what_the_task_waits_for(taskengine):
    done = taskengine("task", "submit", "--capability", "lint", "--input", '{"x": 1}')
    assert done.code == 0
    id, rest = done.out.split(" ", 1)
    assert rest.startswith("ready (no worker offers capability 'lint'")
    assert taskengine("task", "get", id, "-o", "json").json["input"] == {"x": 1}


def test_what_was_asked_for_is_stored(taskengine, submit):
    first = submit("-C", "build")
    words = ("-C", "lint", "--name", "check", "-p", "HIGH", "--type", "testing", "--depends-on", first["id"],
             "--assigned-to", "bot", "-m", "team=core", "-m", "n=3", "--timeout", "5",
             "--max-retries", "0")  # fmt: skip
    stored = taskengine("task", "get", submit(*words)["id"], "-o", "json").json
    wanted = {
        "name": "check", "priority": "high", "task_type": "testing", "depends_on": [first["id"]],
        "assigned_to": "bot", "metadata": {"team": "core", "n": 3}, "timeout": 5.0, "max_retries": 0,
        "status": "pending",
    }  # fmt: skip
    assert {key: stored[key] for key in wanted} == wanted


def test_when_it_starts_and_how_long_it_may_take_is_stored_and_shown(taskengine, submit):
    first = submit("-C", "build", "--hold")
    assert first["status"] == "pending"
    words = ("-C", "lint", "--depends-on", first["id"], "--trigger-rule", "all_done", "--scheduled-at", "1h",
             "--expires-at", "2h", "--deadline", "2090-01-31T12:00:00+01:00", "--queue-timeout", "60",
             "--heartbeat-timeout", "2.5", "--total-timeout", "600", "--timeout", "30")  # fmt: skip
    id = submit(*words)["id"]
    stored = taskengine("task", "get", id, "-o", "json").json
    wanted = {
        "trigger_rule": "all_done", "deadline": "2090-01-31T11:00:00Z", "queue_timeout": 60.0,
        "heartbeat_timeout": 2.5, "total_timeout": 600.0, "timeout": 30.0,
    }  # fmt: skip
    assert {key: stored[key] for key in wanted} == wanted
    assert stored["scheduled_at"] < stored["expires_at"]
    shown = taskengine("task", "get", id).out
    for line in ("starts when", "all_done", "not before", "expires", "deadline", "queue timeout", "2.5 s"):
        assert line in shown


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--deadline", "2001-01-01T00:00:00Z"), "deadline is 2001-01-01T00:00:00+00:00"),
        (("--scheduled-at", "2090-01-01T00:00:00"), "has no time zone"),
        (("--expires-at", "-5m"), "--expires-at"),
        (("--expires-at", "1h", "--scheduled-at", "2h"), "could never start"),
        (("--trigger-rule", "most"), "'none_failed_min_one_success'"),
        (("--queue-timeout", "-1"), "queue_timeout"),
    ],
)
def test_a_wrong_time_or_rule_is_named(taskengine, words, named):
    done = taskengine("task", "submit", "-C", "lint", *words)
    assert done.code != 0
    assert named in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_json_is_chosen_before_or_behind_the_command(taskengine):
    answers = [
        taskengine(*words).json["tasks"]
        for words in (["-o", "json", "task", "list"], ["task", "list", "-o", "json"], ["task", "list", "--output=json"])
    ]
    assert answers == [[], [], []]
    assert taskengine("task", "list").out.startswith("no task (")


def test_input_comes_from_a_file_or_stdin_too(taskengine, submit, tmp_path):
    (tmp_path / "job.json").write_text('{"from": "file"}')
    assert submit("-i", "@job.json")["input"] == {"from": "file"}
    done = taskengine("task", "submit", "-i", "-", "-o", "json", stdin='{"from": "stdin"}')
    assert done.json["input"] == {"from": "stdin"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["-i", "{x}"], "--input"),
        (["-i", "[1]"], "--input"),
        (["-i", "@missing.json"], "missing.json"),
        (["-m", "novalue"], "--metadata"),
        (["--timeout", "-1"], "timeout"),
        (["--type", "cooking"], "task_type"),
        (["-C", "two words"], "capability"),
        (["--id", "7"], "id"),
        (["--depends-on", "00000000-0000-4000-8000-000000000000"], "00000000-0000-4000-8000-000000000000"),
        (["--depends-on", "x"], "depends_on"),
    ],
)
def test_a_mistake_is_a_sentence_that_names_it_and_stores_nothing(taskengine, words, named):
    done = taskengine("task", "submit", *words)
    assert done.code == 1
    assert done.err.startswith("taskengine: ")
    assert named in done.err
    assert "Traceback" not in done.err
    assert taskengine("-o", "json", "task", "list").json["tasks"] == []


def test_an_error_for_a_program_is_json_on_stderr(taskengine):
    done = taskengine("task", "get", str(uuid4()), "-o", "json")
    assert (done.code, done.out) == (1, "")
    assert json.loads(done.err)["error"]["type"] == "NotFoundError"


def test_the_same_id_or_key_submits_nothing_twice(taskengine, submit):
    id = str(uuid4())
    assert submit("--id", id, "-C", "a")["id"] == submit("--id", id, "-C", "a")["id"] == id
    assert submit("--idempotency-key", "k", "-C", "b")["id"] == submit("--idempotency-key", "k", "-C", "b")["id"]
    assert len(taskengine("-o", "json", "task", "list").json["tasks"]) == 2
    other = taskengine("task", "submit", "--id", id, "-C", "other")
    assert (other.code, id in other.err) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ["--type", "testing"], ["--priority", "low"], ["--assigned-to", "bot"], ["--metadata", "team=core"],
        ["--status", "pending"], ["--created-by", "nobody"],
    ],
)  # fmt: skip
def test_each_filter_finds_its_tasks_alone(taskengine, submit, words):
    first = submit("-C", "plain")
    wanted = submit("--type", "testing", "-p", "low", "--assigned-to", "bot", "-m", "team=core", "-m", "x=1",
                    "--depends-on", first["id"])  # fmt: skip
    found = taskengine("task", "list", *words, "-o", "json").json["tasks"]
    assert [task["id"] for task in found] == ([] if "nobody" in words else [wanted["id"]])


def test_a_list_is_bounded_by_moments_and_by_what_failed(taskengine, submit, store, at_server):
    world = World(store, at_server.client, lambda _: store)
    slow = world.new("slow")
    world.finish(slow, disposition="failed", error="too long", error_kind="timeout")
    made = submit("--name", "new")

    def names(*words):
        return [task["name"] for task in taskengine("task", "list", *words, "-o", "json").json["tasks"]]

    assert names("--error-kind", "timeout") == ["slow"]
    assert names("--created-after", "1h") == ["new", "slow"]
    assert names("--created-before", "1h") == []
    assert names("--created-before", made["created_at"], "--error-kind", "timeout", "--status", "failed") == ["slow"]
    assert "new" in names("--created-after", made["created_at"])
    refused = taskengine("task", "list", "--created-after", "2030-01-01")
    assert "--created-after 2030-01-01: has no time zone" in refused.err
    assert "--created-before soon: is no time" in taskengine("task", "cancel", "--created-before", "soon").err
    assert taskengine("task", "retry", "--error-kind", "timeout", "--dry-run").out.startswith("1 of 1 tasks would be")
    assert taskengine("task", "cancel", "--created-after", "1h", "--dry-run", "-o", "json").json["matched"] == 2
    assert taskengine("task", "retry", "--error-kind", "timeout", "-o", "json").json["done"] == 1


def test_pages_follow_each_other_without_gap_or_repeat(taskengine, submit):
    ids = [submit("--name", f"t{n}")["id"] for n in range(5)]
    found, cursor = [], []
    while True:
        page = taskengine("task", "list", "--limit", "2", *cursor, "-o", "json").json
        found += [task["id"] for task in page["tasks"]]
        if page["cursor"] is None:
            break
        cursor = ["--cursor", page["cursor"]]
    assert found == ids[::-1]
    assert "--cursor" in taskengine("task", "list", "--limit", "2").out


def test_a_string_result_shows_as_it_is(taskengine, store, at_server):
    world = World(store, at_server.client, lambda _: store)
    results = {"text": {"value": "# Report\nall [bold]well[/bold]"}, "other": {"value": "a\nb", "more": 1}}
    tasks = {name: world.new(name) for name in results}
    for name, task in tasks.items():
        world.finish(task, output=json.dumps(results[name]))
    shown = taskengine("task", "get", str(tasks["text"].id)).out
    assert re.search(r"^result +# Report *\n +all \[bold\]well\[/bold\] *$", shown, re.MULTILINE)
    assert taskengine("task", "get", str(tasks["text"].id), "-o", "json").json["result"] == results["text"]
    assert '"value": "a\\nb"' in taskengine("task", "get", str(tasks["other"].id)).out


def test_cancel_then_retry_then_cancel(taskengine, submit):
    id = submit("-C", "lint")["id"]
    assert taskengine("task", "cancel", id, "--reason", "wrong branch").code == 0
    assert "wrong branch" in taskengine("task", "get", id).out
    again = taskengine("task", "cancel", id)
    assert (again.code, "nothing to cancel" in again.out) == (1, True)
    assert taskengine("task", "retry", id, "-o", "json").json["status"] == "ready"
    refused = taskengine("task", "retry", id)
    assert (refused.code, id in refused.err) == (1, True)


def test_waiting_ends_at_its_timeout_with_exit_code_1(taskengine):
    done = taskengine("task", "submit", "-C", "lint", "--wait", "--wait-timeout", "0.2")
    assert done.code == 1
    assert "did not end within 0.2 s" in done.err


def test_a_name_can_not_move_the_cursor(taskengine, submit):
    id = submit("--name", "a\x1b[2Jb[red]c[/]")["id"]
    for words in (["task", "list"], ["task", "get", id]):
        shown = taskengine(*words).out
        assert "\x1b[2J" not in shown
        assert "[red]c[/]" in shown


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://127.0.0.1:1/0", "no answer from Redis"),
        ("redis+socket:///tmp/te-nobody/there", "no answer from Redis"),
        ("http://127.0.0.1", "TASKENGINE_REDIS_URL"),
        ("redis://127.0.0.1:port", "TASKENGINE_REDIS_URL"),
    ],
)
def test_a_server_that_is_not_there_is_said_within_five_seconds(taskengine, monkeypatch, url, says):
    monkeypatch.setenv("TASKENGINE_REDIS_URL", url)
    current.cache_clear()
    begin = time.monotonic()
    done = taskengine("task", "list")
    assert time.monotonic() - begin < 5
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert says in done.err


def test_a_wrong_setting_is_named(taskengine, monkeypatch):
    monkeypatch.setenv("TASKENGINE_LEASE_SECONDS", "soon")
    current.cache_clear()
    done = taskengine("task", "list")
    assert (done.code, "TASKENGINE_LEASE_SECONDS" in done.err) == (1, True)


def test_why_says_a_sentence_and_what_to_do(taskengine, submit):
    held = submit("-C", "lint", "--name", "check")
    done = taskengine("task", "why", held["id"])
    assert done.code == 0
    assert done.out.startswith("'check' is ready: no living worker offers capability 'lint' (nor anything else);")
    assert done.out.strip().endswith("taskengine worker --queues lint --import MODULE (the module with its agent)")
    told = taskengine("task", "why", held["id"], "-o", "json").json
    assert (told["task_id"], told["status"], told["facts"][0]["kind"]) == (held["id"], "ready", "unoffered")
    nobody = taskengine("task", "why", str(uuid4()))
    assert (nobody.code, nobody.out) == (1, "")
    assert "no task" in nobody.err


@pytest.mark.parametrize(
    ("late", "is_told"),
    [
        ({"disposition": "cancelled", "error": "the agent was ended by its worker", "error_kind": "cancelled"}, False),
        ({"disposition": "cancelled", "output": '{"half":1}'}, True),
        ({"disposition": "failed", "error": "no ink", "error_kind": "crash"}, True),
        ({"disposition": "completed", "output": '{"n":1}'}, True),
        ({"disposition": "completed"}, True),
    ],
)
def test_a_late_result_is_told_where_an_agent_made_one(taskengine, store, at_server, late, is_told):
    world = World(store, at_server.client, lambda _: store)
    task = world.new(timeout=10)
    told = world.start()
    world.run(executions.time_out(told.execution_id, 1, retry_ms=None, error="too long"))
    assert world.report(told, **late).word == "fenced"
    shown = " ".join(taskengine("task", "get", str(task.id)).out.split())
    assert "too long" in shown
    assert ("(a late result is kept)" in shown) is is_told
