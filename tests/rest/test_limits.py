"""What one request may send and how slowly, and how many there may be."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from taskengine.errors import InvalidInputError
from taskengine.rest.limits import Busy, is_deep, read_body
from taskengine.rest.problems import HttpError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(JSON, st.integers(0, 6))
def test_depth_is_that_of_the_parsed_value(value: Any, most: int) -> None:
    assert is_deep(json.dumps(value).encode(), most) == (depth(value) > most)


@pytest.mark.parametrize("text", ['"[[[["', r'"\"[[[["', r'"\\"', '{"[": "{"}', '["]", "["]'])
def test_brackets_within_a_text_nest_nothing(text: str) -> None:
    assert not is_deep(text.encode(), 1)


def test_depth_of_what_is_no_json_is_left_to_the_parser() -> None:
    for text in (b"]" * 100, b"][" * 100, b'"' + b"[" * 100):
        is_deep(text, 1)


def request(*pieces: bytes, every: float = 0.0, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Request:
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(every)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return Request({"type": "http", "method": "POST", "headers": list(headers)}, receive)


async def test_a_body_comes_in_pieces() -> None:
    assert await read_body(request(b'{"a"', b": 1}"), 100) == b'{"a": 1}'


async def test_a_body_over_the_limit_is_refused_without_the_rest_of_it() -> None:
    declared = request(b"x", headers=((b"content-length", b"101"),))
    for told in (request(b"x" * 60, b"x" * 60, b"never asked for"), declared):
        with pytest.raises(HttpError) as caught:
            await read_body(told, 100)
        assert caught.value.status == 413


async def test_a_body_that_comes_a_letter_at_a_time_has_an_end() -> None:
    with pytest.raises(HttpError) as caught:
        await read_body(request(*[b"x"] * 1000, every=0.02), 10_000, seconds=0.2)
    assert caught.value.status == 408


async def test_a_body_that_is_too_deep_says_how_deep_it_may_be() -> None:
    with pytest.raises(InvalidInputError, match="more than 64"):
        await read_body(request(b"[" * 65 + b"]" * 65), 1000)
    assert await read_body(request(b"[" * 64 + b"]" * 64), 1000)


async def test_one_request_too_many_is_told_to_come_back() -> None:
    goes = asyncio.Event()
    statuses: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await goes.wait()

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    busy, scope = Busy(app, most=2), {"type": "http", "method": "GET", "path": "/", "headers": []}
    running = [asyncio.ensure_future(busy(scope, None, send)) for _ in range(2)]
    await asyncio.sleep(0)
    await busy(scope, None, send)
    assert statuses == [503]
    goes.set()
    await asyncio.gather(*running)
    await busy(scope, None, send)
    assert statuses == [503]
