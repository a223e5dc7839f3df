"""What a node offers is what it consumes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskengine.errors import AgentError
from taskengine.models import Task
from workers.queues import Served

from ..conftest import Valkey
from ..fleet import Fleet, until


def control(fleet: Fleet, *words: str) -> None:
    command = [sys.executable, "-m", "celery", "-A", "workers", "control", *words]
    subprocess.run(command, cwd=fleet.folder, env=fleet.environment(), check=True, capture_output=True, timeout=60)


def test_a_cancelled_consumer_is_offered_no_more_and_an_added_one_is(bare_fleet: Fleet) -> None:
    fleet = bare_fleet
    fleet.coordinator()
    fleet.await_leader()
    fleet.worker("w", "-Q", "work,play")
    control(fleet, "cancel_consumer", "work")
    until(lambda: "work" not in fleet.nodes()[0].queues, what="the offer without it")
    waits, runs = fleet.submit(Task(capability="work"), Task(capability="play"))
    fleet.wait([runs])
    assert fleet.statuses([waits]) == ["ready"], "neither granted nor pulled"
    assert fleet.view().queues[-1].granted == 0
    control(fleet, "add_consumer", "work")
    fleet.wait([waits])
    control(fleet, "add_consumer", "special")
    until(lambda: "special" in fleet.nodes()[0].queues, what="what its agents can do besides")
    control(fleet, "add_consumer", "nobodys")
    assert "nobodys" not in fleet.nodes()[0].queues


def told(fleet: Fleet, *words: str) -> str:
    command = [sys.executable, "-m", "taskengine.cli", *words]
    found = subprocess.run(command, cwd=fleet.folder, env=fleet.environment(), stdout=subprocess.PIPE, check=False)
    return " ".join(found.stdout.decode().split())


def worker_of_a_user_who_may_not(fleet: Fleet, *rules: str) -> None:
    fleet.server.client.execute_command("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", *rules)
    fleet.coordinator()
    fleet.await_leader()
    fleet.celery("w", "-Q", "work", url=fleet.server.url.replace("://", "://app:secret@"))
    until(lambda: "NoPermissionError" in fleet.processes[-1].log(), what="the refusal")


@pytest.fixture
def patient_fleet(valkey: Valkey, tmp_path: Path) -> Iterator[Fleet]:
    """A server and nothing running; a node that a busy machine keeps from beating for seconds stays in the fleet."""
    made = Fleet(valkey, tmp_path, lease_seconds=20.0)
    yield made
    made.close()


def test_a_worker_whose_redis_user_may_not_subscribe_is_named_and_granted_nothing(patient_fleet: Fleet) -> None:
    """It offers its queues each time that it has connected again, and never takes what it is granted."""
    fleet = patient_fleet
    worker_of_a_user_who_may_not(fleet, "-subscribe", "-psubscribe")
    (id,) = fleet.submit(Task(capability="work"))
    until(lambda: any(node.is_distrusted for node in fleet.nodes()), 60, "three grants that were withdrawn")
    offers = [fleet.nodes()[0].queues]

    def come_and_go() -> bool:
        (node,) = fleet.nodes()
        assert node.is_distrusted
        if node.queues != offers[-1]:
            offers.append(node.queues)
        return len(offers) > 4

    until(come_and_go, 40, "offers that come and go")
    assert sum(queue.granted for queue in fleet.view().queues) == 0
    until(lambda: "took nothing of what it was granted 3 times in a row" in told(fleet, "task", "why", id))
    said = told(fleet, "doctor")
    assert "worker w@test took nothing of what it was granted 3 times in a row" in said
    assert "may its Redis user subscribe (ACL)?" in said


def test_a_worker_whose_redis_user_may_not_pop_offers_nothing(bare_fleet: Fleet) -> None:
    fleet = bare_fleet
    worker_of_a_user_who_may_not(fleet, "-brpop")
    (id,) = fleet.submit(Task(capability="work"))
    until(lambda: "consumes no queue" in told(fleet, "doctor"), 30)
    until(lambda: "no living worker offers capability 'work' (nor anything else)" in told(fleet, "task", "why", id), 30)
    until(lambda: not sum(queue.granted for queue in fleet.view().queues), what="what it was granted, back")
    assert fleet.statuses([id]) == ["ready"]


@pytest.mark.process
def test_what_could_be_served_changes_also_for_a_child_that_was_forked_before() -> None:
    served = Served({"a": "x", "@x": "x"})
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        theirs.recv(1)
        theirs.send(f"{served.text}|{served.agent_of('b')}|{served.agent_of('a')}".encode())
        os._exit(0)
    served.could({"b": "y", "@y": "y"})
    assert served.text == "", "nobody consumes these yet"
    served.consume({"b", "a", "@y"})
    ours.send(b"!")
    with ours, theirs:
        assert ours.recv(100).decode() == "b=y @y=y|y|None"
    os.waitpid(child, 0)
    assert served.agents == {"b": "y", "@y": "y"}


def test_too_much_to_serve_changes_nothing() -> None:
    served = Served({"a": "x"})
    with pytest.raises(AgentError, match="start it again to serve them"):
        served.could({f"{n:0100}": "x" for n in range(5000)})
    assert served.text == "a=x"
    served.consume({"a"})
    assert served.text == "a=x"


def test_the_agent_of_a_queue_is_told_by_its_whole_name() -> None:
    served = Served({"test": "a", "a.test": "b", "tes": "c"})
    assert [served.agent_of(queue) for queue in ("test", "a.test", "tes", "est", "t")] == ["a", "b", "c", None, None]


def test_what_is_served_follows_what_is_consumed() -> None:
    served = Served({"a": "x", "b": "y", "@x": "x"})
    assert served.text == "a=x b=y @x=x"
    served.consume({"b", "foreign"})
    assert served.text == "b=y"
    served.consume(())
    assert served.text == ""
    assert Served({}).text == ""
