"""What is written as JSON and read again is the same, to the last digit and the last second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from taskengine import (
    BlockingTaskAPI,
    ExecutionLog,
    ExecutionStatus,
    InvalidInputError,
    ResourceUsage,
    RetryRules,
    Task,
    TaskCreateRequest,
    TaskExecution,
    TaskPriority,
    TaskStatus,
    TaskType,
    TaskUpdateRequest,
    TriggerRule,
)
from taskengine.models import LogLevel, Question
from taskengine.settings import Settings

from ..cases import each

M = TypeVar("M", bound=BaseModel)

texts = st.text(max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=1e-9, max_value=1e9)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=3)
names = st.from_regex(r"[A-Za-z0-9_.:-]{1,20}", fullmatch=True)
#: In any zone, in years that no zone pushes out of the calendar.
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.timezones()) | st.datetimes(
    datetime(2, 1, 1),
    datetime(9998, 12, 31),
    timezones=st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone),
)
rules = st.builds(
    RetryRules,
    initial_interval=positive,
    backoff_coefficient=st.floats(1, 100),
    maximum_interval=positive,
    jitter=st.floats(0, 1),
    non_retryable_errors=st.lists(texts, max_size=3).map(tuple),
)
ids = st.uuids()
asked: dict[str, st.SearchStrategy[Any]] = {
    "id": ids,
    "name": texts,
    "description": st.none() | texts,
    "task_type": st.sampled_from(TaskType),
    "capability": st.none() | names,
    "priority": st.sampled_from(TaskPriority),
    "created_by": st.text(min_size=1, max_size=20),
    "assigned_to": st.none() | names,
    "template": st.none() | st.booleans(),
    "depends_on": st.sets(ids, max_size=4),
    "trigger_rule": st.sampled_from(TriggerRule),
    "input": objects,
    "metadata": objects,
    "execution_context": objects,
    "resource_requirements": objects,
    "deadline": st.none() | moments,
    "scheduled_at": st.none() | moments,
    "hold": st.booleans(),
    "expires_at": st.none(),
    **dict.fromkeys(("timeout", "queue_timeout", "heartbeat_timeout", "total_timeout"), st.none() | positive),
    "max_retries": st.integers(0, 10_000),
    "retry": st.none() | rules,
    "output_schema": st.none() | objects,
    "max_total_tokens": st.none() | st.integers(1, 10**12),
    "estimated_seconds": st.floats(0, 1e9),
    "idempotency_key": st.none() | st.text(min_size=1, max_size=20),
}
known: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(TaskStatus),
    "run_id": st.none() | ids,
    "attempt": st.integers(0, 10**6),
    "retry_count": st.integers(0, 10**6),
    "lost_count": st.integers(0, 10),
    **dict.fromkeys(("created_at", "ready_at", "started_at", "completed_at", "next_attempt_at"), st.none() | moments),
    "deadline_at_risk_since": st.none() | moments,
    **dict.fromkeys(("error_message", "error_kind", "reason"), st.none() | texts),
    "closed_by": st.none() | ids,
    **dict.fromkeys(("cancel_requested", "pause_requested"), st.booleans()),
    "execution_id": st.none() | ids,
    "question": st.none() | st.builds(Question, text=st.text(min_size=1, max_size=20), asked_at=st.none() | moments),
    "result": st.none() | objects,
}
usages = st.builds(
    ResourceUsage,
    **dict.fromkeys(("cpu_percent", "memory_mb", "disk_mb", "network_mb", "wall_seconds"), st.none() | numbers),
    **dict.fromkeys(("gpu_percent", "gpu_memory_mb"), st.none() | numbers),
    custom=st.dictionaries(texts, numbers, max_size=3),
)
logs = st.builds(ExecutionLog, timestamp=moments, level=st.sampled_from(LogLevel), message=texts, metadata=objects)
#: Besides ``id`` and ``task_id``.
ran: dict[str, st.SearchStrategy[Any]] = {
    "executor_id": st.none() | texts,
    "node": st.none() | texts,
    "pid": st.none() | st.integers(1, 2**22),
    "status": st.sampled_from(ExecutionStatus),
    "attempt": st.integers(1, 10**6),
    "token": st.integers(0, 10**6),
    **dict.fromkeys(("queued_at", "started_at", "completed_at", "deadline"), st.none() | moments),
    "progress": st.none() | st.floats(0, 1),
    "progress_note": st.none() | texts,
    "resource_usage": usages,
    "result": st.none() | objects,
    "error_message": st.none() | texts,
    "error_kind": st.none() | texts,
    "traceback": st.none() | texts,
    "late_outcome": st.none() | objects,
    "cancel_requested": st.booleans(), "is_detached": st.booleans(), "reference": st.none() | objects,
    "logs": st.lists(logs, max_size=2),
}


def again(noun: M) -> M:
    return type(noun).model_validate_json(noun.model_dump_json())


def exactly(left: BaseModel, right: BaseModel) -> bool:
    """Equal, of equal types: 1 is not True and not 1.0 here."""
    return left == right and spelled(left) == spelled(right)


def spelled(noun: BaseModel) -> list[str]:
    values = noun.model_dump(mode="json")
    return [f"{name}={sorted(value) if name == 'depends_on' else value!r}" for name, value in values.items()]


def test_every_field_takes_part() -> None:
    assert asked.keys() | known.keys() == Task.model_fields.keys()
    assert asked.keys() == TaskCreateRequest.model_fields.keys()
    assert ran.keys() | {"id", "task_id"} == TaskExecution.model_fields.keys()


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries({}, optional={**asked, **known}))
def test_a_task_survives_json(fields: dict[str, Any]) -> None:
    task = Task(**fields)
    assert exactly(again(task), task)
    assert exactly(Task(**task.model_dump()), task)


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries({"id": ids, "task_id": ids}, optional=ran))
def test_an_execution_survives_json(fields: dict[str, Any]) -> None:
    execution = TaskExecution(**fields)
    assert exactly(again(execution), execution)


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries({}, optional=asked))
def test_a_request_survives_json_and_asks_for_the_same_task(fields: dict[str, Any]) -> None:
    request = TaskCreateRequest(**fields)
    assert exactly(again(request), request)
    assert exactly(again(request).to_task(), request.to_task())


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries({}, optional=asked), st.none() | st.just("ann"))
def test_a_task_made_of_a_request_without_a_second_look_is_the_same(fields: dict[str, Any], who: str | None) -> None:
    request = TaskCreateRequest(**fields)
    plain = (request if request.created_by or who is None else request.with_checked({"created_by": who})).to_task()
    quick = request.as_task(who)
    assert exactly(quick, plain)
    assert quick.model_fields_set == plain.model_fields_set
    assert list(quick.__dict__) == list(plain.__dict__)


_changeable = {name: asked[name] for name in TaskUpdateRequest.model_fields if name != "name"}


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries({}, optional=_changeable))
def test_an_update_that_went_through_json_changes_no_more_than_before(fields: dict[str, Any]) -> None:
    request = TaskUpdateRequest(**fields)
    assert exactly(again(request), request)
    assert again(request).model_fields_set == request.model_fields_set == set(fields)


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_a_zone_repeats_is_two_moments(fold: int) -> None:
    moment = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)
    assert again(Task(deadline=moment)).deadline == datetime(2026, 10, 25, fold, 30, tzinfo=UTC)


@pytest.mark.parametrize("wrong", [datetime(1, 1, 1), datetime(9999, 12, 31, 23)])
def test_a_moment_outside_of_the_calendar_is_refused_by_name(wrong: datetime) -> None:
    zone = timezone(timedelta(hours=2 if wrong.year == 1 else -2))
    with pytest.raises(InvalidInputError, match=r"Task\.deadline: .*before the year 1 or after 9999"):
        Task(deadline=wrong.replace(tzinfo=zone))


@each("number", [float("nan"), float("inf"), -float("inf")])
@each("field", ["input", "metadata", "execution_context", "resource_requirements"])
def test_a_number_that_json_does_not_know_is_refused_by_name(field: str, number: float) -> None:
    with pytest.raises(InvalidInputError, match=f"Task.{field}.x: .*finite"):
        Task(**{field: {"x": {"y": [number]}}})


def test_a_task_that_went_through_json_is_the_same_task_at_submit(shared_valkey: Any) -> None:
    shared_valkey.client.flushall()
    noon = datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    task = Task(name="a", input={"x": [1, 2.0]}, deadline=noon, retry=RetryRules(jitter=0), idempotency_key="k")
    with BlockingTaskAPI(settings=Settings(redis_url=shared_valkey.url)) as api:
        stored = api.create_task(task)
        for same in (task, again(task), stored, again(stored), again(api.get_task(task.id)), Task(**task.model_dump())):
            assert api.create_task(same).id == task.id
            assert [each.id for each in api.create_tasks([same])] == [task.id]
        somebody_else = task.model_copy(update={"created_by": "somebody else"})
        assert api.create_task(somebody_else).created_by == stored.created_by
        assert len(api.list_tasks()) == 1
        for fields in ({"deadline": None}, {"retry": None}, {"input": {"x": [1, 2]}}):
            with pytest.raises(Exception, match=str(task.id)):
                api.create_task(task.model_copy(update=fields))


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_can_be_stored(shared_valkey: Any, year: int) -> None:
    with BlockingTaskAPI(settings=Settings(redis_url=shared_valkey.url)) as api:
        task = Task(name="a", scheduled_at=datetime(year, 6, 1, tzinfo=UTC), hold=True)
        assert api.create_task(task).scheduled_at == task.scheduled_at
        assert api.get_task(task.id).scheduled_at == task.scheduled_at
