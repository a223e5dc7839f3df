"""Limits as clients set, see and remove them, and as agents name them."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import AgentStatus, ConflictError, InvalidInputError, NotAllowedError, NotFoundError, Task
from taskengine.models.agent import Limit

from ..store.world import World


def test_a_limit_is_as_it_was_set_and_what_is_left_out_is_no_bound(api: Any) -> None:
    made = api.set_limit("anthropic-prod", in_flight=50, requests_per_minute=1000)
    assert made.limit == Limit(name="anthropic-prod", in_flight=50, requests_per_minute=1000)
    assert (made.in_flight, made.agents, made.tokens_today, made.closed) == (0, 0, 0, None)
    assert api.set_limit("anthropic-prod", tokens_per_day=10).limit == Limit(name="anthropic-prod", tokens_per_day=10)
    assert [info.limit.name for info in api.list_limits()] == ["anthropic-prod"]


@pytest.mark.parametrize(
    ("bounds", "field"),
    [({}, "in_flight"), ({"in_flight": None}, "in_flight"), ({"in_flight": 0}, "in_flight"), ({"tokens_per_day": -1},
     "tokens_per_day"), ({"requests_per_minute": "many"}, "requests_per_minute")],
)  # fmt: skip
def test_a_limit_that_bounds_nothing_is_refused(api: Any, bounds: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        api.set_limit("key", **bounds)
    assert refused.value.field == field


def test_a_name_that_is_none_is_refused(api: Any) -> None:
    with pytest.raises(InvalidInputError, match="pattern"):
        api.set_limit("agent:bot", in_flight=1)


def test_an_agent_names_only_limits_that_there_are(api: Any) -> None:
    api.set_limit("key", in_flight=1)
    with pytest.raises(NotFoundError, match=r"no limit 'kye' \(there are key\); set it"):
        api.register_agent("bot", "function", "lint", limits=["kye"])
    with pytest.raises(NotFoundError):
        api.get_agent("bot")


def test_a_limit_is_not_removed_while_agents_name_it(api: Any) -> None:
    api.set_limit("key", in_flight=1)
    api.register_agent("bot", "function", "lint", limits="key")
    with pytest.raises(NotAllowedError, match="shared by 1 agents, such as 'bot'"):
        api.remove_limit("key")
    api.update_agent("bot", limits=None)
    api.remove_limit("key")
    assert api.list_limits() == []
    with pytest.raises(NotFoundError, match="there is none"):
        api.remove_limit("key")


def test_inline_limits_make_one_that_is_called_like_the_secret(api: Any) -> None:
    made = api.register_agent("a", "function", "lint", secret="KEY", limits={"in_flight": 5})  # a name
    assert made.record.limits == ("KEY",)
    api.register_agent("b", "function", "test", secret="KEY", limits={"in_flight": 5})
    (found,) = api.list_limits()
    assert (found.limit, found.agents) == (Limit(name="KEY", in_flight=5), 2)


def test_two_agents_of_one_secret_that_disagree_are_both_named(api: Any) -> None:
    api.register_agent("a", "function", "lint", secret="KEY", limits={"in_flight": 5})
    with pytest.raises(ConflictError, match=r"'a' and 'b' share the secret KEY .*in_flight 5 and in_flight 6"):
        api.register_agent("b", "function", "test", secret="KEY", limits={"in_flight": 6})
    assert [info.record.id for info in api.list_agents()] == ["a"]
    api.update_agent("a", limits={"in_flight": 7})
    assert api.list_limits()[0].limit.in_flight == 7


def test_inline_limits_of_nothing_are_refused(api: Any) -> None:
    with pytest.raises(InvalidInputError, match="names no secret"):
        api.register_agent("a", "function", "lint", limits={"in_flight": 5})
    with pytest.raises(InvalidInputError, match="knows no 'in_fligth'"):
        api.register_agent("a", "function", "lint", secret="KEY", limits={"in_fligth": 5})


def test_an_agent_whose_limits_let_nothing_start_says_which(api: Any, world: World) -> None:
    api.set_limit("key", in_flight=1)
    api.register_agent("lint", "function", "lint", limits="key", secret="KEY", config={"breaker": True})
    world.beat(slots=3)
    assert api.get_agent("lint").status is AgentStatus.ONLINE
    api.create_task(Task(name="a", capability="lint"))
    told = world.start()
    info = api.get_agent("lint")
    assert (info.status, info.reason) == (AgentStatus.BUSY, "limit 'key' has as many executions in flight as it may")
    world.report(told, disposition="failed", error="401 no", error_kind="auth")
    info = api.get_agent("lint")
    assert (info.status, info.until is not None) == (AgentStatus.PAUSED, True)
    assert "secret KEY was refused on worker n1 (auth: 401 no)" in info.reason
    assert api.list_pauses() == []
    assert api.resume_agent("lint") is True
    assert api.get_agent("lint").status is AgentStatus.ONLINE
    assert api.resume_agent("lint") is False


def test_a_task_behind_a_full_limit_says_which_and_until_when(api: Any, world: World) -> None:
    api.set_limit("key", requests_per_minute=1)
    api.register_agent("lint", "function", "lint", limits="key")
    world.beat(slots=3)
    task = api.create_task(Task(name="a", capability="lint"))
    world.report(world.start())
    task = api.create_task(Task(name="b", capability="lint"))
    found = api.explain(task.id)
    fact = found.facts[0]
    assert fact.kind == "limit"
    assert "agent 'lint' starts nothing more now: limit 'key' has no requests a minute left until " in found.headline
    assert (fact.details["limit"], fact.details["bound"]) == ("key", "requests")
    assert [each.kind for each in found.facts] == ["limit", "queue"]


def test_nothing_is_said_of_a_limit_while_another_agent_of_the_capability_has_room(api: Any, world: World) -> None:
    api.set_limit("key", in_flight=1)
    api.register_agent("lint", "function", "lint", limits="key")
    world.beat("n1", slots=1)
    world.beat("n2", slots=0, queues="lint=other @other=other")
    api.create_task(Task(name="a", capability="lint"))
    world.start()
    task = api.create_task(Task(name="b", capability="lint"))
    assert "limit" not in {fact.kind for fact in api.explain(task.id).facts}
