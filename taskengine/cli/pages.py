"""Pages of lists, filled: a page is short where its search took long, and a person wants as many as were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T", covariant=True)


class Page(Protocol[T]):
    """A list with a cursor, as every listing answers."""

    @property
    def cursor(self) -> str | None:
        """Where the next page begins."""

    def __iter__(self) -> Iterator[T]:
        """Give what is on it."""


def filled(
    ask: Callable[[int, str | None], Page[T]], limit: int, cursor: str | None = None
) -> tuple[list[T], str | None]:
    """Return *limit* items from *cursor* on, or as many as there are, and the cursor behind them.

    *ask* is told how many still lack, and where to go on.
    """
    found: list[T] = []
    while True:
        page = ask(limit - len(found), cursor)
        found += page
        cursor = page.cursor
        if cursor is None or len(found) >= limit:
            return found, cursor
