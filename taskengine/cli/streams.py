"""Standard streams that take whatever a command says, however it was started: closed, full, cut off, or ASCII alone."""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper


def repair() -> None:
    """Let the streams take every text. Safe to repeat.

    One that was closed goes nowhere: its number would be the next file's or socket's, which then got what is printed.
    One that knows few letters gets the others spelled out.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            stream = _nowhere(number, "w" if number else "r")
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        if number and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere(number: int, mode: str) -> TextIOWrapper:
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
        os.set_inheritable(opened, True)
    made = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # as long as the process lives
    assert isinstance(made, TextIOWrapper)
    return made


def finish() -> str | None:
    """Write what is left; what kept standard output from taking it, or None. Whoever stopped reading needs no word."""
    try:
        sys.stdout.flush()
    except OSError as exc:
        give_up()
        return None if exc.errno == errno.EPIPE else f"standard output takes no more: {exc.strerror}"
    return None


def give_up() -> None:
    """Let standard output go nowhere: Python would try again at its end, and say so."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
