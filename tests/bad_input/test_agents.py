"""Whatever an agent does wrong fails its own task, says what was wrong and where, and costs nobody a slot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taskengine import AgentError, InvalidInputError, Task, agent
from taskengine.agent import REGISTRY
from taskengine.models import RetryRules
from workers.queues import offer

from ..agents.odd_agents import DO
from ..cases import each
from ..conftest import Valkey
from ..fleet import Fleet

#: What the error of each says.
SAYS = {
    "stop": "odd_agents.Stop: enough (odd_agents.py:",
    "interrupt": "KeyboardInterrupt (odd_agents.py:",
    "cancelled": "CancelledError (odd_agents.py:",
    "future cancelled": "CancelledError (odd_agents.py:",
    "undecodable error": "ValueError: no file \\udce9t\\udce9 (odd_agents.py:",
    "long error": "ValueError: xxx",
    "unshowable error": "UnshowableError: <UnshowableError whose str fails> (odd_agents.py:",
    "unshowable reason": "ValueError: <exception str() failed> (odd_agents.py:",
    "unshowable exit": "the agent called exit(<Unshowable whose repr fails>)",
    "unshowable not now": "the agent raised what cannot be shown: that raised RuntimeError",
    "no delay": "the agent raised what cannot be shown: that raised RuntimeError",
    "unshowable result": "result.a[1].b is not JSON: ",
    "unshowable key": "result.a is not JSON: ",
    "secretive usage": "the agent returned what cannot be stored: SystemExit: no comment",
    "distorted kind": "the agent returned what cannot be stored: ",
    "distorted error": "the agent returned what cannot be stored: Outcome.error is 5",
    "distorted classes": "Outcome.error_classes holds 5",
    "distorted delay": "Outcome.delay is 'soon'",
    "countless usage": "usage is ",
    "bare result": "result is not JSON: ",
    "undecodable result": "result.name is not JSON: ",
    "nan": "result.x is not JSON: ",
    "forgotten await": "result.x is not JSON: ",
    "kind": "Outcome.kind is 'nonsense'; use completed, failed, cancelled, not_now, needs_input (odd_agents.py:",
    "output": "Outcome.output is [1]; use a dict",
    "error": "Outcome.error is 5; use text or None (odd_agents.py:",
    "error_classes": "Outcome.error_classes is 'ValueError'; use a tuple",
    "usage": "Outcome.usage is None; use a Usage",
    "custom": "Usage.custom is {'tokens': nan}; use a dict of finite numbers",
    "no reason": "the agent said failed, not why",
    "level": "log: level is 'loud'; use debug, info, warning, error (odd_agents.py:",
    "metadata": "log: metadata is not JSON: Object of type object",
    "long metadata": "log: metadata is 300011 bytes, the limit is 262144",
    "fraction": "progress: fraction is 'half'; use 0 to 1 (odd_agents.py:",
    "no fraction": "progress: fraction is nan",
    "dependency": "no dependency is called 'parse'; there are none",
}
#: Pool and function or coroutine.
QUEUES = {"odd": "prefork, function", "strange": "prefork, coroutine", "peculiar": "threads, function",
         "weird": "threads, coroutine"}  # fmt: skip


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    server = Valkey()
    made = Fleet(server, tmp_path_factory.mktemp("fleet"))
    try:
        made.coordinator()
        made.await_ready(
            made.celery("prefork", "-Q", "odd,strange,talk", agents="odd_agents", slots=1),
            made.celery("threads", "-Q", "peculiar,weird,chat", agents="odd_agents", pool="threads", slots=1),
        )
        yield made
    finally:
        made.close()
        server.close()


@pytest.mark.parametrize("queue", QUEUES, ids=QUEUES.values())
def test_whatever_an_agent_does_wrong_fails_its_attempt_alone_and_names_it(fleet: Fleet, queue: str) -> None:
    assert SAYS.keys() == DO.keys()
    done = fleet.run(*(Task(name=what, capability=queue, input={"do": what}, max_retries=0) for what in DO))
    for task in done:
        assert (task.status.value, task.attempt, task.lost_count) == ("failed", 1, 0), task
        assert SAYS[task.name] in (task.error_message or ""), task
        assert len(task.error_message or "") <= 4000
        (execution,) = fleet.executions(str(task.id))
        assert execution.error_message == task.error_message


@pytest.mark.parametrize("queue", QUEUES, ids=QUEUES.values())
@pytest.mark.parametrize("what", ["cancelled", "future cancelled"])
def test_a_cancelled_error_that_nobody_asked_for_is_a_failure_and_tried_again(
    fleet: Fleet, queue: str, what: str
) -> None:
    retry = RetryRules(initial_interval=0.05, jitter=0.0)
    (task,) = fleet.run(Task(capability=queue, input={"do": what}, max_retries=1, retry=retry))
    assert (task.status.value, task.attempt, task.error_kind) == ("failed", 2, "crash")


def test_a_result_that_can_not_be_stored_is_not_computed_again(fleet: Fleet) -> None:
    wrong = ("undecodable result", "nan", "unshowable result", "forgotten await")
    done = fleet.run(*(Task(name=what, capability="odd", input={"do": what}, max_retries=2) for what in wrong))
    assert [(task.attempt, task.error_kind) for task in done] == [(1, "invalid_output")] * len(wrong)


@pytest.mark.parametrize("queue", ["talk", "chat"])
def test_words_that_no_text_can_hold_are_spelled_out_and_what_an_agent_counts_is_kept(fleet: Fleet, queue: str) -> None:
    (task,) = fleet.run(Task(capability=queue))
    assert task.status.value == "completed"
    (execution,) = fleet.executions(str(task.id))
    assert [line.message for line in execution.logs] == ["caf\\udce9", "half a line", "the end"]
    assert (execution.progress, execution.progress_note) == (1.0, "caf\\udce9")
    assert execution.resource_usage.custom == {"tokens": 5, "usd": 0.25, "caf\\udce9": 1}
    assert execution.result == {"said": True}


def takes_one(task):
    """Has no room for a context."""


def takes_three(task, context, more):
    """Wants more than it gets."""


def yields(task, context):
    yield 1


async def yields_later(task, context):
    yield 1


@each("function", [takes_one, takes_three, yields, yields_later, 5])
def test_a_function_that_can_be_no_agent_is_refused_where_it_is_declared(function: object) -> None:
    before = list(REGISTRY)
    with pytest.raises(AgentError, match=r"agent 'my-lint': .*; declare it as def my_lint\(task, context\)"):
        agent("my-lint", capabilities={"lint"})(function)  # type: ignore[type-var]
    assert list(REGISTRY) == before


@each("name", ["", "a b", "a,b", "x" * 101, 5, "%", "%g", "%m", "%w"])
def test_a_name_that_is_no_queue_is_refused(name: object) -> None:
    for wrong in ({"name": name, "capabilities": {"lint"}}, {"name": "lint", "capabilities": [name]}):
        with pytest.raises(AgentError, match="must be 1 to 100 letters"):
            agent(**wrong)  # type: ignore[arg-type]
    with pytest.raises(AgentError, match="name at least one"):
        agent("lint", capabilities=set())


@each("queue", ["%", "%g", "%m", "%w"])
def test_a_queue_of_steps_is_no_capability_that_a_task_may_ask_for_or_a_worker_consume(queue: str) -> None:
    with pytest.raises(InvalidInputError, match="capability"):
        Task(capability=queue)
    with pytest.raises(AgentError, match=f"no imported agent offers {queue}"):
        offer(REGISTRY, [queue])
