"""Wrong tasks and wrong graphs, through every method that takes them: an error of the library's own that names the
field or the task, and a server that holds to the byte what it held before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskengine import (
    BlockingTaskAPI,
    CircularDependencyError,
    IdempotencyConflictError,
    InvalidInputError,
    NotFoundError,
    PayloadTooLargeError,
    RetryRules,
    Task,
    TaskAPI,
    TaskCreateRequest,
    TaskEngineError,
    TaskUpdateRequest,
    TriggerRule,
    UnknownDependencyError,
)
from taskengine.settings import Settings

from ..api.conftest import Awaited

NOBODY = UUID("00000000-0000-4000-8000-000000000000")
PAST, SOON = datetime(2001, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
NAIVE = SOON.replace(tzinfo=None)
BIG = "x" * (17 << 20)
#: Over what travels inline, under what lies by reference.
LARGE = "y" * (300 << 10)


@dataclass
class Engine:
    """A client, and two stored tasks: ``last`` waits for ``first``."""

    api: Any
    raw: Any
    first: Task
    last: Task

    def everything(self) -> dict[str, Any]:
        """All that is stored, but for what stands for nothing: the numbers that were given out and whom they were
        given to, zeros at the end of a bitmap, and a payload that nobody took over and that expires by itself.
        """
        found = {key.decode(): self._value(key) for key in self.raw.keys("*") if not key.startswith(b"te:ids:")}
        left = {name for name in found if name.startswith("te:payload:") and 0 < self.raw.ttl(name) <= 3600}
        kept = {name: value for name, value in found.items() if name not in left | {"te:arrivals"}}
        return {**kept, "listed": self.api.list_tasks()}

    def _value(self, key: bytes) -> bytes:
        return bytes(self.raw.get(key)).rstrip(b"\0") if key.startswith(b"te:bits:") else bytes(self.raw.dump(key))

    def other(self, **fields: Any) -> Task:
        """Other content under the id of ``first``."""
        return Task(id=self.first.id, name="other", **fields)

    def on(self, *dependencies: object) -> Task:
        """A task whose dependencies were changed in place, past the model."""
        task = Task(name="behind")
        task.depends_on.update(dependencies)  # type: ignore[arg-type]
        return task

    def cycle(self) -> list[Task]:
        egg, chicken = Task(name="egg"), Task(name="chicken")
        egg.add_dependency(chicken.id)
        chicken.add_dependency(egg.id)
        return [Task(name="good"), egg, chicken]

    def on_itself(self) -> Task:
        task = Task(name="selfish")
        task.depends_on.add(task.id)  # past the model too
        return task


@pytest.fixture(params=["blocking", "async"])
def engine(request: pytest.FixtureRequest, shared_valkey: Any) -> Iterator[Engine]:
    shared_valkey.client.flushall()
    settings = Settings(redis_url=shared_valkey.url)
    is_blocking = request.param == "blocking"
    api: Any = BlockingTaskAPI(settings=settings) if is_blocking else Awaited(TaskAPI(settings=settings))
    first = Task(name="first", hold=True, idempotency_key="nightly")
    last = Task(name="last", depends_on={first.id})
    api.create_tasks([first, last])
    yield Engine(api, shared_valkey.client, first, last)
    api.close() if is_blocking else api.end()


#: What is done, which error it is, and what the message names.
Case = tuple[Callable[[Engine], Any], type[TaskEngineError], str]
CASES: dict[str, Case] = {
    "unknown dependency, one task": (
        lambda e: e.api.create_task(Task(name="stray", depends_on={NOBODY})), UnknownDependencyError, str(NOBODY)),
    "unknown dependency, graph": (
        lambda e: e.api.create_tasks([Task(name="good"), Task(name="stray", depends_on={NOBODY, e.first.id})]),
        UnknownDependencyError, str(NOBODY)),
    "unknown dependency, update": (
        lambda e: e.api.update_task(e.last.id, depends_on={NOBODY}), UnknownDependencyError, str(NOBODY)),
    "unknown dependency, edge": (
        lambda e: e.api.add_dependency(e.last.id, NOBODY), UnknownDependencyError, str(NOBODY)),
    "self dependency, model": (
        lambda _: Task(id=NOBODY, name="selfish", depends_on={NOBODY}), CircularDependencyError, "selfish -> selfish"),
    "self dependency, request": (
        lambda e: e.api.create_task(TaskCreateRequest(id=NOBODY, name="selfish", depends_on={NOBODY})),
        CircularDependencyError, "selfish -> selfish"),
    "self dependency, one task": (
        lambda e: e.api.create_task(e.on_itself()), CircularDependencyError, "selfish -> selfish"),
    "self dependency, graph": (
        lambda e: e.api.create_tasks([Task(name="good"), e.on_itself()]),
        CircularDependencyError, "selfish -> selfish"),
    "self dependency, update": (
        lambda e: e.api.update_task(e.last.id, depends_on={e.last.id}), CircularDependencyError, "last -> last"),
    "self dependency, edge": (
        lambda e: e.api.add_dependency(e.last.id, e.last.id), CircularDependencyError, "last -> last"),
    "cycle, graph": (lambda e: e.api.create_tasks(e.cycle()), CircularDependencyError, "egg"),
    "cycle, update": (
        lambda e: e.api.update_task(e.first.id, depends_on={e.last.id}), CircularDependencyError, "last"),
    "cycle, edge": (lambda e: e.api.add_dependency(e.first.id, e.last.id), CircularDependencyError, "first"),
    "id with other content, one task": (
        lambda e: e.api.create_task(e.other()), IdempotencyConflictError, "id"),
    "id with other content, graph": (
        lambda e: e.api.create_tasks([Task(name="good"), e.other()]), IdempotencyConflictError, "id"),
    "id with other large content, one task": (
        lambda e: e.api.create_task(e.other(input={"x": LARGE})), IdempotencyConflictError, "id"),
    "id with other large content, graph": (
        lambda e: e.api.create_tasks([Task(name="good", input={"x": LARGE}), e.other(input={"x": LARGE})]),
        IdempotencyConflictError, "id"),
    "key with other content": (
        lambda e: e.api.create_task(Task(name="other", idempotency_key="nightly")),
        IdempotencyConflictError, "'nightly'"),
    "key with other content, graph": (
        lambda e: e.api.create_tasks([Task(name="good"), Task(name="other", idempotency_key="nightly")]),
        IdempotencyConflictError, "'nightly'"),
    "id twice in a graph": (
        lambda e: e.api.create_tasks([Task(id=NOBODY), Task(id=NOBODY)]), InvalidInputError, str(NOBODY)),
    "no JSON, model": (lambda _: Task(input={"x": object()}), InvalidInputError, "input"),
    "no JSON, update": (
        lambda e: e.api.update_task(e.first.id, metadata={"x": math.nan}), InvalidInputError, "metadata"),
    "no JSON, behind the update request": (
        lambda e: e.api.update_task(e.first.id, TaskUpdateRequest.model_construct(None, metadata={"x": {1, 2}})),
        InvalidInputError, "metadata"),
    "no JSON, filter": (lambda e: e.api.list_tasks(metadata={"x": object()}), InvalidInputError, "metadata"),
    "no text, name": (
        lambda e: e.api.create_task(e.first.model_copy(update={"name": "caf\udce9"})), InvalidInputError, "name"),
    "no text, creator": (
        lambda _: Task(created_by="caf\udce9"), InvalidInputError, "created_by"),
    "no text, reason": (
        lambda e: e.api.cancel_task_execution(e.first.id, "caf\udce9"), InvalidInputError, "reason"),
    "no text, filter": (lambda e: e.api.list_tasks(created_by="caf\udce9"), InvalidInputError, "created_by"),
    "no id, dependency behind the model": (
        lambda e: e.api.create_task(e.on("x")), UnknownDependencyError, "behind"),
    "no id, graph": (
        lambda e: e.api.create_tasks([Task(name="good"), e.on("x", e.first.id)]), UnknownDependencyError, "behind"),
    "too large, one task": (
        lambda e: e.api.create_task(Task(name="fat", input={"x": BIG})), PayloadTooLargeError, "'fat'"),
    "too large, graph": (
        lambda e: e.api.create_tasks([Task(name="good"), Task(name="fat", input={"x": BIG})]),
        PayloadTooLargeError, "'fat'"),
    "too large, metadata": (
        lambda e: e.api.create_task(Task(name="fat", metadata={"x": LARGE})), PayloadTooLargeError, "'fat'"),
    "too large, update": (
        lambda e: e.api.update_task(e.first.id, input={"x": BIG}), PayloadTooLargeError, "'first'"),
    "too large, metadata of an update": (
        lambda e: e.api.update_task(e.first.id, metadata={"x": LARGE}), PayloadTooLargeError, "'first'"),
    "negative timeout, model": (lambda _: Task(timeout=-1), InvalidInputError, "timeout"),
    "negative timeout, request": (lambda _: TaskCreateRequest(timeout=-0.1), InvalidInputError, "timeout"),
    "negative timeout, update": (
        lambda e: e.api.update_task(e.first.id, timeout=-1), InvalidInputError, "timeout"),
    "negative timeout, copy": (
        lambda e: e.api.create_task(e.first.model_copy(update={"timeout": -1})), InvalidInputError, "timeout"),
    "negative timeout, execute": (
        lambda e: e.api.execute_task(e.first.id, timeout=-1), InvalidInputError, "timeout"),
    "negative timeout, retry": (
        lambda e: e.api.retry_task(e.first.id, timeout=-1), InvalidInputError, "timeout"),
    "negative timeout, wait": (lambda e: e.api.wait([e.first.id], timeout=-1), InvalidInputError, "timeout"),
    **{f"negative {name}": (
        lambda _, name=name: Task(**{name: -1}), InvalidInputError, name)
        for name in ("queue_timeout", "heartbeat_timeout", "total_timeout")},
    "no time at all": (lambda _: Task(total_timeout=0), InvalidInputError, "total_timeout"),
    "a time beyond what scripts can spell": (lambda _: Task(timeout=1e18), InvalidInputError, "timeout"),
    "negative delay": (lambda _: RetryRules(initial_interval=-1), InvalidInputError, "initial_interval"),
    "unknown rule": (
        lambda _: Task(trigger_rule="all_good"), InvalidInputError, ", ".join(f"'{r}'" for r in list(TriggerRule)[:7])),
    "unknown rule, update": (
        lambda e: e.api.update_task(e.first.id, trigger_rule="all_good"), InvalidInputError, "'all_success'"),
    **{f"{name} without a zone": (
        lambda _, name=name: Task(**{name: NAIVE}), InvalidInputError, f"{name}: Value error, has no time zone")
        for name in ("deadline", "scheduled_at", "expires_at")},
    "update without a zone": (
        lambda e: e.api.update_task(e.first.id, expires_at=NAIVE), InvalidInputError, "has no time zone"),
    **{f"{name} in the past, {way}": (
        lambda e, name=name, do=do: do(e, name), InvalidInputError, f"{name} is 2001-01-01T00:00:00+00:00")
        for name in ("deadline", "expires_at")
        for way, do in {
            "one task": lambda e, name: e.api.create_task(Task(name="late", **{name: PAST})),
            "request": lambda e, name: e.api.create_task(TaskCreateRequest(name="late", **{name: PAST})),
            "graph": lambda e, name: e.api.create_tasks([Task(name="good"), Task(name="late", **{name: PAST})]),
            "update": lambda e, name: e.api.update_task(e.first.id, **{name: PAST}),
        }.items()},
    "expires before it may start": (
        lambda _: Task(scheduled_at=SOON, expires_at=SOON), InvalidInputError, "could never start"),
    "expires before it may start, request": (
        lambda _: TaskCreateRequest(scheduled_at=SOON, expires_at=PAST), InvalidInputError, "expires_at"),
    "expires before it may start, update": (
        lambda e: e.api.update_task(e.first.id, scheduled_at=SOON, expires_at=SOON), InvalidInputError, "expires_at"),
    "unknown task, get": (lambda e: e.api.get_task(NOBODY), NotFoundError, str(NOBODY)),
    "unknown task, update": (lambda e: e.api.update_task(NOBODY, name="x"), NotFoundError, str(NOBODY)),
    "unknown task, edge": (lambda e: e.api.add_dependency(NOBODY, e.first.id), NotFoundError, str(NOBODY)),
    "unknown task, execute": (lambda e: e.api.execute_task(NOBODY), NotFoundError, str(NOBODY)),
    "unknown task, cancel": (lambda e: e.api.cancel_task_execution(NOBODY), NotFoundError, str(NOBODY)),
    "unknown task, retry": (lambda e: e.api.retry_task(NOBODY), NotFoundError, str(NOBODY)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named_and_the_server_is_as_before(engine: Engine, case: str) -> None:
    do, kind, named = CASES[case]
    before = engine.everything()
    with pytest.raises(TaskEngineError) as refused:
        do(engine)
    assert type(refused.value) is kind, refused.value
    assert named in str(refused.value)
    assert len(str(refused.value)) < 1000
    if isinstance(refused.value, InvalidInputError | IdempotencyConflictError):
        assert refused.value.field
    assert engine.everything() == before


def test_a_capability_that_nobody_offers_is_accepted_and_says_what_it_lacks(engine: Engine) -> None:
    task = Task(name="a", capability=f"nobody-{uuid4().hex[:6]}")
    for created in (engine.api.create_task(task), engine.api.get_task(task.id)):
        assert created.status == "ready"
        assert created.reason == (
            f"no worker offers capability '{task.capability}'; "
            f"start one: taskengine worker --queues {task.capability} "
            "--import MODULE (the module with its agent)"
        )
