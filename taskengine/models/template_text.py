"""A text in which ``${…}`` stands for a value: where its expressions begin and end.

``$${`` is a literal ``${``. An expression ends at the brace that closes it; braces inside its own texts, comments and
objects do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

#: What no brace, name or dot of an expression may be looked for in: texts (raw ones know no escape) and comments.
OPAQUE = re.compile(
    r"""(?:[rR][bB]?|[bB][rR])(?:'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|"[^"\n]*")"""
    r"""|[bB]?(?:'''(?:\\.|.)*?'''|\"\"\"(?:\\.|.)*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
    r"""|//[^\n]*""",
    re.DOTALL,
)
_INSIDE = re.compile(rf"(?P<opaque>{OPAQUE.pattern})|(?P<brace>[{{}}])|[A-Za-z0-9_]+|.", re.DOTALL)
_MARK = re.compile(r"\$(\$?)\{")


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between the braces of ``${…}``."""

    source: str
    #: Whether its closing brace was found; else the source is the rest of the text.
    is_closed: bool = True


def is_template(text: str) -> bool:
    """Return whether a text is more than itself: it holds ``${``, or ``$${`` which stands for that."""
    return "${" in text


def pieces(text: str) -> Iterator[str | Expression]:
    """Literal texts and expressions, in their order; neighbours may both be texts."""
    at = 0
    while mark := _MARK.search(text, at):
        if mark[1]:
            yield text[at : mark.start()] + "${"
            at = mark.end()
            continue
        if mark.start() > at:
            yield text[at : mark.start()]
        end = _closing(text, mark.end())
        yield Expression(text[mark.end() : end].strip(), is_closed=end is not None)
        at = len(text) if end is None else end + 1
    if at < len(text):
        yield text[at:]


def expressions(text: str) -> tuple[Expression, ...]:
    """Return the expressions of a text; none when it is no template."""
    if not is_template(text):
        return ()
    return _known_expressions(text) if len(text) <= _SHORT else _expressions(text)


#: Characters of a text of which it stays known where its expressions are; each is asked several times.
_SHORT = 1024


def _expressions(text: str) -> tuple[Expression, ...]:
    return tuple(piece for piece in pieces(text) if isinstance(piece, Expression))


_known_expressions = lru_cache(maxsize=4096)(_expressions)


def unwrapped(text: str) -> str:
    """Return a whole expression without the ``${`` and ``}`` around it, where they are."""
    found = list(pieces(text)) if text.startswith("${") else []
    return found[0].source if len(found) == 1 and isinstance(found[0], Expression) and found[0].is_closed else text


def _closing(text: str, at: int) -> int | None:
    """Return where the brace is that closes the one before *at*; None if none does."""
    depth = 1
    for token in _INSIDE.finditer(text, at):
        if token["brace"]:
            depth += 1 if token["brace"] == "{" else -1
            if depth == 0:
                return token.start()
    return None
