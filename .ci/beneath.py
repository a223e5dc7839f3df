"""Run a command, and fail when it leaves a process behind: ``python3 beneath.py bash .ci/run``.

On Linux this process becomes the parent of every orphan beneath it, so whoever is left is its child, however deep it
was started and whatever session, name or environment it gave itself. Elsewhere nothing is looked for, and that is said.
Without anything to install: it runs before there is an environment.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
#: An embedded server ends by itself soon after its last user.
_GRACE_SECONDS = float(os.environ.get("CI_GRACE", "15"))


def main(command: list[str]) -> int:
    """The exit code of *command*; 1 when it was 0 and somebody was left."""
    watched = sys.platform.startswith("linux") and adopt_orphans()
    child = subprocess.Popen(command)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: pass_on(child, number))
    code = wait_for(child)
    if not watched:
        print("== processes left behind: not looked for on this system ==")
        return code
    left = await_the_end()
    for pid in left:
        print(f"left behind: {pid} {describe(pid)}", file=sys.stderr)
        end(pid)
    if left:
        await_the_end()
    return code or bool(left)


def adopt_orphans() -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def pass_on(child: subprocess.Popen[bytes], number: int) -> None:
    if child.returncode is None:
        child.send_signal(number)


def wait_for(child: subprocess.Popen[bytes]) -> int:
    """Until the command has ended; orphans that end meanwhile are buried as init would."""
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode if child.returncode >= 0 else 128 - child.returncode


def await_the_end() -> list[int]:
    """Who is beneath this process when the grace is over."""
    deadline = time.monotonic() + _GRACE_SECONDS
    while (left := beneath(os.getpid())) and time.monotonic() < deadline:
        bury()
        time.sleep(0.1)
    return left


def bury() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def beneath(parent: int) -> list[int]:
    """Every living process under *parent*, the deepest first."""
    children: dict[int, list[int]] = {}
    for pid, above, state in processes():
        if state != "Z":
            children.setdefault(above, []).append(pid)
    found: list[int] = []
    row = [parent]
    while row := [pid for above in row for pid in children.get(above, ())]:
        found[:0] = row
    return found


def processes() -> list[tuple[int, int, str]]:
    """Id, parent and state of everybody."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, above = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue  # it ended meanwhile
            found.append((int(entry.name), int(above), state))
    return found


def describe(pid: int) -> str:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return "ended meanwhile"
    return line.decode(errors="replace")[:200]


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
