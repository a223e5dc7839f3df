"""An end that an agent did not choose is told as it was: how a child died, when, and what a timeout is not."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from celery.worker import state

from taskengine.models import Task
from workers.child_processes import is_alive
from workers.deaths import Deaths, told
from workers.host import Host
from workers.slot_table import SlotTable

from ..fleet import Fleet, Process, until

_MIB = 1024 * 1024


@pytest.fixture
def prefork(fleet: Fleet) -> Process:
    """The worker of the shared fleet whose children can die."""
    return next(process for process in fleet.processes if process.name == "prefork")


@pytest.mark.parametrize(
    ("status", "peak", "how"),
    [
        (
            "Worker exited prematurely: signal 9 (SIGKILL) Job: 3.",
            812 * _MIB,
            "its process was killed by SIGKILL; it used 812 MiB at most, as far as was seen; out of memory may be the "
            "reason: see the system's log",
        ),
        ("Worker exited prematurely: signal 11 (SIGSEGV) Job: 3.", 0, "its process was ended by SIGSEGV"),
        ("Worker exited prematurely: exitcode 7 Job: 3.", 0, "its process ended with exit code 7"),
        ("something else", 3 * _MIB, "its process ended; it used 3 MiB at most, as far as was seen"),
    ],
)
def test_an_exit_status_is_told_in_words(status, peak, how):
    assert told(status, peak) == how


def test_a_death_is_kept_until_a_beat_told_it():
    seen = Deaths()
    seen.note("m1", 7, "how one | died")
    words = seen.words()
    assert words == seen.words()
    assert words[0].startswith("m1|7|")
    assert words[0].split("|", 3)[3] == "how one | died"
    seen.note("m2", 8, "later")
    seen.forget(words)
    assert [word.split("|")[0] for word in seen.words()] == ["m2"]


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (-signal.SIGSEGV, ["its process was ended by SIGSEGV"]),
        (7, ["its process ended with exit code 7"]),
        (None, []),  # between taking its status and noting it: the next look finds it
    ],
)
def test_a_child_whose_status_celery_took_is_told_by_what_celery_saw(monkeypatch, code, how):
    """Celery waits for seconds before it says that a child is lost; a beat may come before that."""
    gone = 2**22 + 1  # more than a process id can be
    job = SimpleNamespace(_worker_lost=None if code is None else (1.0, code))
    request = SimpleNamespace(id="m1", worker_pid=gone, _apply_result=lambda: job)
    monkeypatch.setattr(state, "active_requests", [request])
    monkeypatch.setattr(state, "requests", {"m1": request})
    seen = Deaths()
    seen.look(SlotTable(), [])
    assert [word.split("|", 3)[3] for word in seen.words()] == how


def test_a_dead_child_is_called_lost_once_it_is_known_how_or_after_a_while(monkeypatch):
    """Between the pool's taking its exit status and its saying so there may be a beat, whose reason would stay."""
    gone, code = 2**22 + 1, []
    now = 100.0
    monkeypatch.setattr("workers.deaths.time.monotonic", lambda: now)
    seen = Deaths()

    def look():
        seen.look(SlotTable(), [("m1", gone)], lambda _: code[0] if code else None)
        return seen.unclear(), [word.split("|", 3)[3] for word in seen.words()]

    assert look() == ({f"m1|{gone}"}, [])
    now += 1.9
    assert look() == ({f"m1|{gone}"}, [])
    code.append(-9)
    assert look() == (set(), [told("signal 9", 0)])
    seen.forget(seen.words())
    assert look() == (set(), [])
    code.clear()
    seen = Deaths()
    look()
    now += 2.1
    assert look() == (set(), [])


class FakePool:
    def __init__(self):
        self._pool = [SimpleNamespace(pid=5, _popen=SimpleNamespace(returncode=None), exitcode=None)]
        self.left = []
        self.on_process_down = self.left.append


def test_what_a_pool_took_of_a_childs_end_is_known_while_it_is_in_the_pool_and_afterwards():
    pool = FakePool()
    (child,) = pool._pool
    host = Host(SimpleNamespace(pool=SimpleNamespace(_pool=pool)))
    host.hear_exits()
    host.hear_exits()
    assert host.exit_code_of(5) is None
    child._popen.returncode = child.exitcode = -9
    assert host.exit_code_of(5) == -9
    pool._pool.clear()
    pool.on_process_down(child)
    assert (host.exit_code_of(5), pool.left) == (-9, [child])
    assert host.exit_code_of(6) is None


def test_a_pool_without_processes_says_nothing_of_ends():
    host = Host(SimpleNamespace(pool=SimpleNamespace()))
    host.hear_exits()
    assert host.exit_code_of(5) is None


@pytest.mark.process
def test_a_child_that_died_before_celery_knew_that_it_began_is_told_as_well():
    """Its parent was busy, as with the fork of another child; the beat before named what the child had claimed."""
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
    until(lambda: not is_alive(child.pid))
    seen = Deaths()
    seen.look(SlotTable(), [("m1", child.pid), ("m1", child.pid)])
    assert [word.split("|", 3)[3] for word in seen.words()] == ["its process ended with exit code 7"]
    assert child.wait() == 7


def test_a_lost_child_is_told_with_its_signal_or_exit_code(fleet: Fleet, prefork: Process) -> None:
    (exited,) = fleet.run(Task(capability="work", input={"do": "vanish", "times": 1}))
    first, _ = fleet.executions(str(exited.id))
    assert first.status.value == "lost"
    assert first.error_message.startswith("its process ended with exit code 7")
    (killed,) = fleet.run(Task(capability="work", input={"do": "kill_itself"}))
    assert killed.error_message.startswith("lost its worker 3 times, last on ")
    assert "retry_task" not in killed.error_message
    lost = fleet.executions(str(killed.id))
    assert all("was killed by SIGKILL" in e.error_message for e in lost)
    assert {e.status.value for e in lost} == {"lost"}
    for each in (first, *lost):  # none lived from one beat to the next
        line = f"lost execution={each.id} task={each.task_id}: {each.error_message}"
        until(lambda line=line: line in prefork.log(), what=line)  # written once the beat that ended it is answered
    assert "WorkerLostError" not in prefork.log()


def test_of_twenty_killed_children_each_is_told_with_its_signal(fleet: Fleet) -> None:
    """Whoever took its exit status first, and whether Celery had heard that it began."""
    killed = fleet.run(*(Task(capability="work", input={"do": "kill_itself"}) for _ in range(7)), seconds=60)
    told = [each.error_message for task in killed for each in fleet.executions(str(task.id))]
    assert len(told) > 20
    assert [why for why in told if "was killed by SIGKILL" not in why] == []


def test_a_timeout_is_no_exit_of_the_agent_and_no_error_of_celery(fleet: Fleet, prefork: Process) -> None:
    (task,) = fleet.run(Task(capability="work", input={"do": "sleep", "seconds": 30}, timeout=0.3, max_retries=0))
    (execution,) = fleet.executions(str(task.id))
    assert (execution.status.value, execution.error_message) == (
        "timed_out", "attempt 1 ran longer than its timeout of 0.3 s",
    )  # fmt: skip
    fleet.run(Task(capability="work", input={"do": "nothing"}))
    (execution,) = fleet.executions(str(task.id))
    assert "exit(" not in str(execution.late_outcome)
    assert execution.traceback is None
    assert "WorkerLostError" not in prefork.log()


@pytest.mark.matrix
@pytest.mark.parametrize("ended", ["timed out", "cancelled", "handed back"])
def test_a_child_that_its_worker_ends_is_no_error(bare_fleet: Fleet, ended: str, tmp_path: Path) -> None:
    """billiard logs one for every child that dies by a signal; a healthy worker's log has none."""
    bare_fleet.coordinator()
    worker = bare_fleet.worker("w", "-Q", "work", slots=1)
    more = {"timeout": 3, "max_retries": 0} if ended == "timed out" else {}
    stubborn = {"do": "stubborn", "seconds": 60, "pids": str(tmp_path / "pids")}
    (id,) = bare_fleet.submit(Task(capability="work", input=stubborn, **more))
    until((tmp_path / "pids").exists)
    if ended == "handed back":
        worker.send(signal.SIGQUIT)
        worker.wait()
    else:
        if ended == "cancelled":
            bare_fleet.cancel(id)
        bare_fleet.run(Task(capability="work"))  # in the next child: the first one was seen to be gone
    assert ended in worker.log()
    assert "ERROR/" not in worker.log()


def test_a_child_that_dies_by_itself_is_an_error(bare_fleet: Fleet) -> None:
    bare_fleet.coordinator()
    worker = bare_fleet.worker("w", "-Q", "work", slots=1)
    bare_fleet.submit(Task(capability="work", input={"do": "kill_itself"}))
    until(lambda: "exited with 'signal 9 (SIGKILL)'" in worker.log())
