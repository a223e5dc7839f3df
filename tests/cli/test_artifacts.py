"""``taskengine task artifacts`` and the options of agents, against a server of its own, without workers."""

from __future__ import annotations

import pytest

from taskengine.models import ArtifactKind, Spent
from taskengine.store import artifacts, spent

from ..store.world import World


@pytest.fixture
def world(at_server, store):
    return World(store, at_server.client, lambda _: store)


def test_artifacts_are_listed_and_written_out(taskengine, world):
    id = taskengine("task", "submit", "-C", "lint", "-o", "json").json["id"]
    assert taskengine("task", "artifacts", id).out.startswith("no artifact of it")
    told = world.start()
    world.run(artifacts.put(told.execution_id, told.attempt, artifacts.pack("fix.diff", "+x\n", ArtifactKind.DIFF)))
    [listed] = taskengine("task", "artifacts", id, "-o", "json").json
    assert (listed["name"], listed["kind"], listed["size"]) == ("fix.diff", "diff", 3)
    assert "fix.diff" in taskengine("task", "artifacts", id).out
    assert taskengine("task", "artifacts", id, "--get", "fix.diff").out == "+x\n"
    gone = taskengine("task", "artifacts", id, "--get", "nope")
    assert (gone.code, "there are: fix.diff" in gone.err) == (1, True)


def test_a_schema_and_a_cap_are_stored_and_shown(taskengine, at_server):
    words = ("-C", "lint", "--output-schema", '{"required": ["verdict"]}', "--max-total-tokens", "1000", "--hold")
    task = taskengine("task", "submit", *words, "-o", "json").json
    assert (task["output_schema"], task["max_total_tokens"]) == ({"required": ["verdict"]}, 1000)
    shown = taskengine("task", "get", task["id"]).out
    assert "1,000 at most" in shown
    assert "verdict" in shown
    [changed] = taskengine("task", "update", task["id"], "--max-total-tokens", "5", "-o", "json").json
    assert changed["max_total_tokens"] == 5
    refused = taskengine("task", "submit", "-C", "lint", "--output-schema", '{"type": "x"}')
    assert "output_schema.type" in refused.err


def test_what_agents_used_is_shown_by_agent_model_and_day(taskengine, world):
    assert taskengine("agents", "usage").out.startswith("nothing was used in 30 days")
    taskengine("task", "submit", "-C", "lint")
    told = world.start()
    world.run(spent.note(told.execution_id, told.attempt, [Spent("large", 2, 1200, 34)]))
    [row] = taskengine("agents", "usage", "-o", "json").json
    assert (row["agent"], row["requests"], row["tokens"]) == ("lint", 2, 1234)
    assert "1,234" in taskengine("agents", "usage", "--by", "model").out
    [today] = taskengine("agents", "usage", "--by", "day", "--days", "1", "-o", "json").json
    assert today["input_tokens"] == 1200
    assert "days" in taskengine("agents", "usage", "--days", "0").err
