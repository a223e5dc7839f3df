"""Build, check, deploy, verify, and roll back what turns out unhealthy.

==============  =====================  ===============================================  ==========================
step            capability             input                                            expected output
==============  =====================  ===============================================  ==========================
build           ``code_generation``    action build, repository_url, ref                commit
lint            ``code_analysis``      analysis_type lint, repository_url, ref          (fails where it is not clean)
unit_tests      ``testing``            test_type unit, test_command, repository_url,    (fails where they fail)
                                       ref
deploy          ``deployment``         action deploy, environment, repository_url, ref  url
verify          ``monitoring``         action verify, environment, target               healthy: true or false
rollback        ``deployment``         action rollback, environment, repository_url     (anything)
report          ``monitoring``         action report, and how the steps ended           (anything)
==============  =====================  ===============================================  ==========================

A failed check fails the workflow, and nothing is deployed; ``report`` runs at the end, however it came. What is
deployed and not healthy is rolled back: the workflow completes with ``deployed`` false. So it does where the answer of
``deploy`` has ``dry_run`` true.
"""

from __future__ import annotations

from typing import Any

from taskengine.builders.step_builder import StepBuilder
from taskengine.models import ConditionOperator, TaskType, Workflow, WorkflowCondition, WorkflowStep

_SOURCE = {"repository_url": "${context.repository_url}"}
_COMMIT = {**_SOURCE, "ref": "${steps.build.output.commit}"}


def ci_cd_workflow(
    name: str,
    created_by: str | None,
    repository_url: str,
    *,
    ref: str = "HEAD",
    environment: str | None = "staging",
    test_command: str | None = None,
) -> Workflow:
    """Return a pipeline for one commit; *environment* None ends it after the checks."""
    context: dict[str, Any] = {"repository_url": repository_url, "ref": ref}
    builder = StepBuilder(name, created_by, context=context, finally_steps=[_report(environment)])
    build = {"action": "build", **_SOURCE, "ref": "${context.ref}"}
    builder.add_task_step("build", _task("Build", TaskType.CODE_GENERATION, build))
    builder.add_parallel_step("checks", sub_steps=[_lint(), _unit_tests(test_command)], mode="wait_all")
    if environment is not None:
        context["environment"] = environment
        _deployment(builder)
    return builder.build()


def _task(name: str, task_type: TaskType, given: dict[str, Any]) -> dict[str, Any]:
    metadata = {"action": given["action"]} if "action" in given else {}
    return {"name": name, "task_type": task_type, "input": given, "metadata": metadata}


def _lint() -> WorkflowStep:
    given = {"action": "lint", "analysis_type": "lint", **_COMMIT}
    return WorkflowStep(name="lint", task_template=_task("Lint", TaskType.CODE_ANALYSIS, given))


def _unit_tests(command: str | None) -> WorkflowStep:
    given = {"action": "test", "test_type": "unit", "test_command": command, **_COMMIT}
    kept = {key: value for key, value in given.items() if value is not None}
    return WorkflowStep(
        name="unit_tests", task_template={**_task("Unit tests", TaskType.TESTING, kept), "max_retries": 0}
    )


def _deployment(builder: StepBuilder) -> None:
    where = {"environment": "${context.environment}"}
    deploy = {"action": "deploy", **where, **_COMMIT}
    builder.add_task_step("deploy", _task("Deploy", TaskType.DEPLOYMENT, deploy))
    verify = {"action": "verify", **where, "target": "${steps.deploy.output.url}"}
    health = {"health": "${output.healthy ? 'passed' : 'failed'}"}
    builder.add_task_step("verify", _task("Verify", TaskType.MONITORING, verify), outputs=health)
    rollback = _task("Roll back", TaskType.DEPLOYMENT, {"action": "rollback", **where, **_SOURCE})
    healthy = WorkflowCondition(field="health", operator=ConditionOperator.EQUALS, value="passed")
    builder.add_conditional_step(
        "health_check",
        condition=WorkflowCondition(not_=healthy),
        true_steps=[WorkflowStep(name="rollback", task_template=rollback)],
    )
    dry = "has(steps.deploy.output.dry_run) && steps.deploy.output.dry_run"
    deployed = f"${{variables.health == 'passed' && !({dry})}}"
    builder.set(outputs={"commit": "${steps.build.output.commit}", "deployed": deployed})


def _report(environment: str | None) -> WorkflowStep:
    ended = {"build": "${steps.build.status}", "checks": "${steps.checks.status}"}
    if environment is not None:
        ended["deploy"] = "${steps.deploy.status}"
    given = {"action": "report", "workflow": "${workflow.name}", "ended": ended}
    return WorkflowStep(name="report", task_template=_task("Report", TaskType.MONITORING, given))
