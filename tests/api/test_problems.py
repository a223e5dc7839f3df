"""Each error as a problem document: a slug, a status, its public fields, and nothing that is no JSON."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest

from taskengine import errors
from taskengine.api.problems import KINDS, PLAIN, explanations, kind_of, problem
from taskengine.models import Task, TaskExecution

#: The harness for tests raises them, and no server.
OF_TESTS = {errors.NeverDoneError, errors.NeverIdleError}
ERRORS = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.TaskEngineError) and each not in OF_TESTS
]


def examples() -> Iterator[errors.TaskEngineError]:
    task = Task(name="t")
    yield errors.InvalidInputError("limit is 0", field="limit")
    yield errors.UnknownDependencyError("t", ["a", "b"])
    yield errors.CircularDependencyError(["a", "b", "a"])
    yield errors.AmbiguousIdError("tasks", "ab", {"abc": "one", "abd": "two"})
    yield errors.InvalidWorkflowError("w", [errors.WorkflowFault(("steps", 0), "is wrong")])
    yield errors.PayloadTooLargeError("input", 5, 4)
    yield errors.NotFoundError("task", task.id)
    yield errors.NoResultError("t", str(task.id), "failed", None)
    yield errors.IdempotencyConflictError("id", "x", "y")
    yield errors.NotAllowedError("no", id=task.id, history=["created"])
    yield errors.TaskExecutionError("failed", execution=TaskExecution(id=uuid4(), task_id=task.id))
    yield errors.WaitTimeoutError([str(task.id)], 3)
    yield errors.ScopeError("bot", needs="admin", has="read")
    yield errors.TooManyRequestsError("bot", 1.5)


def test_every_error_has_a_kind_of_its_own() -> None:
    missing = set(ERRORS) - KINDS.keys()
    assert not missing, f"add to KINDS in taskengine/api/problems.py a slug and a status for {missing}"


def test_slugs_are_unique() -> None:
    slugs = [kind.slug for kind in KINDS.values()] + [kind.slug for kind, _ in PLAIN.values()]
    assert [slug for slug, times in Counter(slugs).items() if times > 1] == []
    assert explanations().keys() == set(slugs)


def test_every_slug_is_explained() -> None:
    assert all(text.strip() for _, text in explanations().values())


def test_a_new_child_is_what_its_parent_is() -> None:
    class Newer(errors.NotAllowedError):
        """Not yet."""

    assert kind_of(Newer).slug == "not-allowed"


@pytest.mark.parametrize("error", list(examples()), ids=lambda each: type(each).__name__)
def test_a_problem_says_the_error_and_its_fields(error: errors.TaskEngineError) -> None:
    kind, document = kind_of(type(error)), problem(error)
    assert json.loads(json.dumps(document)) == document
    assert document["type"] == f"/problems/{kind.slug}"
    assert document["status"] == kind.status
    assert document["detail"] == str(error)
    assert {*kind.fields} - {"status"} <= document.keys()


def test_a_wrong_field_is_pointed_at() -> None:
    document = problem(errors.InvalidInputError("no", field="steps[0].retry.max"))
    assert document["errors"] == [{"pointer": "/steps/0/retry/max", "detail": "no"}]


def test_the_status_of_a_dependency_does_not_hide_that_of_the_answer() -> None:
    document = problem(errors.NoResultError("t", "1", "failed", None))
    assert (document["status"], document["dependency_status"]) == (409, "failed")
