"""The manual's block for each kind of step, as it is written."""

from __future__ import annotations

TASK = """
    builder.add_task_step(
        "build",
        task_template={
            "name": "Build Application",
            "task_type": "code_generation",
            "metadata": {"action": "build"}
        }
    )
    """
PARALLEL = """
    builder.add_parallel_step(
        "parallel_tests",
        sub_steps=[unit_test_step, integration_test_step]
    )
    """
SEQUENTIAL = """
    builder.add_sequential_step(
        "deployment_sequence", 
        sub_steps=[deploy_step, verify_step, notify_step]
    )
    """  # noqa: W291  # as in the manual
CONDITIONAL = """
    builder.add_conditional_step(
        "deploy_check",
        condition=WorkflowCondition(
            field="test_status",
            operator=ConditionOperator.EQUALS,
            value="passed"
        ),
        true_steps=[deploy_step],
        false_steps=[rollback_step]
    )
    """
LOOP = """
    builder.add_loop_step(
        "retry_loop",
        loop_condition=WorkflowCondition(
            field="retry_count",
            operator=ConditionOperator.LESS_THAN,
            value=3
        ),
        loop_steps=[retry_step],
        max_iterations=5
    )
    """
WAIT = """
    # Time-based wait
    builder.add_wait_step("wait_5min", wait_seconds=300)

    # Condition-based wait
    builder.add_wait_step(
        "wait_for_approval",
        wait_condition=WorkflowCondition(
            field="approved",
            operator=ConditionOperator.EQUALS,
            value=True
        )
    )
    """
