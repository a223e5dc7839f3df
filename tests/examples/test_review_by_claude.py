"""The prebuilt code review on a real change: Claude reviews, the built-in agents look and test, a person approves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskengine import WorkflowBuilder

from ..conftest import Valkey
from ..doubles.anthropic import Anthropic
from ..fleet import Fleet, until
from .conftest import GOOD, Repository

pytestmark = [pytest.mark.process, pytest.mark.slow]

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text", "findings"]}


def answers(body: dict[str, Any]) -> dict[str, Any]:
    """What a model would do: read the change, then say what it thinks of what it read."""
    asked = body["messages"][0]["content"]
    told = body["messages"][-1]["content"]
    given = json.loads(asked[asked.index("{") : asked.rindex("}") + 1])
    if given["action"] == "summarise":
        found = [each for findings in given["findings"].values() for each in findings]
        return {"text": json.dumps({"text": f"{len(found)}: {'; '.join(found)}", "findings": len(found)})}
    if given["action"] != "review":
        return {"text": json.dumps({"text": given["action"], "findings": []})}
    if isinstance(told, str):
        url = {"pull_request_url": given["pull_request_url"]}
        return {"kind": "tool", "calls": [{"name": "read_diff", "input": url}]}
    lines = re.findall(r"^\+(?!\+\+)(.*eval.*)$", told[0]["content"], re.MULTILINE)
    found = [f"{given['review_type']}: {line}" for line in lines] if given["review_type"] == "security" else []
    return {"text": json.dumps({"text": "read", "findings": found})}


@pytest.fixture
def service() -> Iterator[Anthropic]:
    with Anthropic(answers=answers) as made:
        yield made


@pytest.fixture
def fleet(tmp_path: Path, service: Anthropic) -> Iterator[Fleet]:
    server = Valkey()
    made = Fleet(server, tmp_path)
    try:
        made.coordinator()
        with made.api() as api:
            api.register_agent(
                "reviewer", "claude", {"code_review"}, secret="ANTHROPIC_API_KEY",
                config={
                    "model": "claude-test", "system": "You review changes.", "tools": ["read_diff"],
                    "output_schema": SCHEMA,
                },
            )  # fmt: skip
        own = {"TASKENGINE_WORKSPACES": str(tmp_path)}
        made.worker("git", "-Q", "code_analysis,testing", agents="workers.agents.builtin.agents", **own)
        made.worker(
            "claude", pool="threads", slots=8, agents="claude_tools", TASKENGINE_AGENT="reviewer",
            ANTHROPIC_API_KEY="key-of-a-test", ANTHROPIC_BASE_URL=service.url,
        )  # fmt: skip
        made.await_leader()
        yield made
    finally:
        made.close()
        server.close()


def test_a_change_is_reviewed_by_claude_tested_and_approved(
    fleet: Fleet, service: Anthropic, tmp_path: Path
) -> None:
    repository = Repository(tmp_path / "repository")
    repository.commit(**{name.replace(".", "__"): text for name, text in GOOD.items()})
    request = repository.pull_request(7, more__py="print(eval('1'))\n")
    workflow = WorkflowBuilder.create_code_review_workflow("review", pull_request_url=request, approvers=["ann"])
    with fleet.api() as api:
        handle = api.start_workflow(workflow)
        until(lambda: _asks(api, handle.id), 90, "a person is asked")
        api.approve(handle.id, "sign_off", by="ann")
        done = handle.result(60)
    assert done.result == {"summary": "1: security: print(eval('1'))", "findings": 1}
    paid = [seen for seen in service.service.tasks.values() if seen.finished]
    assert sum(seen.finished.total() for seen in paid) == 6  # two reviews of two turns, a summary, an answer
    prompts = [seen.bodies[0]["messages"][0]["content"] for seen in paid]
    assert all('<data source="' in prompt for prompt in prompts)


def _asks(api: Any, id: Any) -> bool:
    status = api.get_workflow_status(id)
    return any(step.name == "sign_off" and step.status.value == "waiting" for step in status.steps)
