"""What a run takes of a matrix: ``tests/selection.py``."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from ..selection import pytest_collection_modifyitems

WORLDS, RULES = ("fake", "valkey"), ("any", "all", "none")


@dataclass(eq=False)
class Item:
    """As much of a collected test as the selection asks of one."""

    nodeid: str
    marks: dict[str, pytest.Mark] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.nodeid.partition("::")[0]

    @property
    def callspec(self) -> Any:
        return SimpleNamespace(params=self.params)

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return self.marks.get(name)


def taken(mark: pytest.MarkDecorator, sample: str, matrix: str = "sample") -> list[tuple[str, str]]:
    """World and rule of those that a run takes of a test with this mark."""
    items: list[Any] = [
        Item(f"test_it[{world}-{rule}]", {mark.name: mark.mark}, {"rule": rule, "case": world})
        for world, rule in product(WORLDS, RULES)
    ]
    hook = SimpleNamespace(pytest_deselected=lambda **_: None)
    option = SimpleNamespace(matrix=matrix, sample=sample)
    config: Any = SimpleNamespace(hook=hook, option=option)
    pytest_collection_modifyitems(config, items)
    return [(item.params["case"], item.params["rule"]) for item in items]


def test_one_of_a_matrix_is_taken_and_another_with_another_sample() -> None:
    found = [taken(pytest.mark.matrix, str(sample)) for sample in range(30)]
    assert {len(each) for each in found} == {1}
    assert {one for each in found for one in each} == set(product(WORLDS, RULES))
    assert taken(pytest.mark.matrix, "7") == taken(pytest.mark.matrix, "7")


def test_one_for_each_value_of_the_parameters_that_a_matrix_names_is_taken() -> None:
    found = [taken(pytest.mark.matrix("rule"), str(sample)) for sample in range(30)]
    assert all([rule for _, rule in sorted(each, key=lambda one: RULES.index(one[1]))] == [*RULES] for each in found)
    assert {one for each in found for one in each} == set(product(WORLDS, RULES))


@pytest.mark.parametrize("mark", [pytest.mark.matrix, pytest.mark.matrix("rule"), pytest.mark.chaos])
def test_a_full_matrix_is_taken_whole(mark: pytest.MarkDecorator) -> None:
    assert taken(mark, "1", "full") == list(product(WORLDS, RULES))


def test_what_is_in_no_matrix_is_taken_whole() -> None:
    assert taken(pytest.mark.slow, "1") == list(product(WORLDS, RULES))


def test_files_with_a_slow_test_begin_then_the_largest() -> None:
    slow = {"slow": pytest.mark.slow.mark}
    items: list[Any] = [Item("a::1"), Item("b::1"), Item("b::2"), Item("c::1"), Item("c::2", slow)]
    config = SimpleNamespace(option=SimpleNamespace(matrix="full"))
    pytest_collection_modifyitems(config, items)  # type: ignore[arg-type]
    assert [item.nodeid for item in items] == ["c::1", "c::2", "b::1", "b::2", "a::1"]
