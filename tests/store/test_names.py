"""The border between Python and Lua is named: arguments, fields and answers, on both sides from one header."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import taskengine.store
from taskengine.settings import Settings
from taskengine.store import fields
from taskengine.store.header import parse, records
from taskengine.store.resolve import UnknownNameError, arguments, records_and_fields
from taskengine.store.scripts import Scripts, names, signature
from taskengine.store.verb import Verb

from ..cases import each
from .lua_scopes import check, spelled_fields

ROOM = Path(taskengine.store.__file__).parent
LUA = ROOM / "lua"
HEAD = "-- Ends executions.\n-- args: node, outcomes{task, token}..., envelope\n"


def resolved(code: str, header: str = HEAD, parts: str = "") -> str:
    return arguments(code, parse(header, parts))


def test_an_argument_is_read_by_its_name() -> None:
    assert resolved("f(A.node, A.envelope)") == "f(ARGV[1], ARGV[#ARGV])"


def test_rows_of_a_list_are_walked_by_its_ends_and_read_by_their_fields() -> None:
    loop = resolved("for at = A.outcomes.first, A.outcomes.last, A.outcomes.width do f(A.outcomes[at].token) end")
    assert loop == "for at = 2, #ARGV - 1, 2 do f(ARGV[at + 1]) end"
    assert resolved("A.outcomes.count") == "(#ARGV - 2) / 2"


def test_a_list_of_words_may_be_all_there_is() -> None:
    assert resolved("ipairs(A.ids) A.ids[i] A.ids.last", "-- args: ids...\n") == "ipairs(ARGV) ARGV[i] #ARGV"
    assert resolved("A.ids[A.ids.first]", "-- args: batch, ids...\n") == "ARGV[2]"


def test_a_row_that_a_part_declares_is_spelled_once() -> None:
    part = "-- row staged: id, name\n-- row staged: doc\n"
    header = "-- args: run, tasks{staged}...\n"
    assert resolved("A.staged[at]", header, part) == "{id = ARGV[at], name = ARGV[at + 1], doc = ARGV[at + 2]}"
    assert resolved("A.tasks.width", header, part) == "3"


@each("code", ["A.nod", "A.outcomes", "A.outcomes[at].tokn", "A.node.first", "A.staged[1]"])
def test_an_argument_that_no_header_names_does_not_load(code: str) -> None:
    with pytest.raises(UnknownNameError):
        resolved(code)


def test_a_row_may_be_one_of_the_arguments() -> None:
    header = "-- args: run, task{id, name}, last\n"
    assert resolved("A.task.first A.task[at].name A.last", header) == "2 ARGV[at + 1] ARGV[4]"


def test_nothing_stands_behind_a_list() -> None:
    with pytest.raises(ValueError, match="node stands behind the list ids"):
        parse("-- args: ids..., node\n", "")


def test_fields_are_spelled_by_their_names() -> None:
    text = "-- Reads.\n-- fields: waiting, exec.deadline\n-- It may start.\ncall(F.waiting, F.exec.deadline)\n"
    assert records_and_fields("x", text).splitlines()[-1] == "call('w', 'dl')"


@each(
    ("header", "code"),
    [("waitin", "F.waitin"), ("exec.waiting", "F.exec.waiting"), ("status", "F.waiting"), ("", "F.waiting"),
     ("waiting, status", "F.waiting"), ("tasks.waiting", "F.tasks.waiting")],
)  # fmt: skip
def test_a_field_that_no_table_or_no_header_knows_does_not_load(header: str, code: str) -> None:
    with pytest.raises(UnknownNameError):
        records_and_fields("x", f"-- Reads.\n-- fields: {header}\ncall({code})\n")


def test_an_answer_stands_in_the_order_of_its_header() -> None:
    text = "-- Reads.\n-- reply held: id, pid, inner\n-- reply one: a\n"
    code = "f(R.held{pid = {1, 2}, inner = R.one{a = 'x,}'},\n  id = g(h, i)})"
    assert records_and_fields("x", text + code + "\n").splitlines()[-1] == "f({g(h, i), {1, 2}, {'x,}'}})"


@each("code", ["R.held{id = 1}", "R.held{id = 1, pid = 2, x = 3}", "R.held{1, 2}", "R.gone{id = 1}"])
def test_an_answer_of_other_fields_does_not_load(code: str) -> None:
    with pytest.raises(UnknownNameError):
        records_and_fields("x", f"-- Reads.\n-- reply held: id, pid\n{code}\n")


def test_a_call_takes_its_arguments_by_name_in_any_order() -> None:
    stage = Verb("hand_back", list)
    call = stage(executions=[{"token": 2, "execution": "b"}, {"execution": "c", "token": 3}], why="w")
    assert (call.name, call.args, call.grants) == ("hand_back", ("w", "b", 2, "c", 3), True)


@each(
    "named",
    [{"node": "n"}, {"node": "n", "why": "w", "x": 1}, {"node": "n", "whi": "w"}, {}],
)
def test_a_call_with_other_names_is_refused(named: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="script drain takes node, why; given"):
        Verb("drain", list)(**named)


def test_a_row_with_other_names_is_refused() -> None:
    for row in ({"execution": "b"}, {"execution": "b", "token": 1, "x": 2}):
        with pytest.raises(TypeError, match="a row of executions has execution, token"):
            Verb("hand_back", list)(why="w", executions=[row])


def test_an_answer_is_read_as_its_header_says() -> None:
    class Held(NamedTuple):
        execution_id: str
        pid: int

    with pytest.raises(TypeError, match="reply held of script heartbeat has execution_id, message"):
        Verb("heartbeat", list, held=Held)(node="n")


def stubs() -> list[Verb[Any]]:
    """Every script as a module of the store calls it."""
    modules = [__import__(f"taskengine.store.{path.stem}", fromlist=["x"]) for path in ROOM.glob("[a-z]*.py")]
    return [stub for module in modules for stub in vars(module).values() if isinstance(stub, Verb)]


@each("name", names())
def test_every_answer_of_more_than_four_fields_is_named_on_both_sides(name: str) -> None:
    text = (LUA / f"{name}.lua").read_text(encoding="utf-8")
    unnamed = re.findall(r"\{([^{}]*)\}", "".join(re.findall(r"^-- returns:(.*)$", text, re.MULTILINE)))
    assert all(re.sub(r",[^,]*\.\.\.", "", group).count(",") < 4 for group in unnamed)
    read = [stub for stub in stubs() if stub.name == name]
    assert read
    own = records(text, "reply")
    assert all(own.keys() <= stub._records.keys() for stub in read), "each is read by its names"


@each("path", sorted(LUA.rglob("*.lua")))
def test_no_field_is_spelled_by_its_letters(path: Path) -> None:
    """Where a command names the key of a record, what follows are names."""
    keys = tuple(f"key('{kind}'" for kind in fields.FIELDS)
    assert spelled_fields(path.read_text(encoding="utf-8"), (*keys, "K.leader")) == []
    assert spelled_fields("call('HSET', key('task', id), F.status, 'x', 'w', 1)", keys) == ["'w'"]


def test_python_reads_stored_fields_by_their_names() -> None:
    """``fields["st"]`` stands nowhere: a subscript, ``get`` or ``in`` of a stored record takes a name."""
    found = []
    for path in (*ROOM.glob("*.py"),):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            key = _key_of(node)
            if key in fields.TASK_FIELDS.values() or key in fields.FIELDS["exec"].values():
                found.append(f"{path.name}:{node.lineno}: {key}")  # type: ignore[attr-defined]  # an expression
    assert found == []


def _key_of(node: ast.AST) -> str:
    """The literal by which an expression looks into a mapping called ``fields``, or ''."""
    match node:
        case ast.Subscript(value=mapping, slice=ast.Constant(value=str(key))):
            pass
        case ast.Call(func=ast.Attribute(value=mapping, attr="get"), args=[ast.Constant(value=str(key)), *_]):
            pass
        case ast.Compare(left=ast.Constant(value=str(key)), comparators=[mapping]):
            pass
        case _:
            return ""
    return key if re.search(r"(^|\.)fields$", ast.unparse(mapping)) else ""


@pytest.fixture(scope="module")
def linked() -> Scripts:
    return Scripts(Settings(namespace="te"))


@each("name", names())
def test_a_linked_script_defines_what_it_uses_and_uses_what_it_defines(linked: Scripts, name: str) -> None:
    found = check(linked[name].source)
    assert found.undefined == set(), "the server would end the script"
    assert found.unused == set()


@each(
    ("source", "undefined", "unused"),
    [
        ("local a = b\nreturn a", {"b"}, set()),
        ("local a, b = 1, 2\nreturn b", set(), {"a"}),
        ("local function f(x)\n  return 1\nend\nreturn f(2)", set(), {"x"}),
        ("for _, v in ipairs(ARGV) do v = 1 end", set(), {"v"}),
        ("local t = {}\nt.x = 1\nx = 2", {"x"}, set()),
        ("local x\nif ARGV[1] then local x = 2 end\nreturn x", set(), {"x"}),
        ("local t = {a = 1, [k] = 2}\nreturn t.a.b", {"k"}, set()),
        ("local n = 1\nlocal function f(...) return n, ... end\nreturn f(1)", set(), set()),
        ("repeat local d = ARGV[1] until d", set(), set()),
    ],
)
def test_the_check_can_fail(source: str, undefined: set[str], unused: set[str]) -> None:
    found = check(source)
    assert (found.undefined, found.unused) == (undefined, unused)


def test_every_script_has_a_stub_that_names_its_arguments() -> None:
    assert {stub.name for stub in stubs()} == set(names())
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Call" and path.name not in {"verb.py"}:
                assert ast.unparse(node.args[0]).strip("'\"") not in names(), f"{path.name}:{node.lineno}"
    assert all(signature(name).args is not None for name in names())
