"""An endpoint, Claude and a program, one after the other, without a key or a network.

    pip install 'taskengine[agents]' && python examples/agents/run.py

It starts a server, a coordinator and one worker for each agent, submits three tasks of which each takes up what the one
before it made, and shows what became of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fake_services import serve

from taskengine import BlockingTaskAPI, Task

HERE = Path(__file__).resolve().parent


def register(api: BlockingTaskAPI, services: str) -> None:
    """Make the three agents known; in an app of yours this stands where it starts."""
    api.register_agent("tickets", "http", {"fetch_tickets"}, config={"url": f"{services}/tickets", "poll_seconds": 0.2})
    api.register_agent(
        "claude_support", "claude", {"answer"}, secret="ANTHROPIC_API_KEY",
        config={"model": "claude-sonnet-5", "system": "You answer customers.", "tools": ["look_up"]},
    )  # fmt: skip
    api.register_agent("letters", "command", {"letter"}, config={"argv": [sys.executable, str(HERE / "letter.py")]})


def tasks() -> list[Task]:
    """Fetch, answer, write: each reads the results of the one before it."""
    fetch = Task(name="fetch", capability="fetch_tickets")
    answer = Task(
        name="answer", capability="answer", depends_on={fetch.id},
        description="Answer this customer in one sentence: ${results.fetch.tickets[0].text}",
    )  # fmt: skip
    letter = Task(
        name="letter", capability="letter", depends_on={answer.id}, template=True,
        input={"name": "Ada", "text": "${results.answer.text}"},
    )  # fmt: skip
    return [fetch, answer, letter]


@contextmanager
def process(*words: str, **variables: str) -> Iterator[None]:
    """Run ``python -m WORDS`` while the block lasts."""
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, **variables, "PYTHONPATH": path}
    silent = subprocess.DEVNULL
    child = subprocess.Popen([sys.executable, "-m", *words], env=env, stdout=silent, stderr=silent)
    try:
        yield
    finally:
        child.terminate()
        child.wait()


def main() -> None:
    """Run the whole of it."""
    with TemporaryDirectory() as home, serve() as services, ExitStack() as running:
        os.environ["TASKENGINE_HOME"] = home
        with BlockingTaskAPI() as api:
            register(api, services)
            running.enter_context(process("taskengine.coordinator"))
            for agent in ("tickets", "claude_support", "letters"):
                running.enter_context(process(
                    "taskengine.cli", "worker", "--agent", agent, "--concurrency", "2", "--import", "support_tools",
                    ANTHROPIC_API_KEY="none-is-needed", ANTHROPIC_BASE_URL=services,
                    TASKENGINE_ALLOWED_HOSTS=services.removeprefix("http://"), TASKENGINE_COMMANDS=sys.executable,
                ))  # fmt: skip
            for task in api.wait([task.id for task in api.create_tasks(tasks())], timeout=120):
                print(f"{task.name}: {task.status.value} {task.result or task.error_message}")
            print(api.get_task(task.id).result["letter"])


if __name__ == "__main__":
    main()
