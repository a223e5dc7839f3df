"""What the processes of a stack say, line by line and each with its name before it."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from taskengine.cli.child import Child
from taskengine.cli.output import clean, console, json_line, wants_json

_STYLES = ("cyan", "green", "magenta", "yellow", "blue")
#: Bytes after which a line is cut in two.
_LONGEST = 64 * 1024


class Lines:
    """Shows what *children* write into their pipes; :meth:`pump` must be called often."""

    def __init__(self, children: Iterable[Child], wakes: socket.socket) -> None:
        self._console: Console = console()
        self._selector = selectors.DefaultSelector()
        self._selector.register(wakes, selectors.EVENT_READ, None)
        self._wakes = wakes
        self._rest: dict[str, bytes] = {}
        self._styles: dict[str, str] = {}
        for child in children:
            self.follow(child)
        self._width = max(map(len, [*self._styles, "up"]))

    def follow(self, child: Child) -> None:
        """Show what this one says, too; in the colour of its name."""
        assert child.process.stdout is not None
        self._styles.setdefault(child.name, _STYLES[len(self._styles) % len(_STYLES)])
        self._rest[child.name] = b""
        self._selector.register(child.process.stdout.fileno(), selectors.EVENT_READ, child.name)

    def forget(self, child: Child) -> None:
        """Look no more at an ended one, before its pipe is closed."""
        assert child.process.stdout is not None
        with suppress(KeyError):  # its end was read already
            self._selector.unregister(child.process.stdout.fileno())

    def pump(self, seconds: float) -> None:
        """Show what came, waiting up to *seconds* for it or for a signal."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                self._wakes.recv(4096)
                continue
            got = os.read(key.fd, 65_536)
            if got:
                self._take(key.data, got)
            else:
                self._selector.unregister(key.fd)
                self._take(key.data, b"\n" if self._rest[key.data] else b"")

    def drain(self) -> None:
        """Show what ended processes left in their pipes."""
        while any(key.data is not None for key, _ in self._selector.select(0)):
            self.pump(0)

    def show(self, name: str, line: str, style: str | None = None) -> None:
        """One line of the process *name*."""
        if wants_json():
            json_line({"at": datetime.now(UTC).isoformat(), "process": name, "line": line})
            return
        prefix = (f"{name:<{self._width}} | ", style or self._styles.get(name, "bold"))
        self._console.print(Text.assemble(prefix, clean(line)), soft_wrap=True)

    def close(self) -> None:
        """Stop reading the pipes; what is still in them is dropped."""
        self._selector.close()

    def _take(self, name: str, got: bytes) -> None:
        *whole, rest = (self._rest[name] + got).split(b"\n")
        if len(rest) > _LONGEST:
            whole, rest = [*whole, rest], b""
        self._rest[name] = rest
        for line in whole:
            self.show(name, line.decode("utf-8", errors="replace").rstrip("\r"))
