"""What each built-in agent does, on local repositories with real tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from taskengine import Task
from taskengine.demo.plan import plan
from taskengine.testing import Engine
from workers.agents.builtin import programs, ruff, testing

from ....examples.conftest import GOOD, Repository

pytestmark = pytest.mark.process
Ask = Callable[..., Any]
PATCH = """\
diff --git a/app.py b/app.py
--- a/app.py
+++ b/app.py
@@ -1,2 +1,2 @@
 def double(x):
-    return 2 * x
+    return x + x
"""


def failed(task: Any, kind: str, *words: str) -> None:
    assert (task.status, task.error_kind) == ("failed", kind), task
    for word in words:
        assert word in task.error


# code_analysis


def test_code_is_measured_and_nothing_is_left(ask: Ask, repository: Repository, left: Callable[[], list[str]]) -> None:
    repository.commit(bad__py="import os\ndef half(:\n", more__py="def f(x):\n    return 1 if x and x > 1 else 2\n")
    done = ask("code_analysis", repository_url="repository")
    found = done.result
    assert (found["files"], found["functions"], found["classes"]) == (5, 3, 1)
    assert found["most_complex"][0] == {"file": "more.py", "name": "f", "line": 1, "complexity": 3}
    assert found["problems"] == [{"file": "bad.py", "problem": "not parsed: line 2: invalid syntax"}]
    assert any("bad.py:2" in one for one in found["ruff"]["listed"])
    assert found["commit"] == repository.head()
    assert left() == []


def test_without_ruff_it_says_so(ask: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ruff, "program", lambda: None)
    assert ask("code_analysis", repository_url="repository").result["ruff"] == ruff.MISSING
    assert ask("code_review", repository_url="repository").result["ruff"] == ruff.MISSING


def test_a_folder_that_is_no_repository_is_analysed_as_it_is(ask: Ask, work: Path) -> None:
    (work / "plain").mkdir()
    (work / "plain" / "a.py").write_text("x = 1\n")
    done = ask("code_analysis", path="plain")
    assert (done.result["files"], done.result["commit"]) == (1, None)


def test_a_lint_fails_where_something_is_found_and_keeps_what(ask: Ask, repository: Repository) -> None:
    assert ask("code_analysis", analysis_type="lint", repository_url="repository").result["clean"] is True
    broken = repository.commit(app__py="import os\ndef double(x):\n    return 3 * x \n")
    done = ask("code_analysis", analysis_type="lint", repository_url="repository", ref=broken)
    failed(done, "invalid_request", "F401", "trailing whitespace")
    assert done.result["clean"] is False


def test_a_repository_s_own_rules_are_those_of_ruff(ask: Ask, repository: Repository) -> None:
    repository.commit(ruff__toml='[lint]\nselect = ["N"]\n', app__py="import os\ndef Double(x):\n    return x\n")
    (found,) = ask("code_analysis", repository_url="repository").result["ruff"]["listed"]
    assert found.startswith("app.py:2: N802")


def test_the_demo_s_steps_run_within_the_workspaces_alone(ask: Ask, work: Path, outside: Path) -> None:
    for folder in (work / "code", outside / "code"):
        folder.mkdir()
        (folder / "a.py").write_text("x = 1\n")
    step = plan(work / "code")[0]["input"]
    assert ask("code_analysis", **step).result["modules"][0]["module"] == "a"
    failed(ask("code_analysis", **{**step, "root": str(outside / "code")}), "invalid_request", "TASKENGINE_WORKSPACES")


# code_review


def test_a_review_comments_changed_lines_and_nothing_else(ask: Ask, repository: Repository) -> None:
    repository.commit(old__py="eval('1')\n")
    text = 'import os\n++ x\neval("1")\n' + 'key = "AKIA' + "A" * 16 + '"\n' + 'db_password = "hunter2hunter2"\n'
    head = repository.commit(old__py="eval('1')\nx = 2\n", new__py=text)
    found = ask("code_review", repository_url="repository").result
    comments = {(one["file"], one["line"], one["kind"], one["rule"]) for one in found["comments"]}
    assert comments >= {
        ("new.py", 1, "style", "F401"), ("new.py", 3, "security", "eval"), ("new.py", 4, "security", "secret"),
        ("new.py", 5, "security", "password"), ("", 0, "tests", "missing"),
    }  # fmt: skip
    assert not [one for one in comments if one[0] == "old.py"]
    assert (found["verdict"], found["commit"], found["additions"]) == ("request_changes", head, 6)


def test_a_good_change_is_approved_and_a_large_one_is_not(ask: Ask, repository: Repository) -> None:
    repository.commit(app__py="def double(x):\n    return x + x\n", test_more__py="X = 1\n")
    assert ask("code_review", repository_url="repository").result["verdict"] == "approve"
    (repository.folder / "blob").write_bytes(bytes(range(256)))
    repository.commit(test_large__py="X = 1\n" * 600)
    found = ask("code_review", repository_url="repository", review_type="size").result
    assert {(one["file"], one["rule"]) for one in found["comments"]} == {
        ("", "large"), ("test_large.py", "large"), ("blob", "binary"),
    }  # fmt: skip


def test_a_review_that_nobody_knows_is_refused(ask: Ask, repository: Repository) -> None:
    failed(ask("code_review", repository_url="repository", review_type="mood"), "invalid_request", "style")


def test_reviews_are_summed_up_and_answered(ask: Ask) -> None:
    found = {"style": ["app.py: a print"], "security": ["app.py: eval"]}
    done = ask("code_review", action="summarise", findings=found, passed=True)
    assert done.result == {"findings": 2, "text": "2 findings, tests pass. app.py: eval; app.py: a print"}
    assert ask("code_review", action="approve", text="good").result["answer"] == "approve"


# testing


@pytest.mark.parametrize("runner", ["pytest", "unittest"])
def test_tests_are_counted_and_failures_fail_the_task(
    ask: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch, runner: str
) -> None:
    monkeypatch.setattr(testing, "find_spec", lambda _: runner == "pytest" or None)
    good = ask("testing", repository_url="repository").result
    assert (good["runner"], good["passed"], good["tests"], good["failures"]) == (runner, True, 1, 0)
    repository.commit(app__py="def double(x):\n    return 3 * x\n")
    done = ask("testing", repository_url="repository")
    failed(done, "tests", "1 of 1 tests failed", "test_it")
    assert (done.result["failures"], "test_it" in done.result["failed"][0]["name"]) == (1, True)


def test_the_tests_of_a_pull_request_are_an_answer(ask: Ask, repository: Repository) -> None:
    request = repository.pull_request(8, app__py="def double(x):\n    return 3 * x\n")
    assert ask("testing", pull_request_url=request).result["passed"] is False
    failed(ask("testing", pull_request_url="https://example.org/repo"), "invalid_request", "is no pull request")


SPY = """
import os, sys
from pathlib import Path
Path({place!r}).write_text(repr(dict(os.environ)))
"""


@pytest.mark.parametrize("runner", ["pytest", "unittest"])
def test_what_a_repository_runs_knows_nothing_of_the_worker_s_environment(
    ask: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch, outside: Path, runner: str
) -> None:
    monkeypatch.setattr(testing, "find_spec", lambda _: runner == "pytest" or None)
    for name in ("REDIS_URL", "TASKENGINE_REDIS_URL", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "canary")
    spy = SPY.format(place=str(outside / "seen"))
    repository.commit(conftest__py=spy, test_app__py=spy + GOOD["test_app.py"])
    done = ask("testing", repository_url="repository")
    assert done.result["passed"] is True
    seen = (outside / "seen").read_text()
    assert "PATH" in seen
    assert "canary" not in seen


def test_a_report_that_the_tests_forged_is_no_report(ask: Ask, repository: Repository) -> None:
    bomb = "<!DOCTYPE x [<!ENTITY a '<testcase/><testcase/>'>]><testsuites>&a;&a;</testsuites>"
    text = (
        "import atexit, sys\nplace = next(w for w in sys.argv if w.startswith('--junitxml='))[11:]\n"
        f"atexit.register(lambda: open(place, 'w').write({bomb!r}))\n"
    )
    repository.commit(conftest__py=text)
    found = ask("testing", repository_url="repository").result
    assert (found["passed"], found["tests"]) == (True, 0)


def test_a_command_runs_only_if_this_worker_may_start_it(
    ask: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch, outside: Path
) -> None:
    words = [sys.executable, "-c", f"open({str(outside / 'x')!r}, 'w').close(); import app; print(app.double(21))"]
    for task_type, more in (
        ("testing", {"test_command": words}), ("testing", {"test_command": f"{sys.executable} -c 1"}),
        ("code_generation", {"command": words}), ("deployment", {"command": words, "dry_run": False}),
    ):  # fmt: skip
        failed(ask(task_type, repository_url="repository", **more), "invalid_request", "TASKENGINE_COMMANDS")
    assert not (outside / "x").exists()
    monkeypatch.setenv("TASKENGINE_COMMANDS", f"make, {sys.executable}")
    assert ask("testing", repository_url="repository", test_command=words).result["output"] == "42\n"
    assert (outside / "x").exists()


def test_what_was_left_behind_is_gone_with_its_task(
    ask: Ask, repository: Repository, left: Callable[[], list[str]], outside: Path
) -> None:
    place = str(outside / "pid")
    text = (
        "import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"open({place!r}, 'w').write(str(child.pid))\n"
    )
    repository.commit(conftest__py=text)
    assert ask("testing", repository_url="repository").status == "completed"
    assert not psutil.pid_exists(int(Path(place).read_text()))
    assert left() == []


def test_what_takes_too_long_is_ended(
    ask: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch, left: Callable[[], list[str]]
) -> None:
    monkeypatch.setattr(programs, "PATIENCE", 3.0)
    repository.commit(conftest__py="import time\ntime.sleep(300)\n")
    failed(ask("testing", repository_url="repository"), "crash", "did not end within 3 s")
    assert left() == []


def test_what_a_killed_process_left_goes_when_the_next_task_begins(
    ask: Ask, repository: Repository, work: Path, left: Callable[[], list[str]]
) -> None:
    home = work.parent / "tmp" / f"taskengine-tasks-{os.getuid()}"
    home.mkdir(mode=0o700)
    for name in ("999999-1-abc", f"{os.getpid()}-1-abc"):  # a number that nobody has, and one that came again
        (home / name / "clone").mkdir(parents=True)
    mine = f"{os.getpid()}-{int(psutil.Process().create_time())}-other"
    (home / mine).mkdir()
    assert ask("code_analysis", repository_url="repository").status == "completed"
    assert left() == [mine]


def test_a_folder_of_all_tasks_that_others_may_enter_is_refused(ask: Ask, repository: Repository, work: Path) -> None:
    (work.parent / "tmp" / f"taskengine-tasks-{os.getuid()}").mkdir(mode=0o755)
    failed(ask("code_analysis", repository_url="repository"), "invalid_request", "not this user's alone")


# code_generation


def test_a_patch_is_applied_and_the_difference_returned(ask: Ask, repository: Repository) -> None:
    found = ask("code_generation", repository_url="repository", patch=PATCH).result
    assert (found["commit"], found["files"], found["additions"]) == (repository.head(), ["app.py"], 1)
    assert "+    return x + x" in found["diff"]
    assert (repository.folder / "app.py").read_text() == GOOD["app.py"]


@pytest.mark.parametrize(
    "patch",
    [
        PATCH.replace("app.py", "../../canary").replace("@@ -1,2 +1,2 @@", "@@ -0,0 +1,2 @@"),
        "diff --git a/../canary b/../canary\nnew file mode 100644\n--- /dev/null\n+++ b/../canary\n@@ -0,0 +1 @@\n+x\n",
        "diff --git a/.git/hooks/x b/.git/hooks/x\nnew file mode 100755\n--- /dev/null\n+++ b/.git/hooks/x\n"
        "@@ -0,0 +1 @@\n+x\n",
        "diff --git a/out b/out\nnew file mode 120000\n--- /dev/null\n+++ b/out\n@@ -0,0 +1 @@\n+/tmp\n"
        "\\ No newline at end of file\ndiff --git a/out/canary b/out/canary\nnew file mode 100644\n--- /dev/null\n"
        "+++ b/out/canary\n@@ -0,0 +1 @@\n+x\n",
        "no patch",
    ],
)
def test_a_patch_that_leads_out_or_does_not_apply_fails(ask: Ask, repository: Repository, patch: str) -> None:
    failed(ask("code_generation", repository_url="repository", patch=patch), "crash", "does not apply")


def test_without_a_patch_it_says_who_writes_code(ask: Ask, repository: Repository) -> None:
    done = ask("code_generation", repository_url="repository")
    failed(done, "invalid_request", "no model: register claude or codegen", "taskengine agents register")


def test_a_build_says_what_does_not_compile(ask: Ask, repository: Repository) -> None:
    found = ask("code_generation", action="build", repository_url="repository", ref="main").result
    assert found == {"commit": repository.head()}
    repository.commit(app__py="def double(x:\n")
    failed(ask("code_generation", action="build", repository_url="repository"), "crash", "SyntaxError")


# deployment and monitoring


def test_without_a_place_for_releases_a_deployment_is_a_dry_run(ask: Ask, repository: Repository) -> None:
    found = ask("deployment", action="deploy", environment="staging", repository_url="repository").result
    assert (found["dry_run"], found["url"], found["release"]) == (True, "", repository.head())
    assert ask("monitoring", action="verify", target=found["url"]).result["healthy"] is True


def test_a_release_that_is_not_well_is_rolled_back(
    ask: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKENGINE_DEPLOY_ROOT", str(repository.folder.parent / "deployed"))
    source = {"repository_url": "repository", "environment": "staging"}
    good = repository.head()
    first = ask("deployment", action="deploy", **source).result
    assert ask("monitoring", action="verify", target=first["url"]).result["healthy"] is True
    repository.commit(app__py="def double(x):\n    return 3 * x\n")
    for _ in range(2):  # a worker that died may deploy it once more
        second = ask("deployment", action="deploy", **source).result
    seen = ask("monitoring", action="verify", target=second["url"]).result
    assert seen["healthy"] is False
    assert "AssertionError" in seen["output"]
    assert ask("deployment", action="rollback", **source).result["release"] == good
    assert repository.deployed() == good
    failed(ask("deployment", action="rollback", environment="empty"), "crash", "no release before")


@pytest.mark.parametrize("environment", ["../x", "/etc", "", ".", 3])
def test_an_environment_is_a_name_and_no_path(
    ask: Ask, repository: Repository, monkeypatch: pytest.MonkeyPatch, environment: Any
) -> None:
    monkeypatch.setenv("TASKENGINE_DEPLOY_ROOT", str(repository.folder.parent / "deployed"))
    done = ask("deployment", repository_url="repository", environment=environment)
    failed(done, "invalid_request", "write a name such as staging")


def test_code_that_is_no_release_is_not_asked_how_it_is(ask: Ask, outside: Path, work: Path) -> None:
    (outside / "healthcheck.py").write_text(f"open({str(outside / 'canary')!r}, 'w')\n")
    failed(ask("monitoring", action="verify", target=str(outside)), "invalid_request", "is no release")
    assert not (outside / "canary").exists()


@pytest.mark.parametrize(("answer", "ran"), [("run", True), ("leave it", False)])
def test_a_command_deploys_only_when_a_person_says_so(
    engine: Engine, repository: Repository, monkeypatch: pytest.MonkeyPatch, outside: Path, answer: str, ran: bool
) -> None:
    monkeypatch.setenv("TASKENGINE_COMMANDS", sys.executable)
    words = [sys.executable, "-c", f"open({str(outside / 'x')!r}, 'w')"]
    given = {"repository_url": "repository", "command": words}
    (dry,) = engine.run_until_done(*engine.submit(Task(name="d", task_type="deployment", input=given)))
    assert dry.result is not None
    assert dry.result["dry_run"] is True
    (task,) = engine.submit(Task(name="d", task_type="deployment", input={**given, "dry_run": False}))
    engine.run_until_idle()
    paused = engine.task(task)
    assert paused.question is not None
    assert (paused.status, paused.question.options) == ("paused", ("run", "leave it"))
    assert not (outside / "x").exists()
    engine.api.answer(task.id, answer, by="ann")
    (done,) = engine.run_until_done(task)
    assert done.result is not None
    assert (done.result["dry_run"], (outside / "x").exists()) == (not ran, ran)


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", "http://169.254.169.254/")
        self.end_headers()
        self.wfile.write(b"all is well")

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def port() -> Any:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_probe_measures_against_its_thresholds(ask: Ask, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKENGINE_ALLOWED_HOSTS", f"127.0.0.1:{port}, 127.0.0.1:1")
    url = f"http://127.0.0.1:{port}/"
    good = [
        {"kind": "http", "url": url, "contains": "well", "max_ms": 5000, "status": 200},
        {"kind": "http", "url": f"{url}away"},  # an answer; nobody follows it
        {"kind": "tcp", "host": "127.0.0.1", "port": port},
        {"kind": "process", "pid": os.getpid(), "max_memory_mb": 100_000},
        {"kind": "disk", "min_free_gb": 0.001},
    ]
    found = ask("monitoring", checks=good).result
    assert found["healthy"] is True, found
    bad = [
        {"kind": "http", "url": url, "contains": "ill"}, {"kind": "http", "url": url, "max_ms": 0},
        {"kind": "http", "url": url, "status": 404}, {"kind": "tcp", "host": "127.0.0.1", "port": 1},
        {"kind": "http", "url": "http://127.0.0.1:1/"}, {"kind": "process", "name": "no-such-process"},
        {"kind": "process", "pid": os.getpid(), "max_memory_mb": 0.1}, {"kind": "disk", "min_free_gb": 1e9},
    ]  # fmt: skip
    found = ask("monitoring", checks=bad).result
    assert [one["ok"] for one in found["checks"]] == [False] * len(bad), found


@pytest.mark.parametrize(
    "check",
    [
        {"kind": "http", "url": "http://127.0.0.1/"}, {"kind": "http", "url": "http://169.254.169.254/latest"},
        {"kind": "tcp", "host": "10.0.0.1", "port": 6379}, {"kind": "tcp", "host": "localhost", "port": 22},
        {"kind": "http", "url": "file:///etc/passwd"}, {"kind": "http", "url": "http://a:b@example.org/"},
        {"kind": "http", "url": "http://example.org/\r\nX: y"}, {"kind": "disk", "path": "/etc"}, {"kind": "shell"},
    ],
)  # fmt: skip
def test_a_probe_goes_nowhere_that_is_private_and_reads_nothing_outside(ask: Ask, check: dict[str, Any]) -> None:
    assert ask("monitoring", checks=[check]).error_kind == "invalid_request"


# custom


def test_rows_are_extracted_checked_transformed_and_loaded(ask: Ask, work: Path) -> None:
    source = work / "a.csv"
    source.write_text("name,age\nann,3\n,\n", encoding="utf-8")
    extracted = ask("custom", action="extract", source="a.csv").result
    assert extracted == {"rows": 2, "location": "a.csv"}
    assert ask("testing", test_type="data", **extracted).result == {"valid": True}
    made = ask("custom", action="transform", **extracted).result
    assert made == {"rows": 1, "location": "a.csv.clean"}
    assert ask("custom", action="load", sources=[made, None, {"valid": False}]).result == {"rows": 1}
    assert ask("deployment", action="publish", rows=1).result == {"published": 1}
    source.write_text("name,age\nann\n", encoding="utf-8")
    assert ask("testing", test_type="data", **extracted).result == {"valid": False}
    assert ask("custom", n=1).result == {"n": 1}


def test_rows_outside_of_the_workspaces_are_neither_read_nor_written(ask: Ask, work: Path, outside: Path) -> None:
    (outside / "a.csv").write_text("a\n1\n")
    (work / "link.csv").symlink_to(outside / "a.csv")
    for location in (str(outside / "a.csv"), "../outside/a.csv", "link.csv"):
        for task_type, given in (
            ("custom", {"action": "extract", "source": location}),
            ("custom", {"action": "transform", "location": location}),
            ("testing", {"test_type": "data", "location": location}),
        ):
            failed(ask(task_type, **given), "invalid_request", "TASKENGINE_WORKSPACES")
    (work / "b.csv").write_text("a\n1\n")
    (work / "b.csv.clean").symlink_to(outside / "a.csv")  # what is written replaces the link, not what it leads to
    ask("custom", action="transform", location="b.csv")
    assert (outside / "a.csv").read_text() == "a\n1\n"
