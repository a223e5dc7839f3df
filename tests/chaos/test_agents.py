"""Agents of each type, while whoever has to do with them is killed at each moment: nothing lost, nothing paid twice.

The moments of a type, and what its service may have been asked for, are in ``agent_types.py``.
"""

from __future__ import annotations

import os
import signal
import threading
from itertools import product
from pathlib import Path

import pytest

from taskengine import BlockingTaskAPI, Task
from taskengine.core.lifecycle import TERMINAL
from taskengine.models import TaskStatus

from ..fleet import Fleet, Process, until
from .aftermath import at_rest
from .agent_types import AgentType, ClaudeType, CodegenType, CommandType, HttpType
from .conftest import MakeFleet

#: Who holds what stops at a moment, a worker or its poller; who leads; where everything is kept.
WORKER, VICTIMS = "whoever is there", ("whoever is there", "coordinator", "server")
#: The name of the limit that all agents share.
LIMIT = "key"


def each_death(kind: type[AgentType]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("victim", "moment"), list(product(VICTIMS, kind.moments)))


@each_death(CodegenType)
def test_row_23_a_kill_at_any_moment_of_a_run_posts_none_twice_and_loses_none(
    make_fleet: MakeFleet, victim: str, moment: str
) -> None:
    with CodegenType() as kind:
        survives(make_fleet(), kind, victim, moment)


@each_death(ClaudeType)
def test_row_23_a_kill_at_any_moment_of_a_conversation_pays_again_at_most_for_the_call_that_it_cut(
    make_fleet: MakeFleet, victim: str, moment: str
) -> None:
    with ClaudeType() as kind:
        survives(make_fleet(), kind, victim, moment)


@each_death(HttpType)
def test_row_23_a_kill_at_any_moment_of_a_request_sends_it_under_no_other_key(
    make_fleet: MakeFleet, victim: str, moment: str
) -> None:
    with HttpType() as kind:
        survives(make_fleet(), kind, victim, moment)


@each_death(CommandType)
def test_row_23_a_kill_at_any_moment_of_a_program_starts_it_once_more_at_most_and_leaves_none_behind(
    make_fleet: MakeFleet, victim: str, moment: str
) -> None:
    with CommandType() as kind:
        survives(make_fleet(), kind, victim, moment)


def survives(fleet: Fleet, kind: AgentType, victim: str, moment: str) -> None:
    """Stop at the moment, kill, let go on, and hold what came of it against what may come of it."""
    coordinator = fleet.coordinator("c0")
    fleet.await_leader()
    with fleet.api() as api:
        api.set_limit(LIMIT, in_flight=5, requests_per_minute=60_000, tokens_per_day=10**9)
        api.register_agent("agent_1", kind.name, "code", limits=LIMIT, **kind.record(fleet.folder))
        fleet.await_ready(*(worker(fleet, kind, f"w{n}", moment) for n in range(2)))
        made = [Task(name=f"t{n}", capability="code", **fields) for n, fields in enumerate(kind.tasks(moment))]
        api.create_tasks(made)
        arrived = Path(fleet.folder / f"at-{moment}")
        pid = int(until(lambda: answers(api) or (arrived.exists() and arrived.read_text()), what=f"at {moment}"))
        if moment == "in_post":
            until(kind.is_posting, what="a post under way")
        kill(fleet, kind, victim, pid, coordinator, moment)
        (fleet.folder / f"go-{moment}").touch()
        until(lambda: answers(api) or all_over(fleet, made), 60, "the end of all")
        done = api.wait([task.id for task in made], 5)
        assert {task.status: task.error_message for task in done} == {TaskStatus.COMPLETED: None}
        kind.check(fleet, done, moment if victim == WORKER else None)
        nothing_reserved(api)
    at_rest(fleet, 20)


def worker(fleet: Fleet, kind: AgentType, name: str, moment: str) -> Process:
    return fleet.celery(
        name, pool="threads", slots=kind.slots, agents=f"dying_{kind.name}", TASKENGINE_AGENT="agent_1",
        DIE_AT=moment, FLEET_MOMENTS=str(fleet.folder), **kind.variables(),
    )  # fmt: skip


def kill(fleet: Fleet, kind: AgentType, victim: str, pid: int, coordinator: Process, moment: str) -> None:
    """kill -9, and start another one."""
    if victim == "server":
        fleet.server.kill()
        threading.Event().wait(0.5)
        fleet.server.restart()
    elif victim == "coordinator":
        coordinator.kill()
        fleet.coordinator("c1")
    else:
        os.kill(pid, signal.SIGKILL)
        worker(fleet, kind, "w2", moment)


def answers(api: BlockingTaskAPI) -> str:
    """Answer all that ask a person; '', for nothing has arrived by that."""
    for task in api.list_tasks(asking=True):
        api.answer(task.id, "yes")
    return ""


def all_over(fleet: Fleet, made: list[Task]) -> bool:
    return set(fleet.statuses([str(task.id) for task in made])) <= {status.value for status in TERMINAL}


def nothing_reserved(api: BlockingTaskAPI) -> None:
    until(lambda: not any(limit.in_flight for limit in api.list_limits()), what="limits back at zero")
