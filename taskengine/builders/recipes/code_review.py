"""Look at a pull request from several sides at once, sum up, and say yes or ask for changes.

================  =================  ===========================================  ================================
step              capability         input                                        expected output
================  =================  ===========================================  ================================
analyse           ``code_analysis``  analysis_type diff, pull_request_url         files (a list), additions,
                                                                                  deletions
KIND_review       ``code_review``    review_type KIND, pull_request_url, files    findings (a list of texts)
tests             ``testing``        test_type unit, test_command,                passed: true or false
                                     pull_request_url
summarise         ``code_review``    review_type summary, findings by kind,       text, findings (a number)
                                     passed
approve           ``code_review``    action approve, pull_request_url, text       (anything)
request_changes   ``code_review``    action request_changes, pull_request_url,    (anything)
                                     text
================  =================  ===========================================  ================================

With *approvers*, one of them is asked after the summary, and a no is the same as a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskengine.builders.step_builder import StepBuilder
from taskengine.models import TaskType, Workflow, WorkflowStep

_REQUEST = {"pull_request_url": "${context.pull_request_url}"}


def code_review_workflow(
    name: str,
    created_by: str | None,
    pull_request_url: str,
    *,
    review_types: Sequence[str] = ("style", "security"),
    test_command: str | None = None,
    approvers: Sequence[str] = (),
) -> Workflow:
    """Return a review of one pull request; *review_types* are the kinds of review, which agents understand."""
    builder = StepBuilder(name, created_by, context={"pull_request_url": pull_request_url})
    analyse = {"action": "analyse", "analysis_type": "diff", **_REQUEST}
    builder.add_task_step("analyse", _task("Analyse the change", TaskType.CODE_ANALYSIS, analyse))
    builder.add_parallel_step("reviews", sub_steps=[*map(_review, review_types), _tests(test_command)])
    findings = {kind: f"${{steps.reviews.{kind}_review.output.findings}}" for kind in review_types}
    summary = {"action": "summarise", "review_type": "summary", "findings": findings}
    summary["passed"] = "${steps.reviews.tests.output.passed}"
    builder.add_task_step(
        "summarise", _task("Sum up", TaskType.CODE_REVIEW, summary),
        outputs={"findings": "${output.findings}", "summary": "${output.text}"},
    )  # fmt: skip
    if approvers:
        _ask(builder, approvers)
    _answer(builder, bool(approvers))
    return builder.build()


def _review(kind: str) -> WorkflowStep:
    given = {"action": "review", "review_type": kind, **_REQUEST, "files": "${steps.analyse.output.files}"}
    return WorkflowStep(name=f"{kind}_review", task_template=_task(f"Review: {kind}", TaskType.CODE_REVIEW, given))


def _tests(command: str | None) -> WorkflowStep:
    given = {"action": "test", "test_type": "unit", "test_command": command, **_REQUEST}
    kept = {key: value for key, value in given.items() if value is not None}
    return WorkflowStep(name="tests", task_template=_task("Tests of the change", TaskType.TESTING, kept))


def _ask(builder: StepBuilder, approvers: Sequence[str]) -> None:
    builder.add_approval_step(
        "sign_off", "Merge ${context.pull_request_url}? ${variables.summary}", approvers=approvers,
        on_reject="continue", outputs={"signed_off": "${output.approved}"},
    )  # fmt: skip


def _answer(builder: StepBuilder, is_asked: bool) -> None:
    text = {**_REQUEST, "text": "${variables.summary}"}
    good = "variables.findings == 0 && steps.reviews.tests.output.passed"
    approve = _task("Approve", TaskType.CODE_REVIEW, {"action": "approve", **text})
    changes = _task("Request changes", TaskType.CODE_REVIEW, {"action": "request_changes", **text})
    builder.add_conditional_step(
        "verdict",
        condition=f"{good} && has(variables.signed_off) && variables.signed_off" if is_asked else good,
        true_steps=[WorkflowStep(name="approve", task_template=approve)],
        false_steps=[WorkflowStep(name="request_changes", task_template=changes)],
    )
    builder.set(outputs={"summary": "${variables.summary}", "findings": "${variables.findings}"})


def _task(name: str, task_type: TaskType, given: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "task_type": task_type, "input": given, "metadata": {"action": given["action"]}}
