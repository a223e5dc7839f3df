"""Workflows written in Python, one call a step::

    builder = WorkflowBuilder("Release", created_by="me")
    builder.add_task_step("build", task_template={"task_type": "code_generation"})
    builder.add_wait_step("settle", wait_seconds=300)
    workflow = builder.build()

Steps run one after the other unless they say otherwise by ``depends_on``. Steps inside others are
:class:`~taskengine.models.WorkflowStep` objects, or the same as plain data. Nothing is checked before ``build``, which
finds all faults at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from taskengine.builders.recipes.ci_cd import ci_cd_workflow
from taskengine.builders.recipes.code_review import code_review_workflow
from taskengine.builders.recipes.data_processing import data_processing_workflow
from taskengine.builders.step_builder import StepBuilder
from taskengine.models import Workflow


class WorkflowBuilder(StepBuilder):
    """Collects steps; ``build`` makes the workflow. ``created_by`` defaults to the user of the system.

    The prebuilt workflows ask for agents of the built-in task types; what each step is given and expected to answer
    stands in :mod:`taskengine.builders.recipes`.
    """

    @classmethod
    def create_ci_cd_workflow(
        cls,
        name: str,
        created_by: str | None = None,
        *,
        repository_url: str,
        ref: str = "HEAD",
        environment: str | None = "staging",
        test_command: str | None = None,
    ) -> Workflow:
        """Build, check, deploy, verify, and roll back what is not healthy; *environment* None: no deployment."""
        return ci_cd_workflow(
            name, created_by, repository_url, ref=ref, environment=environment, test_command=test_command
        )

    @classmethod
    def create_data_processing_workflow(
        cls,
        name: str,
        created_by: str | None = None,
        *,
        data_sources: Sequence[JsonValue],
        max_parallel: int | None = 8,
        tolerate: int = 0,
    ) -> Workflow:
        """Extract, validate and transform each source, then load; *tolerate* sources may fail."""
        return data_processing_workflow(name, created_by, data_sources, max_parallel=max_parallel, tolerate=tolerate)

    @classmethod
    def create_code_review_workflow(
        cls,
        name: str,
        created_by: str | None = None,
        *,
        pull_request_url: str,
        review_types: Sequence[str] = ("style", "security"),
        test_command: str | None = None,
        approvers: Sequence[str] = (),
    ) -> Workflow:
        """Review a pull request from several sides, sum up, and approve or ask for changes."""
        return code_review_workflow(
            name,
            created_by,
            pull_request_url,
            review_types=review_types,
            test_command=test_command,
            approvers=approvers,
        )
