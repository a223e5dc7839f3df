"""The engine in one process: a graph with retries and timers runs in milliseconds, by the code of the real thing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from taskengine import (
    AgentError,
    InvalidInputError,
    NotAllowedError,
    RetryRules,
    Task,
    TaskExecutionError,
    WaitTimeoutError,
    agent,
)
from taskengine.agent import REGISTRY
from taskengine.testing import Engine, NeverDoneError, NeverIdleError

START = datetime(2030, 1, 1, tzinfo=UTC)
#: A queue that no other test's agents offer.
QUEUE = "inline-work"
EXACT = RetryRules(initial_interval=10, jitter=0)


def work(name: str, *on: Task, **more: Any) -> Task:
    return Task(name=name, **{"capability": QUEUE, "depends_on": {task.id for task in on}, "retry": EXACT} | more)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine with an agent that fails as often as its input says, then tells its name and what it was given."""

    @agent("inline-worker", capabilities={QUEUE})
    def worker(task: Any, context: Any) -> dict[str, Any]:
        if context.attempt <= task.input.get("fails", 0):
            raise OSError(f"attempt {context.attempt}")
        return {"name": task.name, "given": sorted(context.results[id]["name"] for id in context.results)}

    with Engine([worker], start=START) as made:
        yield made
        made.check()


def test_a_graph_runs_in_the_order_of_its_dependencies(engine: Engine) -> None:
    a, b = work("a"), work("b")
    c = work("c", a, b)
    assert [task.status for task in engine.submit(c, a, b)] == ["pending", "ready", "ready"]
    assert engine.run_until_idle() == 3
    assert engine.task(c).result == {"name": "c", "given": ["a", "b"]}
    assert engine.run_until_idle() == 0


def test_a_retry_waits_for_the_clock_and_for_nothing_else(engine: Engine) -> None:
    (a,) = engine.submit(work("a", input={"fails": 2}))
    assert engine.run_until_idle() == 1
    found = engine.task(a)
    assert (found.status, found.next_attempt_at) == ("retrying", START + timedelta(seconds=10))
    engine.clock.advance(9.999)
    assert engine.run_until_idle() == 0
    engine.clock.advance(0.001)
    assert engine.run_until_idle() == 1
    assert engine.task(a).next_attempt_at == START + timedelta(seconds=30)
    engine.clock.advance(timedelta(seconds=20))
    assert engine.run_until_idle() == 1
    assert engine.task(a).status == "completed"
    assert [one.status for one in engine.executions(a)] == ["failed", "failed", "completed"]


def test_run_until_done_lets_time_pass_from_timer_to_timer(engine: Engine) -> None:
    a = work("a", input={"fails": 3})
    b = work("b", a, scheduled_at=START + timedelta(hours=1))
    engine.submit(a, b)
    (done,) = engine.run_until_done(b)
    assert done.status == "completed"
    assert engine.clock.now == done.started_at == START + timedelta(hours=1)
    assert engine.task(a).completed_at == START + timedelta(seconds=10 + 20 + 40)


@pytest.mark.parametrize("micros", [1, 499, 615, 999, 285_615])
@pytest.mark.parametrize("sweep_seconds", [2.0, 1.9, 0.1])
def test_every_moment_passes_whatever_the_fraction_of_its_second(micros: int, sweep_seconds: float) -> None:
    """Timers are whole milliseconds: a sweep that is due a part of one later is not due yet, and is not waited for."""

    @agent("inline-sorry", capabilities={QUEUE})
    def sorry(task: Any, context: Any) -> None:
        if context.attempt == 1:
            raise OSError("once")

    start = START + timedelta(microseconds=micros)
    with Engine([sorry], start=start, sweep_seconds=sweep_seconds) as engine:
        (done,) = engine.run_until_done(*engine.submit(work("a", retry=RetryRules(initial_interval=2, jitter=0))))
        assert done.status == "completed"
        assert engine.clock.now - start <= timedelta(seconds=2, milliseconds=1)
        engine.check()


def test_run_for_runs_everything_at_its_own_time(engine: Engine) -> None:
    (a,) = engine.submit(work("a", input={"fails": 2}))
    assert engine.run_for(60) == 3
    assert engine.task(a).completed_at == START + timedelta(seconds=30)
    assert engine.clock.now == START + timedelta(seconds=60)


def test_a_failure_closes_its_dependents_and_a_retry_opens_them(engine: Engine) -> None:
    a = work("a", input={"fails": 1}, max_retries=0)
    b = work("b", a)
    c = work("c", b)
    engine.submit(a, b, c)
    engine.run_until_idle()
    assert [engine.task(t).status for t in (a, b, c)] == ["failed", "cancelled", "cancelled"]
    engine.api.retry_task(a.id, wait=False)
    engine.run_until_done()
    assert [engine.task(t).status for t in (a, b, c)] == ["completed"] * 3


def test_more_important_tasks_run_first() -> None:
    ran: list[str] = []

    @agent("inline-order", capabilities={QUEUE})
    def note(task: Any, context: Any) -> None:
        ran.append(task.name)

    with Engine([note]) as engine:
        new = [work(str(priority), priority=priority) for priority in (5, 3, 1, 4, 2)]
        engine.submit(*new)
        engine.run_until_idle()
    assert ran == ["5", "4", "3", "2", "1"]


def test_a_step_is_one_execution(engine: Engine) -> None:
    a = work("a")
    b = work("b", a)
    engine.submit(a, b)
    assert engine.step()
    assert [engine.task(t).status for t in (a, b)] == ["completed", "ready"]
    assert engine.step()
    assert not engine.step()


def test_who_waits_lets_the_engine_work_and_time_pass(engine: Engine) -> None:
    (a,) = engine.submit(work("a", input={"fails": 1}))
    assert engine.api.execute_task(a.id).status == "completed"
    assert engine.clock.now == START + timedelta(seconds=10)
    (b,) = engine.submit(work("b", input={"fails": 9}, max_retries=1))
    with pytest.raises(TaskExecutionError, match="failed after 2 attempts: OSError: attempt 2"):
        engine.api.execute_task(b.id)


def test_a_wait_gives_up_by_the_clock(engine: Engine) -> None:
    (a,) = engine.submit(work("a", scheduled_at=START + timedelta(minutes=10)))
    with pytest.raises(WaitTimeoutError):
        engine.api.wait(a.id, timeout=60)
    assert timedelta(seconds=60) <= engine.clock.now - START <= timedelta(seconds=66)
    engine.api.wait(a.id, timeout=600)
    assert engine.task(a).started_at == START + timedelta(minutes=10)


async def test_the_async_door_is_the_same_engine(engine: Engine) -> None:
    a = await engine.aio.create_task(work("a", input={"fails": 1}))
    b = await engine.aio.create_task(work("b", a))
    found = await asyncio.gather(engine.aio.wait(b.id, timeout=60), engine.aio.execute_task(a.id))
    assert found[0][0].status == "completed"
    assert engine.task(a).status == "completed"
    assert (await engine.aio.health_check())["status"] == "healthy"
    assert engine.api.get_queue_statistics()["completed_tasks"] == 2


def test_what_can_never_be_done_is_told_with_its_reason(engine: Engine) -> None:
    held = work("held", hold=True)
    waits = work("waits", held)
    engine.submit(held, waits)
    with pytest.raises(NeverDoneError) as told:
        engine.run_until_done(held, waits)
    assert f"'held' ({held.id}) is pending: held; execute_task starts it (engine.api." in str(told.value)
    assert "is pending: waits for 1 of its dependencies" in str(told.value)
    assert told.value.pending == (str(held.id), str(waits.id))
    with pytest.raises(NeverDoneError):
        engine.api.wait(waits.id)
    (lonely,) = engine.submit(work("lonely", capability="nobody-offers"))
    with pytest.raises(NeverDoneError, match=r"no agent of this engine offers 'nobody-offers' \(they offer inline-w"):
        engine.run_until_done(lonely)
    (pinned,) = engine.submit(work("pinned", assigned_to="nobody"))
    with pytest.raises(NeverDoneError, match=r"no agent of this engine is called 'nobody'.*modules=\["):
        engine.run_until_done(pinned)


def test_what_is_paused_says_how_a_test_lets_it_go(engine: Engine) -> None:
    (a,) = engine.submit(work("a"))
    engine.api.pause_task(a.id, reason="look")
    with pytest.raises(NeverDoneError, match=r"look\).*engine\.api\.resume_task"):
        engine.run_until_done(a)
    engine.api.resume_task(a.id)
    engine.api.pause(everything=True)
    with pytest.raises(NeverDoneError, match=r"engine\.api\.resume\("):
        engine.run_until_done(a)


def test_an_agent_that_waits_in_the_only_slot_is_told_of_slots() -> None:
    @agent("inline-waits", capabilities={"inline-waits"})
    def waits(task: Any, context: Any) -> None:
        if task.name == "outer":
            (inner,) = engine.submit(work("inner", capability="inline-waits"))
            engine.api.wait(inner.id)

    with Engine([waits]) as engine:
        (outer,) = engine.submit(work("outer", capability="inline-waits", max_retries=0))
        engine.run_until_idle()
        assert "slots=2" in str(engine.task(outer).error_message)


def test_work_without_end_is_told_by_name() -> None:
    @agent("inline-endless", capabilities={QUEUE})
    def endless(task: Any, context: Any) -> None:
        engine.submit(work("again"))

    with Engine([endless]) as engine:
        engine.submit(work("first"))
        with pytest.raises(NeverIdleError) as told:
            engine.run_until_idle(most=20)
        assert told.value.most_run == (("again", 20), ("first", 1))
        assert "still work after 20 executions; most often ran 'again' 20 times" in str(told.value)
        with pytest.raises(NeverIdleError, match="after 30 executions"):
            engine.run_until_done(most=30)


def test_a_lost_worker_costs_an_attempt_and_no_retry(engine: Engine) -> None:
    (a,) = engine.submit(work("a", max_retries=0))
    engine.lose_worker()
    assert engine.run_until_idle() == 2
    found = engine.task(a)
    assert (found.status, found.attempt, found.lost_count, found.retry_count) == ("completed", 2, 1, 0)
    assert [one.status for one in engine.executions(a)] == ["lost", "completed"]


def test_a_task_that_loses_every_worker_is_a_dead_letter(engine: Engine) -> None:
    (a,) = engine.submit(work("a"))
    engine.lose_worker(times=3)
    engine.run_until_idle()
    assert (engine.task(a).status, engine.task(a).error_kind) == ("failed", "poison")


def test_what_the_agent_of_a_lost_worker_returns_is_refused() -> None:
    @agent("inline-lost", capabilities={QUEUE})
    def loses(task: Any, context: Any) -> int:
        if context.attempt == 1:
            engine.lose_worker()
        return int(context.attempt)

    with Engine([loses]) as engine:
        (a,) = engine.submit(work("a"))
        engine.run_until_idle()
        assert engine.task(a).result == {"value": 2}
        engine.check()


def test_an_agent_that_takes_too_long_is_timed_out() -> None:
    @agent("inline-slow", capabilities={QUEUE})
    def slow(task: Any, context: Any) -> str:
        engine.clock.advance(61 if context.attempt == 1 else 59)
        return "told to stop" if context.cancelled else "in time"

    with Engine([slow]) as engine:
        (a,) = engine.submit(work("a", timeout=60))
        (done,) = engine.run_until_done(a)
        assert done.result == {"value": "in time"}
        assert [one.status for one in engine.executions(a)] == ["timed_out", "completed"]


def test_a_cancel_reaches_the_agent_with_the_next_beat() -> None:
    @agent("inline-cancelled", capabilities={QUEUE})
    def asks(task: Any, context: Any) -> None:
        engine.api.cancel_task(task.id, "no more")
        assert not context.cancelled
        engine.clock.advance(2)
        assert context.cancelled

    with Engine([asks]) as engine:
        (a,) = engine.submit(work("a"))
        engine.run_until_idle()
        assert (engine.task(a).status, engine.task(a).reason) == ("cancelled", "no more")


def test_an_agent_may_submit_and_wait_when_there_is_a_slot() -> None:
    @agent("inline-parent", capabilities={QUEUE})
    def parent(task: Any, context: Any) -> Any:
        if task.name == "child":
            return "grown"
        child = engine.api.create_task(work("child"))
        return engine.api.wait(child.id)[0].result

    with Engine([parent], slots=2) as engine:
        (a,) = engine.submit(work("a"))
        engine.run_until_idle()
        assert engine.task(a).result == {"value": "grown"}
        engine.check()


def test_a_coroutine_is_an_agent_too() -> None:
    @agent("inline-coroutine", capabilities={QUEUE})
    async def runs(task: Any, context: Any) -> str:
        await asyncio.sleep(0)
        context.progress(0.5, "half")
        context.log("hello", level="warning")
        return "done"

    with Engine([runs]) as engine:
        (a,) = engine.submit(work("a"))
        engine.run_until_idle()
        execution = engine.api.get_task_execution(a.id)
        assert execution is not None
        assert [line.message for line in execution.logs] == ["hello"]


def test_a_pinned_task_runs_on_its_agent(engine: Engine) -> None:
    (a, b) = engine.submit(work("a", assigned_to="inline-worker"), work("b", assigned_to="nobody"))
    engine.run_until_idle()
    assert [engine.task(t).status for t in (a, b)] == ["completed", "ready"]


def test_what_somebody_registers_of_an_agent_is_followed(engine: Engine) -> None:
    engine.api.register_agent("inline-worker", "function", {"other"})
    other, work_ = engine.submit(Task(name="a", capability="other"), work("b"))
    assert engine.run_until_idle() == 1
    assert [engine.task(one).status for one in (other, work_)] == ["completed", "ready"]
    engine.api.drain_agent("inline-worker")
    (later,) = engine.submit(Task(name="c", capability="other"))
    assert engine.run_until_idle() == 0
    engine.api.resume_agent("inline-worker")
    assert engine.run_until_idle() == 1
    assert engine.task(later).status == "completed"


def test_agents_of_a_test_are_gone_with_its_engine_and_their_names_are_free() -> None:
    for answer in (1, 2):

        def declare(answer: int = answer) -> Any:
            @agent("inline-here-and-now", capabilities={QUEUE})
            def here(task: Any, context: Any) -> int:
                return answer

            return here

        with Engine():
            declare()
            assert REGISTRY.get("inline-here-and-now")
        assert REGISTRY.get("inline-here-and-now") is None


def test_an_engine_sees_agents_that_come_after_it() -> None:
    with Engine() as engine:
        (a,) = engine.submit(work("a", capability="inline-late"))
        assert engine.run_until_idle() == 0

        @agent("inline-late", capabilities={"inline-late"})
        def late(task: Any, context: Any) -> None:
            """Does nothing."""

        assert engine.run_until_idle() == 1
        assert engine.task(a).status == "completed"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package whose agents stand in a module of it: one of each name and queue."""
    name = f"inline_{uuid4().hex}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(f"from {name} import inner\n")
    (tmp_path / name / "inner.py").write_text(
        "from taskengine import agent\n"
        f"@agent('{name}', capabilities={{'{name}'}})\n"
        "def imported(task, context):\n    return 'imported'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return name


def said(engine: Engine, queue: str) -> Any:
    (a,) = engine.submit(work("a", capability=queue))
    engine.run_until_done(a)
    result = engine.task(a).result
    return result and result["value"]


def test_an_agent_of_the_test_is_offered_beside_those_of_modules(module: str) -> None:
    with Engine(modules=[module]) as engine:

        @agent("inline-own", capabilities={"inline-own"})
        def own(task: Any, context: Any) -> str:
            return "own"

        assert (said(engine, module), said(engine, "inline-own")) == ("imported", "own")


@pytest.mark.parametrize("by_module", [True, False])
@pytest.mark.parametrize("renamed", [True, False])
def test_an_agent_of_the_test_stands_before_an_imported_one_in_that_test_alone(
    module: str, by_module: bool, renamed: bool
) -> None:
    chosen = [module] if by_module else []
    for _ in range(2):
        with Engine(modules=chosen) as engine:
            if not by_module:
                import_module(module)  # also behind the test's own, in the second turn

            @agent("inline-other" if renamed else module, capabilities={module})
            def own(task: Any, context: Any) -> str:
                return "own"

            assert said(engine, module) == "own"
    with Engine(modules=chosen) as engine:
        assert said(engine, module) == "imported"


def test_a_module_that_comes_behind_the_tests_own_agent_of_its_name_is_no_error(module: str) -> None:
    with Engine() as engine:

        @agent(module, capabilities={module})
        def own(task: Any, context: Any) -> str:
            return "own"

        import_module(module)
        assert said(engine, module) == "own"
    with Engine() as engine:
        assert said(engine, module) == "imported"


def test_a_module_that_brings_nothing_is_refused_with_advice() -> None:
    with pytest.raises(InvalidInputError, match="declares no agent; name the module in which @agent stands"):
        Engine(modules=["json"])
    with pytest.raises(InvalidInputError, match="pythonpath"):
        Engine(modules=["inline_is_not_there.anywhere"])


def test_modules_bring_their_agents_and_no_others() -> None:
    with Engine(modules=["taskengine.demo.agents"]) as engine:
        engine.submit(work("a", capability="code_analysis", input={}), work("b"))
        assert engine.run_until_idle() == 1


def test_engines_do_not_see_each_other() -> None:
    @agent("inline-twin", capabilities={QUEUE})
    def twin(task: Any, context: Any) -> None:
        """Does nothing."""

    with Engine([twin], start=START) as one, Engine([twin], start=START) as other:
        (a,) = one.submit(work("a"))
        one.clock.advance(60)
        assert other.run_until_idle() == 0
        assert other.clock.now == START
        assert other.api.list_tasks() == []
        assert one.run_until_idle() == 1
        assert one.task(a).started_at == START + timedelta(seconds=60)
        with pytest.raises(LookupError):
            other.task(a)


def test_the_environment_is_no_part_of_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKENGINE_MAX_LOST", "1")
    monkeypatch.setenv("TASKENGINE_REDIS_URL", "redis://nowhere.invalid:1/0")
    with Engine(retention_seconds=60) as engine:
        assert (engine.settings.max_lost, engine.settings.retention_seconds) == (3, 60)
        assert engine.api.list_tasks() == []


def test_keys_expire_by_the_clock_and_finished_runs_are_pruned(engine: Engine) -> None:
    (a,) = engine.submit(work("a"))
    engine.run_until_idle()
    engine.clock.advance(timedelta(days=1, seconds=1))
    engine.run_until_idle()
    with pytest.raises(LookupError):
        engine.task(a)


def test_a_mistake_is_told_in_a_sentence(engine: Engine) -> None:
    def undeclared(task: Any, context: Any) -> None:
        """Not decorated."""

    with pytest.raises(AgentError, match=r"undeclared is no agent; declare it with @agent"):
        Engine([undeclared])
    with pytest.raises(InvalidInputError, match="slots is 0"):
        Engine(slots=0)
    with pytest.raises(InvalidInputError, match="leese_seconds is no setting"):
        Engine(leese_seconds=3)
    with pytest.raises(InvalidInputError, match="pass a list of names"):
        Engine(modules="my_agents")
    with pytest.raises(InvalidInputError, match="say the zone"):
        Engine(start=datetime(2030, 1, 1))
    with pytest.raises(InvalidInputError, match="times is 0"):
        engine.lose_worker(times=0)
    for wrong in (-1, float("nan"), "60"):
        with pytest.raises(InvalidInputError, match="turned by seconds, forward"):
            engine.clock.advance(wrong)  # type: ignore[arg-type]
    with pytest.raises(LookupError, match="no task"):
        engine.task(uuid4())


def test_what_the_state_forbids_is_refused_as_on_a_server(engine: Engine) -> None:
    (a,) = engine.submit(work("a"))
    engine.run_until_idle()
    with pytest.raises(NotAllowedError):
        engine.api.update_task(a.id, priority=1)


@pytest.mark.parametrize("seed", range(5))
def test_any_graph_with_failures_and_losses_comes_to_its_end(seed: int) -> None:
    chance = random.Random(seed)

    @agent("inline-unlucky", capabilities={QUEUE})
    def unlucky(task: Any, context: Any) -> None:
        if chance.random() < 0.2:
            engine.lose_worker()
        elif chance.random() < 0.2:
            raise OSError("no luck")

    made: list[Task] = []
    for n in range(20):
        on = chance.sample(made, min(len(made), chance.randrange(3)))
        made.append(work(str(n), *on, max_retries=50))
    with Engine([unlucky], max_lost=50) as engine:
        engine.submit(*made)
        assert {task.status for task in engine.run_until_done(*made)} == {"completed"}
        engine.check()


def test_time_costs_nothing(engine: Engine) -> None:
    before = time.monotonic()
    (a,) = engine.submit(work("a", scheduled_at=START + timedelta(days=365)))
    engine.run_until_done(a)
    assert time.monotonic() - before < 10
    assert engine.clock.now == START + timedelta(days=365)
