"""Short pages: a person who asked for so many gets them, whatever the search needed."""

from __future__ import annotations

from taskengine.cli.pages import filled
from taskengine.models import RunPage


def test_short_pages_are_followed_until_there_are_as_many_as_asked_for() -> None:
    pages = {None: ([1, 2], "a"), "a": ([], "b"), "b": ([3], "c"), "c": ([4, 5], None)}
    asked: list[tuple[int, str | None]] = []

    def ask(most: int, cursor: str | None) -> RunPage:
        asked.append((most, cursor))
        found, after = pages[cursor]
        return RunPage(found[:most], after)  # type: ignore[arg-type]  # numbers for runs

    assert filled(ask, 3) == ([1, 2, 3], "c")
    assert asked == [(3, None), (1, "a"), (1, "b")]
    assert filled(ask, 10) == ([1, 2, 3, 4, 5], None)
    assert filled(ask, 1, "a") == ([3], "c")
