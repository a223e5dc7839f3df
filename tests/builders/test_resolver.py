"""Laws of DependencyResolver: faults are told in sentences, cycles by names, readiness by what completed."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from taskengine.builders import CircularDependencyError, DependencyResolver
from taskengine.errors import InvalidInputError
from taskengine.models import Task, TaskStatus


def task(name: str, *after: Task, status: TaskStatus = TaskStatus.PENDING) -> Task:
    return Task(name=name, depends_on={one.id for one in after}, status=status)


def ring() -> tuple[Task, Task, Task]:
    """Build needs test, test needs lint, lint needs build."""
    build = task("build")
    lint = task("lint", build)
    test = task("test", lint)
    build.add_dependency(test.id)
    return build, test, lint


def ids(tasks: list[Task] | tuple[Task, ...]) -> list[UUID]:
    return [one.id for one in tasks]


def test_execution_order_puts_every_task_behind_its_dependencies() -> None:
    setup = task("setup")
    build = task("build", setup)
    test = task("test", build)
    assert DependencyResolver([test, build, setup]).get_execution_order() == ids([setup, build, test])


def test_execution_order_keeps_the_order_of_adding_where_it_is_free() -> None:
    tasks = [task(str(number)) for number in range(20)]
    assert DependencyResolver(tasks).get_execution_order() == ids(tasks)


def test_execution_order_of_nothing_is_empty() -> None:
    assert DependencyResolver().get_execution_order() == []


def test_execution_order_takes_unknown_dependencies_as_done() -> None:
    stray = Task(name="stray", depends_on={uuid4()})
    assert DependencyResolver([stray]).get_execution_order() == [stray.id]


def test_cycle_is_refused_with_the_names_along_its_path() -> None:
    build, test, lint = ring()
    with pytest.raises(CircularDependencyError, match="build -> test -> lint -> build") as caught:
        DependencyResolver([build, test, lint, task("other")]).get_execution_order()
    assert caught.value.path == ("build", "test", "lint", "build")
    assert isinstance(caught.value, InvalidInputError)


def test_dependency_added_after_the_task_counts() -> None:
    first, second = task("first"), task("second")
    resolver = DependencyResolver([first, second])
    first.add_dependency(second.id)
    assert resolver.get_execution_order() == ids([second, first])


def test_task_added_again_takes_the_place_of_the_old_one() -> None:
    old = task("old")
    resolver = DependencyResolver([old, task("other")])
    new = old.model_copy(update={"name": "new"})
    resolver.add_task(new)
    assert [one.name for one in resolver.tasks] == ["new", "other"]


def test_removed_task_is_missed_by_its_dependents() -> None:
    setup = task("setup")
    build = task("build", setup)
    resolver = DependencyResolver([setup, build])
    assert resolver.validate_dependencies(build) == []
    assert resolver.remove_task(setup.id) is True
    assert resolver.remove_task(setup.id) is False
    assert resolver.tasks == (build,)
    assert len(resolver.validate_dependencies(build)) == 1


def test_sound_dependencies_have_nothing_wrong() -> None:
    setup = task("setup")
    build = task("build", setup)
    resolver = DependencyResolver([setup, build])
    assert [resolver.validate_dependencies(one) for one in (setup, build)] == [[], []]


def test_each_unknown_dependency_is_named_with_its_task() -> None:
    missing = sorted(str(uuid4()) for _ in range(2))
    stray = Task(name="stray", depends_on={UUID(id) for id in missing})
    errors = DependencyResolver().validate_dependencies(stray)
    assert len(errors) == 2
    for error, id in zip(errors, missing, strict=True):
        assert "stray" in error
        assert str(stray.id) in error
        assert id in error


def test_cycle_through_a_task_is_told_by_names_and_not_raised() -> None:
    build, test, lint = ring()
    resolver = DependencyResolver([build, test, lint])
    (error,) = resolver.validate_dependencies(test)
    assert "test -> lint -> build -> test" in error


def test_task_that_was_not_added_is_validated_against_those_that_were() -> None:
    build, test, lint = ring()
    (error,) = DependencyResolver([build, lint]).validate_dependencies(test)
    assert "test -> lint -> build -> test" in error


def test_cycle_elsewhere_is_not_blamed_on_a_task() -> None:
    behind = task("behind", *(tasks := ring()))
    assert DependencyResolver([*tasks, behind]).validate_dependencies(behind) == []


def test_self_dependency_past_the_model_is_told() -> None:
    odd = Task(name="odd")
    odd.depends_on.add(odd.id)
    (error,) = DependencyResolver([odd]).validate_dependencies(odd)
    assert "odd -> odd" in error
    with pytest.raises(CircularDependencyError, match="odd -> odd"):
        DependencyResolver([odd]).get_execution_order()


def test_ready_tasks_are_those_whose_dependencies_completed() -> None:
    setup = task("setup")
    build, docs = task("build", setup), task("docs")
    test = task("test", build, docs)
    resolver = DependencyResolver([test, build, docs, setup])
    assert resolver.get_ready_tasks() == [docs, setup]
    assert resolver.get_ready_tasks({setup.id}) == [build, docs]
    assert resolver.get_ready_tasks([setup.id, docs.id, build.id]) == [test]
    assert resolver.get_ready_tasks({one.id for one in resolver.tasks}) == []


def test_completed_status_counts_like_the_argument() -> None:
    setup = task("setup", status=TaskStatus.COMPLETED)
    build = task("build", setup)
    assert DependencyResolver([setup, build]).get_ready_tasks() == [build]


@pytest.mark.parametrize("status", [TaskStatus.RUNNING, TaskStatus.FAILED, TaskStatus.CANCELLED])
def test_task_that_runs_or_ended_is_not_ready_and_readies_nobody(status: TaskStatus) -> None:
    setup = task("setup", status=status)
    assert DependencyResolver([setup, task("build", setup)]).get_ready_tasks() == []


def test_unknown_dependency_keeps_a_task_waiting_until_it_is_said_to_be_completed() -> None:
    outside = uuid4()
    stray = Task(name="stray", depends_on={outside})
    resolver = DependencyResolver([stray])
    assert resolver.get_ready_tasks() == []
    assert resolver.get_ready_tasks({outside}) == [stray]
