"""Whatever stands where an argument belongs, on every route: a documented answer, and never a fault of the server."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from itertools import count, repeat
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from taskengine.api.surface import PREFIX, ROWS, Row, Sends
from taskengine.rest.arguments import body_model, body_names
from taskengine.rest.wire import parameters

pytestmark = [pytest.mark.process, pytest.mark.slow]

#: Written as JSON texts, for some of them no Python value is.
WRONG = (
    "null", "true", "0", "-1", "1.5", "9223372036854775808", "1e400", "1e308", "NaN", '""', '"x"', '"a/b"', '"\\u0000"',
    '"\\ud800"', '"<b>&\'"', "[]", "[null]", "[[]]", "{}", '{"": null}', '{"a": {"b": []}}', '"2030-02-30T00:00:00Z"',
    '"0001-01-01T00:00:00+23:59"', f'"{uuid4()}"', '"' + "x" * 20_000 + '"',
)  # fmt: skip


def path_of(row: Row, wrong: str = "") -> str:
    return PREFIX + re.sub(r"\{\w+\}", wrong or str(uuid4()), row.path)


def good(row: Row) -> dict[str, Any]:
    """Values that let the other arguments be looked at."""
    values = {
        "task_ids": [], "tasks": [], "workflow": "nobody", "name": "n", "step": "s", "value": 1, "capabilities": ["a"],
        "agent_type": "function", "dependency_id": str(uuid4()), "values": {}, "new_priority": 2,
    }  # fmt: skip
    return {name: values[name] for name in body_names(row) if name in values}


#: Of the wrong values of one place, one of so many is tried, the next ones in the next place; all by --matrix full.
SHARE = 5


def chosen(config: pytest.Config, row: Row) -> Iterator[tuple[str, ...]]:
    """Wrong values for one place after another, beginning elsewhere for each route and sample."""
    if config.option.matrix == "full":
        return repeat(WRONG)
    first = random.Random(f"{config.option.sample} {row.id}").randrange(SHARE)
    return (WRONG[(first + place) % SHARE :: SHARE] for place in count())


def requests(row: Row, wrong_values: Iterator[tuple[str, ...]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Paths and what is sent there, each wrong in one place."""
    headers = {"Content-Type": "application/json"}
    quick = {"timeout": "0"} if "timeout" in parameters(row) else {}
    for name in sorted(parameters(row).keys() - {*row.in_path} - body_names(row)):
        for wrong in next(wrong_values):
            text = wrong.strip('"').replace("\\u0000", "\0").replace("\\ud800", "?")
            yield path_of(row), {"params": {**quick, name: text}}
    for wrong in ("%00", "x" * 2000, "%F0%28%8C%28", "..%2f..", "%20", "-1"):
        if row.in_path:
            yield path_of(row, wrong), {"content": b"{}", "headers": headers, "params": quick}
    if row.sends is Sends.QUERY:
        return
    for wrong in next(wrong_values):
        yield path_of(row), {"content": wrong.encode(), "headers": headers}
    body = body_model(row)
    for name in body.model_fields if body is not None else ():
        fields = {**good(row), **({"timeout": 0} if quick else {})}
        for wrong in next(wrong_values):
            pieces = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items() if key != name]
            text = "{" + ", ".join([*pieces, f"{json.dumps(name)}: {wrong}"]) + "}"
            yield path_of(row), {"content": text.encode(), "headers": headers}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_a_wrong_value_has_a_documented_answer(
    row: Row, http: httpx2.AsyncClient, pytestconfig: pytest.Config
) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    documented = paths[PREFIX + row.path][row.verb.lower()]["responses"]
    odd = []
    for path, sent in requests(row, chosen(pytestconfig, row)):
        answer = await http.request(row.verb, path, **sent)
        is_problem = answer.headers.get("content-type") == "application/problem+json"
        is_right = answer.status_code < 500 and str(answer.status_code) in documented
        if not is_right or is_problem != (answer.status_code >= 400):
            odd.append((path[:200], sent, answer.status_code, answer.text[:500]))
    assert odd == []
