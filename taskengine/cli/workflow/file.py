"""``taskengine workflow graph``, ``lint``, ``schema`` and ``register``: definitions in files."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from taskengine.builders.diagram import mermaid
from taskengine.builders.workflow_file import lint_document, workflow_schema
from taskengine.cli import whole_ids
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.output import OutputOption, answer, clean, fault_as_json
from taskengine.cli.place import asking, submitting
from taskengine.cli.text import plain
from taskengine.cli.workflow.given import document_of, is_file, workflow_in
from taskengine.cli.workflow.inside import Inside
from taskengine.cli.workflow.options import By, File
from taskengine.cli.workflow.tree import done, states_of, walk
from taskengine.core.lint_workflow import LintWarning
from taskengine.errors import InvalidInputError, NotFoundError, WorkflowFault
from taskengine.models import WorkflowDefinition

app = typer.Typer()

FileOrWorkflow = Annotated[
    str,
    typer.Argument(
        metavar="FILE|WORKFLOW",
        help="A file, a workflow that runs or ran (its id, a beginning of it, or its name), or a registered name.",
        autocompletion=offers("workflow_ids"),
    ),
]
_INVALID = "invalid"


@command(
    app,
    "taskengine workflow graph release.yaml > release.mmd",
    "taskengine workflow graph 3f2a          with the state of each step",
    "taskengine workflow graph release       the newest that runs or ran, else what is registered under the name",
    "taskengine workflow graph release.yaml -o json | jq -r .mermaid",
)
def graph(of: FileOrWorkflow, output: OutputOption = None) -> None:
    """Print a workflow as a Mermaid flowchart, which GitHub, GitLab and most editors draw."""
    states: dict[str, str]
    far: dict[str, str]
    if is_file(of):
        definition: WorkflowDefinition = workflow_in(of)
        states, far = {}, {}
    else:
        definition, states, far = _stored(of)
    drawn = mermaid(definition, states, far)
    answer({"name": definition.name, "mermaid": drawn, "states": states}, drawn.rstrip("\n"))


def _stored(of: str) -> tuple[WorkflowDefinition, dict[str, str], dict[str, str]]:
    """Return the definition of a workflow, the states of its steps, and how far its loops and maps are; of a name that
    is only registered, the definition alone.
    """
    with asking() as api:
        try:
            id = whole_ids.named_run(of)
        except NotFoundError:
            return api.get_definition(of), {}, {}
        definition, state = api.get_workflow(id), Inside(api, id, whole=True).of(api.get_workflow_status(id))
    return definition, states_of(state), {one.path: done(one) for one in walk(state) if one.kind in ("map", "loop")}


@command(
    app,
    "taskengine workflow lint release.yaml     exit code 1 when it could not be started",
    "taskengine workflow lint release.yaml -o json | jq '.warnings[].rule'",
)
def lint(file: File, output: OutputOption = None) -> None:
    """Find every fault, and what is allowed but probably not meant; asks no server."""
    try:
        lint_warnings = list(lint_document(document_of(file)))
    except InvalidInputError as exc:  # no YAML, no JSON, no file
        lint_warnings = [LintWarning(_INVALID, WorkflowFault((), str(exc)))]
    errors = [one.fault for one in lint_warnings if one.rule in {_INVALID}]
    warnings = [one for one in lint_warnings if one.rule not in {_INVALID}]
    data = {
        "errors": [fault_as_json(fault) for fault in errors],
        "warnings": [{"rule": one.rule, **fault_as_json(one.fault)} for one in warnings],
    }
    lines = [Text.assemble(("error   ", "bold red"), clean(str(fault))) for fault in errors]
    lines += [Text.assemble(("warning ", "yellow"), clean(str(one))) for one in warnings]
    if not errors:
        lines.append(Text(f"no error, {len(warnings)} warning{'s' if len(warnings) != 1 else ''}", style="green"))
    answer(data, Group(*lines))
    raise typer.Exit(1 if errors else 0)


@command(
    app,
    "taskengine workflow schema > workflow.schema.json",
    "taskengine workflow schema | jq '.properties | keys'",
)
def schema(output: OutputOption = None) -> None:
    """Print the JSON Schema of a workflow's file, for editors that complete and check."""
    found = workflow_schema()
    answer(found, Text(json.dumps(found, indent=2)))


@command(
    app,
    "taskengine workflow register release.yaml     then: taskengine workflow run release",
    "taskengine workflow register release.yaml --by ann -o json | jq .version",
)
def register(file: File, by: By = None, output: OutputOption = None) -> None:
    """Keep a definition under its name, to be run by it and to be a step of others, and say its version.

    The same again is the same version. What runs keeps the definition that it started with.
    """
    workflow = workflow_in(file)
    with submitting() as api:
        version = api.register_workflow(workflow, by)
    answer({"name": workflow.name, "version": version}, plain(f"{workflow.name} is registered as version {version}"))
