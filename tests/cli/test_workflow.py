"""``taskengine workflow …`` against an engine in this process, whose time passes while a command waits."""

from __future__ import annotations

import io
import json
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from taskengine import Task, agent
from taskengine.cli import place
from taskengine.cli.workflow import follow, shown
from taskengine.errors import StoreUnavailableError
from taskengine.settings import current
from taskengine.testing import Engine

from ..cases import each

CHAIN = """\
name: chain
context: {who: world}
variables: {loud: false}
steps:
  - name: greet
    task_template: {capability: say, input: {text: "hello ${context.who}", loud: "${variables.loud}"}}
  - name: both
    kind: parallel
    sub_steps:
      - {name: a, task_template: {capability: say, input: {text: a}}}
      - {name: b, task_template: {capability: say, input: {text: b}}}
outputs: {text: "${steps.greet.output.text}", loud: "${steps.greet.output.loud}"}
"""
FAILING = """\
name: failing
steps:
  - {name: good, task_template: {capability: say}}
  - {name: bad, task_template: {capability: fail, max_retries: 0}}
  - {name: never, task_template: {capability: say}}
"""
ASKING = """\
name: asking
steps:
  - {name: ask, kind: approval, prompt: Now?, form: {type: object, required: [hosts]}}
  - {name: go, kind: wait, signal: go}
  - {name: set, kind: wait, wait_condition: {field: ready, operator: equals, value: true}}
outputs: {hosts: "${steps.ask.output.hosts}", parcel: "${steps.go.output.parcel}"}
"""
LOOP = """\
name: loop
steps:
  - name: l
    kind: loop
    loop_condition: iteration < 4
    max_iterations: 9
    loop_steps:
      - {name: more, kind: wait, signal: more}
"""
#: One turn more for each signal; items of which some fail, and the others wait.
INSIDE = """\
name: inside
steps:
  - name: both
    kind: parallel
    mode: wait_all
    sub_steps:
      - name: again
        kind: loop
        loop_condition: "true"
        max_iterations: 9
        loop_steps:
          - {name: say, task_template: {capability: say}}
          - {name: more, kind: wait, signal: more}
      - name: each
        kind: map
        items: ITEMS
        label: "'host ' + string(item)"
        tolerate: 100
        max_parallel: 10
        steps:
          - name: first
            task_template: {capability: "${item < 3 ? 'fail' : 'say'}", max_retries: 0}
          - {name: go, kind: wait, signal: go}
      - name: single
        kind: map
        items: [1, 2]
        steps:
          - {name: ask, kind: approval, prompt: Now?}
"""
MAP = """\
name: map
steps:
  - name: each
    kind: map
    items: "[1, 2, 3]"
    max_parallel: 2
    steps:
      - {name: one, task_template: {capability: say, input: {n: "${item}"}}}
"""
WRONG = """\
name: wrong
stepz: 1
steps:
  - name: a
    kind: parallel
    sub_steps: []
  - {name: a, kind: wait}
"""
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nname: bomb\nsteps: [*b, *b]\n"
ODD = {"bomb.yaml": BOMB, "binary.yaml": "\x00\x01", "empty.yaml": "", "list.json": "[1]"}
FILES = {"chain.yaml": CHAIN, "failing.yaml": FAILING, "asking.yaml": ASKING, "wrong.yaml": WRONG, **ODD}


class BaseClient:
    """What a command opens: the engine's client, which outlives it."""

    def __init__(self, api):
        self.api = api

    def __enter__(self):
        return self.api

    def __exit__(self, *_):
        pass


@pytest.fixture
def engine(monkeypatch, tmp_path):
    @agent("say", capabilities={"say"})
    def say(task, context):
        return dict(task.input)

    @agent("fail", capabilities={"fail"})
    def fail(task, context):
        raise OSError("no ink")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TASKENGINE_REDIS_URL", "redis://127.0.0.1:1/0")
    current.cache_clear()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with Engine([say, fail]) as made:
        monkeypatch.setattr(place, "CommandLine", lambda settings: BaseClient(made.api))  # noqa: ARG005
        passing = SimpleNamespace(monotonic=made.clock.seconds, sleep=made.run_for)
        monkeypatch.setattr(follow, "time", passing)
        yield made
    current.cache_clear()


def told(done):
    """What was said of steps, without the time of day."""
    return [line.split(" ", 1)[1] for line in done.out.splitlines() if line[2:3] == ":"]


def started(taskengine, file, *words):
    return taskengine("workflow", "start", file, *words, "-o", "json").json["id"]


def test_run_shows_each_step_and_what_came_of_it(taskengine, engine):
    done = taskengine("workflow", "run", "chain.yaml")
    assert done.code == 0, done
    assert {"greet completed", "both/a completed", "both completed 2/2"} <= set(told(done))
    assert told(done).index("both/a completed") < told(done).index("both completed 2/2")
    assert '"text": "hello world"' in done.out


def test_items_are_counted_where_a_few_run_at_a_time(taskengine, engine, tmp_path):
    (tmp_path / "map.yaml").write_text(MAP)
    done = taskengine("workflow", "run", "map.yaml")
    assert "each completed 3/3" in told(done)
    assert taskengine("workflow", "status", "map", "-o", "json").json["steps"][0]["counts"]["completed"] == 3


def test_run_gives_a_program_the_end_alone(taskengine, engine):
    found = taskengine("workflow", "run", "chain.yaml", "-o", "json").json
    assert (found["status"], found["result"]) == ("completed", {"text": "hello world", "loud": False})
    assert [step["path"] for step in found["steps"]] == ["greet", "both"]


def test_run_of_a_workflow_that_fails_ends_with_3_and_names_the_step(taskengine, engine):
    done = taskengine("workflow", "run", "failing.yaml")
    assert done.code == 3
    assert ["failed at bad: " in done.out, "no ink" in done.out] == [True, True]
    asked = taskengine("workflow", "run", "failing.yaml", "-o", "json")
    assert (asked.code, asked.json["failed_step"], asked.json["result"]) == (3, "bad", None)


def test_run_ends_with_4_in_the_middle_and_leaves_it_running(taskengine, engine):
    done = taskengine("workflow", "run", "asking.yaml", "--wait-timeout", "1")
    assert (done.code, "was not over within 1 s and goes on" in done.err) == (4, True)
    assert taskengine("workflow", "status", "asking", "-o", "json").json["status"] == "running"


def test_after_two_seconds_run_says_why_it_stands(taskengine, engine, tmp_path):
    done = taskengine("workflow", "run", "asking.yaml", "--wait-timeout", "3")
    assert "waits: ask: waits for an approval since" in done.out
    asked = taskengine("workflow", "run", "asking.yaml", "--wait-timeout", "3", "-o", "json")
    assert "waits: ask: " in json.loads(asked.err.splitlines()[0])["warning"]
    (tmp_path / "idle.yaml").write_text("name: idle\nsteps: [{name: a, task_template: {capability: nobody}}]")
    done = taskengine("workflow", "run", "idle.yaml", "--wait-timeout", "3")
    assert "waits: a: 'a' is ready: no living worker offers capability 'nobody'" in done.out
    assert done.out.count("waits: ") == 1


@each("words", [
    ["--context", "who=you", "--var", "loud=true"], ["--context", '{"who": "you"}', "--var", "@loud.json"],
])  # fmt: skip
def test_a_command_line_may_say_what_a_workflow_begins_with(taskengine, engine, tmp_path, words):
    (tmp_path / "loud.json").write_text('{"loud": true}')
    found = taskengine("workflow", "run", "chain.yaml", *words, "-o", "json").json
    assert found["result"] == {"text": "hello you", "loud": True}


def test_the_same_key_starts_once_and_another_content_is_refused(taskengine, engine):
    first, second = (started(taskengine, "chain.yaml", "--idempotency-key", "abc") for _ in range(2))
    assert first == second
    refused = taskengine("workflow", "run", "chain.yaml", "--idempotency-key", "abc", "--context", "who=you")
    assert (refused.code, first in refused.err) == (1, True)


def test_a_registered_workflow_runs_by_its_name(taskengine, engine):
    versions = [taskengine("workflow", "register", "chain.yaml", "-o", "json").json["version"] for _ in range(2)]
    assert versions == [1, 1]
    done = taskengine("workflow", "run", "chain", "--context", "who=you", "-o", "json")
    assert (done.code, done.json["result"]["text"]) == (0, "hello you")
    assert taskengine("workflow", "run", "chain", "--id", "abcd1000-0000-4000-8000-000000000000").code == 1


def test_a_name_that_nobody_registered_is_said_with_the_nearest(taskengine, engine):
    assert "under the name 'nobody'; register" in taskengine("workflow", "run", "nobody").err
    taskengine("workflow", "register", "chain.yaml")
    done = taskengine("workflow", "run", "chian")
    assert "no workflow is registered under the name 'chian'; did you mean 'chain'?" in done.err


def test_a_task_that_runs_a_workflow_is_listed_by_its_capability(taskengine, engine):
    engine.api.create_task(Task(task_type="workflow", input={"workflow": "nobody"}))
    engine.run_until_idle()
    listed = taskengine("task", "list").out
    assert ("workflow" in listed, "%w" in listed) == (True, False)


def test_text_stays_text_where_the_file_has_text(taskengine, engine):
    found = taskengine("workflow", "run", "chain.yaml", "--context", "who=12", "--var", "loud=12", "-o", "json").json
    assert found["result"] == {"text": "hello 12", "loud": 12}
    found = taskengine("workflow", "run", "chain.yaml", "--context", "who=1e3", "-o", "json").json
    assert found["result"]["text"] == "hello 1e3"


def test_an_id_may_be_ones_own(taskengine, engine):
    own = "abcd1000-0000-4000-8000-000000000000"
    assert [started(taskengine, "chain.yaml", "--id", own) for _ in range(2)] == [own, own]


def test_status_takes_a_name_and_the_beginning_of_an_id(taskengine, engine):
    id = started(taskengine, "chain.yaml")
    engine.run_until_idle()
    for which in ("chain", id, id[:8]):
        found = taskengine("workflow", "status", which, "-o", "json").json
        assert (found["id"], found["status"]) == (id, "completed")
    out = taskengine("workflow", "status", id[:8]).out
    assert [line.split()[:3] for line in out.splitlines()[2:6]] == [
        ["├─", "greet", "completed"], ["└─", "both", "parallel"], ["├─", "a", "completed"], ["└─", "b", "completed"],
    ]  # fmt: skip


def test_watch_tells_a_program_each_change_on_a_line(taskengine, engine):
    id = started(taskengine, "failing.yaml")
    done = taskengine("workflow", "watch", id, "-o", "json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 3
    assert [(one["path"], one["status"]) for one in lines][-1] == ("", "failed")
    assert next(one for one in lines if one["path"] == "bad" and one["note"])["status"] == "failed"


def test_verbs_steer_a_workflow_and_say_when_there_was_nothing_to_do(taskengine, engine):
    id = started(taskengine, "asking.yaml")
    engine.run_until_idle()

    def codes(*words):
        return [taskengine("workflow", words[0], id[:8], *words[1:]).code for _ in range(2)]

    assert codes("pause", "--reason", "freeze") == [0, 1]
    assert "freeze" in taskengine("workflow", "status", id).out
    assert codes("resume") == [0, 1]
    assert codes("approve", "ask", "--by", "ann", "--form", '{"hosts": 3}') == [0, 1]
    late = taskengine("workflow", "approve", id, "ask", "--reject", "--by", "bo", "--reason", "no")
    assert (late.code, "ask has its answer, and the first one stands: ann approved it at " in late.out) == (1, True)
    told = taskengine("workflow", "approve", id, "ask", "--reject", "--by", "bo", "-o", "json").json
    assert (told["rejected"], told["answer"]["by"], told["answer"]["form"]) == (False, "ann", {"hosts": 3})
    assert codes("signal", "go", "--payload", '{"parcel": 7}', "--signal-id", "p7") == [0, 1]
    assert taskengine("workflow", "update", id, "--var", "ready=true", "-o", "json").json["revision"] == 1
    engine.run_until_idle()
    found = taskengine("workflow", "status", id, "-o", "json").json
    assert (found["status"], found["result"]) == ("completed", {"hosts": 3, "parcel": 7})
    assert codes("cancel") == [1, 1]


def test_a_cancelled_workflow_ends_with_3_where_it_is_watched(taskengine, engine):
    id = started(taskengine, "asking.yaml")
    engine.run_until_idle()
    assert taskengine("workflow", "cancel", id, "--reason", "wrong branch").code == 0
    done = taskengine("workflow", "watch", id)
    assert (done.code, "cancelled: wrong branch" in done.out) == (3, True)


def test_a_failed_workflow_is_retried_or_started_again(taskengine, engine):
    id = started(taskengine, "failing.yaml")
    engine.run_until_idle()
    assert taskengine("workflow", "retry", id[:8]).code == 0
    assert taskengine("workflow", "status", id, "-o", "json").json["status"] == "running"
    refused = taskengine("workflow", "retry", id)
    assert (refused.code, "only a failed or cancelled one" in refused.err) == (1, True)
    again = taskengine("workflow", "restart", id, "-o", "json").json
    assert again["of"] == id
    assert taskengine("workflow", "watch", again["id"]).code == 3


def test_workflows_are_listed_newest_first_by_name_and_status(taskengine, engine):
    assert "no workflow" in taskengine("workflow", "list").out
    first = started(taskengine, "chain.yaml")
    engine.run_until_idle()
    engine.clock.advance(1)
    second, third = started(taskengine, "failing.yaml"), started(taskengine, "chain.yaml", "--var", "loud=true")
    engine.run_until_idle()

    def ids(*words):
        return [one["id"] for one in taskengine("workflow", "list", *words, "-o", "json").json["workflows"]]

    assert (set(ids()), ids()[-1]) == ({first, second, third}, first)
    assert ids("--name", "chain") == [third, first]
    assert (ids("--status", "failed"), ids("--status", "running")) == ([second], [])
    page = taskengine("workflow", "list", "--name", "chain", "--limit", "1", "-o", "json").json
    assert ids("--name", "chain", "--cursor", page["cursor"]) == [first]
    assert "bad: " in taskengine("workflow", "list", "--status", "failed").out


def test_who_stops_watching_leaves_the_workflow_running(taskengine, engine, monkeypatch):
    def interrupt(seconds):
        raise KeyboardInterrupt

    id = started(taskengine, "asking.yaml")
    monkeypatch.setattr(follow.time, "sleep", interrupt)
    done = taskengine("workflow", "watch", id)
    assert (done.code, f"workflow {id} goes on" in done.out) == (130, True)
    assert taskengine("workflow", "status", id, "-o", "json").json["status"] in {"pending", "running"}


def test_a_server_that_is_away_for_a_while_ends_no_watch(taskengine, engine, monkeypatch):
    asked = []
    ask = engine.api.get_workflow_status

    def away(id):
        asked.append(id)
        if 1 < len(asked) < 5:
            raise StoreUnavailableError("no answer")
        return ask(id)

    id = started(taskengine, "chain.yaml")
    monkeypatch.setattr(engine.api, "get_workflow_status", away)
    done = taskengine("workflow", "watch", id)
    assert (done.code, done.err) == (0, "taskengine: no answer; it is asked again for 60 s\n")
    asked[:] = [id] * 2
    monkeypatch.setattr(follow, "_AWAY_SECONDS", 0)
    assert taskengine("workflow", "watch", id).code == 1


def test_a_terminal_is_shown_the_tree_drawn_over(taskengine, engine, monkeypatch):
    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=100, height=20, legacy_windows=False)
    monkeypatch.setattr(shown, "console", lambda: terminal)
    assert taskengine("workflow", "run", "failing.yaml").code == 3
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "failing" in text.splitlines()[0]
    assert re.findall(r"└─ never +cancelled", text)
    assert "1 failed, 1 cancelled, 1 completed" in text


MISTAKES = (
    ["status", "nobody"], ["status", "abcd"], ["status", "0" * 32], ["watch", "nobody"], ["cancel", "asking"],
    ["cancel", "ab"], ["pause", "0" * 32], ["resume", "0" * 32], ["retry", "0" * 32], ["signal", "0" * 32, "go"],
    ["update", "0" * 32, "--var", "x"], ["update", "0" * 32, "--var", "x=1"], ["approve", "0" * 32, "ask"],
    ["run", "none.yaml"], ["run", "nobody"], ["run", "wrong.yaml"], ["run", "."], ["run", "chain.yaml", "--id", "x"],
    ["run", "chain.yaml", "--var", "loud"], ["run", "chain.yaml", "--var", "no name=1"], ["start", "wrong.yaml"],
    ["run", "chain.yaml", "--context", "@none.json"], ["run", "chain.yaml", "--context", "{"],
    ["graph", "none.yaml"], ["graph", "nobody"], ["graph", "wrong.yaml"], ["lint", "none.yaml"], ["lint", "."],
    *([verb, file] for verb in ("run", "lint", "graph") for file in ODD),
    ["register", "wrong.yaml"], ["restart", "0" * 32],
)  # fmt: skip


@each("words", MISTAKES)
def test_a_mistake_is_a_sentence_and_exit_code_1(taskengine, engine, words):
    done = taskengine("workflow", *words)
    assert done.code == 1, done
    assert "Traceback" not in done.err
    said = done.err or done.out
    assert said.startswith(("taskengine: ", "error ")), said


@each("words", [["approve", "ID", "nothing"], ["approve", "ID", "go"], ["approve", "ID", "ask", "--form", "[1]"],
                ["signal", "ID", "no name"], ["update", "ID", "--var", "x=1", "--if-revision", "9"]])  # fmt: skip
def test_what_does_not_fit_the_workflow_is_refused(taskengine, engine, words):
    id = started(taskengine, "asking.yaml")
    done = taskengine("workflow", *(id if word in {"ID"} else word for word in words))
    assert (done.code, done.err.startswith("taskengine: ")) == (1, True), done


def test_every_fault_of_a_file_is_said_with_its_path_and_line(taskengine, engine):
    faults = ["wrong.yaml:2: stepz: unknown field", "wrong.yaml:6: steps[0].sub_steps: ", "wrong.yaml:7: steps[1]"]
    for verb in ("run", "start", "graph", "lint"):
        done = taskengine("workflow", verb, "wrong.yaml")
        assert [fault in done.out + done.err for fault in faults] == [True] * 3, done
        assert len((done.out + done.err).strip().splitlines()) > 3
    data = json.loads(taskengine("workflow", "run", "wrong.yaml", "-o", "json").err)["error"]["faults"]
    assert ("wrong.yaml:2", "stepz") in {(fault["place"], fault["path"]) for fault in data}
    linted = taskengine("workflow", "lint", "wrong.yaml", "-o", "json").json
    assert (linted["errors"], linted["warnings"]) == (data, [])


def test_lint_warns_of_what_nobody_sets_and_that_is_no_error(taskengine, engine):
    done = taskengine("workflow", "lint", "asking.yaml", "-o", "json")
    assert (done.code, done.json["errors"]) == (0, [])
    assert {one["rule"] for one in done.json["warnings"]} == {"unset-field", "no-timeout"}
    assert "asking.yaml:5: steps[2]" in taskengine("workflow", "lint", "asking.yaml").out


def test_graph_draws_a_file_and_a_workflow_with_its_states(taskengine, engine):
    plain = taskengine("workflow", "graph", "chain.yaml").out
    assert ("\nflowchart TD\n" in plain, "classDef" in plain) == (True, False)
    id = started(taskengine, "failing.yaml")
    engine.run_until_idle()
    drawn = taskengine("workflow", "graph", id[:8], "-o", "json").json
    assert drawn["states"] == {"good": "completed", "bad": "failed", "never": "cancelled"}
    assert drawn["mermaid"] == taskengine("workflow", "graph", "failing").out
    assert "classDef failed" in drawn["mermaid"]


def test_graph_draws_what_is_only_registered(taskengine, engine):
    assert taskengine("workflow", "register", "chain.yaml").code == 0
    assert taskengine("workflow", "graph", "chain").out == taskengine("workflow", "graph", "chain.yaml").out
    missing = taskengine("workflow", "graph", "chian")
    assert (missing.code, "did you mean 'chain'" in missing.err) == (1, True), missing.err
    started(taskengine, "chain.yaml")  # what runs has states to show
    engine.run_until_idle()
    assert "classDef completed" in taskengine("workflow", "graph", "chain").out


@pytest.fixture
def inside(engine, taskengine, tmp_path):
    """A workflow that waits in the second turn of a loop, and in ten of a hundred items."""
    (tmp_path / "inside.yaml").write_text(INSIDE.replace("ITEMS", str(list(range(100)))))
    id = started(taskengine, "inside.yaml")
    engine.run_until_idle()
    engine.api.signal_workflow(id, "more")
    for _ in range(4):
        engine.api.signal_workflow(id, "go")
    engine.run_until_idle()
    return id


def test_the_tree_goes_on_into_the_turn_that_runs_and_items_that_run_or_failed(taskengine, inside):
    lines = taskengine("workflow", "status", inside).out.splitlines()
    words = [line.replace("│", " ").replace("├─", " ").replace("└─", " ").split() for line in lines]
    assert ["again", "loop", "running", "turn", "2"] in [line[:5] for line in words]
    assert ["again[1]", "running", "1/2"] in [line[:3] for line in words]
    assert "again[0]" not in {line[0] for line in words if line}
    each = [line for line in words if line and line[0].startswith("each")]
    assert each[0][:6] == ["each", "map", "running", "7/100,", "3", "failed"]
    assert [line[:4] for line in each[1:4]] == [[f"each[{n}]", "host", str(n), "failed"] for n in range(3)]
    assert ["each[7]", "host", "7", "running"] in [line[:4] for line in each]
    assert len(each) < 1 + 20
    assert ["single[0]", "approval", "waiting"] in [line[:3] for line in words]  # one of one step: as that step


def test_a_watch_tells_each_turn_and_item_with_its_end(taskengine, engine, inside):
    done = taskengine("workflow", "watch", inside, "--wait-timeout", "1")
    assert {"both/again[1] running 1/2", "both/again turn 2"} & set(told(done))
    assert any(line.startswith("both/again[1]/more waiting: waits for the signal 'more'") for line in told(done))
    assert any(line.startswith("both/each[0] host 0 failed") for line in told(done))


def test_what_ran_in_a_turn_is_told_to_its_end(taskengine, engine, tmp_path, monkeypatch):
    (tmp_path / "loop.yaml").write_text(LOOP)
    steps = iter(["more"] * 6)
    forward = follow.time.sleep

    def sleep(seconds):
        if word := next(steps, None):
            engine.api.signal_workflow(id, word)
        forward(seconds)

    id = started(taskengine, "loop.yaml")
    monkeypatch.setattr(follow.time, "sleep", sleep)
    lines = told(taskengine("workflow", "watch", id))
    assert [line for line in lines if "/more completed" in line] == [f"l[{n}]/more completed" for n in range(4)]
    assert lines.index("l[3]/more completed") < lines.index("l completed turn 4")


def test_the_graph_colours_what_is_in_loops_and_maps(taskengine, inside):
    drawn = taskengine("workflow", "graph", inside, "-o", "json").json
    states = drawn["states"]
    assert (states["both/again/say"], states["both/again/more"]) == ("completed", "waiting")
    assert (states["both/each/first"], states["both/each/go"], states["both/single/ask"]) == (
        "failed", "waiting", "waiting",
    )  # fmt: skip
    assert "running, turn 2</i>" in drawn["mermaid"]
    assert "running, 7/100, 3 failed</i>" in drawn["mermaid"]


def test_without_a_coordinator_run_says_that_nobody_decides(at_server, taskengine, tmp_path):
    (tmp_path / "chain.yaml").write_text(CHAIN)
    done = taskengine("workflow", "run", "chain.yaml", "--wait-timeout", "2.5")
    assert (done.code, "waits: no coordinator leads" in done.out) == (4, True), done


def test_the_schema_names_every_kind_of_step(taskengine):
    found = taskengine("workflow", "schema").json
    assert {"TaskStep", "LoopStep", "ApprovalStep"} <= set(found["$defs"])


def test_a_dead_letter_of_a_workflow_is_opened_with_that(taskengine, engine):
    id = started(taskengine, "chain.yaml")
    engine.lose_worker(times=5)
    engine.run_until_idle()
    done = taskengine("dead", "requeue", "--all")
    assert (done.code, f"is step greet of workflow 'chain' ({id})" in " ".join(done.out.split())) == (1, True), done
    (why,) = taskengine("dead", "requeue", "--all", "-o", "json").json["skipped"].values()
    assert why.endswith(f"retry_workflow('{id}')")  # of a client in Python, which is asked here
    assert "1 left as they are: part of a workflow" in taskengine("task", "retry", "--status", "failed").out
