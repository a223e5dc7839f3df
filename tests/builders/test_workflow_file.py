"""Workflows in files: JSON and YAML alike, every fault with its line at any depth, and nothing that explodes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from taskengine import InvalidInputError, InvalidWorkflowError, WorkflowBuilder, WorkflowStep, load_workflow
from taskengine.builders.workflow_file import lint_document, workflow_document, workflow_schema

RELEASE = """\
name: release
context: {repository_url: /srv/repo}
steps:
  - name: build
    task_template:
      task_type: code_generation
      input: {repository_url: "${context.repository_url}"}
  - name: gate
    kind: conditional
    condition: steps.build.output.passed
    true_steps:
      - name: ship
        task_template: {task_type: deployment, priority: high}
outputs:
  passed: ${steps.build.output.passed}
"""
WRONG = """\
name: release
stepz: []
steps:
  - name: build
    task_template:
      input: {tag: "${1 +}"}
  - name: gate
    kind: conditional
    condition: steps.bild.output.passed
    true_steps:
      - name: ship
        kind: parallel
        sub_steps:
          - name: deep
            task_template:
              task_type: code_analysis
              metadata:
                tag: "${item.name}"
              timeout: -1
      - kind: wait
        name: both
        wait_seconds: 3
        signal: go
"""


def written(folder: Path, text: str, name: str = "release.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(InvalidWorkflowError) as caught:
        load_workflow(path)
    return [str(fault) for fault in caught.value.faults]


def test_a_file_is_the_same_workflow_as_the_code_that_builds_it(tmp_path: Path) -> None:
    ship = WorkflowStep(name="ship", task_template={"task_type": "deployment", "priority": "high"})
    template = {"task_type": "code_generation", "input": {"repository_url": "${context.repository_url}"}}
    builder = WorkflowBuilder("release", context={"repository_url": "/srv/repo"})
    builder.add_task_step("build", template)
    builder.add_conditional_step("gate", "steps.build.output.passed", true_steps=[ship])
    built = builder.set(outputs={"passed": "${steps.build.output.passed}"}).build()
    from_yaml = load_workflow(written(tmp_path, RELEASE))
    as_json = written(tmp_path, json.dumps(built.definition.model_dump(mode="json")), "release.json")
    assert from_yaml.digest() == built.digest() == load_workflow(as_json).digest()


def test_every_fault_has_its_line_at_any_depth(tmp_path: Path) -> None:
    assert faults(written(tmp_path, WRONG)) == [
        "release.yaml:2: stepz: unknown field 'stepz'; did you mean 'steps'?",
        "release.yaml:6: steps[0].task_template.input.tag: 1 +: cannot be read: mismatched input '<EOF>' expecting "
        "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, "
        "IDENTIFIER} (at character 4)",
        "release.yaml:9: steps[1].condition: steps.bild.output.passed: there is no step 'bild' in this workflow; did "
        "you mean 'build'?",
        "release.yaml:19: steps[1].true_steps[0].sub_steps[0].task_template.timeout: input should be greater than 0, "
        "got -1",
        "release.yaml:20: steps[1].true_steps[1]: has wait_seconds and signal; give one of wait_seconds, until, "
        "wait_condition, signal",
    ]


DEEP = """\
name: w
steps:
  - kind: loop
    name: l
    max_iterations: 3
    loop_condition: "true"
    loop_steps:
      - kind: map
        name: m
        items: [1]
        steps:
          - kind: sub_workflow
            name: s
            workflow:
              name: i
              steps:
                - kind: conditional
                  name: c
                  condition: "true"
                  true_steps:
                    - name: t
                      task_template: {task_type: nonsense}
              finally_steps:
                - name: f
                  task_template:
                    timeout: -1
"""


def test_a_fault_in_every_kind_of_body_at_once_has_its_path_and_line(tmp_path: Path) -> None:
    inside = "steps[0].loop_steps[0].steps[0].workflow"
    assert [fault.rpartition(": ")[0] for fault in faults(written(tmp_path, DEEP))] == [
        f"release.yaml:22: {inside}.steps[0].true_steps[0].task_template.task_type",
        f"release.yaml:26: {inside}.finally_steps[0].task_template.timeout",
    ]


def test_json_has_lines_too(tmp_path: Path) -> None:
    text = '{"name": "w",\n "steps": [\n  {"name": "a",\n   "task_template": {\n    "task_type": "nope"}}]}'
    (found,) = faults(written(tmp_path, text, "w.json"))
    assert found.startswith("w.json:5: steps[0].task_template.task_type: use one of code_analysis")


def test_an_alias_is_not_followed_however_little_it_says(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(InvalidInputError, match=r"release.yaml:2: the alias \*a is not followed"):
        load_workflow(written(tmp_path, bomb))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a", "release.yaml:1: is no object; write 'name:' and 'steps:'"),
        ("", "release.yaml: is no object"),
        ("name: w", "release.yaml:1: steps: is required"),
        ("name: w\nsteps: 3", "release.yaml:2: steps: "),
        ("name: w\nstatus: completed\nsteps: [{name: a, task_template: {}}]", "release.yaml:2: status: unknown field"),
    ],
)
def test_what_is_no_workflow_is_told(tmp_path: Path, text: str, says: str) -> None:
    assert faults(written(tmp_path, text))[0].startswith(says)


def test_the_schema_takes_what_the_loader_takes() -> None:
    schema = workflow_schema()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    step = {"name": "a", "task_template": {"capability": "${context.c}", "timeout": 3}}
    for good in (
        {"name": "w", "steps": [step]},
        {"name": "w", "steps": [{"kind": "conditional", "name": "c", "condition": "x", "true_steps": [step]}]},
        {"name": "w", "steps": [{"kind": "sub_workflow", "name": "s", "workflow": "other"}]},
        {"name": "w", "steps": [{"kind": "map", "name": "m", "items": "context.x", "steps": [step]}]},
    ):
        validator.validate(good)
    for bad in (
        {"name": "w"},
        {"name": "w", "steps": []},
        {"name": "w", "steps": [{"name": "a"}]},
        {"name": "w", "steps": [{"kind": "lop", "name": "a"}]},
        {"name": "w", "steps": [{**step, "bogus": 1}]},
        {"name": "w", "steps": [{"name": "a", "task_template": {"id": "x"}}]},
    ):
        assert not validator.is_valid(bad), bad


def test_a_doubt_has_its_line_too(tmp_path: Path) -> None:
    ask = "  - name: ask\n    kind: approval\n    prompt: go?\n"
    wait = "  - name: w\n    kind: wait\n    wait_condition: variables.x\n    timeout: 3\n"
    text = f"name: w\nsteps:\n{ask}{wait}"
    found = lint_document(workflow_document(written(tmp_path, text)))
    assert [(doubt.rule, doubt.fault.place) for doubt in found] == [
        ("no-timeout", "release.yaml:3"),
        ("unset-variable", "release.yaml:8"),
    ]
    (wrong,) = lint_document(workflow_document(written(tmp_path, "name: w\nsteps: []\n")))
    assert (wrong.rule, wrong.fault.place) == ("invalid", "release.yaml:2")
