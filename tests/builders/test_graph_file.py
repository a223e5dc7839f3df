"""A graph in a file is read whole or refused with line, field and what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from taskengine import CircularDependencyError, InvalidInputError, PayloadTooLargeError, TaskPriority, load_graph
from taskengine.builders.document import MAX_BYTES, Document
from taskengine.builders.graph_file import TaskGraph, examine, graph_of
from taskengine.builders.lint import lint_warnings

from ..cases import each

GOOD = """\
name: nightly
tasks:
  - name: fetch
    capability: download
    input: {url: "https://x", n: 012, no: no, day: 2030-01-31, none: ~, half: 0.5, yes: true, quoted: "1"}
    timeout: 60
  - name: parse
    task_type: code_analysis
    depends_on: [fetch]
    priority: high
    scheduled_at: 2030-01-01T00:00:00Z
    metadata: {team: core}
  - name: report
    depends_on: parse
"""


def graph(text: str, *, is_json: bool = False) -> TaskGraph:
    return graph_of(Document(text, "g.yaml", is_json=is_json))


def faults(text: str, *, is_json: bool = False) -> list[str]:
    found, wrong = examine(Document(text, "g.yaml", is_json=is_json))
    assert found is None
    return [str(each) for each in wrong]


def test_tasks_refer_to_each_other_by_name() -> None:
    found = graph(GOOD)
    fetch, parse, report = found.tasks
    assert (fetch.depends_on, parse.depends_on, report.depends_on) == (set(), {fetch.id}, {parse.id})
    assert (fetch.queue, parse.queue, report.queue) == ("download", "code_analysis", "custom")
    assert (fetch.timeout, parse.priority) == (60, TaskPriority.HIGH)
    assert parse.scheduled_at == datetime(2030, 1, 1, tzinfo=UTC)
    assert found.places == {fetch.id: "g.yaml:3", parse.id: "g.yaml:7", report.id: "g.yaml:13"}


def test_scalars_are_jsons() -> None:
    assert graph(GOOD).tasks[0].input == {
        "url": "https://x", "n": 12, "no": "no", "day": "2030-01-31", "none": None, "half": 0.5, "yes": True,
        "quoted": "1",
    }  # fmt: skip


def test_the_name_of_the_graph_is_metadata_of_its_tasks() -> None:
    fetch, parse, _ = graph(GOOD).tasks
    assert (fetch.metadata, parse.metadata) == ({"graph": "nightly"}, {"graph": "nightly", "team": "core"})


def test_json_is_the_same_graph(tmp_path: Path) -> None:
    text = {"tasks": [{"name": "a", "input": {"x": "\ud83d\ude00", "n": 1}}, {"name": "b", "depends_on": ["a"]}]}
    file = tmp_path / "g.json"
    file.write_text(json.dumps(text, indent="\t"))
    a, b = load_graph(file).tasks
    assert (a.input, b.depends_on) == ({"x": "\N{GRINNING FACE}", "n": 1}, {a.id})


def test_ids_are_kept_and_stored_tasks_may_be_named_by_theirs() -> None:
    mine, stored = uuid4(), uuid4()
    a, b = graph(f"tasks: [{{id: {mine}, capability: x}}, {{name: b, depends_on: ['{mine}', '{stored}']}}]").tasks
    assert (a.id, b.depends_on) == (mine, {mine, stored})


def test_every_fault_is_told_with_line_field_and_what_to_do() -> None:
    text = """\
nmae: nightly
tasks:
  - name: fetch
    capabilty: download
    priority: hgih
  - name: fetch
    depends_on: [prase]
  - name: parse
    timeout: -3
  - capability: x
  - 5
  - name: at
    scheduled_at: 2030-01-01T00:00:00
  - name: on
    depends_on: 5
  - id: x
"""
    assert faults(text) == [
        "g.yaml:1: unknown field 'nmae'; did you mean 'name'?",
        "g.yaml:6: tasks[1]: name 'fetch' is used at g.yaml:3 too; rename one",
        "g.yaml:10: tasks[3] has no name; give it one, others refer to it by that",
        "g.yaml:11: tasks[4] is no object; write '- name: …'",
        "g.yaml:16: tasks[7]: id is 'x', which is no UUID",
        "g.yaml:4: tasks[0] (fetch): unknown field 'capabilty'; did you mean 'capability'?",
        "g.yaml:5: tasks[0] (fetch): priority is 'hgih'; use one of low, normal, high, urgent, critical",
        "g.yaml:7: tasks[1] (fetch): depends_on names 'prase', which is no task of this file; did you mean 'parse'?",
        "g.yaml:9: tasks[2] (parse): timeout: Input should be greater than 0, got -3",
        "g.yaml:13: tasks[5] (at): scheduled_at: Value error, has no time zone; give one, such as datetime.now(UTC) or "
        "2030-01-31T12:00:00Z, got '2030-01-01T00:00:00'",
        "g.yaml:15: tasks[6] (on): depends_on must be a list of names",
    ]


def test_the_first_fault_is_raised_with_its_field() -> None:
    with pytest.raises(InvalidInputError, match=r"g\.yaml:2: tasks") as refused:
        graph("tasks:\n- name: a\n  timeout: x\n- name: a\n".replace("x", "'x'").replace("- name: a\n  t", "- t"))
    assert refused.value.field == "name"


def test_a_cycle_is_named_with_its_place() -> None:
    text = "tasks:\n- {name: a, depends_on: [c]}\n- {name: b, depends_on: [a]}\n- {name: c, depends_on: [b]}\n"
    with pytest.raises(CircularDependencyError, match=r"^g.yaml:\d: dependencies form a cycle: ") as refused:
        graph(text)
    assert sorted(set(refused.value.path)) == ["a", "b", "c"]
    with pytest.raises(CircularDependencyError, match="a -> a"):
        graph("tasks: [{name: a, depends_on: [a]}]")


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\ntasks: [*b, *b]\n"


@each(
    ("text", "says"),
    [
        (BOMB, r"g.yaml:2: the alias \*a is not followed; write the value out"),
        ("tasks: [{name: a, name: b}]", "g.yaml:1: the key 'name' stands twice; keep one of them"),
        ("tasks:\n- !!python/object/apply:os.system ['true']", "g.yaml:2: the tag .*os.system is not read"),
        ("tasks: " + "[" * 200 + "]" * 200, r"g.yaml:1: tasks\[0\]\[0\].* holds more than 64 lists and"),
        ("tasks: [{name: a}]\n---\ntasks: []", "g.yaml:2: a second document begins"),
        ("tasks:\n- name: [a", "g.yaml:.*: not YAML: "),
        ("? [a]\n: b", "g.yaml:1: a key must be plain text"),
        ("", "g.yaml: is no object; write 'tasks:'"),
        ("tasks: []", "g.yaml:1: tasks must be a list with at least one task"),
        ("name: 5\ntasks: [{name: a}]", "g.yaml:1: name must be a text"),
        ("tasks: [{name: a, input: [1]}]", r"g.yaml:1: tasks\[0\] \(a\): input: "),
        ("tasks: [{name: a, metadata: 5}]", r"g.yaml:1: tasks\[0\] \(a\): metadata: "),
        ("tasks: [{name: 5}]", r"g.yaml:1: tasks\[0\] \(5\): name: "),
        ("tasks: [{name: \x07}]", "g.yaml.*: not YAML: "),
    ],
)
def test_what_no_file_may_hold_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        graph(text)


@each(
    ("text", "says"),
    [
        ('{"tasks": [{"name": "a",\n "name": "b"}]}', "g.yaml:2: the key 'name' stands twice; keep one of them"),
        ('{"tasks": [\n{"name": "a" "b"}]}', "g.yaml:2: not JSON: "),
        ('{"tasks": [{"name": "a", "input": {"x": NaN}}]}', "NaN is no JSON number"),
        ("[" * 200 + "]" * 200, "more than 64 lists and objects inside each other"),
        ("[" * 100_000, "not JSON|nesting depth"),
        ('{"tasks": [\n{"name": "a",\n "timeout": -1}]}', r"g.yaml:3: tasks\[0\] \(a\): timeout: "),
    ],
)
def test_what_no_json_may_hold_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        graph(text, is_json=True)


def test_a_file_over_its_limit_or_absent_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    with file.open("wb") as out:
        out.truncate(MAX_BYTES + 1)
    with pytest.raises(PayloadTooLargeError, match=r"big\.yaml is 16777217 bytes"):
        load_graph(file)
    with pytest.raises(InvalidInputError, match=r"no\.yaml"):
        load_graph(tmp_path / "no.yaml")
    (tmp_path / "odd.yaml").write_bytes(b"tasks: \xff")
    with pytest.raises(InvalidInputError, match=r"odd\.yaml"):
        load_graph(tmp_path / "odd.yaml")


def test_doubts_name_what_is_probably_not_meant() -> None:
    found = graph(
        "tasks:\n"
        "- {name: a, capability: x, timeout: 5, trigger_rule: all_done}\n"
        "- {name: b, depends_on: [a], hold: true}\n"
        "- {name: c, depends_on: [b], timeout: 5}\n"
        "- {name: alone, timeout: 5}\n"
        "- {name: pinned, assigned_to: bot, depends_on: [a], timeout: 5, deadline: 2020-01-01T00:00:00Z}\n"
    )
    told = [(one.rule, one.place, one.says) for one in lint_warnings(found, datetime.now(UTC), {"custom"})]
    assert told == [
        ("no-worker", "g.yaml:2", "no worker offers capability 'x', which 'a' need; start one: taskengine worker "
         "--queues x --import MODULE (the module with its agent)"),
        ("no-worker", "g.yaml:6", "no worker offers agent 'bot', which 'pinned' need; start one: taskengine worker "
         "--import MODULE (the module with its agent)"),
        ("no-timeout", "g.yaml:3", "'b': no timeout, so an attempt may take the default hour; set timeout (seconds)"),
        ("isolated", "g.yaml:5", "'alone' depends on nothing and nothing depends on it, while others are linked"),
        ("held", "g.yaml:3", "'b' is held, so it and 1 tasks behind it are not reached until it is released"),
        ("late", "g.yaml:6", "deadline of 'pinned' is over: a submit would be refused"),
        ("idle-rule", "g.yaml:2", "'a' has the trigger rule all_done and depends on nothing: it starts at once"),
    ]  # fmt: skip
    chain = "tasks:\n- {name: t0, timeout: 1}\n" + "".join(
        f"- {{name: t{n}, timeout: 1, depends_on: [t{n - 1}]}}\n" for n in range(1, 150)
    )
    (one,) = lint_warnings(graph(chain), datetime.now(UTC))
    assert (one.rule, one.says) == (
        "long-chain", "a chain of 150 tasks, 't0' to 't149': no number of workers shortens it"
    )  # fmt: skip
    assert [each.rule for each in lint_warnings(graph(GOOD), datetime.now(UTC))] == ["no-timeout"]


def test_a_graph_of_ten_thousand_tasks_is_read_in_seconds() -> None:
    text = "tasks:\n- name: t0\n" + "".join(f"- name: t{n}\n  depends_on: [t{n - 1}]\n" for n in range(1, 10_000))
    assert len(graph(text).tasks) == 10_000
