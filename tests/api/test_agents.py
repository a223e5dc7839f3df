"""Agents as clients register, change, see and forget them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from taskengine import (
    AgentConflictError,
    AgentStatus,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    StoreError,
    Task,
)
from taskengine.models.agent import AgentRecord
from taskengine.settings import Settings
from taskengine.store import agents, nodes

from ..fleet import until
from ..store.world import World

#: A node that offers what the agent bot can.
BOT = "lint=bot @bot=bot"


def an_executor(task: object, context: object) -> None:
    """Stands in a module."""


def made_by_code(world: World, name: str = "bot") -> None:
    record = AgentRecord(id=name, type="function", capabilities={"lint"}, origin="code")
    assert world.run(agents.register(record, 0)).ok


def test_an_agent_is_registered_as_the_manual_does_it(api: Any) -> None:
    made = api.register_agent("codegen_agent", "codegen", {"code_analysis", "code_generation"})
    named = api.register_agent(agent_id="claude_1", agent_type="claude", capabilities={"testing"})
    assert (made.record.type, made.record.capabilities) == ("codegen", {"code_analysis", "code_generation"})
    assert (made.record.origin, made.record.revision) == ("api", 1)
    assert [info.record for info in api.list_agents()] == [named.record, made.record]


def test_registering_again_changes_only_what_differs(api: Any) -> None:
    for name in ("a", "b"):
        api.set_limit(name, in_flight=1)
    made = api.register_agent("bot", "function", "lint", max_concurrency=2, limits=["a", "b", "a"])
    assert made.record.limits == ("a", "b")
    assert api.register_agent("bot", "function", {"lint"}, max_concurrency=2, limits=("a", "b")) == made
    other = api.register_agent("bot", "function", {"lint"}, limits="a")
    assert (other.record.revision, other.record.max_concurrency, other.record.limits) == (2, None, ("a",))
    assert other.record.created_at == made.record.created_at


def test_another_type_under_a_known_name_is_refused_and_both_are_named(api: Any) -> None:
    api.register_agent("bot", "claude", "lint")
    with pytest.raises(AgentConflictError, match="'bot' is registered as 'claude' and cannot become 'codegen'") as e:
        api.register_agent("bot", "codegen", "lint")
    assert e.value.types == ("claude", "codegen")
    assert api.get_agent("bot").record.type == "claude"


def spoil(world: World, name: str = "bot") -> None:
    world.broken = True
    world.raw.hset(world.keys.of("agent", name), "doc", "{")


def test_a_record_that_cannot_be_read_is_said_in_the_list_and_hides_no_other(api: Any, world: World) -> None:
    good = api.register_agent("good", "claude", "test").record
    api.register_agent("bot", "codegen", "lint")
    spoil(world)
    bad, found = api.list_agents()
    assert (found.record, found.is_readable) == (good, True)
    assert (bad.record.id, bad.record.type, bad.is_readable) == ("bot", "codegen", False)
    assert (bad.record.capabilities, bad.status) == ({"lint"}, "offline")
    assert "agent 'bot' cannot be read" in bad.reason
    assert [info.record.id for info in api.list_agents(capability="lint")] == ["bot"]


def test_a_record_that_cannot_be_read_is_registered_again_or_forgotten(api: Any, world: World) -> None:
    api.register_agent("bot", "codegen", "lint")
    spoil(world)
    for verb in (api.get_agent, lambda id: api.update_agent(id, preference=1)):
        with pytest.raises(StoreError, match=r"agent 'bot' cannot be read.*register it again"):
            verb("bot")
    mended = api.register_agent("bot", "codegen", "lint", preference=2)
    assert (mended.is_readable, mended.record.preference) == (True, 2)
    spoil(world)
    api.unregister_agent("bot")
    assert api.list_agents() == []


def test_what_code_made_is_taken_over_also_while_its_workers_live(api: Any, world: World) -> None:
    made_by_code(world)
    world.beat(queues=BOT)
    taken = api.register_agent("bot", "codegen", {"lint", "test"})
    assert (taken.record.type, taken.record.origin, taken.record.revision) == ("codegen", "api", 2)
    assert taken.status is AgentStatus.ONLINE


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"agent_id": "a b"}, "agent_id", "letters, digits"),
        ({"agent_type": "cladue"}, "agent_type", "did you mean 'claude'"),
        ({"resources": {"Memory!": 1}}, "resources.Memory!", "pattern"),
        ({"agent_type": "Claude Code"}, "type", "pattern"),
        ({"capabilities": set()}, "capabilities", "at least 1"),
        ({"capabilities": {"a b"}}, "capabilities.0", "pattern"),
        ({"capabilities": 5}, "capabilities", "pass a set of names"),
        ({"max_concurrency": 0}, "max_concurrency", "greater than or equal to 1"),
        ({"resources": {"memory_gb": 0}}, "resources.memory_gb", "greater than 0"),
        ({"resources": ["memory_gb"]}, "resources", "pass a dict"),
        ({"limits": {"a b"}}, "limits.0", "pattern"),
        ({"secret": "sk-ant-123"}, "secret", "secret is no name of a secret"),
        ({"executor": "my_agents.run"}, "executor", "pattern"),
        ({"executor": lambda *_: None}, "executor", "no worker can import"),
        ({"config": {"modle": "x"}}, "config.modle", "knows no 'modle'"),
        ({"config": {"a": object()}}, "config", "not JSON"),
        ({"preference": 10}, "preference", "less than or equal to 9"),
        ({"drain_seconds": -1}, "drain_seconds", "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(one: Any, fields: dict[str, Any], field: str, says: str) -> None:
    given = {"agent_id": "bot", "agent_type": "function", "capabilities": {"lint"}} | fields
    with pytest.raises(InvalidInputError, match=says) as e:
        one.register_agent(**given)
    assert e.value.field == field
    assert one.list_agents() == []


def test_a_credential_in_place_of_its_name_is_not_repeated(one: Any) -> None:
    with pytest.raises(InvalidInputError) as e:
        one.register_agent("bot", "claude", "lint", secret="sk-ant-canary")
    assert "canary" not in str(e.value)


def test_a_config_is_bounded(one: Any) -> None:
    with pytest.raises(InvalidInputError, match="its config is 70"):
        one.register_agent("bot", "command", "lint", config={"a": "x" * 70_000})


def test_a_function_is_an_executor_by_where_it_is(one: Any) -> None:
    made = one.register_agent("bot", "function", "lint", executor=an_executor)
    assert made.record.executor == f"{__name__}:an_executor"


def test_an_update_changes_what_it_names_and_rests_on_a_revision(api: Any) -> None:
    api.register_agent("bot", "function", "lint", description="d")
    assert api.update_agent("bot", max_concurrency=3).record.max_concurrency == 3
    changed = api.update_agent("bot", if_revision=2, capabilities={"test"}).record
    assert (changed.revision, changed.description, changed.capabilities) == (3, "d", {"test"})
    with pytest.raises(ConflictError, match="revision 3, not 2"):
        api.update_agent("bot", if_revision=2, max_concurrency=None)
    assert api.update_agent("bot", max_concurrency=None).record.max_concurrency is None
    with pytest.raises(InvalidInputError, match="'agent_type' is nothing that changes; name one of capabilities"):
        api.update_agent("bot", agent_type="claude")
    with pytest.raises(InvalidInputError, match="nothing is to be changed"):
        api.update_agent("bot")


def test_an_update_takes_over_what_code_made(one: Any, world: World) -> None:
    made_by_code(world)
    assert one.update_agent("bot", max_concurrency=1).record.origin == "api"


def test_a_status_is_derived_from_workers_and_pauses(api: Any, world: World) -> None:
    api.register_agent("bot", "function", {"lint"})
    assert api.get_agent("bot").status is AgentStatus.OFFLINE
    world.beat(queues=BOT, slots=1)
    info = api.get_agent("bot")
    assert (info.status, info.slots, info.workers) == (AgentStatus.ONLINE, 1, ("n1",))
    api.create_task(Task(name="a", capability="lint"))
    told = world.start(world.slot(queues=BOT))
    info = api.get_agent("bot")
    assert (info.status, info.running) == (AgentStatus.BUSY, 0 if told is None else info.running)
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    assert api.pause_agent("bot", reason="quota", until=end, by="ann").name == "bot"
    info = api.get_agent("bot")
    assert (info.status, info.until, "quota" in info.reason) == (AgentStatus.PAUSED, end, True)
    assert api.drain_agent("bot", reason="upgrade", by="ann").status is AgentStatus.DRAINING
    assert [each.record.id for each in api.list_agents(status="draining", capability="lint")] == ["bot"]
    assert api.list_agents(status="online") == api.list_agents(capability="test") == []
    assert api.resume_agent("bot", by="ann")
    assert not api.resume_agent("bot")
    assert api.get_agent("bot").status is AgentStatus.BUSY


def test_everything_paused_pauses_every_agent(one: Any, world: World) -> None:
    one.register_agent("bot", "function", {"lint"})
    world.beat(queues=BOT)
    one.pause(everything=True, by="ann")
    assert one.get_agent("bot").status is AgentStatus.PAUSED


def test_an_agent_is_offline_a_lease_after_its_last_beat_and_knows_since_when(
    one: Any, world: World, settings: Settings
) -> None:
    one.register_agent("bot", "function", {"lint"})
    world.beat(queues=BOT)
    began = time.monotonic()
    until(lambda: one.get_agent("bot").status is AgentStatus.OFFLINE, settings.lease_seconds + 5)
    assert time.monotonic() - began < settings.lease_seconds + 3
    info = one.get_agent("bot")
    assert info.since == info.seen_at
    assert abs((datetime.now(UTC) - info.seen_at).total_seconds() - settings.lease_seconds) < 4


def test_an_unknown_name_is_refused_with_those_that_are_known(api: Any) -> None:
    for verb in (api.get_agent, api.pause_agent, api.resume_agent, api.drain_agent, api.unregister_agent):
        with pytest.raises(NotFoundError, match=r"no agent 'bot' is registered \(none is\); register_agent\('bot'"):
            verb("bot")
    api.register_agent("other", "claude", "lint")
    with pytest.raises(NotFoundError, match="registered are other"):
        api.get_agent("bot")
    with pytest.raises(NotFoundError, match="no agent 'bot' is registered"):
        api.update_agent("bot", preference=1)


def test_an_agent_is_forgotten_when_nobody_serves_or_names_it(api: Any, world: World) -> None:
    api.register_agent("bot", "claude", {"lint"})
    world.beat(queues=BOT)
    with pytest.raises(NotAllowedError, match="served by 1 living workers"):
        api.unregister_agent("bot")
    world.run(nodes.remove_node("n1"))
    tasks = [api.create_task(Task(name=f"t{n}", capability="lint", assigned_to="bot")) for n in range(3)]
    api.cancel_task(tasks[0].id)
    with pytest.raises(NotAllowedError, match="named by 2 open tasks"):
        api.unregister_agent("bot")
    api.unregister_agent("bot", cascade=True)
    with pytest.raises(NotFoundError):
        api.get_agent("bot")


def test_an_agent_is_not_forgotten_while_it_runs_something_and_drains_from_then_on(
    one: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskengine.api.operations.agents._PATIENCE", 0.1)
    one.register_agent("bot", "claude", {"lint"})
    one.create_task(Task(name="a", capability="lint"))
    slot = world.slot(queues=BOT)
    told = world.start(slot)
    world.beat(queues="test=test", live=[slot])
    with pytest.raises(NotAllowedError, match="takes nothing new, and 1 of its executions still run; ask again once"):
        one.unregister_agent("bot", cascade=True)
    assert one.get_agent("bot").record.draining is not None
    with pytest.raises(NotAllowedError, match="agent 'bot' runs 1 executions; ask again once they ended"):
        one.unregister_agent("bot")
    assert world.report(told, slot).word == "ok"
    one.unregister_agent("bot", cascade=True)
    assert one.list_agents() == []


def test_nobody_registered_needs_be_known_to_name_it_in_a_task(one: Any) -> None:
    task = one.create_task(Task(name="a", capability="lint", assigned_to=f"later-{uuid4()}"))
    assert one.get_task(task.id).assigned_to is not None


def why(api: Any, **fields: Any) -> str:
    task = api.create_task(Task(name="a", **{"capability": "lint"} | fields))
    return str(api.explain(task.id).headline)


def test_why_says_that_nobody_registered_whom_a_task_names(one: Any, world: World) -> None:
    world.beat()
    said = why(one, assigned_to="later")
    assert "no living worker offers agent 'later' (those that live offer " in said
    assert "no agent 'later' is registered (register_agent('later', TYPE, {CAPABILITY}) does), nor imported; " in said


def test_why_names_registered_agents_that_could_do_it_and_how_to_start_one(one: Any) -> None:
    one.register_agent("bot", "claude", {"lint"})
    assert why(one, assigned_to="bot").endswith("; start one: taskengine worker --agent bot")
    assert why(one).endswith("; bot can do it; start one: taskengine worker --agent bot")
    one.drain_agent("bot", reason="upgrade", by="ann")
    assert why(one).endswith("; agent 'bot' is drained by ann: upgrade; resume_agent('bot') ends that")
