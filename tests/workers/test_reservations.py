"""Real workers reserve what tasks demand on their machine, share it, and leave nothing reserved however they end."""

from __future__ import annotations

from itertools import pairwise

from taskengine.models import Task, TaskStatus
from taskengine.store import hosts

from ..fleet import Fleet, until

BOX = {"TASKENGINE_HOST": "box", "TASKENGINE_RESOURCES": "seat=1"}


def reserved(fleet: Fleet) -> dict[str, dict[str, float]]:
    """What is reserved, by host."""
    return {host.name: host.reserved for host in fleet.store.run(hosts.every_host())}


def is_free(fleet: Fleet) -> bool:
    return not any(reserved(fleet).values())


def test_killed_children_leave_nothing_reserved(fleet: Fleet) -> None:
    demand = {"memory_gb": 0.1, "cpu_cores": 0.1}
    killed, slept = fleet.run(
        Task(capability="work", input={"do": "kill_itself"}, resource_requirements=demand),
        Task(capability="work", input={"do": "sleep", "seconds": 0.2}, resource_requirements=demand),
        seconds=60,
    )
    assert (killed.status, slept.status) == (TaskStatus.FAILED, TaskStatus.COMPLETED)
    until(lambda: is_free(fleet), what="nothing is reserved")


def test_two_workers_of_a_machine_share_its_only_seat_also_when_one_is_killed(fleet: Fleet) -> None:
    first, second = (
        fleet.celery(name, "-Q", "travel", pool="threads", slots=4, **BOX) for name in ("seat-one", "seat-two")
    )
    fleet.await_ready(first, second)
    demand = {"seat": 1}
    short = [
        Task(capability="travel", input={"do": "sleep", "seconds": 0.2}, resource_requirements=demand) for _ in range(5)
    ]
    ids = fleet.submit(*short)
    assert set(fleet.wait(ids)) == {"completed"}
    runs = sorted((run.started_at, run.completed_at) for id in ids for run in fleet.executions(id))
    assert all(ends <= begins for (_, ends), (begins, _) in pairwise(runs)), runs
    sleeps = {"do": "sleep", "seconds": 60}
    (long,) = fleet.submit(Task(capability="travel", input=sleeps, resource_requirements=demand))
    (run,) = until(lambda: [each for each in fleet.executions(long) if each.status.value == "running"])
    assert reserved(fleet)["box"] == {"seat": 1.0}
    runs_it, other = (first, second) if f"#{first.pid}-" in str(run.node) else (second, first)
    runs_it.close()
    again = until(lambda: len(fleet.executions(long)) == 2, 40, "another worker has the seat")
    assert again
    other.close()
    fleet.cancel(long)
    until(lambda: is_free(fleet), 40, "nothing is reserved")
