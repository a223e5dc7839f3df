"""Names of arguments, fields and answers in a linked script, turned into the places and letters that the server sees.

- ``A.token`` is ``ARGV[2]``. Of a list ``A.ids.first`` and ``A.ids.last`` are the places of its ends; of rows
  ``A.rows.width`` is how many words one has, and ``A.rows.count`` how many there are. At such a place ``A.ids[at]`` is
  the word and ``A.rows[at].token`` the field of the row. A list that is all there is of arguments is ``A.ids``, and
  ``A.staged[at]`` a table of a whole row that a part declares.
- ``F.waiting`` is ``'w'``, ``F.exec.deadline`` is ``'dl'`` (:mod:`taskengine.store.fields`).
- ``R.held{pid = pid, execution = id}`` is ``{id, pid}``: the record in the order of its ``-- reply held:`` line.

All is done when a script is loaded, so a name costs nothing, and one that nobody declares does not load.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from taskengine.store.fields import FIELDS, TASK_FIELDS
from taskengine.store.header import ENVELOPE, Signature, records, words

_FIELD = re.compile(r"(?<![\w.])F\.(\w+)(?:\.(\w+))?")
_END = re.compile(r"(?<![\w.])A\.(\w+)\.(first|last|width|count)\b")
_ARGUMENT = re.compile(r"(?<![\w.])A\.(\w+)(?:\[([^\]]+)\](?:\.(\w+))?)?")
_REPLY = re.compile(r"(?<![\w.])R\.(\w+) ?\{")
_PAIR = re.compile(r"\s*(\w+) = (.*?)\s*", re.DOTALL)
_CLOSES = {"(": ")", "[": "]", "{": "}"}


class UnknownNameError(Exception):
    """A script names something that no table and no header knows."""


def records_and_fields(place: str, text: str) -> str:
    """One script or part, at *place*, with its header and with literals for its records and fields.

    UnknownNameError when its ``-- fields:`` are not those that it names.
    """
    head = re.match(r"(?:--.*\n)*", text)
    assert head is not None
    code = text[head.end() :]
    _check_fields(place, words(text, "fields"), re.sub(r"--.*", "", code))
    code = _records(place, code, records(text, "reply"))
    return head[0] + _FIELD.sub(lambda found: f"'{_stored(found[1], found[2])}'", code)


def arguments(source: str, signature: Signature) -> str:
    """*source*, a linked script, with the places of its arguments for their names."""
    source = _END.sub(lambda found: _end(signature, found[1], found[2]), source)
    return _ARGUMENT.sub(lambda found: _argument(signature, *found.groups()), source)


def _check_fields(place: str, named: Sequence[str], code: str) -> None:
    used = {found[0].removeprefix("F.") for found in _FIELD.finditer(code)}
    if used != set(named):
        odd = ", ".join(sorted(used ^ set(named)))
        raise UnknownNameError(f"{place}: its header names these fields, or its lines do, but not both: {odd}")


def _stored(name: str, field: str | None) -> str:
    table = TASK_FIELDS if field is None else FIELDS.get(name, {})
    wanted = name if field is None else field
    if wanted not in table:
        raise UnknownNameError(f"no field F.{name}{'.' + field if field else ''} in store/fields.py")
    return table[wanted]


def _end(signature: Signature, name: str, end: str) -> str:
    """Return a place, or a number, of a list of arguments or of a row among them."""
    row = _row(signature, name)
    if end == "first" and (name == signature.tail or signature.args.get(name)):
        return str(_place(signature, name))
    if end == "last" and name == signature.tail:
        return "#ARGV - 1" if signature.grants else "#ARGV"
    if end == "count" and name == signature.tail and row:
        return f"(#ARGV - {_place(signature, name) - 1 + signature.grants}) / {len(row)}"
    if end == "width" and row:
        return str(len(row))
    raise UnknownNameError(f"no argument A.{name}.{end}")


def _argument(signature: Signature, name: str, at: str | None, field: str | None) -> str:
    row = _row(signature, name)
    match (at, field):
        case (None, None) if name == ENVELOPE and signature.grants:
            return "ARGV[#ARGV]"
        case (None, None) if name in signature.args and not row:
            return f"ARGV[{_place(signature, name)}]"
        case (None, None) if name == signature.tail and not signature.args and not signature.grants:
            return "ARGV"
        case (str(), None) if name == signature.tail and not row:
            return f"ARGV[{at}]"
        case (str(), None) if name in signature.rows:
            return "{" + ", ".join(f"{each} = {_word(at, row, each)}" for each in row) + "}"
        case (str(), str()) if field in row:
            return _word(at, row, field)
    raise UnknownNameError(f"no argument A.{name}{f'[{at}]' if at else ''}{f'.{field}' if field else ''}")


def _place(signature: Signature, name: str) -> int:
    """Return where an argument begins."""
    before = list(signature.args).index(name) if name in signature.args else len(signature.args)
    return 1 + sum(len(row) or 1 for row in list(signature.args.values())[:before])


def _row(signature: Signature, name: str) -> Sequence[str]:
    if name == signature.tail:
        return signature.row
    return signature.args.get(name) or signature.rows.get(name, ())


def _word(at: str, row: Sequence[str], field: str) -> str:
    place = row.index(field)
    return f"ARGV[{at} + {place}]" if place else f"ARGV[{at}]"


def _records(place: str, code: str, declared: Mapping[str, Sequence[str]]) -> str:
    while starts := list(_REPLY.finditer(code)):
        found = starts[-1]  # the innermost first
        if found[1] not in declared:
            raise UnknownNameError(f"{place}: no reply {found[1]!r} in its header")
        pieces, end = _pieces(code, found.end())
        code = f"{code[: found.start()]}{_ordered(found[1], pieces, declared[found[1]])}{code[end:]}"
    return code


def _ordered(name: str, pieces: Sequence[str], fields: Sequence[str]) -> str:
    pairs = [_PAIR.fullmatch(piece) for piece in pieces]
    given = {pair[1]: pair[2] for pair in pairs if pair}
    if len(given) != len(pieces) or given.keys() != set(fields):
        raise UnknownNameError(f"reply {name} has {', '.join(fields)}; given: {', '.join(given)}")
    return "{" + ", ".join(given[field] for field in fields) + "}"


def _pieces(source: str, at: int) -> tuple[list[str], int]:
    """Return what stands between the commas of a table that begins at *at*, and where it ends."""
    pieces, begin, closing, quoted = list[str](), at, ["}"], False
    while closing:
        letter = source[at]
        quoted ^= letter == "'"
        if quoted:
            pass
        elif letter == "," and len(closing) == 1:
            pieces.append(source[begin:at])
            begin = at + 1
        elif letter in _CLOSES:
            closing.append(_CLOSES[letter])
        elif letter == closing[-1]:
            closing.pop()
        at += 1
    return [*pieces, source[begin : at - 1]], at
