"""What a forked child must not share with its parent, made once for each process.

A child inherits every open socket and every lock. Two processes that read from one socket get each other's answers,
and a lock that another thread held at the moment of the fork is never released in the child, where that thread does
not exist. So whoever holds a connection or a lock keeps it in a :class:`PerProcess` and asks it again for every use.

The process is asked, which costs 50 ns, and no ``os.register_at_fork``: servers written in C fork without telling
Python.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """One thing for each process, made by *make* when it is first asked for; any thread may ask.

    What the parent made stays with the child, out of use. Dropping it would be no kindness: the finalizers of clients
    take locks, and that of an async one takes the parent's socket out of the epoll set that both processes share.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}

    def get(self) -> T:
        """This process's own. *make* must not connect yet: of two threads that are first, one makes it in vain."""
        pid = os.getpid()
        made = self._made.get(pid)
        return self._made.setdefault(pid, self._make()) if made is None else made

    @property
    def made(self) -> T | None:
        """This process's own, None when nobody here asked for it."""
        return self._made.get(os.getpid())
