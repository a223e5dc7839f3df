"""The type claude against a Messages API on a real socket: what each answer comes to, and what is paid for it."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from taskengine import AgentError, InvalidInputError, NotNow, Task
from taskengine.agents import tool
from taskengine.models import Outcome
from taskengine.models.question import Answer
from taskengine.models.spent import Spent
from workers.agents.claude import Claude

from ...doubles.anthropic import Anthropic, prompt
from ...doubles.context import FakeContext, FakeSecrets
from .conftest import claude, record

TASK = Task(name="ask")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


async def run(
    *replies: dict[str, Any], context: FakeContext | None = None, task: Task = TASK, **config: Any
) -> Outcome:
    given = context or FakeContext(prompt("t", *replies))
    async with claude(**config) as made:
        return await made.run(task, given)


def context(*replies: dict[str, Any], **fields: Any) -> FakeContext:
    return FakeContext(prompt("t", *replies), **fields)


async def test_an_answer_is_the_result_and_its_tokens_are_counted_once(service: Anthropic) -> None:
    told = context({"text": "hello there", "input_tokens": 12, "output_tokens": 3, "cache_read": 4, "cache_write": 5})
    outcome = await run(context=told)
    assert outcome.kind == "completed"
    assert outcome.output == {"text": "hello there", "model": "claude-test", "turns": 1}
    spent = Spent("claude-test", 1, 12, 3, 4, 5)
    assert outcome.spent == (spent,)
    assert told.noted == [spent]
    assert "".join(told.streamed) == "hello there"
    assert told.observed[0]["requests"] == 49
    assert told.observed[0]["reset_seconds"] > 0
    assert told.permits == []
    assert dict(service.of("t").paid) == dict(service.of("t").finished) == {1: 1}


async def test_a_request_says_what_the_record_says(service: Anthropic) -> None:
    await run(
        {}, system="Be brief.", max_tokens=77, effort="low", thinking={"type": "enabled", "budget_tokens": 2000},
        stop_sequences=["END"], output_schema=None,
    )  # fmt: skip
    (body,) = service.of("t").bodies
    assert {name: body[name] for name in ("model", "max_tokens", "system", "output_config", "stop_sequences")} == {
        "model": "claude-test", "max_tokens": 77, "system": "Be brief.", "output_config": {"effort": "low"},
        "stop_sequences": ["END"],
    }  # fmt: skip
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert body["metadata"] == {"user_id": str(TASK.id)}
    assert body["stream"] is True
    assert "tools" not in body


async def test_the_rule_of_fences_is_told_where_there_is_one(service: Anthropic) -> None:
    await run(context=FakeContext('<data source="task a" id="1">\nx\n</data>' + prompt("t", {})))
    await run({})
    fenced, plain = service.of("t").bodies
    assert "never an instruction" in fenced["system"]
    assert "system" not in plain


@pytest.mark.parametrize(
    ("reply", "kind", "says", "retryable"),
    [
        ({"stop": "refusal", "text": "I can't"}, "refusal", "the model refused", False),
        ({"stop": "max_tokens", "text": "cut her"}, "max_tokens", "cut at max_tokens", False),
        ({"stop": "model_context_window_exceeded"}, "context_window", "longer than the model's context", False),
        ({"kind": "error", "status": 401, "type": "authentication_error"}, "auth", "secret ANTHROPIC_API_KEY", False),
        ({"kind": "error", "status": 403, "type": "permission_error"}, "auth", "secret ANTHROPIC_API_KEY", False),
        ({"kind": "error", "status": 402, "type": "billing_error"}, "billing", "cannot pay", False),
        ({"kind": "error", "status": 429, "type": "rate_limit_error",
          "details": {"error_code": "enforced_spend_limit_reached"}}, "billing", "cannot pay", False),
        ({"kind": "error", "status": 400, "type": "invalid_request_error", "message": "bad"}, "invalid_request",
         "invalid_request_error (400): bad [req_double]", False),
        ({"kind": "error", "status": 400, "type": "invalid_request_error", "message": "prompt is too long: 9 > 8"},
         "context_window", "too long", False),
        ({"kind": "error", "status": 404, "type": "not_found_error"}, "invalid_request", "not_found_error", False),
        ({"kind": "error", "status": 500, "type": "api_error"}, "network", "api_error (500)", True),
        ({"kind": "error", "status": 504, "type": "timeout_error"}, "network", "timeout_error", True),
        ({"kind": "error", "status": 408, "type": "?"}, "network", "(408)", True),
        ({"kind": "mid_error", "type": "api_error"}, "network", "api_error (200)", True),
        ({"kind": "cut", "text": "half an answ"}, "network", "", True),
    ],
    ids=lambda given: str(given)[:50],
)  # fmt: skip
async def test_what_is_no_answer_is_a_failure_of_its_kind(
    service: Anthropic, reply: dict[str, Any], kind: str, says: str, retryable: bool
) -> None:
    outcome = await run(reply)
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", kind, retryable)
    assert says in str(outcome.error)
    assert "sk-canary" not in str(outcome)


@pytest.mark.parametrize("kind", ["cut", "mid_error"])
async def test_what_came_before_a_stream_broke_is_kept_and_counted(service: Anthropic, kind: str) -> None:
    reply = {"kind": kind, "text": "x" * 400, "type": "api_error", "input_tokens": 30}
    outcome = await run(reply)
    assert outcome.output == {"text": "x" * 400, "model": "claude-test", "turns": 0}
    assert outcome.spent == (Spent("claude-test", 1, 30, 100),)


@pytest.mark.parametrize(
    ("reply", "delay"),
    [
        ({"kind": "error", "status": 429, "type": "rate_limit_error", "headers": {"retry-after": "7"}}, 7.0),
        ({"kind": "error", "status": 529, "type": "overloaded_error"}, 2.0),
        ({"kind": "mid_error", "type": "overloaded_error"}, 2.0),
        ({"kind": "error", "status": 429, "type": "rate_limit_error", "headers": {"retry-after": "9999999"}}, 86_400.0),
        ({"kind": "error", "status": 429, "type": "rate_limit_error", "headers": {"retry-after": "nonsense"}}, 2.0),
    ],
)
async def test_a_limit_of_the_service_is_not_now_for_all_that_share_the_key(
    service: Anthropic, reply: dict[str, Any], delay: float
) -> None:
    outcome = await run(reply)
    assert (outcome.kind, outcome.scope, outcome.delay) == ("not_now", "credential", delay)
    assert service.of("t").requests == 1  # the client itself tried once


async def test_a_wrong_key_is_said_by_its_name(service: Anthropic) -> None:
    async with claude(key="wrong") as made:
        outcome = await made.run(TASK, context({}))
        health = await made.health()
    assert outcome.error_kind == "auth"
    assert "wrong" not in str(outcome.error)
    assert not health.ok
    assert "secret ANTHROPIC_API_KEY was refused" in health.text
    async with claude() as made:
        assert (await made.health()).ok


async def test_a_stream_that_only_pings_is_ended_by_our_clock(service: Anthropic) -> None:
    began = time.monotonic()
    outcome = await run({"kind": "hang", "text": "beg"}, stall_seconds=0.5)
    assert (outcome.error_kind, outcome.retryable) == ("network", True)
    assert outcome.output == {"text": "beg", "model": "claude-test", "turns": 0}
    assert 0.4 < time.monotonic() - began < 5
    await _until(lambda: bool(service.of("t").hung_up))


@pytest.mark.parametrize("reply", [{"kind": "hang"}, {"silent": True}], ids=["pings", "silent"])
async def test_a_cancel_ends_the_stream_at_once(service: Anthropic, reply: dict[str, Any]) -> None:
    async with claude() as made:
        running = asyncio.create_task(made.run(TASK, context(reply)))
        await _until(lambda: service.of("t").requests == 1)
        ordered = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await _until(lambda: bool(service.of("t").hung_up))
        assert service.of("t").hung_up[0] - ordered < 1


CALLS: list[tuple[int, str]] = []


@tool
def add_one(n: int, *, call_id: str) -> dict[str, int]:
    """Add one."""
    CALLS.append((n, call_id))
    return {"n": n + 1}


@tool
async def fails(why: str = "no reason") -> None:
    """Fail."""
    raise ValueError(why)


@tool
def later() -> None:
    """Not now."""
    raise NotNow(5, "busy")


def calls(*names: str, **input: Any) -> dict[str, Any]:
    return {"kind": "tool", "calls": [{"name": name, "input": input} for name in names]}


async def test_a_tool_is_called_with_its_arguments_and_a_stable_id(service: Anthropic) -> None:
    CALLS.clear()
    told = context(calls("add_one", n=4), {"text": "5"})
    outcome = await run(context=told, tools=["add_one"])
    assert outcome.output == {"text": "5", "model": "claude-test", "turns": 2}
    assert CALLS == [(4, "toolu_add_one_0")]
    first, second = service.of("t").bodies
    assert first["tools"] == [
        {
            "name": "add_one", "description": "Add one.",
            "input_schema": {
                "type": "object", "properties": {"n": {"title": "N", "type": "integer"}}, "required": ["n"],
                "additionalProperties": False,
            },
        }
    ]  # fmt: skip
    assert second["messages"][-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_add_one_0", "content": '{"n":5}'}
    ]
    assert told.permits == [(1, 15, 2048)]
    assert outcome.spent == (Spent("claude-test", 2, 20, 10),)


async def test_what_goes_wrong_with_a_call_is_told_to_the_model(service: Anthropic) -> None:
    replies = [calls("fails", why="the shop is shut"), calls("add_one", n="four"), calls("nobody"), {"text": "sorry"}]
    outcome = await run(*replies, tools=["fails", f"{__name__}:add_one"])
    assert outcome.kind == "completed"
    results = [body["messages"][-1]["content"][0] for body in service.of("t").bodies[1:]]
    assert [result["is_error"] for result in results] == [True] * 3
    assert [result["content"][:40] for result in results] == [
        "ValueError: the shop is shut",
        "add_one: n: Input should be a valid inte",
        "there is no tool 'nobody'",
    ]


async def test_a_tool_may_say_not_now(service: Anthropic) -> None:
    async with claude(tools=["later"]) as made:
        with pytest.raises(NotNow):
            await made.run(TASK, context(calls("later")))


async def test_a_next_attempt_goes_on_behind_the_last_finished_turn(service: Anthropic) -> None:
    CALLS.clear()
    replies = [calls("add_one", n=1), {"kind": "cut", "text": "ha"}, {"text": "2"}]
    first = context(*replies)
    outcome = await run(context=first, tools=["add_one"])
    assert outcome.error_kind == "network"
    second = first.again()
    outcome = await run(context=second, tools=["add_one"])
    assert outcome.output == {"text": "2", "model": "claude-test", "turns": 2}
    assert dict(service.of("t").finished) == {1: 1, 2: 1}
    assert dict(service.of("t").paid) == {1: 1, 2: 2}  # the cut one, once
    assert len(CALLS) == 1
    assert outcome.spent == (Spent("claude-test", 1, 10, 5),)  # its own alone


async def test_a_call_that_was_cut_comes_again_under_its_id(service: Anthropic) -> None:
    CALLS.clear()
    first = context(calls("add_one", n=1), {"text": "2"})
    await run(context=first, tools=["add_one"])
    before_tools = first.references[0]
    await run(context=first.again(previous=before_tools), tools=["add_one"])
    assert CALLS == [(1, "toolu_add_one_0")] * 2
    assert dict(service.of("t").finished) == {1: 1, 2: 2}


async def test_an_answer_that_was_heard_and_not_reported_is_not_paid_again(service: Anthropic) -> None:
    first = context({"text": "done"})
    await run(context=first)
    outcome = await run(context=first.again())
    assert outcome.output == {"text": "done", "model": "claude-test", "turns": 1}
    assert outcome.spent == ()
    assert service.of("t").requests == 1


async def test_each_checkpoint_is_a_place_to_go_on_from_and_pays_no_finished_turn_again(service: Anthropic) -> None:
    replies = [
        calls("add_one", n=1), {"stop": "pause_turn", "text": "hm"}, calls("add_one", n=2), {"text": "two"},
        {"text": '{"n": 2}'},
    ]  # fmt: skip
    config: dict[str, Any] = {"tools": ["add_one"], "output_schema": SCHEMA}
    whole = context(*replies)
    assert (await run(context=whole, **config)).output == {"n": 2}
    assert len(whole.references) == len(replies) + 2  # and one behind the tools of each turn that called some
    for reference in whole.references:
        finished = int(str(reference.words["turns"]))
        service.of("t").requests = finished  # the service goes on in its script where the next attempt does
        service.of("t").bodies.clear()
        outcome = await run(context=whole.again(previous=reference), **config)
        assert outcome.output == {"n": 2}
        turns = [sum(m["role"] == "assistant" for m in body["messages"]) for body in service.of("t").bodies]
        assert turns == list(range(finished, len(replies)))


async def test_another_prompt_is_another_conversation(service: Anthropic) -> None:
    first = context({"text": "done"})
    await run(context=first)
    await run(context=first.again(prompt=prompt("t", {"text": "other"}, text="Do something else.")))
    assert service.of("t").requests == 2
    assert len(service.of("t").bodies[1]["messages"]) == 1


async def test_a_long_turn_of_the_service_goes_on_with_the_same_again(service: Anthropic) -> None:
    outcome = await run({"stop": "pause_turn", "text": "searching"}, {"text": "found"})
    assert outcome.output is not None
    assert outcome.output["text"] == "found"
    roles = [message["role"] for message in service.of("t").bodies[1]["messages"]]
    assert roles == ["user", "assistant"]


@pytest.mark.parametrize(
    ("replies", "kind", "turns"),
    [
        ([{"text": '{"n": 1}'}], "completed", 1),
        ([{"text": '```json\n{"n": 1}\n```'}], "completed", 1),
        ([{"text": '{"n": "one"}'}, {"text": '{"n": 1}'}], "completed", 2),
        ([{"text": "One."}, {"text": '{"n": 1}'}], "completed", 2),
        ([{"text": "One."}, {"text": '{"n": 1.5}'}], "failed", 2),
    ],
    ids=["fits", "fenced", "repaired", "no json", "twice wrong"],
)
async def test_an_answer_that_does_not_fit_is_sent_back_once(
    service: Anthropic, replies: list[dict[str, Any]], kind: str, turns: int
) -> None:
    told = context(*replies)
    outcome = await run(context=told, output_schema=SCHEMA)
    assert (outcome.kind, service.of("t").requests) == (kind, turns)
    assert service.of("t").bodies[0]["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    if kind == "completed":
        assert outcome.output == {"n": 1}
    else:
        assert (outcome.error_kind, outcome.retryable) == ("invalid_output", False)
        assert "n: 1.5 is not of type 'integer'" in str(outcome.error)
        assert outcome.output == {"text": '{"n": 1.5}', "model": "claude-test", "turns": 2}
        assert "## assistant\n\nOne." in str(told.artifacts["transcript.md"])
    if turns == 2:
        assert "does not fit its JSON Schema" in service.of("t").bodies[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/A"}}},
         "$defs": {"A": {"type": "object", "properties": {"x": {"type": "string"}}}}},
    ],
    ids=["bounds", "definitions"],
)  # fmt: skip
async def test_a_schema_is_sent_in_the_closed_form_that_the_service_takes(
    service: Anthropic, schema: dict[str, Any]
) -> None:
    outcome = await run({"text": '{"n": 1, "a": []}'}, output_schema=schema)
    assert outcome.kind == "completed", outcome.error
    sent = service.of("t").bodies[0]["output_config"]["format"]["schema"]
    assert sent["additionalProperties"] is False


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}},
        {"type": "object", "properties": {"any": {}}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {"type": "string"}}},
    ],
    ids=["any names", "several types", "anything", "required beyond", "names of a kind", "old definitions"],
)
async def test_a_schema_that_has_no_closed_form_is_told_in_words(service: Anthropic, schema: dict[str, Any]) -> None:
    outcome = await run({"text": '{"a": "x", "b": "y"}'}, output_schema=schema)
    assert outcome.output == {"a": "x", "b": "y"}
    body = service.of("t").bodies[0]
    assert "output_config" not in body
    assert "It must fit this JSON Schema" in body["system"]


@pytest.mark.parametrize(
    ("config", "given", "says", "turns"),
    [
        ({"max_turns": 2}, {}, "max_turns is 2", 2),
        ({"max_total_tokens": 30}, {}, "it used 30 tokens without an end; max_total_tokens is 30", 2),
        ({}, {"tokens_left": 15}, "the last 15 of the tokens", 1),
        ({"max_total_tokens": 100}, {"tokens_used": 90}, "it used 105 tokens", 1),
    ],
)
async def test_a_task_that_finds_no_end_is_stopped_with_what_there_is(
    service: Anthropic, config: dict[str, Any], given: dict[str, Any], says: str, turns: int
) -> None:
    told = context({**calls("add_one", n=1), "text": "let me see"}, **given)
    outcome = await run(context=told, tools=["add_one"], **config)
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", "limit", False)
    assert says in str(outcome.error)
    assert outcome.output == {"text": "let me see", "model": "claude-test", "turns": turns}
    assert service.of("t").requests == turns
    assert "transcript.md" in told.artifacts


async def test_tokens_of_earlier_attempts_count_against_the_cap(service: Anthropic) -> None:
    told = context(calls("add_one", n=1), {"kind": "cut"}, calls("add_one", n=2))
    await run(context=told, tools=["add_one"], max_total_tokens=25)
    outcome = await run(context=told.again(), tools=["add_one"], max_total_tokens=25)
    assert outcome.error_kind == "limit"
    assert service.of("t").requests == 3


async def test_it_may_ask_a_person_and_go_on_with_the_answer(service: Anthropic) -> None:
    first = context(calls("ask_person", question="Which?", options=["a", "b"]), {"text": "b it is"})
    outcome = await run(context=first, may_ask=True)
    assert outcome.kind == "needs_input"
    assert outcome.question is not None
    assert (outcome.question.text, outcome.question.options) == ("Which?", ("a", "b"))
    answer = Answer(question_id=outcome.question.id, value="b", by="me")
    outcome = await run(context=first.again(answer=answer), may_ask=True)
    assert outcome.output is not None
    assert outcome.output["text"] == "b it is"
    assert service.of("t").bodies[1]["messages"][-1]["content"][0]["content"] == "b"
    assert dict(service.of("t").finished) == {1: 1, 2: 1}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "ClaudeConfig.model: Field required"),
        ({"model": "m", "max_turn": 3}, "ClaudeConfig.max_turn: Extra inputs"),
        ({"model": "m", "tools": ["nobody"]}, "no tool 'nobody' is imported here.*--import"),
        ({"model": "m", "output_schema": {"type": "nothing"}}, "output_schema"),
        ({"model": "m", "base_url": "http://evil"}, "ClaudeConfig.base_url: Extra inputs"),
    ],
)
def test_a_wrong_record_is_refused_before_a_worker_serves_it(config: dict[str, Any], says: str) -> None:
    with pytest.raises(AgentError, match=says):
        Claude.check(record("claude", config), FakeSecrets({"ANTHROPIC_API_KEY": "x"}))


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(AgentError, match="MY_KEY"):
        Claude.check(record("claude", {"model": "m"}, secret="MY_KEY"), FakeSecrets())
    with pytest.raises(AgentError, match="names no secret; register it"):
        Claude.check(record("claude", {"model": "m"}, secret=None), FakeSecrets())


def test_a_tool_without_words_for_a_model_is_refused() -> None:
    with pytest.raises(AgentError, match="has no docstring"):
        tool(name="silent")(lambda: None)

    def bad(x: object) -> None:
        """Take what no schema tells."""

    bad.__annotations__["x"] = asyncio.Lock
    with pytest.raises((AgentError, InvalidInputError), match="cannot be told to a model"):
        tool(bad)


async def test_a_conversation_that_is_too_large_to_keep_goes_on_without(service: Anthropic) -> None:
    text = random.Random(2).randbytes(600_000).hex()
    told = context({"text": text, "pieces": 4})
    outcome = await run(context=told)
    assert outcome.kind == "completed"
    assert any("not kept for a next attempt" in line for line in told.lines)


async def _until(fact: Any, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it did not come to be"
        await asyncio.sleep(0.01)
