"""The type http against an endpoint on a real socket: its key, its answers, and where it may go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from taskengine import AgentError, Task
from taskengine.models import Outcome
from workers.agents.http import Http

from ...doubles.context import FakeContext, FakeSecrets
from ...doubles.http_agent import HttpAgent
from .conftest import record


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpAgent]:
    with HttpAgent() as made:
        monkeypatch.setenv("TASKENGINE_ALLOWED_HOSTS", made.url.removeprefix("http://"))
        yield made


def task(*replies: dict[str, Any], name: str = "t") -> Task:
    return Task(name=name, input={"replies": list(replies)})


async def run(
    url: str, given: Task, context: FakeContext, secrets: dict[str, str] | None = None, **config: Any
) -> Outcome:
    made = Http(record("http", {"url": f"{url}/run", "poll_seconds": 0.02, **config}), FakeSecrets(secrets or {}))
    await made.open()
    try:
        return await made.run(given, context)
    finally:
        await made.close()


async def test_the_task_is_sent_and_the_answer_is_its_result(service: HttpAgent) -> None:
    outcome = await run(
        service.url, task({}), FakeContext("Do it"), {"KEY": "s3"}, headers={"authorization": "Bearer secret:KEY"}
    )
    assert outcome.kind == "completed"
    assert outcome.output == {"prompt": "Do it", "input": {"replies": [{}]}}
    assert service.endpoint.headers[0]["authorization"] == "Bearer s3"


@pytest.mark.parametrize(
    ("body", "result", "output"),
    [
        ('{"a": 1}', "json", {"a": 1}), ("[1]", "json", {"value": [1]}), ("hi", "text", {"text": "hi"}),
        ("", "json", {"text": ""}),
    ],
)  # fmt: skip
async def test_an_answer_is_json_or_text(service: HttpAgent, body: str, result: str, output: dict[str, Any]) -> None:
    outcome = await run(service.url, task({"body": body}), FakeContext(), result=result)
    assert outcome.output == output


async def test_what_is_accepted_is_looked_at_until_it_is_done(service: HttpAgent) -> None:
    context = FakeContext()
    outcome = await run(service.url, task({"kind": "accept", "polls": 3}), context)
    (key,) = service.endpoint.keys["t"]
    assert outcome.output == {"done": key}
    assert [reference.state for reference in context.references] == ["intent", "posted"]
    assert context.references[1].words == {"poll": f"{service.url}/jobs/{key}"}


async def test_a_next_attempt_looks_at_what_was_accepted_before(service: HttpAgent) -> None:
    first, given = FakeContext(), task({"kind": "accept", "polls": 1000})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await run(service.url, given, first)
    (key,) = service.endpoint.keys["t"]
    service.endpoint.polls[key] = 0
    outcome = await run(service.url, given, first.again())
    assert outcome.output == {"done": key}
    assert service.endpoint.requests["t"] == 1


async def test_a_key_is_repeated_until_there_was_an_answer(service: HttpAgent) -> None:
    later = {"status": 503, "headers": {"retry-after": "3"}}
    context, given = FakeContext(), task({"kind": "lost"}, later, {"body": {"n": 1}})
    first = await run(service.url, given, context)
    assert (first.error_kind, first.retryable) == ("network", True)
    second = await run(service.url, given, context := context.again())
    assert (second.kind, second.delay, second.scope) == ("not_now", 3.0, "credential")
    third = await run(service.url, given, context.again())
    assert third.output == {"n": 1}
    assert len(service.endpoint.keys["t"]) == 1
    assert set(service.endpoint.done.values()) == {1}


async def test_an_attempt_that_was_told_a_failure_is_followed_by_another_request(service: HttpAgent) -> None:
    context, given = FakeContext(), task({"status": 500}, {})
    assert (await run(service.url, given, context)).error_kind == "remote_failed"
    assert (await run(service.url, given, context.again(previous=None))).kind == "completed"  # as the engine drops it
    assert len(set(service.endpoint.keys["t"])) == 2


@pytest.mark.parametrize(
    ("reply", "kind", "says", "retryable"),
    [
        ({"status": 500}, "remote_failed", "answered 500", True),
        ({"status": 400, "body": {"why": "no x"}}, "invalid_request", 'answered 400: {"why": "no x"}', False),
        ({"status": 401}, "auth", "answered 401", False),
        ({"status": 402}, "billing", "answered 402", False),
        ({"body": "{"}, "invalid_output", "no JSON", False),
        ({"kind": "large", "bytes": 5000}, "invalid_output", "limit is 1000", False),
        ({"kind": "redirect", "to": "http://169.254.169.254/"}, "invalid_request", "redirects are not followed", False),
        ({"kind": "accept", "to": "http://169.254.169.254/x"}, "invalid_request", "which is another host", False),
        ({"kind": "silent"}, "network", "no answer in time", True),
    ],
    ids=lambda given: str(given)[:40],
)  # fmt: skip
async def test_what_is_no_result_is_a_failure_of_its_kind(
    service: HttpAgent, reply: dict[str, Any], kind: str, says: str, retryable: bool
) -> None:
    outcome = await run(service.url, task(reply), FakeContext(), max_bytes=1000, request_seconds=0.7)
    assert (outcome.kind, outcome.error_kind, outcome.retryable) == ("failed", kind, retryable)
    assert says in str(outcome.error)


async def test_a_request_of_a_key_that_is_at_work_waits_alone(service: HttpAgent) -> None:
    outcome = await run(service.url, task({"status": 409}), FakeContext())
    assert (outcome.kind, outcome.scope, outcome.delay) == ("not_now", None, 2.0)


async def test_a_cancel_hangs_up_at_once(service: HttpAgent) -> None:
    running = asyncio.create_task(run(service.url, task({"kind": "silent"}), FakeContext()))
    while not service.endpoint.requests["t"]:
        await asyncio.sleep(0.01)
    ordered = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    while not service.endpoint.hung_up:
        assert time.monotonic() - ordered < 1
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"])
async def test_this_machine_is_not_reached_unless_a_setting_says_so(
    service: HttpAgent, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("TASKENGINE_ALLOWED_HOSTS", "other.lan,10.0.0.0/8")
    port = service.url.rpartition(":")[2]
    outcome = await run(f"http://{host}:{port}", task({}), FakeContext())
    assert outcome.error_kind == "invalid_request"
    assert "not public; if this worker may reach it, add it to TASKENGINE_ALLOWED_HOSTS" in str(outcome.error)
    assert not service.endpoint.headers


async def test_an_endpoint_that_is_not_there_is_the_networks_failure() -> None:
    outcome = await run("http://nobody.invalid", task({}), FakeContext())
    assert (outcome.error_kind, outcome.retryable) == ("network", True)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"url": "ftp://x/"}, "HttpConfig.url"),
        ({"url": "http://user:pass@x/"}, "HttpConfig.url"),
        ({"url": "http://x/", "headers": {"a": "b\r\nc: d"}}, "HttpConfig.headers"),
        ({"url": "http://x/", "headers": {"a": "secret:NO"}}, "NO is missing"),
    ],
)
def test_a_wrong_record_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(AgentError, match=says):
        Http.check(record("http", config), FakeSecrets())
