"""Messages in quarantine: listed, shown safely, dropped."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import InvalidInputError, NotFoundError
from taskengine.transport.quarantine import put_aside

from ..store.world import World


def put(world: World, *raw: bytes, queue: str = "lint") -> None:
    for each in raw:
        put_aside(world.raw.connection_pool, world.keys.fixed("quarantine"), queue, each, f"not JSON: {each[:5]!r}")


def test_messages_are_listed_newest_first_with_reason_queue_size_and_time(api: Any, world: World) -> None:
    put(world, b"one", b"\xff\x1b[2Jtwo")
    two, one = api.list_quarantined()
    assert (one.queue, one.reason, one.size, one.raw) == ("lint", "not JSON: b'one'", 3, b"one")
    assert (two.raw, two.view()) == (b"\xff\x1b[2Jtwo", r"\xff\x1b[2Jtwo")
    assert two.at >= one.at
    assert api.get_quarantined(one.id) == one
    assert type(one).model_validate_json(two.model_dump_json()) == two


def test_a_long_message_is_cut_and_says_its_size(api: Any, world: World) -> None:
    put(world, b"x" * 100_000)
    (message,) = api.list_quarantined()
    assert (len(message.raw), message.size) == (64 * 1024, 100_000)
    assert message.view(10) == "x" * 10 + "… (100000 bytes)"


def test_pages_hold_their_place_while_new_messages_come(api: Any, world: World) -> None:
    put(world, *(b"%d" % n for n in range(40)))
    seen = page = api.list_quarantined(limit=17)
    while page.cursor is not None:
        put(world, b"new")
        page = api.list_quarantined(limit=17, cursor=page.cursor)
        seen = seen + page
    assert [one.raw for one in seen] == [b"%d" % n for n in reversed(range(40))]


def test_pages_do_not_end_early_when_older_messages_are_dropped_between_them(api: Any, world: World) -> None:
    put(world, *(b"%d" % n for n in range(40)))
    page = api.list_quarantined(limit=5)
    api.drop_quarantined([one.id for one in api.list_quarantined(limit=40)[10:]])
    rest = api.list_quarantined(limit=40, cursor=page.cursor)
    assert {one.raw for one in [*page, *rest]} == {b"%d" % n for n in range(30, 40)}


def test_drop_removes_what_is_named(api: Any, world: World) -> None:
    put(world, *(b"%d" % n for n in range(40)))
    page = api.list_quarantined(limit=40)
    assert api.drop_quarantined([page[1].id, page[38].id]) == 2
    left = api.list_quarantined(limit=40)
    assert [one.raw for one in left] == [b"%d" % n for n in reversed(range(40)) if n not in (1, 38)]
    with pytest.raises(NotFoundError, match="quarantined message"):
        api.drop_quarantined([left[0].id, page[1].id])
    assert len(api.list_quarantined(limit=40)) == 38
    assert api.drop_quarantined(everything=True) == 38
    assert api.list_quarantined() == []


@pytest.mark.parametrize(
    "wrong", [{}, {"message_ids": "a", "everything": True}, {"message_ids": [""]}, {"message_ids": 5}]
)
def test_what_is_not_said_is_not_dropped(api: Any, world: World, wrong: Any) -> None:
    put(world, b"one")
    with pytest.raises(InvalidInputError):
        api.drop_quarantined(**wrong)
    assert len(api.list_quarantined()) == 1
