"""How answers are written."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from taskengine.api.surface import ROWS
from taskengine.models import Task
from taskengine.rest.answers import answer_of


@pytest.mark.parametrize("count", [0, 1, 256, 257, 600])
def test_a_list_written_in_pieces_is_the_list(count: int) -> None:
    answer = answer_of(next(row for row in ROWS if row.name == "create_tasks"))
    tasks = [Task(name=f"t{at} é") for at in range(count)]
    whole = answer.model.model_construct(items=tasks, cursor=None)
    assert answer.write(tasks) == TypeAdapter(answer.model).dump_json(whole)
