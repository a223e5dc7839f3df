"""``taskengine agents …`` against a server of its own: registered, looked at, changed, applied from a file, tried."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taskengine.cli import completion
from taskengine.models.agent import AgentRecord, Limit
from taskengine.store import agents, limits
from taskengine.store.keys import Keys

from ..cases import each

TYPES = str(Path(__file__).parents[1] / "agents")
FLEET = """
limits:
  anthropic: {in_flight: 300}
agents:
  reviewer:
    type: claude
    capabilities: [code_review, testing]
    limits: anthropic
    secret: ANTHROPIC_API_KEY
    max_concurrency: 200
  fixer:
    type: function
    capabilities: code_generation
"""
WRONG = """
agents:
  a b:
    type: claude
    capabilities: [x]
  cladue:
    type: cladue
    capabilities: [x]
  bot:
    type: function
    capabilities: [x]
    secret: sk-ant-canary
    max_concurrency: 0
    wings: 2
  other:
    type: function
    capabilities: [x]
    config:
      modle: x  # codespell:ignore
  empty:
    type: claude
"""


@pytest.fixture(autouse=True)
def _server(at_server):
    """All of these need one."""


def test_register_list_show_update_remove(taskengine, store):
    store.run(limits.put(Limit(name="key", in_flight=3)))
    words = ("--secret", "ANTHROPIC_API_KEY", "--limit", "key", "--resource", "memory_gb=2", "--max-concurrency", "5")
    done = taskengine("agents", "register", "bot", "claude", "code_review", "testing", *words)
    assert done.code == 0, done.err
    assert "registered, revision 1" in done.out
    assert "start one: taskengine worker --agent bot" in done.out
    [row] = taskengine("agents", "list", "-o", "json").json
    assert (row["id"], row["type"], row["status"], row["capabilities"]) == (
        "bot", "claude", "offline", ["code_review", "testing"]
    )  # fmt: skip
    assert (row["resources"], row["limits"], row["max_concurrency"]) == ({"memory_gb": 2.0}, ["key"], 5)
    assert "offline" in taskengine("agents", "list").out
    shown = taskengine("agents", "show", "bot").out
    for said in ("claude", "memory_gb=2", "ANTHROPIC_API_KEY", "0 of 5 at most", "Limits", "revision 1"):
        assert said.casefold() in " ".join(shown.split()).casefold()
    again = taskengine("agents", "update", "bot", "-C", "testing", "--unset", "max-concurrency", "--if-revision", "1")
    assert again.code == 0, again.err
    row = taskengine("agents", "show", "bot", "-o", "json").json
    assert (row["capabilities"], row["max_concurrency"], row["revision"]) == (["testing"], None, 2)
    assert taskengine("agents", "update", "bot", "--preference", "1", "--if-revision", "1").code == 1
    assert taskengine("agents", "remove", "bot").out == "bot is not registered any more\n"
    assert taskengine("agents", "list").out.startswith(
        "no agent is registered; register one: taskengine agents register"
    )


def test_pause_drain_and_resume(taskengine):
    taskengine("agents", "register", "bot", "claude", "testing")
    done = taskengine("agents", "pause", "bot", "--reason", "key is rotated", "--until", "2h")
    assert done.out.startswith("paused: agent bot by ")
    assert "key is rotated" in taskengine("agents", "show", "bot").out
    assert "drained by" not in taskengine("agents", "show", "bot").out
    assert taskengine("agents", "drain", "bot", "--reason", "upgrade").code == 0
    assert "upgrade" in taskengine("agents", "show", "bot").out
    assert taskengine("agents", "resume", "bot").out == "bot takes work again\n"
    again = taskengine("agents", "resume", "bot")
    assert (again.code, again.out.startswith("bot was not paused (")) == (1, True)


@each(
    "words",
    [
        ("show", "nobody"), ("pause", "nobody"), ("drain", "nobody"), ("resume", "nobody"), ("remove", "nobody"),
        ("test", "nobody"), ("update", "nobody", "--preference", "1"),
    ],
)  # fmt: skip
def test_an_unknown_name_says_which_are_known_and_how_to_register_it(taskengine, words):
    taskengine("agents", "register", "bot", "claude", "testing")
    done = taskengine("agents", *words)
    assert done.code == 1
    assert "no agent 'nobody' is registered" in done.err
    assert "taskengine agents register nobody TYPE CAPABILITY" in done.err


def test_wrong_words_are_named(taskengine):
    done = taskengine("agents", "register", "bot", "cladue", "testing")
    assert "there is no agent type 'cladue', did you mean 'claude'?" in done.err
    done = taskengine("agents", "register", "bot", "function", "x", "--config", '{"modle": 1}')
    assert "the config of type 'function' knows no 'modle'; it takes " in done.err
    assert "write NAME=NUMBER" in taskengine("agents", "register", "bot", "claude", "x", "--resource", "memory").err
    taskengine("agents", "register", "bot", "claude", "x")
    assert "name one of max_concurrency, resources" in taskengine("agents", "update", "bot", "--unset", "wings").err
    done = taskengine("agents", "register", "bot", "codegen", "x")
    assert "agent 'bot' is registered as 'claude' and cannot become 'codegen'" in done.err


def test_a_file_is_applied_once_and_a_dry_run_shows_what_would_change(taskengine):
    Path("fleet.yaml").write_text(FLEET)
    dry = taskengine("agents", "apply", "fleet.yaml", "--dry-run")
    assert dry.code == 0, dry.err
    assert "+ agent reviewer" in dry.out
    assert "capabilities: code_review, testing" in dry.out
    assert dry.out.endswith("3 would be new, 0 would be changed, 0 as they are\n")
    assert taskengine("agents", "list", "-o", "json").json == []
    assert "3 new, 0 changed, 0 as they are" in taskengine("agents", "apply", "fleet.yaml").out
    assert {row["id"] for row in taskengine("agents", "list", "-o", "json").json} == {"reviewer", "fixer"}
    taskengine("agents", "register", "besides", "claude", "x")
    Path("fleet.yaml").write_text(FLEET.replace("200", "50"))
    dry = taskengine("agents", "apply", "fleet.yaml", "--dry-run", "-o", "json").json
    assert dry["others"] == ["besides"]
    assert {each["id"]: each["what"] for each in dry["agents"]} == {"reviewer": "changed", "fixer": "same"}
    assert [each["what"] for each in dry["limits"]] == ["same"]
    assert dry["agents"][0]["changes"] == {"max_concurrency": {"from": 200, "to": 50}}
    done = taskengine("agents", "apply", "fleet.yaml")
    assert "max_concurrency: 200 → 50" in done.out
    assert "not in the file: besides" in done.out
    assert [row["revision"] for row in taskengine("agents", "list", "-o", "json").json] == [1, 1, 2]


def test_every_fault_of_a_file_is_told_with_its_line_and_nothing_is_changed(taskengine):
    Path("fleet.yaml").write_text(WRONG)
    done = taskengine("agents", "apply", "fleet.yaml", "-o", "json")
    assert done.code == 1
    faults = json.loads(done.err)["error"]["faults"]
    assert [(fault["place"], fault["path"]) for fault in faults] == [
        ("fleet.yaml:3", "agents.a b"), ("fleet.yaml:7", "agents.cladue.type"), ("fleet.yaml:12", "agents.bot.secret"),
        ("fleet.yaml:13", "agents.bot.max_concurrency"), ("fleet.yaml:14", "agents.bot.wings"),
        ("fleet.yaml:19", "agents.other.config.modle"), ("fleet.yaml:20", "agents.empty"),
    ]  # fmt: skip
    said = {fault["path"]: fault["says"] for fault in faults}
    assert "did you mean 'claude'?" in said["agents.cladue.type"]
    assert said["agents.empty"] == "has no 'capabilities'; add it"
    assert "canary" not in done.err + taskengine("agents", "apply", "fleet.yaml").err
    assert taskengine("agents", "list", "-o", "json").json == []


def test_another_type_under_a_known_name_is_a_fault_of_the_file(taskengine):
    taskengine("agents", "register", "fixer", "codegen", "code_generation")
    Path("fleet.yaml").write_text(FLEET)
    done = taskengine("agents", "apply", "fleet.yaml", "--dry-run")
    assert done.code == 1
    assert "fleet.yaml:12: agents.fixer.type: is registered as 'codegen' and cannot become 'function'" in done.err


def test_a_limit_that_nobody_sets_is_a_fault_and_one_of_the_file_may_change(taskengine):
    Path("fleet.yaml").write_text(FLEET.replace("anthropic: {", "other: {"))
    done = taskengine("agents", "apply", "fleet.yaml")
    assert "fleet.yaml:8: agents.reviewer.limits: there is no limit 'anthropic'; write it below 'limits:'" in done.err
    assert taskengine("agents", "limits", "list", "-o", "json").json == []
    Path("fleet.yaml").write_text(FLEET)
    assert taskengine("agents", "apply", "fleet.yaml").code == 0
    Path("fleet.yaml").write_text(FLEET.replace("300", "30"))
    done = taskengine("agents", "apply", "fleet.yaml")
    assert "~ limit anthropic\n    in_flight: 300 → 30" in done.out
    Path("fleet.yaml").write_text("limits: {a: {flights: 1}, b: {in_flight: 0}, c: 3}\n")
    faults = json.loads(taskengine("agents", "apply", "fleet.yaml", "-o", "json").err)["error"]["faults"]
    assert [fault["path"] for fault in faults] == ["limits.a.flights", "limits.b.in_flight", "limits.c"]


def test_a_file_that_is_none_is_one_sentence(taskengine):
    Path("fleet.yaml").write_text("- a\n")
    assert "write 'agents:' and below it" in taskengine("agents", "apply", "fleet.yaml").err
    Path("fleet.yaml").write_text("agents: {a: {type: claude}")
    assert "fleet.yaml:2: not YAML" in taskengine("agents", "apply", "fleet.yaml").err
    assert "No such file" in taskengine("agents", "apply", "nowhere.yaml").err


@pytest.mark.process
def test_an_agent_is_tried_with_the_secrets_of_this_machine(taskengine, monkeypatch):
    monkeypatch.syspath_prepend(TYPES)
    monkeypatch.setenv("PYTHONPATH", TYPES)
    taskengine("agents", "register", "echo", "echo", "x", "--secret", "ECHO_KEY")
    done = taskengine("agents", "test", "echo")
    assert done.code == 1
    assert "echo: cannot work here: agent 'echo': the secret ECHO_KEY is missing" in done.out
    monkeypatch.setenv("ECHO_KEY", "canary")
    done = taskengine("agents", "test", "echo")
    assert (done.code, done.out) == (1, "echo: cannot work here: its type 'echo' raised KeyError: 'FLEET_EFFECTS'\n")
    monkeypatch.setenv("FLEET_EFFECTS", "effects")
    done = taskengine("agents", "test", "echo")
    assert (done.code, done.out) == (0, "echo: ok: it echoes\n")
    taskengine("agents", "register", "ill", "echo", "y", "--config", '{"prefix": "ill"}')
    assert taskengine("agents", "test", "ill", "-o", "json").json == {"id": "ill", "ok": False, "text": "it echoes"}
    taskengine("agents", "register", "placed", "codegen", "z", "--executor", "record_agents:waiting")
    assert "start it with --import record_agents" in taskengine("agents", "test", "placed").out
    done = taskengine("agents", "test", "placed", "--import", "record_agents")
    assert "its function record_agents:waiting is here" in done.out


def test_names_are_completed(store):

    store.run(agents.register(AgentRecord(id="bot", type="claude", capabilities={"x"}), 0))
    assert store.run(agents.names(Keys("te"))) == ["bot"]
    assert completion.agents("b") == [("bot", "")]
    assert ("claude", "") in completion.agent_types("cl")
