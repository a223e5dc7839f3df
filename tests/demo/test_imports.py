"""Which imports are dependencies, and how circles are found, named and merged."""

from __future__ import annotations

import pytest

from taskengine.demo.imports import Cycle, Unit, import_graph, units
from taskengine.demo.source import find

TREE = {
    "a/__init__.py": "",
    "a/b/__init__.py": "",
    "a/b/c.py": "",
    "a/b/d.py": "",
    "a/e.py": "",
    "space/f.py": "",
    "a/b/me.py": "",
}


@pytest.mark.parametrize(
    ("statement", "inside"),
    [
        ("import a", ["a"]),
        ("import a.b.c", ["a.b.c"]),
        ("import a.b.c as x, a.e", ["a.b.c", "a.e"]),
        ("from a.b import c", ["a.b.c"]),
        ("from a.b import c, name", ["a.b", "a.b.c"]),
        ("from a.b.c import name", ["a.b.c"]),
        ("from a.b import *", ["a.b"]),
        ("from . import c", ["a.b.c"]),
        ("from . import name", ["a.b"]),
        ("from .c import name", ["a.b.c"]),
        ("from .. import e", ["a.e"]),
        ("from ..b.d import x", ["a.b.d"]),
        ("from ... import a", []),
        ("from ...a import e", []),
        ("import space", []),
        ("from space import f", ["space.f"]),
        ("import a.b.missing", []),
        ("from a.b.missing import x", []),
        ("import a.b.me", []),
        ("from . import me", []),
        ("import os, xml.dom", []),
        ("__import__('a.e')", []),
    ],
)
def test_a_statement_depends_on_what_it_names(write_code, statement, inside):
    code = write_code(TREE | {"a/b/me.py": statement})
    assert list(import_graph(find(code))["a.b.me"].inside) == inside


@pytest.mark.parametrize(
    ("text", "at_load"),
    [
        ("import a.e", True),
        ("if x:\n    import a.e", True),
        ("try:\n    pass\nexcept E:\n    import a.e", True),
        ("try:\n    pass\nfinally:\n    import a.e", True),
        ("with x:\n    for y in z:\n        import a.e", True),
        ("match x:\n    case 1:\n        import a.e", True),
        ("class A:\n    import a.e", True),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import a.e", True),
        ("if TYPE_CHECKING:\n    import a.e", False),
        ("if typing.TYPE_CHECKING:\n    import a.e", False),
        ("def f():\n    import a.e", False),
        ("class A:\n    async def f(self):\n        if x:\n            import a.e", False),
        ("def f():\n    import a.e\nimport a.e", True),
    ],
)
def test_an_edge_knows_whether_it_runs_at_load(write_code, text, at_load):
    code = write_code(TREE | {"a/b/me.py": text})
    assert import_graph(find(code))["a.b.me"].inside == {"a.e": at_load}


def test_outside_are_the_topmost_packages_that_the_code_base_lacks(write_code):
    code = write_code(TREE | {"a/b/me.py": "import os.path, xml.dom\nfrom json import x\nimport a.missing"})
    assert import_graph(find(code))["a.b.me"].outside == ("json", "os", "xml")


def test_a_package_that_gathers_its_modules_makes_no_circle(write_code):
    code = write_code(
        {"p/__init__.py": "from p.x import X\nfrom .y import Y", "p/x.py": "from . import y", "p/y.py": ""}
    )
    graph = import_graph(find(code))
    assert {name: list(imports.inside) for name, imports in graph.items()} == {
        "p": ["p.x", "p.y"],
        "p.x": ["p.y"],
        "p.y": [],
    }
    assert units(graph) == [Unit(("p.y",)), Unit(("p.x",)), Unit(("p",))]


def test_a_script_finds_what_lies_beside_it_unless_a_base_has_it(write_code):
    code = write_code(
        {
            "tools/run.py": "import near, far",
            "tools/near.py": "",
            "tools/far.py": "",
            "far.py": "",
            "p/__init__.py": "",
            "p/run.py": "import near",
            "p/near.py": "",
        }
    )
    graph = import_graph(find(code))
    assert list(graph["tools.run"].inside) == ["far", "tools.near"]
    assert list(graph["p.run"].inside) == []


def test_a_project_sees_its_own_modules_before_those_of_others(write_code):
    code = write_code(
        {
            "one/setup.py": "",
            "one/conf.py": "",
            "one/use.py": "import conf, two_only",
            "two/setup.py": "",
            "two/conf.py": "",
            "two/main.py": "import conf",
            "two/two_only.py": "",
        }
    )
    graph = import_graph(find(code))
    assert list(graph["use"].inside) == ["conf", "two_only"]
    assert list(graph["main"].inside) == ["conf@two/conf.py"]


def test_src_may_be_written_in_an_import(write_code):
    code = write_code({"src/shop/cart.py": "", "main.py": "from src.shop import cart"})
    assert list(import_graph(find(code))["main"].inside) == ["shop.cart"]


def test_cycles_are_merged_and_named_with_a_shortest_circle(write_code):
    code = write_code(
        {
            "top.py": "import b",
            "a.py": "import b, low",
            "b.py": "import c",
            "c.py": "import a",
            "d.py": "import c",
            "low.py": "",
            "x.py": "import y",
            "y.py": "def f():\n    import x",
        }
    )
    found = units(import_graph(find(code)))
    assert found == [
        Unit(("low",)),
        Unit(("a", "b", "c"), Cycle(("a", "b", "c", "a"), at_load=True)),
        Unit(("d",)),
        Unit(("top",)),
        Unit(("x", "y"), Cycle(("x", "y", "x"), at_load=False)),
    ]
    assert [unit.name for unit in found] == ["low", "a +2", "d", "top", "x +1"]


def test_a_lazy_import_in_a_circle_that_also_closes_at_load_leaves_it_at_load(write_code):
    code = write_code({"a.py": "import b", "b.py": "import c\ndef f():\n    import a", "c.py": "import a"})
    (unit,) = units(import_graph(find(code)))
    assert (unit.name, unit.cycle) == ("a +2", Cycle(("a", "b", "c", "a"), at_load=True))


def test_broken_modules_import_nothing_and_can_be_imported(write_code):
    code = write_code({"bad.py": "import good\ndef (", "good.py": "import bad"})
    graph = import_graph(find(code))
    assert (list(graph["bad"].inside), list(graph["good"].inside)) == ([], ["bad"])
