"""The type codegen against a service on a real socket: one run a task, whatever is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from taskengine import AgentError, Task
from taskengine.agents import Asks, Gone, Over, Reference, RemoteState, Running, Tracked
from taskengine.models import Outcome
from taskengine.models.agent import AgentRecord
from taskengine.models.question import Answer
from taskengine.settings import Settings
from workers.agents.codegen import Codegen
from workers.agents.codegen.states import MISSES
from workers.agents.secrets import AgentSecrets

from ...doubles.codegen import ORG, TOKEN, CodegenService
from ...doubles.context import FakeContext, FakeSecrets


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodegenService]:
    with CodegenService() as made:
        monkeypatch.setenv("TASKENGINE_ALLOWED_HOSTS", made.url.removeprefix("http://"))
        yield made


def record(url: str, **config: Any) -> AgentRecord:
    given = {"org_id": ORG, "base_url": url, "request_seconds": 5, "requests_per_30_seconds": 100_000, **config}
    return AgentRecord(
        id="codegen_agent", type="codegen", capabilities={"code_generation"}, secret="CODEGEN_TOKEN", config=given
    )


@asynccontextmanager
async def codegen(service: CodegenService, token: str = TOKEN, **config: Any) -> AsyncIterator[Codegen]:
    made = Codegen(record(service.url, **config), FakeSecrets({"CODEGEN_TOKEN": token}))
    await made.open()
    try:
        yield made
    finally:
        await made.close()


def context_of(prompt: str = "Do it", **fields: Any) -> FakeContext:
    return FakeContext(prompt, **fields)


async def posted(agent: Codegen, prompt: str = "Do it") -> Reference:
    found = await agent.submit(Task(capability="code_generation"), context_of(prompt))
    assert isinstance(found, Reference), found
    return found


def tracked(reference: Reference, token: int = 1) -> Tracked:
    return Tracked(f"e{reference.id}", token, "t", reference)


async def poll(agent: Codegen, *references: Reference) -> list[RemoteState]:
    """How each stands, by as many looks as that takes."""
    found: dict[int, RemoteState] = {}
    for _ in range(20):
        left = [n for n in range(len(references)) if n not in found]
        states = await agent.poll([tracked(references[n]) for n in left])
        found |= {n: state for n, state in zip(left, states, strict=True) if state is not None}
        if len(found) == len(references):
            break
    return [found[n] for n in range(len(references))]


def notes(states: Sequence[RemoteState | None]) -> list[str]:
    return [state.note for state in states if isinstance(state, Running)]


async def until_over(agent: Codegen, reference: Reference) -> Outcome:
    async with asyncio.timeout(10):
        while not isinstance((state := (await poll(agent, reference))[0]), Over):
            if isinstance(state, Running) and state.reference is not None:
                reference = state.reference
            await asyncio.sleep(0.02)
    return state.outcome


async def test_a_run_is_posted_with_its_mark_and_ends_with_all_that_the_service_says(service: CodegenService) -> None:
    task, context = Task(capability="code_generation"), context_of("Build it")
    async with codegen(service, repo_id=3, model="big") as agent:
        reference = await agent.submit(task, context)
        assert isinstance(reference, Reference)
        outcome = await until_over(agent, reference)
    assert (reference.type, reference.state, reference.id) == ("codegen", "posted", "1")
    assert service.runs[0].metadata == {
        "taskengine_task": str(task.id), "taskengine_execution": str(context.execution_id), "taskengine_attempt": 1,
    }  # fmt: skip
    assert outcome.kind == "completed"
    assert outcome.output is not None
    assert outcome.output["result"] == "did: Build it"
    assert outcome.output["github_pull_requests"] == [{"id": 1, "url": "https://github.test/pull/1"}]


async def test_the_intent_is_durable_before_the_post(service: CodegenService) -> None:
    service.broken = 503
    context = context_of()
    async with codegen(service) as agent:
        outcome = await agent.submit(Task(capability="x"), context)
    assert isinstance(outcome, Outcome)
    assert outcome.kind == "not_now"
    assert [one.state for one in context.references] == ["intent"]
    assert context.references[0].words["mark"] == str(context.execution_id)


async def test_a_lost_answer_is_found_by_the_next_attempt_and_posts_nothing(service: CodegenService) -> None:
    task, context = Task(capability="x"), context_of("[lost]")
    async with codegen(service) as agent:
        lost = await agent.submit(task, context)
        assert isinstance(lost, Outcome)
        assert lost.kind == "not_now"
        found = await agent.submit(task, context.again())
    assert isinstance(found, Reference)
    assert (found.id, found.state) == ("1", "posted")
    assert service.paid == {str(task.id): 1}


async def test_a_post_that_is_on_its_way_is_waited_for(service: CodegenService) -> None:
    task, context = Task(capability="x"), context_of("[late=0.5]")
    async with codegen(service) as agent:
        posting = asyncio.create_task(agent.submit(task, context))
        while not service.posting:
            await asyncio.sleep(0.01)
        second = context.again()  # as after a kill
        waits = await agent.submit(task, second)
        assert isinstance(waits, Outcome)
        assert (waits.kind, waits.delay) == ("not_now", 15.0)
        await posting
        found = await agent.submit(task, second.again())
    assert isinstance(found, Reference)
    assert service.paid == {str(task.id): 1}


async def test_what_never_came_is_posted_after_two_looks_and_not_before(service: CodegenService) -> None:
    task = Task(capability="x")
    first = context_of(previous=Reference("codegen", "intent", at_ms=1, words={"mark": "m", "org": ORG}), attempt=2)
    async with codegen(service) as agent:
        waits = await agent.submit(task, first)
        assert isinstance(waits, Outcome)
        assert service.runs == []
        found = await agent.submit(task, first.again())
    assert isinstance(found, Reference)
    assert len(service.runs) == 1


async def test_a_posted_run_is_taken_up_without_a_request(service: CodegenService) -> None:
    async with codegen(service) as agent:
        before = replace(await posted(agent), at_ms=5)
        asked = service.requests.total()
        assert await agent.submit(Task(capability="x"), context_of(previous=before, attempt=2)) == before
    assert service.requests.total() == asked


async def test_what_another_type_or_organisation_left_is_nothing(service: CodegenService) -> None:
    others = [Reference("http", "posted", "1"), Reference("codegen", "posted", "1", words={"org": 8})]
    async with codegen(service) as agent:
        for n, other in enumerate(others, 1):
            found = await agent.submit(Task(capability="x"), context_of(previous=other))
            assert isinstance(found, Reference)
            assert found.id == str(n)


async def test_a_hundred_runs_are_asked_for_by_pages(service: CodegenService) -> None:
    runs = service.seed(350, "[run=100]")
    wanted = [Reference("codegen", "posted", str(run.id)) for run in runs[50:250]]
    async with codegen(service) as agent:
        states = await poll(agent, *wanted)
    assert notes(states) == ["ACTIVE"] * 200
    assert service.requests.total() <= 4


async def test_a_few_old_ones_among_many_are_asked_for_one_by_one(service: CodegenService) -> None:
    runs = service.seed(3000, "[run=100]")
    async with codegen(service) as agent:
        await poll(agent, *[Reference("codegen", "posted", str(run.id)) for run in runs[:3]])
    assert service.requests.total() <= 12


async def test_of_many_those_that_waited_longest_are_told_first_and_the_others_by_the_next_looks(
    service: CodegenService,
) -> None:
    runs = service.seed(3000, "[run=100]")
    open_ones = {str(run.id): Reference("codegen", "posted", str(run.id)) for run in runs}
    async with codegen(service) as agent:
        looks = 0
        while open_ones and looks < 20:
            looks += 1
            states = await agent.poll([tracked(one) for one in open_ones.values()])
            for one, state in zip(list(open_ones.values()), states, strict=True):
                if isinstance(state, Running):
                    del open_ones[one.id]
    assert not open_ones
    assert looks <= 15


async def test_a_poller_that_is_new_reads_only_the_pages_on_which_its_runs_stand(service: CodegenService) -> None:
    runs = service.seed(3000, "[run=100]")
    wanted = [Reference("codegen", "posted", str(run.id), words={"rank": run.id}) for run in runs[700:1500]]
    service.seed(250, "[run=100]")  # the list grew since
    async with codegen(service) as agent:
        states = await poll(agent, *wanted)
    assert notes(states) == ["ACTIVE"] * 800
    assert service.requests.total() <= 10


async def test_a_wrong_place_in_the_list_is_no_end_of_a_run(service: CodegenService) -> None:
    runs = service.seed(500, "[run=100]")
    wanted = [Reference("codegen", "posted", str(run.id), words={"rank": 1}) for run in runs[100:103]]
    async with codegen(service) as agent:
        states = await poll(agent, *wanted)
    assert notes(states) == ["ACTIVE"] * 3


@pytest.mark.parametrize(
    ("ends", "kind", "error_kind", "retryable"),
    [
        ("COMPLETE", "completed", None, True), ("completed", "completed", None, True),
        ("FAILED", "failed", "remote_failed", True), ("ERROR", "failed", "remote_failed", True),
        ("TIMEOUT", "failed", "remote_failed", True), ("MAX_ITERATIONS_REACHED", "failed", "limit", True),
        ("OUT_OF_TOKENS", "failed", "billing", True), ("CANCELLED", "failed", "remote_failed", False),
        ("Stopped", "failed", "remote_failed", False),
    ],
)  # fmt: skip
async def test_a_status_is_compared_without_case(
    service: CodegenService, ends: str, kind: str, error_kind: str | None, retryable: bool
) -> None:
    async with codegen(service) as agent:
        (state,) = await poll(agent, await posted(agent, f"[end={ends}]"))
    assert isinstance(state, Over)
    said = state.outcome
    assert (said.kind, said.error_kind, said.retryable) == (kind, error_kind, retryable)


@pytest.mark.parametrize("word", ["PENDING", "RUNNING", "EVALUATION", "a word of next year"])
async def test_a_word_that_nobody_knows_means_that_it_runs(service: CodegenService, word: str) -> None:
    async with codegen(service) as agent:
        assert notes(await poll(agent, await posted(agent, f"[end={word}]"))) == [word]


async def test_a_paused_run_asks_and_goes_on_with_the_answer(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference = await posted(agent, "[pause]")
        (state,) = await poll(agent, reference)
        assert isinstance(state, Asks)
        assert state.question.text == "which branch?"
        answer = Answer(question_id=state.question.id, value="main", by="ann")
        second = context_of(previous=reference, answer=answer, attempt=2)
        goes_on = await agent.submit(Task(capability="x"), second)
        assert isinstance(goes_on, Reference)
        assert service.runs[0].answers == ["main"]
        assert await agent.submit(Task(capability="x"), second.again(answer=answer)) == goes_on  # lost meanwhile
        assert service.runs[0].answers == ["main"]
        assert (await until_over(agent, goes_on)).kind == "completed"


async def asking(agent: Codegen, prompt: str = "[pause]") -> tuple[Reference, Answer]:
    reference = await posted(agent, prompt)
    (state,) = await poll(agent, reference)
    assert isinstance(state, Asks)
    return reference, Answer(question_id=state.question.id, value="main", by="ann")


async def test_an_answer_whose_hand_over_a_kill_cut_short_is_handed_over_once(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference, answer = await asking(agent, "[pause][run=100]")
        first = context_of(previous=reference, answer=answer, attempt=2)
        await agent.submit(Task(capability="x"), first)
        before_the_post = first.again(previous=first.references[0], answer=answer)
        goes_on = await agent.submit(Task(capability="x"), before_the_post)
    assert service.runs[0].answers == ["main"]
    assert goes_on == first.references[-1]


async def test_an_answer_that_did_not_come_there_is_handed_over_by_the_next_attempt(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference, answer = await asking(agent)
        first = context_of(previous=reference, answer=answer, attempt=2)
        service.refuse_once["run/resume"] = 503
        lost = await agent.submit(Task(capability="x"), first)
        assert isinstance(lost, Outcome)
        assert (lost.kind, service.runs[0].answers) == ("not_now", [])
        assert isinstance(await agent.submit(Task(capability="x"), first.again(answer=answer)), Reference)
    assert service.runs[0].answers == ["main"]


async def test_a_run_that_asks_the_next_thing_got_the_answer_to_the_one_before(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference, answer = await asking(agent, "[pause=2]")
        first = context_of(previous=reference, answer=answer, attempt=2)
        goes_on = await agent.submit(Task(capability="x"), first)
        assert service.runs[0].status() == "PAUSED"
        again = first.again(previous=first.references[0], answer=answer)
        assert await agent.submit(Task(capability="x"), again) == goes_on
    assert service.runs[0].answers == ["main"]


async def test_a_run_that_somebody_answered_there_gets_no_second_answer(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference, answer = await asking(agent)
        service.runs[0].answers.append("by the web page")
        context = context_of(previous=reference, answer=answer, attempt=2)
        assert isinstance(await agent.submit(Task(capability="x"), context), Reference)
    assert service.runs[0].answers == ["by the web page"]
    assert any("not handed over" in line for line in context.lines)


SCHEMA: dict[str, Any] = {"type": "object", "required": ["verdict"], "additionalProperties": False, "properties": {
    "verdict": {"enum": ["yes", "no"]}}}  # fmt: skip


async def test_a_run_is_told_the_schema_of_its_task_and_its_answer_is_read_as_json(service: CodegenService) -> None:
    async with codegen(service) as agent:
        task = Task(capability="x", output_schema=SCHEMA)
        reference = await agent.submit(task, context_of('[result={"verdict": "yes"}]'))
        assert isinstance(reference, Reference)
        outcome = await until_over(agent, reference)
    assert '"verdict"' in service.runs[0].prompt.partition("[result=")[2].partition("]")[2]
    assert (outcome.kind, outcome.output) == ("completed", {"verdict": "yes"})


async def test_a_result_that_does_not_fit_is_sent_back_once(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference = await posted(agent)
        first = await until_over(agent, reference)
        again = agent.repair(reference, first, ["verdict is missing"])
        assert again is not None
        (state,) = await poll(agent, again)
        assert isinstance(state, Running)
        assert state.reference is not None
        assert "verdict is missing" in service.runs[0].answers[0]
        second = await until_over(agent, state.reference)
        assert second.kind == "completed"
        assert agent.repair(state.reference, second, ["verdict is missing"]) is None
    assert len(service.runs[0].answers) == 1


async def test_a_result_that_was_sent_back_by_a_poller_that_died_is_not_sent_again(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference = await posted(agent)
        again = agent.repair(reference, await until_over(agent, reference), ["no"])
        assert again is not None
        await poll(agent, again)
        service.runs[0].result = "another one"
        assert (await until_over(agent, again)).kind == "completed", "nobody noted that it was sent"
    assert len(service.runs[0].answers) == 1


async def test_a_result_that_the_service_takes_no_more_word_about_stands(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference = await posted(agent)
        again = agent.repair(reference, await until_over(agent, reference), ["no"])
        assert again is not None
        service.refuse_once["run/resume"] = 422
        (state,) = await poll(agent, again)
        assert isinstance(state, Over)
        assert agent.repair(again, state.outcome, ["no"]) is None


async def test_a_result_that_could_not_be_sent_back_now_is_sent_back_by_the_next_look(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference = await posted(agent)
        again = agent.repair(reference, await until_over(agent, reference), ["no"])
        assert again is not None
        service.refuse_once["run/resume"] = 503
        other = await posted(agent, "[run=100]")
        states = await agent.poll([tracked(again), tracked(other)])
        assert states[0] is None
        assert isinstance(states[1], Running)
        await until_over(agent, again)
    assert len(service.runs[0].answers) == 1


async def test_a_cancel_is_a_ban_and_only_asked_for(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference = await posted(agent, "[run=100]")
        assert await agent.cancel(reference, "no") == "requested"
        assert await agent.cancel(reference, "no") == "requested"
        assert await agent.cancel(replace(reference, id="99"), "no") == "requested"
    assert service.runs[0].status() == "CANCELLED"


async def test_a_cancel_of_a_post_ends_the_run_that_comes_of_it(service: CodegenService) -> None:
    async with codegen(service) as agent:
        posting = asyncio.create_task(agent.submit(Task(capability="x"), context_of("[run=100][post=0.3]")))
        while not service.runs:
            await asyncio.sleep(0.01)
        posting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await posting
    assert service.runs[0].status() == "CANCELLED"


async def test_a_run_counts_as_gone_when_it_was_missed_often_enough(service: CodegenService) -> None:
    nobody = Reference("codegen", "posted", "99")
    async with codegen(service) as agent:
        for _ in range(MISSES - 1):
            (state,) = await poll(agent, nobody)
            assert isinstance(state, Running)
            assert state.reference is not None
            nobody = state.reference
        assert await poll(agent, nobody) == [Gone("codegen does not know run 99")]
        service.seed(99, "[run=100]")
        (state,) = await poll(agent, nobody)
        assert state == Running("ACTIVE", reference=Reference("codegen", "posted", "99"))


@pytest.mark.parametrize(
    ("status", "kind", "error_kind", "scope"),
    [
        (401, "failed", "auth", None), (403, "failed", "auth", None), (402, "failed", "billing", None),
        (404, "failed", "invalid_request", None), (422, "failed", "invalid_request", None),
        (429, "not_now", "not_now", "credential"), (500, "not_now", "not_now", None),
        (503, "not_now", "not_now", None),
    ],
)  # fmt: skip
async def test_a_refused_post_is_told_by_its_kind(
    service: CodegenService, status: int, kind: str, error_kind: str, scope: str | None
) -> None:
    async with codegen(service) as agent:
        outcome = await agent.submit(Task(capability="x"), context_of(f"[refuse={status}]"))
    assert isinstance(outcome, Outcome)
    assert (outcome.kind, outcome.error_kind, outcome.scope) == (kind, error_kind, scope)
    assert outcome.retryable == (kind == "not_now")
    assert service.runs == []


async def test_a_limit_of_looks_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with CodegenService(reads=3, read_seconds=0.5) as service:
        monkeypatch.setenv("TASKENGINE_ALLOWED_HOSTS", service.url.removeprefix("http://"))
        service.seed(450, "[run=100]")
        async with codegen(service) as agent:
            states = await poll(agent, *[Reference("codegen", "posted", str(n)) for n in range(1, 451)])
        assert len(states) == 450
        assert service.refused[429] >= 1


async def test_looks_keep_to_the_pace_that_the_service_allows(service: CodegenService) -> None:
    service.seed(1000, "[run=100]")
    async with codegen(service, requests_per_30_seconds=2) as agent:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(poll(agent, *[Reference("codegen", "posted", str(n)) for n in range(1, 900)]), 0.5)
    assert service.requests.total() == 1


async def test_a_service_that_does_not_answer_is_no_end_of_a_run(service: CodegenService) -> None:
    async with codegen(service) as agent:
        reference = await posted(agent)
        service.broken = 503
        with pytest.raises(Exception, match="503"):
            await poll(agent, reference)


async def test_health_says_what_answers_or_what_is_wrong(service: CodegenService) -> None:
    async with codegen(service) as agent:
        assert (await agent.health()).ok
    async with codegen(service, token="wrong") as agent:
        health = await agent.health()
    assert not health.ok
    assert "401" in health.text
    assert "wrong" not in health.text


async def test_a_private_address_needs_to_be_allowed(service: CodegenService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKENGINE_ALLOWED_HOSTS", "")
    async with codegen(service) as agent:
        outcome = await agent.submit(Task(capability="x"), context_of())
    assert isinstance(outcome, Outcome)
    assert (outcome.kind, outcome.error_kind) == ("failed", "invalid_request")
    assert "TASKENGINE_ALLOWED_HOSTS" in (outcome.error or "")


@pytest.mark.parametrize(
    ("config", "secret", "says"),
    [
        ({}, "TOKEN", "org_id"), ({"org_id": 1, "orgid": 2}, "TOKEN", "orgid"),
        ({"org_id": 1, "base_url": "ftp://x"}, "TOKEN", "base_url"), ({"org_id": 1}, None, "secret"),
        ({"org_id": 1}, "MISSING", "MISSING"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_before_anything_runs(config: dict[str, Any], secret: str | None, says: str) -> None:
    asked = AgentRecord(id="a", type="codegen", capabilities={"x"}, secret=secret, config=config)
    with pytest.raises(AgentError, match=says):
        Codegen.check(asked, FakeSecrets({"TOKEN": "t"}))


def test_a_record_that_names_nothing_is_served_with_what_the_worker_has(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = AgentRecord(id="codegen_agent", type="codegen", capabilities={"code"})
    monkeypatch.setenv("CODEGEN_ORG_ID", "12")
    monkeypatch.setenv("CODEGEN_API_TOKEN", "t-1")
    secrets = AgentSecrets.of(plain, Settings())
    secrets.check()
    Codegen.check(plain, secrets)
    assert Codegen(plain, secrets)._org == 12


def test_the_workers_own_token_goes_to_no_address_that_a_record_names(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = AgentRecord(
        id="codegen_agent", type="codegen", capabilities={"code"}, config={"base_url": "https://else.test", "org_id": 1}
    )
    monkeypatch.setenv("CODEGEN_API_TOKEN", "t-1")
    with pytest.raises(AgentError, match="names no secret"):
        Codegen.check(elsewhere, AgentSecrets.of(elsewhere, Settings()))


def test_a_token_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = AgentRecord(id="codegen_agent", type="codegen", capabilities={"code"}, config={"org_id": 1})
    monkeypatch.delenv("CODEGEN_API_TOKEN", raising=False)
    with pytest.raises(AgentError, match="CODEGEN_API_TOKEN is missing"):
        Codegen.check(plain, AgentSecrets.of(plain, Settings()))
