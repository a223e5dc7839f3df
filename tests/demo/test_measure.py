"""Lines, functions, classes and complexity, against numbers counted by hand and by ``ast``."""

from __future__ import annotations

import ast
import importlib.util
import os
import warnings
from pathlib import Path

import pytest

from taskengine.demo.measure import measure
from taskengine.demo.source import MAX_FILE_BYTES
from taskengine.demo.text import decode, parse, read

from ..cases import each

LINES = '''\
"""A docstring

with an empty line."""
import os  # code with a comment

# a comment
TEXT = """not
# a comment

but code"""
def f():
    """One line."""
    return (1 +

            # inside
            2)
class A: """beside code"""
'''


def test_each_line_is_counted_once():
    found = measure(parse(LINES))["lines"]
    # comment: 1-3, 6, 12 and 15; blank: 5 and 14
    assert found == {"total": 17, "code": 9, "comment": 6, "blank": 2}


@each(
    ("text", "total"), [("", 0), ("\n", 1), ("x", 1), ("x\n", 1), ("x\n\n", 2), ("x\f\n\f\ny", 3)]
)
def test_a_line_ends_at_a_line_feed(text, total):
    assert measure(parse(text))["lines"]["total"] == total


def test_all_line_ends_count_alike():
    unix = b"x = 1\n# c\n\ny = '''a\nb'''\n"
    for end in (b"\r\n", b"\r"):
        assert measure(decode(unix.replace(b"\n", end))) == measure(decode(unix))


@each(
    ("body", "complexity"),
    [
        ("pass", 1),
        ("if a: pass", 2),
        ("if a: pass\nelif b: pass\nelse: pass", 3),
        ("for a in b: pass\nelse: pass", 2),
        ("async for a in b: pass", 2),
        ("while a: pass", 2),
        ("try: pass\nexcept A: pass\nexcept B: pass\nelse: pass\nfinally: pass", 3),
        ("with a: assert b", 1),
        ("return a if b else c", 2),
        ("return a and b and c or d", 4),
        ("return [a for b in c for d in e if f if g]", 5),
        ("return {a: b for a, b in c}", 2),
        ("return lambda: a or b", 2),
        ("match a:\n  case 1: pass\n  case 2 | 3: pass\n  case _: pass", 3),
        ("match a:\n  case [b]: pass\n  case c: pass", 2),
        ("match a:\n  case b if b and c: pass", 3),
        ("def inner():\n  if a: pass", 1),
        ("class C:\n  x = a or b", 2),
        ("def inner(x=a or b): pass", 2),
    ],
)
def test_complexity_is_one_and_the_decisions(body, complexity):
    text = "async def f():\n" + "\n".join(f"  {line}" for line in body.split("\n"))
    assert measure(parse(text))["functions"][0] == {"name": "f", "line": 1, "complexity": complexity}


def test_functions_are_named_by_where_they_stand_and_the_body_counts_for_itself():
    text = (
        "if a or b: pass\n"
        "class A:\n"
        "  @d(x if y else z)\n"
        "  def m(self):\n"
        "    def inner():\n"
        "      while a: pass\n"
        "  class B:\n"
        "    def n(self): pass\n"
    )
    found = measure(parse(text))
    assert found["functions"] == [
        {"name": "A.m", "line": 4, "complexity": 1},
        {"name": "A.m.<locals>.inner", "line": 5, "complexity": 2},
        {"name": "A.B.n", "line": 8, "complexity": 1},
    ]
    assert found["classes"] == 2
    assert found["complexity"] == {
        "total": 8,
        "body": 4,
        "worst": {"name": "A.m.<locals>.inner", "line": 5, "complexity": 2},
    }


def test_imports_are_named_as_written():
    text = "import os.path\nfrom . import a\nfrom ..b import c\ndef f():\n  import os.path, json"
    assert measure(parse(text))["imports"] == [".", "..b", "json", "os.path"]


@pytest.mark.parametrize("module", ["argparse", "json.decoder", "asyncio.tasks"])
def test_findings_of_real_modules_agree_with_ast(module):
    text = Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    found = measure(parse(text))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert sorted((f["name"].split(".")[-1], f["line"]) for f in found["functions"]) == sorted(
        (node.name, node.lineno) for node in functions
    )
    assert found["classes"] == sum(isinstance(node, ast.ClassDef) for node in nodes)
    # Every decision belongs to one function or to the body, whatever is nested in what.
    decisions = (
        sum(
            isinstance(n, ast.If | ast.IfExp | ast.For | ast.AsyncFor | ast.While | ast.ExceptHandler)
            for n in nodes
        )
        + sum(len(n.values) - 1 for n in nodes if isinstance(n, ast.BoolOp))
        + sum(1 + len(n.ifs) for n in nodes if isinstance(n, ast.comprehension))
    )
    assert found["complexity"]["total"] == decisions + len(functions) + 1
    assert found["lines"]["total"] == text.count("\n")
    assert found["lines"]["blank"] <= sum(not line.strip() for line in text.splitlines())
    assert sum(found["lines"][kind] for kind in ("code", "comment", "blank")) == found["lines"]["total"]


@each(
    ("content", "problem", "lines"),
    [
        (b"def (:\n\n# c\n", "not parsed: line 1: invalid syntax", (3, 1, 1, 1)),
        (b"x\0y\n", "not parsed: ", (1, 1, 0, 0)),
        (b"\xff\n", "not text: invalid or missing encoding declaration", (0, 0, 0, 0)),
        (b"# coding: nonsense\n", "not text: unknown encoding: nonsense", (0, 0, 0, 0)),
        (b"# coding: rot13\n", "not text: ", (0, 0, 0, 0)),
        (b"x = " + b"(" * 5000, "not parsed: ", (1, 1, 0, 0)),
        (b"x = " + b"-" * 200_000 + b"1", "not parsed: ", (1, 1, 0, 0)),
    ],
)
def test_a_broken_text_is_a_finding(content, problem, lines):
    found = measure(decode(content))
    assert found["problem"].startswith(problem)
    assert tuple(found["lines"].values()) == lines
    assert (found["functions"], found["classes"], found["complexity"]["total"], found["imports"]) == (
        [],
        0,
        0,
        [],
    )


def test_declared_encodings_and_marks_are_understood():
    assert decode("# coding: latin-1\nx = 'é'".encode("latin-1")).text.endswith("'é'")
    assert decode(b"\xef\xbb\xbfx = 1").problem is None


def test_doubtful_escapes_in_a_text_are_nobodys_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        assert parse("x = '\\d'").problem is None
        assert warnings.filters == before


def test_only_regular_files_below_the_root_are_read(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.py").write_text("x = 1")
    os.mkfifo(tmp_path / "root" / "pipe.py")
    (tmp_path / "root" / "large.py").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    root = tmp_path / "root"
    assert read(root, "../secret.py").problem == "its path leads out of the code base"
    assert read(root, str(tmp_path / "secret.py")).problem == "its path leads out of the code base"
    assert read(root, "pipe.py").problem == "not a regular file"
    assert read(root, "gone.py").problem == "unreadable: No such file or directory"
    assert read(root, "large.py").problem == f"too large: read are files up to {MAX_FILE_BYTES} bytes"
