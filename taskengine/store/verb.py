"""Scripts as Python calls them: by name, with names, in the order of the script's header.

The order is prepared once, at the first call: from then on a call costs a dict more than a tuple would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

from taskengine.store import scripts
from taskengine.store.call import Arg, Call

T = TypeVar("T")
U = TypeVar("U")
#: One row of a list of arguments, by the names of its fields.
Row: TypeAlias = Mapping[str, Arg]
_Getter: TypeAlias = Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Verb(Generic[T]):
    """A script and how its reply is read; called with its arguments by name it is a :class:`Call`."""

    __slots__ = (
        "_decode", "_head", "_is_long", "_prepared", "_records", "_row", "_rows", "_tail", "_width", "grants", "name",
    )  # fmt: skip

    def __init__(
        self, name: str, decode: Callable[[Any], T], *, is_long: bool = False, **records: type[tuple[Any, ...]]
    ) -> None:
        """*records*: the named tuples of which the reply is made, called as in the header's ``reply`` lines.

        *is_long*: as :attr:`taskengine.store.call.Call.is_long`.
        """
        self.name = name
        self._is_long = is_long
        self._decode = decode
        self._records = records
        self._prepared = False

    def __call__(self, **named: Arg | Iterable[Arg] | Iterable[Row]) -> Call[T]:
        """One trip; TypeError when the header names other arguments."""
        return Call(self.name, self._words(named), self._decode, False, self.grants, None, self._is_long)

    def read(self, decode: Callable[[Any], U], named: Mapping[str, Arg | Iterable[Arg] | Iterable[Row]]) -> Call[U]:
        """One trip whose reply is read by *decode*."""
        return Call(self.name, self._words(named), decode, False, self.grants, None, self._is_long)

    def _words(self, named: Mapping[str, Any]) -> tuple[Arg, ...]:
        """Return the arguments in the order of the header."""
        if not self._prepared:
            self._prepare()
        if len(named) != self._width:
            raise self._odd(named)
        try:
            head = self._head(named)
            if self._rows:
                pieces = zip(self._rows, head, strict=True)
                head = tuple(chain(*(row(word) if row else (word,) for row, word in pieces)))
            if not self._tail:
                return head
            if self._row is None:
                return (*head, *named[self._tail])
            words = list(head)
            for row in named[self._tail]:
                words += self._row(row)
            return tuple(words)
        except KeyError:
            raise self._odd(named) from None

    def _prepare(self) -> None:
        signature = scripts.signature(self.name)
        for name, record in self._records.items():
            _check(self.name, name, record, signature.replies.get(name, ()))
        self._head = _getter(tuple(signature.args))
        rows = signature.args.values()
        self._rows = [_row_getter(row) if row else None for row in rows] if any(rows) else []
        self._tail = signature.tail
        self._row = _row_getter(signature.row) if signature.row else None
        self._width = len(signature.args) + bool(signature.tail)
        self.grants = signature.grants
        self._prepared = True

    def _odd(self, named: Mapping[str, Any]) -> TypeError:
        signature = scripts.signature(self.name)
        wanted = ", ".join([*signature.args, signature.tail]).removesuffix(", ")
        rows = {**signature.args, signature.tail: signature.row}
        fields = "".join(f"; a row of {name} has {', '.join(row)}" for name, row in rows.items() if row)
        return TypeError(f"script {self.name} takes {wanted}{fields}; given: {', '.join(named)}")


def _check(verb: str, name: str, record: Any, fields: Sequence[str]) -> None:
    if record._fields != tuple(fields):
        given = ", ".join(record._fields)
        raise TypeError(f"reply {name} of script {verb} has {', '.join(fields) or 'no fields'}; read as: {given}")


def _row_getter(names: Sequence[str]) -> _Getter:
    """Return the fields of a row in this order; KeyError when one is missing, or one too many."""
    getter, width = _getter(names), len(names)

    def words(row: Mapping[str, Any]) -> tuple[Any, ...]:
        if len(row) != width:
            raise KeyError(row)
        return getter(row)

    return words


def _getter(names: Sequence[str]) -> _Getter:
    """Values by name, in this order; KeyError when one is missing."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)
