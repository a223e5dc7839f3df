"""What an expression reads, by its text alone."""

from __future__ import annotations

import pytest

from taskengine import ExpressionError, WorkflowCondition
from taskengine.core.refs import Reference, references, references_in, references_of


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("steps.build.output.tag", ["steps.build.output.tag"]),
        ("steps['build'].output['tag'][0]", ["steps.build.output.tag[0]"]),
        ("variables.a + variables.a * 2", ["variables.a"]),
        ("'steps.x' + context.name // variables.y", ["context.name"]),
        ("context.hosts[index].name", ["context.hosts", "index"]),
        ("context.names.map(n, n + item)", ["context.names", "item"]),
        ("context.names.all(item, item > 1)", ["context.names"]),
        ("context.names.size() > 2", ["context.names"]),
        ("has(output.url) ? output.url : workflow.id", ["output.url", "output.url", "workflow.id"]),
        ("timestamp(context.at) < timestamp('2030-01-01T00:00:00Z')", ["context.at"]),
        ("r'\\d' + \"it's ${x}\"", []),
        ("size(steps.a.output) in [1, 2] && !true", ["steps.a.output"]),
    ],
)
def test_an_expression_reads_what_is_written_in_it(source: str, read: list[str]) -> None:
    assert [str(ref) for ref in references(source)] == read


def test_has_only_asks() -> None:
    assert references("has(output.url)") == (Reference("output", ("url",), is_asked=True),)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("steps[variables.x].output", "steps needs the name of one"),
        ("steps", "steps needs the name of one"),
        ("size(steps)", "steps needs the name of one"),
        ("varables.x", "'varables' is unknown; begin with .*; did you mean 'variables'"),
        ("os.environ", "'os' is unknown"),
        ("context.x.map(i, i) == i", "'i' is unknown"),
    ],
)
def test_what_is_no_root_is_refused(source: str, says: str) -> None:
    with pytest.raises(ExpressionError, match=says):
        references(source)


@pytest.mark.parametrize(
    ("source", "step", "field"),
    [
        ("steps.build.output.status", ("build",), "output"),
        ("steps.deploy_all.deploy.output.url", ("deploy_all", "deploy"), "output"),
        ("steps.output.output", ("output",), "output"),
        ("steps.build.status == 'failed'", ("build",), "status"),
        ("steps.build", ("build",), None),
    ],
)
def test_a_reference_knows_its_step(source: str, step: tuple[str, ...], field: str | None) -> None:
    (ref,) = references(source)
    assert (ref.step, ref.field) == (step, field)


def test_templates_and_conditions_tell_what_they_read() -> None:
    template = {"a": ["${steps.a.output}", "x ${ variables.b }${item}"], "b": "$${steps.c.output}", "c": 1}
    assert [str(ref) for ref in references_in(template)] == ["steps.a.output", "variables.b", "item"]
    condition = WorkflowCondition(
        any_of=[
            "steps.t.output.ok",
            WorkflowCondition(field="retries", operator="less_than", value="${context.most}"),
            WorkflowCondition(not_=WorkflowCondition(field="steps.u.output.x[0]", operator="exists")),
        ]
    )
    read = [str(ref) for ref in references_of(condition)]
    assert read == ["steps.t.output.ok", "variables.retries", "context.most", "steps.u.output.x[0]"]
