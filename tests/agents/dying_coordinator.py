"""Coordinators that die: for each word on standard input, ``N`` or ``end``, one process is made.

``N``: a coordinator that kills itself at its Nth moment: before its first call, after it, before its second, and so
on. ``0``: one that lives. Every next word ends the living one by SIGTERM first. Forked from here, each is there in
milliseconds. Answers ``pid`` on standard output, and ``died`` when it died of itself.
"""

import os
import signal
import sys
import threading

from taskengine.coordinator import Coordinator, HookedStore, new_id
from taskengine.coordinator.__main__ import stop_on_signals
from taskengine.settings import current
from taskengine.store.sync import SyncStore
from taskengine.transport import template

ENVELOPE = template()


def coordinate(moment):
    moments = 0

    def count(call):
        nonlocal moments
        moments += 1
        if moments == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    stop = threading.Event()
    stop_on_signals(stop)
    store = SyncStore(current().redis_url, current(), ENVELOPE)
    Coordinator(HookedStore(store, before=count, after=count), current(), new_id()).run(stop)
    os._exit(0)


def answer(word):
    print(word, flush=True)


alive = 0
for line in sys.stdin:
    if alive:
        os.kill(alive, signal.SIGTERM)
        os.waitpid(alive, 0)
        alive = 0
    if line.strip() == "end":
        break
    pid = os.fork()
    if not pid:
        coordinate(int(line))
    answer(pid)
    if int(line):
        os.waitpid(pid, 0)
        answer("died")
    else:
        alive = pid
