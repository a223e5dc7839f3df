"""What one module's own text says: lines, functions, classes, complexity, imports.

**Lines.** Each line is counted once. *Code*: anything but white space, comments and docstrings stands or
continues on it. Else *comment*: a comment or a docstring covers it, also a docstring's empty lines. Else
*blank*. A line ends at a line feed. Text that does not parse is counted by each line's first character alone.

**Functions** are ``def`` and ``async def`` at any depth, methods included; a lambda belongs to what surrounds
it.

**Cyclomatic complexity** (McCabe) of a function is 1 plus its decisions: each ``if``, ``elif``, ``for``,
``while``, ``except`` and conditional expression counts 1, each ``case`` that can fail to match 1 (not ``case
_`` or ``case name`` without guard), each ``and``/``or`` chain its operators, each ``for`` and each ``if`` of
a comprehension 1. ``else``, ``finally``, ``with`` and ``assert`` count nothing. A function nested in another
counts for itself only; decorators, defaults and annotations count where the ``def`` stands. What stands in no
function is the module's *body*, 1 plus its decisions. The total is the body and all functions.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import asdict, dataclass, field
from operator import itemgetter
from typing import Any

from taskengine.demo.imports import named
from taskengine.demo.text import Source

#: Tokens that make no line a line of code.
_SILENT = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)

_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
#: How many decisions a node is, by its type.
_DECISIONS: dict[type[ast.AST], Callable[[Any], int]] = {
    **dict.fromkeys((ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler), lambda _: 1),
    ast.BoolOp: lambda node: len(node.values) - 1,
    ast.comprehension: lambda node: 1 + len(node.ifs),
    ast.match_case: lambda node: 0 if _always_matches(node) else 1,
}


def measure(source: Source) -> dict[str, Any]:
    """Return the findings as a JSON object.

    ``{"lines": {total, code, comment, blank}, "functions": [{name, line, complexity}], "classes": n,
    "complexity": {total, body, worst}, "imports": [names as written], "problem": reason or None}``. Functions
    stand in the order of the text and are named like ``__qualname__``; *worst* is the first of the most
    complex ones, None without functions. Without a syntax tree there are lines alone, and the total is 0.
    """
    if source.tree is None:
        return _findings(count_lines(source.text), [], 0, [], source.problem)
    outline = _outline(source.tree)
    return _findings(
        count_lines(source.text, outline.documented),
        outline.scopes,
        outline.classes,
        sorted({"." * each.level + each.module for each in named(source.tree)}),
        source.problem,
    )


def _findings(
    lines: dict[str, int], scopes: list[_Scope], classes: int, imports: list[str], problem: str | None
) -> dict[str, Any]:
    functions = [asdict(scope) for scope in scopes[1:]]
    return {
        "lines": lines,
        "functions": functions,
        "classes": classes,
        "complexity": {
            "total": sum(scope.complexity for scope in scopes),
            "body": scopes[0].complexity if scopes else 0,
            "worst": max(functions, key=itemgetter("complexity"), default=None),
        },
        "imports": imports,
        "problem": problem,
    }


def count_lines(text: str, documented: Container[int] | None = None) -> dict[str, int]:
    """Lines by kind; code, comment and blank add up to the total.

    *documented* are the numbers of the lines that docstrings lie on; None if the text does not parse.
    """
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    code = set() if documented is None else _code_lines(text, documented)
    kinds = Counter(
        "code" if n in code else "comment" if n in (documented or ()) else _kind(line)
        for n, line in enumerate(lines, 1)
    )
    return {"total": len(lines), "code": kinds["code"], "comment": kinds["comment"], "blank": kinds["blank"]}


def _kind(line: str) -> str:
    """Return what a line is by its first character, right unless a string goes over several lines."""
    start = line.lstrip()[:1]
    return "comment" if start == "#" else "code" if start else "blank"


def _code_lines(text: str, documented: Container[int]) -> set[int]:
    """Numbers of the lines that a token of code lies on."""
    code: set[int] = set()
    try:
        for kind, _, (first, _), (last, _), _ in tokenize.generate_tokens(io.StringIO(text).readline):
            if kind not in _SILENT and not (kind == tokenize.STRING and first in documented):
                code.update(range(first, last + 1))
    except (tokenize.TokenError, SyntaxError):
        pass  # the tokenizer is a little stricter than the parser; what is left counts by first characters
    return code


@dataclass(slots=True)
class _Scope:
    """A function, or the module's body, whose name is empty."""

    name: str
    line: int
    complexity: int = 1


@dataclass(slots=True)
class _Outline:
    """What one walk over a syntax tree finds."""

    #: The module's body, then every function in the order of the text.
    scopes: list[_Scope]
    classes: int = 0
    #: Numbers of the lines that docstrings lie on.
    documented: set[int] = field(default_factory=set)


def _outline(tree: ast.Module) -> _Outline:
    found = _Outline([_Scope("", 0)])
    ahead: list[tuple[ast.AST, _Scope, str]] = [(tree, found.scopes[0], "")]
    while ahead:
        node, scope, prefix = ahead.pop()
        count = _DECISIONS.get(type(node))
        if count is not None:
            scope.complexity += count(node)
        elif isinstance(node, _Documented):
            found.documented.update(_docstring_lines(node))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                own = _Scope(prefix + node.name, node.lineno)
                found.scopes.append(own)
                ahead += [(child, scope, prefix) for child in _around(node)]
                ahead += [(child, own, f"{own.name}.<locals>.") for child in node.body]
                continue
            if isinstance(node, ast.ClassDef):
                found.classes += 1
                prefix = f"{prefix}{node.name}."
        ahead += [(child, scope, prefix) for child in ast.iter_child_nodes(node)]
    found.scopes.sort(key=lambda scope: scope.line)
    return found


def _docstring_lines(node: _Documented) -> range:
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str()) as text), *_]:
            return range(text.lineno, (text.end_lineno or text.lineno) + 1)
    return range(0)


def _around(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Yield the parts of a function that run, or are read, where it is defined."""
    body = set(map(id, function.body))
    return (child for child in ast.iter_child_nodes(function) if id(child) not in body)


def _always_matches(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
