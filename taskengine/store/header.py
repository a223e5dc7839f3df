"""What a script's header says, parsed: the one truth of its arguments, of the fields it names and of what it answers.

Lines of it are lists behind a word, and may be continued by a second line with the same word::

    -- args: node, slot, outcomes{task, token, disposition}..., envelope
    -- row staged: id, name, doc
    -- reply assignment: execution_id, task_id
    -- fields: status, exec.deadline

An argument with ``...`` is a list, of words or of rows with the fields between its braces; without, it is one such row.
One word between the braces names a row that a part declares. ``envelope`` is what the driver appends for scripts that
grant, and always the last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ARGUMENT = re.compile(r"(\w+)(?:\{([\w, ]+)\})?(\.\.\.)?")
#: What the driver appends.
ENVELOPE = "envelope"


@dataclass(frozen=True, slots=True)
class Signature:
    """A script's arguments in order, and the records that it answers with."""

    #: Arguments before the list, each with the fields of the row that it is; none where it is a word.
    args: Mapping[str, tuple[str, ...]]
    #: Name of the list behind them, or ''.
    tail: str
    #: Fields of a row of that list; none where it is of words.
    row: tuple[str, ...]
    #: Whether it may grant, so that the driver appends the envelope.
    grants: bool
    #: Rows by the name under which a part declares them.
    rows: Mapping[str, tuple[str, ...]]
    #: Records in its answer, by name: their fields in order.
    replies: Mapping[str, tuple[str, ...]]


def words(text: str, word: str) -> list[str]:
    """Return the comma separated words behind ``-- word:`` in a header, on as many lines as begin with it."""
    lines = re.findall(rf"^-- {word}: *(.*)$", text, re.MULTILINE)
    return [w.strip() for w in re.split(r",(?![^{]*\})", ",".join(lines)) if w.strip()]


def parse(verb: str, parts: str) -> Signature:
    """Return the header of *verb*; *parts* is the text of all parts that it uses."""
    rows, replies = (records(f"{verb}\n{parts}", word) for word in ("row", "reply"))
    args = words(verb, "args")
    grants = args[-1:] == [ENVELOPE]
    found: dict[str, tuple[str, ...]] = {}
    tail = ""
    for arg in args[:-1] if grants else args:
        name, row, is_list = _argument(arg, rows)
        if tail:
            raise ValueError(f"args: {name} stands behind the list {tail}")
        found[name] = row
        tail = name if is_list else ""
    row = found.pop(tail, ())
    return Signature(found, tail, row, grants, rows, replies)


def _argument(text: str, rows: Mapping[str, tuple[str, ...]]) -> tuple[str, tuple[str, ...], bool]:
    found = _ARGUMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"args: {text!r} is no name")
    row = tuple(name.strip() for name in (found[2] or "").split(",") if name.strip())
    return found[1], rows[row[0]] if len(row) == 1 else row, bool(found[3])


def records(text: str, word: str) -> dict[str, tuple[str, ...]]:
    """Return the fields of each record that *text* declares with ``-- word name:``, by its name."""
    names = re.findall(rf"^-- {word} (\w+):", text, re.MULTILINE)
    return {name: tuple(words(text, f"{word} {name}")) for name in names}
