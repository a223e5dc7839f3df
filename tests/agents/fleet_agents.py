"""Agents of the test fleets. Each run leaves lines in a side file, so that "ran twice" is decided without the engine.

A line is ``what task attempt pid monotonic``, appended in one write: processes cannot tear each other's lines, and
the monotonic clock is one for the whole machine.
"""

import asyncio
import contextlib
import ctypes
import faulthandler
import io
import logging
import logging.config
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import psutil
from celery.utils.log import get_task_logger
from rich.console import Console

from taskengine import BlockingTaskAPI
from taskengine.agent import NotNow, agent
from taskengine.models import Outcome

if os.environ.get("FORCE_BATCHES"):
    import forced_batches  # noqa: F401  # changes how this worker takes its work

_EFFECTS = os.environ["FLEET_EFFECTS"]
#: A grandchild that ignores TERM, started by the task ``stubborn``.
_IGNORES_TERM = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(120)"


def effect(what, task):
    line = f"{what} {task.id} {task.attempt} {os.getpid()} {time.monotonic():.6f}\n"
    out = os.open(_EFFECTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(out, line.encode())
    os.close(out)


def until_cancelled(seconds, context):
    end = time.monotonic() + seconds
    while time.monotonic() < end and not context.cancelled:
        time.sleep(0.02)
    return context.cancelled


def nothing(task, context):
    return {}


def chatter(task, context):
    """Logs and tells its progress ten times a second, for 30 ``lines``, whatever becomes of the server."""
    lines = task.input.get("lines", 30)
    for n in range(lines):
        context.log(f"line {n}")
        context.progress(n / lines)
        time.sleep(0.1)
    return {"lines": lines}


def speak(task, context):
    """Says something in every way there is, then waits for ``seconds``."""
    logging.getLogger("my.agent").warning("logged %s", task.name)
    logging.getLogger("my.agent").debug("too quiet")
    get_task_logger("my.celery").error("password=hunter2 is wrong")
    print("printed", task.name)
    print("half a", end="")
    print(" line")
    print("complained", file=sys.stderr)
    context.log("told", "debug", n=1)
    other = threading.Thread(target=print, args=("of another thread",))
    other.start()
    other.join()
    time.sleep(task.input.get("seconds", 0))
    print("the end", end="")
    return {}


def speak_past_python(task, context):
    """Hands the standard streams to whoever wants a real one."""
    assert (sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.writable()) == ("utf-8", False, True)
    assert not sys.stdout.closed
    subprocess.run(["/bin/sh", "-c", "echo out; echo err >&2"], stdout=sys.stdout, stderr=sys.stderr, check=True)
    os.write(sys.stdout.fileno(), "käse".encode() + b"\xff\n")
    sys.stdout.buffer.write("büffer\n".encode())
    faulthandler.enable()
    faulthandler.dump_traceback(sys.stderr, all_threads=False)
    Console().print("rich")
    with contextlib.redirect_stdout(io.StringIO()) as kept:
        print("kept")
    return {"kept": kept.getvalue()}


def ruin(task, context):
    """Sets up logging or streams as if the process were its own."""
    {
        "force": lambda: logging.basicConfig(force=True, level=logging.ERROR),
        "dict": lambda: logging.config.dictConfig({"version": 1, "root": {"level": "CRITICAL"}}),
        "disable": lambda: logging.disable(logging.CRITICAL),
        "clear": lambda: logging.getLogger().handlers.clear(),
        "replace": lambda: vars(sys).update(stdout=io.StringIO(), stderr=None),
        "close": lambda: (sys.stdout.close(), sys.stderr.close()),
        "delete": lambda: vars(sys).pop("stdout"),
    }[task.input["how"]]()
    return {}


def flood(task, context):
    """Says more than is kept."""
    for n in range(task.input["lines"]):
        print(n)
    return {}


def last_words(task, context):
    """Dies once what it said can be read: a thread carries it, within a second where the machine is not busy."""
    print("last words")
    with BlockingTaskAPI() as api:
        api.follow_logs(task.id, context.attempt, timeout=20)
    os._exit(7)


def sleep(task, context):
    time.sleep(task.input.get("seconds", 0))
    return {"n": task.input.get("n"), "attempt": context.attempt}


def patient(task, context):
    """Heeds a cancel; cleans up for a while before it returns."""
    heard = until_cancelled(task.input.get("seconds", 60), context)
    effect("heard" if heard else "unheard", task)
    time.sleep(task.input.get("clean_up", 0))
    return {"cleaned_up": heard}


def deaf(task, context):
    """Waits for nothing but its time."""
    end = time.monotonic() + task.input["seconds"]
    while time.monotonic() < end:
        time.sleep(0.02)
    return {"late": True}


def fail(task, context):
    if context.attempt <= task.input.get("times", 1_000_000):
        raise ValueError(task.input.get("message", "no luck"))
    return {"attempt": context.attempt}


def refuse(task, context):
    """Says not now the first ``times`` times, by return or by raise."""
    if context.attempt > task.input.get("times", 1_000_000):
        return {"attempt": context.attempt}
    delay, reason = task.input.get("delay", 0.05), "the rate limit of 5 requests a minute"
    if task.input.get("raise"):
        raise NotNow(delay, reason, scope=task.input.get("scope"))
    return Outcome.not_now(delay, reason, scope=task.input.get("scope"))


def unserialisable(task, context):
    return {"when": object()}


def call_exit(task, context):
    sys.exit(task.input.get("code", 3))


def vanish(task, context):
    """Ends its process without a word, the first ``times`` times."""
    if context.attempt <= task.input.get("times", 1_000_000):
        os._exit(7)
    return {"attempt": context.attempt}


def kill_itself(task, context):
    os.kill(os.getpid(), signal.SIGKILL)


def big(task, context):
    return {"text": "x" * task.input["bytes"]}


def hold_the_gil(task, context):
    """A C function that does not release the interpreter."""
    ctypes.PyDLL(None).sleep(task.input["seconds"])
    return {"held": task.input["seconds"]}


def stubborn(task, context):
    """Ignores TERM, as do its children; tells their process ids."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    children = [subprocess.Popen([sys.executable, "-c", _IGNORES_TERM]) for _ in range(2)]
    Path(task.input["pids"]).write_text(" ".join(str(child.pid) for child in children))
    deaf(task, context)


def fork(task, context):
    """Forks; the child ends as scripts do, and the parent says how."""
    pid = os.fork()
    if pid:
        return {"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "pid": os.getpid()}
    if task.input["child"] == "raises":
        raise ValueError("in the child")
    if task.input["child"] == "exits":
        sys.exit(7)
    return {"by": "the child"}


def fork_and_stay(task, context):
    """Waits for ever, together with a child and a grandchild."""
    if os.fork() == 0:
        os.fork()
        time.sleep(120)
    while len(children := psutil.Process().children(recursive=True)) < 2:
        time.sleep(0.01)
    Path(task.input["pids"]).write_text(" ".join(str(child.pid) for child in children))
    deaf(task, context)


def square(number):
    return number * number


def use_processes(task, context):
    """Has processes of its own, as scripts have them."""
    with multiprocessing.Pool(2) as pool:
        squares = pool.map(square, range(4))
    with ProcessPoolExecutor(2) as executor:
        squares += executor.map(square, range(4, 6))
    return {"squares": squares}


def leave_processes(task, context):
    """Never closes its pool, and tells whom it left."""
    pool = multiprocessing.get_context("fork").Pool(2)
    _left.append(pool)
    pool.map(square, range(4))
    return {"left": [child.pid for child in psutil.Process().children()], "pid": os.getpid()}


_left = []


def ask(task, context):
    """What a context gives; about its dependencies only what is asked for by name or id."""
    context.progress(0.25, "quarter")
    context.log("looked around", "warning", count=2)
    return {
        "attempt": context.attempt,
        "execution": str(context.execution_id),
        "deadline": context.deadline.timestamp(),
        "cancelled": context.cancelled,
        "status": task.status.value,
        "input": task.input,
    }


def read_results(task, context):
    """Results by the names or ids in ``of``, their size for large ones; all of them when there is no ``of``."""
    wanted = task.input.get("of") or list(context.results)
    found = {name: context.results[name] for name in wanted}
    return {
        "count": len(context.results),
        "found": {k: len(v["text"]) if "text" in v else v for k, v in found.items()},
        "depends_on": len(task.depends_on),
    }


DO = {
    f.__name__: f
    for f in (
        nothing, chatter, speak, speak_past_python, ruin, flood, last_words, sleep, patient, deaf, fail,
        unserialisable, call_exit, vanish,
        kill_itself, big, hold_the_gil, stubborn, ask, fork, fork_and_stay, use_processes, leave_processes,
        read_results, refuse,
    )
}  # fmt: skip


@agent("worker", capabilities={"work", "play", "travel"})
def work(task, context):
    effect("begin", task)
    try:
        return DO[task.input.get("do", "sleep")](task, context)
    finally:
        effect("end", task)


@agent("specialist", capabilities={"special"})
def special(task, context):
    effect("begin", task)
    effect("end", task)
    return {"by": "specialist"}


@agent("waiter", capabilities={"wait", "await"})
async def wait(task, context):
    effect("begin", task)
    try:
        print("waits", task.name)
        await asyncio.sleep(task.input.get("seconds", 0))
        await asyncio.to_thread(print, "waited", task.name)
    except asyncio.CancelledError:
        effect("interrupted", task)
        if "clean_up" not in task.input:
            raise
        await asyncio.sleep(task.input["clean_up"])
        effect("cleaned_up", task)
    finally:
        effect("end", task)
    return Outcome("completed", output={"slept": task.input.get("seconds", 0)})
