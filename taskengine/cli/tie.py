"""Ends a process when the one that started it is gone, also when that was killed and could say nothing: a process of
the stack with ``taskengine up``, the worker of a ``TaskExecutor`` with its script.

Linux sends the signal itself (PR_SET_PDEATHSIG); elsewhere a thread looks every second whether the parent
changed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_LOOK_SECONDS = 1.0


def tie_to(parent: int) -> None:
    """Get SIGTERM when process *parent*, who started us, ends; at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    else:
        watch(parent)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def watch(parent: int) -> None:
    """Get SIGTERM within a second after process *parent*, who started us, ended.

    Linux would send the signal when the *thread* ends that started us, and a script may have many.
    """
    threading.Thread(target=_watch, args=(parent,), name="taskengine-tie", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
