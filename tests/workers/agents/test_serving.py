"""Which agents a worker serves, and what each can do by its record; without a server."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import pytest

from taskengine.agent import Agent, Registry
from taskengine.errors import AgentError
from taskengine.models.agent import AgentRecord
from taskengine.settings import Settings
from taskengine.store.agents import Reading, StoredAgent
from workers.agents.serving import ServedAgents, serve


def function(task: object, context: object) -> None:
    """Does nothing."""


def declared(**agents: str) -> Registry:
    made = Registry()
    for name, capabilities in agents.items():
        made.add(Agent(name, frozenset(capabilities.split()), function))
    return made


def record(name: str, capabilities: str, **fields: Any) -> AgentRecord:
    given = {"type": "function", "revision": 1} | fields
    return AgentRecord(id=name, capabilities=set(capabilities.split()), **given)


def served(
    registry: Registry,
    *records: AgentRecord,
    named: Iterable[str] = (),
    asked: Iterable[str] | None = None,
    **fields: Any,
) -> ServedAgents:
    stored = {each.id: StoredAgent(each, pause="", closed=None, draining_ms=None, seen_ms=None) for each in records}
    reading = Reading(0, 1, "", stored)
    return serve(registry, reading, Settings(**fields), named=named, asked=asked, imports=(), forks=False)


def test_functions_are_served_as_declared_or_as_somebody_registered_them() -> None:
    both = declared(a="x y", b="z")
    assert served(both).offered.agents == {"x": "a", "y": "a", "z": "b", "@a": "a", "@b": "b"}
    assert served(both, record("a", "w")).offered.agents == {"w": "a", "z": "b", "@a": "a", "@b": "b"}
    assert served(both, record("a", "w", origin="code")).offered.agents["x"] == "a", "its own code is newer"


def test_a_worker_that_is_told_names_serves_these_and_no_other() -> None:
    both = declared(a="x", b="z")
    assert served(both, named=["b"]).offered.agents == {"z": "b", "@b": "b"}
    with pytest.raises(AgentError, match=r"no agent 'c' is registered \(registered are none\), and no imported module"):
        served(both, named=["c"])


def test_what_a_worker_is_told_to_work_for_bounds_its_agents() -> None:
    found = served(declared(a="x y"), record("a", "y w"), asked=["y", "nobodys"])
    assert (found.offered.agents, found.offered.orphans) == ({"y": "a", "@a": "a"}, ("nobodys",))
    found.follow({"a": record("a", "w")})
    assert found.consumes == frozenset(), "what it was told, nobody does any more"


def test_a_built_in_agent_that_was_asked_for_keeps_what_is_pinned_to_it_when_it_yields() -> None:
    built = Registry()
    for name, can in (("review", "code_review"), ("probe", "monitoring")):
        built.add(Agent(name, frozenset({can}), function, yields=True))
    found = served(built, asked=["code_review"])
    assert found.offered.agents == {"code_review": "review", "@review": "review"}
    found.follow({"claude_1": record("claude_1", "code_review", type="claude")})
    assert found.consumes == {"@review"}
    found.follow({})
    assert found.consumes == {"code_review", "@review"}


def test_a_draining_agent_offers_nothing_and_comes_back() -> None:
    found = served(declared(a="x", b="z"), record("a", "x", draining="ann"))
    assert set(found.offered.agents) == {"z", "@b"}
    found.follow({"a": record("a", "x")})
    assert set(found.offered.agents) == {"x", "z", "@a", "@b"}
    alone = served(declared(a="x"), record("a", "x", draining="ann"))
    assert (alone.offered.agents, alone.could, alone.names) == ({}, {}, ["a"])


def test_of_two_functions_the_first_does_it_and_both_are_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = served(declared(a="x", b="x y"))
    assert found.offered.agents == {"x": "a", "y": "b", "@a": "a", "@b": "b"}
    assert "agents a and b can both do x: here a does it" in caplog.text
    with pytest.raises(
        AgentError, match="'a' and 'b' can both do 'x', and a worker asks one agent for each capability"
    ):
        served(declared(a="x", b="x y"), named=["a", "b"])


def test_the_longest_time_to_drain_counts_and_none_is_the_workers_own() -> None:
    both = declared(a="x", b="y")
    assert served(both, drain_seconds=30).drain_seconds == 30
    assert served(both, record("a", "x", drain_seconds=600), record("b", "y"), drain_seconds=30).drain_seconds == 600
    assert served(both, record("a", "x", drain_seconds=5), named=["a"], drain_seconds=30).drain_seconds == 5
    assert served(both, record("a", "x", drain_seconds=0), record("b", "y"), drain_seconds=30).drain_seconds == 0


def test_what_is_read_once_is_outdated_until_the_next_start() -> None:
    found = served(declared(a="x"), record("a", "x"))
    found.follow({"a": record("a", "y", revision=2)})
    assert (found.revisions, found.outdated()) == ({"a": 2}, {})
    found.follow({"a": record("a", "y", revision=3, secret="KEY", config={"k": 1})})
    assert (found.revisions, found.outdated()) == ({"a": 2}, {"a": ["secret", "config"]})
    found.follow({"a": record("a", "z", revision=4)})
    assert (found.revisions, found.outdated()) == ({"a": 4}, {})


def test_without_an_answer_functions_are_served_as_declared() -> None:
    found = serve(declared(a="x"), None, Settings(), named=(), asked=None, imports=(), forks=True)
    assert found.offered.agents == {"x": "a", "@a": "a"}
    assert found.revisions == {"a": 0}


def test_a_type_that_nobody_brings_is_named() -> None:
    with pytest.raises(AgentError, match="agent 'c' is of type 'wonder', which nothing that is installed here brings"):
        served(Registry(), record("c", "x", type="wonder"), named=["c"])
