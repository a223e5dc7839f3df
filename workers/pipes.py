"""Descriptors behind the standard streams of agents: what is written past Python, by C code or a subprocess, is heard.

A pipe belongs to one execution at a time and is never closed: whoever remembers its number, as faulthandler does,
writes to a pipe of the next one at worst, and never into somebody's file. There are as many as executions ran at once
that asked for one. What a process that crashes wrote at last is lost with its reader.
"""

from __future__ import annotations

import codecs
import os
import select
import threading
from collections.abc import Callable

from taskengine.store.forks import PerProcess

_CHUNK = 65536
#: Chunks read at the end of an execution: a process that it left behind may write for ever.
_MOST = 64

Hear = Callable[[str], None]


class Pipe:
    """One pipe and the thread that reads it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._reads, self.writes = os.pipe()
        os.set_blocking(self._reads, False)
        self._reading = threading.Lock()
        self._decode = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode
        self._hear: Hear = _ignore
        threading.Thread(target=self._read_forever, name=f"taskengine-{name}", daemon=True).start()

    def begin(self, hear: Hear) -> None:
        """Tell *hear* what is written from now on."""
        with self._reading:
            self._hear = hear

    def end(self) -> None:
        """Tell what is written and not told, and nothing more."""
        with self._reading:
            self._read()
            self._hear = _ignore

    def _read_forever(self) -> None:
        while True:
            select.select([self._reads], [], [])
            with self._reading:
                self._read()

    def _read(self) -> None:
        for _ in range(_MOST):
            try:
                data = os.read(self._reads, _CHUNK)
            except BlockingIOError:
                return
            if text := self._decode(data):
                self._hear(text)


class _Free:
    """The pipes of one process that no execution has."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pipes: list[Pipe] = []


_free = PerProcess(_Free)


def take(name: str, hear: Hear) -> Pipe:
    """Return a pipe of one's own for the stream *name*; give it back."""
    free = _free.get()
    with free.lock:
        pipe = next((one for one in free.pipes if one.name == name), None)
        if pipe is None:
            pipe = Pipe(name)
        else:
            free.pipes.remove(pipe)
    pipe.begin(hear)
    return pipe


def give_back(pipe: Pipe) -> None:
    """Hear the last of it, and leave it to others."""
    pipe.end()
    free = _free.get()
    with free.lock:
        free.pipes.append(pipe)


def _ignore(text: str) -> None:
    """Nobody runs who could have said it."""
