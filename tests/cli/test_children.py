"""Processes of a stack: they end when they are asked, when they are not, and with all that they started."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

import psutil
import pytest

from taskengine.cli.child import Program
from taskengine.cli.interrupts import Interrupts
from taskengine.cli.stack import Stack, free_port
from taskengine.errors import SettingsError

from .conftest import until

DEAF = "import signal, time; signal.signal(15, 1); signal.signal(3, 1); print('up', flush=True); time.sleep(300)"
#: Its child leads a group of its own and hears nothing, as a pool child's task might.
PARENT = (
    "import subprocess, sys, time; "
    f"child = subprocess.Popen([sys.executable, '-c', {DEAF!r}], process_group=0); "
    "print(child.pid, flush=True); time.sleep(300)"
)


def stack(*codes):
    programs = [Program(f"p{n}", [sys.executable, "-c", code]) for n, code in enumerate(codes)]
    return Stack(programs, os.environ)


def first_line(child):
    return child.process.stdout.readline().decode().strip()


def rest(_=None):
    time.sleep(0.01)


@pytest.mark.process
def test_a_program_that_ends_when_asked_is_not_killed():
    with stack("import time; print('up', flush=True); time.sleep(300)") as started:
        first_line(started.children[0])
        assert started.stop(60, lambda: 0, rest)
        assert started.children[0].exit_code == -signal.SIGTERM


@pytest.mark.process
def test_a_deaf_program_is_killed_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr("taskengine.cli.stack._HAND_BACK_SECONDS", 0.1)
    with stack(DEAF) as started:
        first_line(started.children[0])
        assert not started.stop(0.1, lambda: 0, rest)
        assert started.children[0].end == "was ended by SIGKILL"


@pytest.mark.process
def test_insisting_does_not_wait_for_the_time():
    with stack(DEAF) as started:
        first_line(started.children[0])
        begin = time.monotonic()
        assert not started.stop(60, lambda: 2, rest)
        assert time.monotonic() - begin < 30


@pytest.mark.process
def test_grandchildren_in_groups_of_their_own_do_not_outlive_the_block():
    with stack(PARENT) as started:
        grandchild = psutil.Process(int(first_line(started.children[0])))
        assert grandchild.is_running()
    until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE, 60, "it ended")


@pytest.mark.process
def test_an_error_in_the_block_ends_everything():
    with pytest.raises(ZeroDivisionError), stack(DEAF) as started:
        raise ZeroDivisionError
    assert started.children[0].exit_code == -signal.SIGKILL


@pytest.mark.process
def test_a_program_that_can_not_start_ends_those_that_did():
    broken = stack(DEAF)
    broken.programs = [*broken.programs, Program("missing", ["/nobody/put/this/here"])]
    with pytest.raises(FileNotFoundError), broken:
        pass
    assert broken.children[0].exit_code == -signal.SIGKILL


@pytest.mark.process
def test_the_first_that_ended_is_known():
    with stack("import time; time.sleep(300)", "raise SystemExit(7)") as started:
        until(lambda: started.ended(besides="p2"), 60, "one ended")
        ended = started.ended(besides="p0")
        assert (ended.name, ended.end) == ("p1", "ended with exit code 7")


def test_signals_are_counted_and_only_the_first_raises():
    def die():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)

    with Interrupts(raises=True) as interrupts, pytest.raises(KeyboardInterrupt):
        die()
    assert (interrupts.count, interrupts.name) == (1, "SIGTERM")
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        until(lambda: interrupts.count == 2, 60, "both counted")
        assert interrupts.wakes.recv(10)


def test_a_free_port_is_taken_and_one_in_use_is_not():

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port, otherwise_any=True) not in {0, port}
        with pytest.raises(SettingsError, match=str(port)):
            free_port(port, otherwise_any=False)
    assert free_port(0, otherwise_any=False) > 0
