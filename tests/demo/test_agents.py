"""The plan and its steps: what flows, what the report says, and that nothing is lost on the way."""

from __future__ import annotations

import json
from types import SimpleNamespace

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.agent import REGISTRY
from taskengine.demo import plan as planning
from taskengine.demo.agents import code_analyser
from taskengine.demo.plan import plan
from taskengine.demo.reach import fan_in, reach
from taskengine.demo.steps import analyse
from taskengine.errors import InvalidInputError
from taskengine.models.task import Task

#: main → cart → {money, stock ⇄ orders}; orders → money; lonely; bad (broken) imported by stock.
SHOP = {
    "main.py": "from shop import cart\nimport sys\n",
    "shop/__init__.py": "",
    "shop/cart.py": """import json
from . import money, stock


def total(x):
    return sum(y for y in x if y)
""",
    "shop/money.py": "# cents\nclass Money:\n    pass\n",
    "shop/stock.py": "from shop.orders import Order\nimport shop.bad\n",
    "shop/orders.py": "from shop.money import Money\ndef late():\n    from shop import stock\n",
    "shop/bad.py": "def (\n",
    "lonely.py": "",
}


def test_the_plan_follows_the_imports(write_code):
    assert {node["name"]: node["depends_on"] for node in plan(write_code(SHOP))} == {
        "module lonely": [],
        "module shop": [],
        "module shop.bad": [],
        "module shop.money": [],
        "cycle shop.orders +1": ["module shop.bad", "module shop.money"],
        "module shop.cart": ["module shop.money", "cycle shop.orders +1"],
        "module main": ["module shop.cart"],
        "package (none)": ["module lonely", "module main"],
        "package shop": [
            "cycle shop.orders +1", "module shop", "module shop.bad", "module shop.cart", "module shop.money",
        ],
        "report": ["package (none)", "package shop"],
    }  # fmt: skip


def test_a_plan_is_equal_at_every_call_and_names_only_earlier_nodes(write_code):
    code = write_code(SHOP)
    nodes = plan(code)
    assert nodes == plan(code) == json.loads(json.dumps(nodes))
    seen: set[str] = set()
    for node in nodes:
        assert set(node["depends_on"]) <= seen
        assert node["name"] not in seen
        seen.add(node["name"])


def test_the_report_counts_who_imports_whom(write_code, run_plan):
    found = run_plan(write_code(SHOP)).modules
    keys = ("fan_out", "fan_in", "needs", "reach", "depth")
    assert {name: tuple(module[key] for key in keys) for name, module in found.items()} == {
        "lonely": (0, 0, 0, 0, 0),
        "shop": (0, 0, 0, 0, 0),
        "shop.bad": (0, 1, 0, 4, 0),
        "shop.money": (0, 2, 0, 4, 0),
        "shop.orders": (2, 1, 3, 3, 1),
        "shop.stock": (2, 2, 3, 3, 1),
        "shop.cart": (2, 1, 4, 1, 2),
        "main": (1, 0, 5, 0, 3),
    }


def test_one_modules_findings_are_complete(write_code, run_plan):
    analysis = run_plan(write_code(SHOP))
    assert analysis.modules["shop.cart"] == {
        "number": 6,
        "module": "shop.cart",
        "path": "shop/cart.py",
        "lines": 6,
        "code": 4,
        "comment": 0,
        "blank": 2,
        "functions": 1,
        "classes": 0,
        "complexity": 4,
        "worst": {"name": "total", "line": 5, "complexity": 3},
        "imports": ["shop.money", "shop.stock"],
        "fan_out": 2,
        "fan_in": 1,
        "needs": 4,
        "reach": 1,
        "depth": 2,
        "cycle": None,
        "problem": None,
    }


def test_the_report_sums_up_and_names_cycles_and_problems(write_code, run_plan):
    code = write_code(SHOP)
    report = run_plan(code).report
    assert report["code_base"] == str(code)
    # Complexity: seven bodies, total() with a comprehension's for and if, late().
    assert report["totals"] == {
        "modules": 8, "lines": 17, "code": 14, "comment": 1, "blank": 2, "functions": 2, "classes": 1,
        "complexity": 11, "problems": 1, "imports": 7,
    }  # fmt: skip
    assert report["cycles"] == [
        {
            "name": "shop.orders +1",
            "size": 2,
            "path": ["shop.orders", "shop.stock", "shop.orders"],
            "at_load": False,
        }
    ]
    assert report["problems"] == [
        {"module": "shop.bad", "path": "shop/bad.py", "problem": "not parsed: line 1: invalid syntax"}
    ]
    assert report["outside"] == [{"package": "json", "modules": 1}, {"package": "sys", "modules": 1}]
    assert [row["package"] for row in report["packages"]] == ["shop", ""]
    assert report["top"]["reach"][0]["module"] == "shop.bad"
    assert report["top"]["functions"][0] == {
        "name": "total",
        "line": 5,
        "complexity": 3,
        "module": "shop.cart",
    }


def test_findings_differ_between_two_code_bases(write_code, run_plan):
    one = run_plan(write_code(SHOP, "one")).report
    two = run_plan(write_code(SHOP | {"lonely.py": "import main\nx = 1 if main else 2\n"}, "two")).report
    assert two["totals"]["complexity"] == one["totals"]["complexity"] + 1
    assert sum(two["reach"]) == sum(one["reach"]) + 6
    assert two["depth"] == one["depth"] + 1


def test_large_cycles_and_packages_are_cut_without_changing_a_finding(write_code, run_plan, monkeypatch):
    ring = {f"p/m{i}.py": f"import p.m{(i + 1) % 9}, low\ndef f{i}(x): return x or {i}\n" for i in range(9)}
    code = write_code({**ring, "low.py": "", "top.py": "import p.m3\n"})
    whole = run_plan(code)
    monkeypatch.setattr(planning, "RESULT_BUDGET", 2000)
    cut = run_plan(code)
    steps = [node["input"]["step"] for node in cut.nodes]
    assert (steps.count("cycle"), steps.count("cycle_part"), steps.count("package")) == (1, 3, 4)
    assert cut.modules == whole.modules
    assert cut.report == whole.report


def test_modules_that_can_not_be_read_go_through_to_the_report(write_code, run_plan):
    code = write_code({"ok.py": "import gone, undecodable\n", "undecodable.py": b"\xff\xfe"})
    (code / "gone.py").symlink_to(code / "nowhere")
    found = run_plan(code).modules
    assert found["gone"]["problem"] == "unreadable: No such file or directory"
    assert found["undecodable"]["problem"].startswith("not text: ")
    assert (found["gone"]["reach"], found["ok"]["needs"]) == (1, 2)


def test_a_file_that_vanishes_after_planning_is_a_finding(write_code):
    code = write_code({"a.py": "x = 1\n"})
    (module, *_) = plan(code)
    (code / "a.py").unlink()
    (found,) = analyse(module["input"], {})["modules"]
    assert found["problem"] == "unreadable: No such file or directory"


edges = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda edge: edge[0] != edge[1]))


@given(edges)
def test_reach_is_every_module_that_leads_here(pairs):
    imports = [sorted({target for source, target in pairs if source == n}) for n in range(12)]
    graph = nx.DiGraph()
    graph.add_nodes_from(range(12))
    graph.add_edges_from(pairs)
    assert reach(imports) == [len(nx.ancestors(graph, n)) for n in range(12)]
    assert fan_in(imports) == [graph.in_degree(n) for n in range(12)]


def test_a_lost_result_is_an_error_and_not_a_smaller_report(write_code, run_plan):
    analysis = run_plan(write_code(SHOP))
    by_name = {node["name"]: node for node in analysis.nodes}
    for name in ("package shop", "report"):
        below = {each: analysis.results[each] for each in by_name[name]["depends_on"][1:]}
        with pytest.raises(InvalidInputError, match="came in; submit the whole plan again"):
            analyse(by_name[name]["input"], below)


def test_steps_leave_the_results_of_others_as_they_are(write_code, run_plan):
    analysis = run_plan(write_code(SHOP))
    before = json.dumps(analysis.results)
    for node in analysis.nodes:
        analyse(node["input"], {name: analysis.results[name] for name in node["depends_on"]})
    assert json.dumps(analysis.results) == before


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"repository_url": "https://example.org"}, "input.step"),
        ({"step": "dance"}, "input.step"),
        ({"step": "module", "root": "/", "modules": []}, "input.cycle"),
    ],
)
def test_an_input_that_no_plan_wrote_is_refused_by_field(given, field):
    with pytest.raises(InvalidInputError, match="from plan") as caught:
        analyse(given, {})
    assert caught.value.field == field


def test_the_agent_does_the_step_of_its_task(write_code):
    declared = REGISTRY.offering("code_analysis")
    assert declared is not None
    assert (declared.name, declared.function) == ("code_analyser", code_analyser)
    (module, *_) = plan(write_code({"a.py": "x = 1\n"}))
    task = Task(name=module["name"], capability="code_analysis", input=module["input"])
    assert code_analyser(task, SimpleNamespace(results={})) == analyse(module["input"], {})


def test_very_long_names_stay_unique_and_within_a_tasks_name(write_code):
    long = "/".join(["d" * 200] * 3)
    nodes = plan(write_code({f"{long}/a.py": "", f"{long}/b.py": ""}))
    assert len({node["name"] for node in nodes}) == len(nodes) == 4
    assert max(len(node["name"]) for node in nodes) < 200
