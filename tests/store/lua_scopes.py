"""What a Lua program uses without defining it, defines without using it, or spells where a name should stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_lua
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_lua.language()))
#: What the server gives to a script; reading any other global ends it with an error. ``os`` holds ``clock`` alone.
GLOBALS = frozenset(
    {"ARGV", "KEYS", "cjson", "error", "ipairs", "math", "next", "os", "pairs", "pcall", "redis", "select", "string"}
    | {"table", "tonumber", "tostring", "type", "unpack"}
)
#: Commands on a hash -> which of the arguments behind its key are fields.
_HASH = {
    "HGET": slice(1), "HEXISTS": slice(1), "HSETNX": slice(1), "HINCRBY": slice(1), "HMGET": slice(None),
    "HDEL": slice(None), "HSET": slice(None, None, 2),
}  # fmt: skip


@dataclass(slots=True)
class Scopes:
    """One walk over a program."""

    #: Each scope's names, and whether they were read; the innermost last.
    open: list[dict[str, bool]] = field(default_factory=lambda: [{}])
    undefined: set[str] = field(default_factory=set)
    unused: set[str] = field(default_factory=set)

    def define(self, name: str) -> None:
        """Make a name local here; one that hides another of its scope says of that whether it was used."""
        if self.open[-1].get(name) is False:
            self._forgotten(name)
        self.open[-1][name] = False

    def use(self, name: str) -> None:
        """Read a name."""
        for scope in reversed(self.open):
            if name in scope:
                scope[name] = True
                return
        if name not in GLOBALS:
            self.undefined.add(name)

    def leave(self) -> None:
        """End the innermost scope."""
        for name, used in self.open.pop().items():
            if not used:
                self._forgotten(name)

    def _forgotten(self, name: str) -> None:
        if not name.startswith("_"):
            self.unused.add(name)


def check(source: str) -> Scopes:
    """The undefined and the unused names of a program; ValueError when it is none."""
    root = _PARSER.parse(source.encode()).root_node
    if root.has_error:
        raise ValueError("this is no Lua")
    scopes = Scopes()
    _walk(root, scopes)
    scopes.leave()
    return scopes


def spelled_fields(source: str, keys: tuple[str, ...]) -> list[str]:
    """Literals where commands on a hash whose key begins with one of *keys* name its fields."""
    found = []
    for call in _calls(_PARSER.parse(source.encode()).root_node):
        command, *rest = [_text(one) for one in _field(call, "arguments").named_children] or [""]
        if rest and rest[0].startswith(keys) and command.strip("'") in _HASH:
            found += [word for word in rest[1:][_HASH[command.strip("'")]] if word.startswith("'")]
    return found


def _calls(node: Node) -> Iterator[Node]:
    if node.type == "function_call" and _text(_field(node, "name")) == "call":
        yield node
    for child in node.named_children:
        yield from _calls(child)


def _field(node: Node, name: str) -> Node:
    child = node.child_by_field_name(name)
    assert child is not None
    return child


def _walk(node: Node, scopes: Scopes) -> None:
    match node.type:
        case "variable_declaration":
            _declare(node, scopes)
        case "function_declaration" | "function_definition":
            _function(node, scopes)
        case "for_statement":
            _loop(node, scopes)
        case "assignment_statement":
            _assign(node, scopes)
        case "repeat_statement":  # its condition knows the names of its body
            scopes.open.append({})
            for child in node.named_children:
                for inner in child.named_children if child.type == "block" else [child]:
                    _walk(inner, scopes)
            scopes.leave()
        case "block":
            scopes.open.append({})
            _walk_all(node, scopes)
            scopes.leave()
        case "identifier":
            scopes.use(_text(node))
        case "dot_index_expression" | "method_index_expression":
            _walk_field(node, "table", scopes)
        case "field":
            if node.child_by_field_name("name") and node.children[0].type == "[":
                _walk_field(node, "name", scopes)
            _walk_field(node, "value", scopes)
        case _:
            _walk_all(node, scopes)


def _walk_all(node: Node, scopes: Scopes) -> None:
    for child in node.named_children:
        _walk(child, scopes)


def _walk_field(node: Node, name: str, scopes: Scopes) -> None:
    child = node.child_by_field_name(name)
    if child is not None:
        _walk(child, scopes)


def _declare(node: Node, scopes: Scopes) -> None:
    made = node.named_children[0]
    parts = made.named_children if made.type == "assignment_statement" else [made]
    for part in parts:
        if part.type == "expression_list":
            _walk_all(part, scopes)
    for part in parts:
        if part.type == "variable_list":
            for name in part.named_children:
                scopes.define(_text(name))


def _assign(node: Node, scopes: Scopes) -> None:
    for part in node.named_children:
        for one in part.named_children:
            if part.type == "variable_list" and one.type == "identifier":
                _written(_text(one), scopes)
            else:
                _walk(one, scopes)


def _written(name: str, scopes: Scopes) -> None:
    """A write alone is no use, but a name that nobody made is a global."""
    if not any(name in scope for scope in scopes.open):
        scopes.undefined.add(name)


def _function(node: Node, scopes: Scopes) -> None:
    name = node.child_by_field_name("name")
    if name is not None and _text(node).startswith("local"):
        scopes.define(_text(name))
    elif name is not None:
        _written(_text(name), scopes)
    scopes.open.append({})
    for parameters in node.named_children:
        if parameters.type == "parameters":
            for parameter in parameters.named_children:
                if parameter.type == "identifier":
                    scopes.define(_text(parameter))
    _walk_field(node, "body", scopes)
    scopes.leave()


def _loop(node: Node, scopes: Scopes) -> None:
    clause = node.child_by_field_name("clause")
    assert clause is not None
    names, *values = clause.named_children  # of a counting loop one name, else a list of them
    for value in values:
        _walk(value, scopes)
    scopes.open.append({})
    for name in names.named_children if names.type == "variable_list" else [names]:
        scopes.define(_text(name))
    _walk_field(node, "body", scopes)
    scopes.leave()


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()
