"""A child process of an agent: in a group of its own, with an environment of its own, and gone when it should be."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from taskengine.settings import environment
from workers.agents import reaper

#: Variables that a child gets of its worker's: where programs and words are, and nothing that is anybody's business.
_PASSED_ON = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
#: Bytes that are read at once, and characters of an error line.
_PIECE, _LINE = 64 * 1024, 4000
#: Seconds between two looks at a child that may be gone.
_LOOK = 0.05


class OutputTooLargeError(Exception):
    """A child printed more than it may."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended."""

    #: As the system counts: negative for a signal.
    code: int
    output: bytes
    #: The last lines that it said as errors.
    errors: str


def child_environment(workdir: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return a child's environment: a few variables of the worker's, its folder as home, and *more*."""
    passed = {name: value for name in _PASSED_ON if (value := environment().get(name))}
    return {**passed, "HOME": str(workdir), "TMPDIR": str(workdir), **more}


@dataclass(slots=True)
class Children:
    """Starts child processes of one process, on its loop: one whose thread ends would be told that its parent did."""

    grace: float = 5.0
    _reaper: subprocess.Popen[bytes] | None = None
    _wrapper: tuple[str, ...] = field(default=())

    def begin(self) -> None:
        """Start who ends the children of a worker that was killed."""
        path = str(Path(reaper.__file__))
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, env={},
        )  # fmt: skip
        # It closes the moment between a child's start and its reaper's hearing of it.
        setpriv = shutil.which("setpriv")
        self._wrapper = (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()

    def close(self) -> None:
        """Let it end what is left."""
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            self._reaper.wait()
            self._reaper = None

    async def run(
        self, argv: Sequence[str], *, given: bytes, env: Mapping[str, str], cwd: Path, most: int,
        say: Callable[[str], None],
    ) -> Ended:  # fmt: skip
        """Run one to its end, with all that it started; *say* hears its lines of errors.

        Cancelled, or when it prints more than *most* bytes (OutputTooLargeError), its group gets TERM, then KILL.
        OSError when it cannot be started.
        """
        child = await asyncio.create_subprocess_exec(
            *self._wrapper, *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
            cwd=cwd, start_new_session=True, limit=_PIECE,
        )  # fmt: skip
        self._tell("+", child.pid)
        try:
            async with asyncio.TaskGroup() as group:
                output = group.create_task(_read(child.stdout, most))
                errors = group.create_task(_listen(child.stderr, say))
                group.create_task(_write(child.stdin, given))
                await _exit(child)
                await self._end(child)  # what it left behind holds its output open
            return Ended(child.returncode or 0, output.result(), errors.result())
        except* OutputTooLargeError as exc:
            raise exc.exceptions[0] from None
        finally:
            await asyncio.shield(self._end(child))
            self._tell("-", child.pid)

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        """End what is left of a child's group: also what a child that ended left behind."""
        if reaper.send(child.pid, signal.SIGTERM):
            with suppress(TimeoutError):
                async with asyncio.timeout(self.grace):
                    while reaper.send(child.pid, 0):
                        await asyncio.sleep(_LOOK)
            reaper.send(child.pid, signal.SIGKILL)
        await _exit(child)

    def _tell(self, sign: str, group: int) -> None:
        if self._reaper is not None and self._reaper.stdin is not None:
            with suppress(BrokenPipeError):
                self._reaper.stdin.write(f"{sign}{group}\n".encode())
                self._reaper.stdin.flush()


async def _exit(child: asyncio.subprocess.Process) -> None:
    """Wait until a child exits. Its ``wait`` may last until whoever holds its output open is gone, too."""
    waits = asyncio.ensure_future(child.wait())
    while child.returncode is None:
        await asyncio.wait({waits}, timeout=_LOOK)
    waits.cancel()


async def _read(stream: asyncio.StreamReader | None, most: int) -> bytes:
    assert stream is not None
    parts, size = [], 0
    while part := await stream.read(_PIECE):
        size += len(part)
        if size > most:
            raise OutputTooLargeError(f"it printed more than {most} bytes")
        parts.append(part)
    return b"".join(parts)


async def _listen(stream: asyncio.StreamReader | None, say: Callable[[str], None]) -> str:
    """Tell *say* each line; returns the last few."""
    assert stream is not None
    last: list[str] = []
    rest = b""
    while part := await stream.read(_PIECE):
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            last = [*last[-19:], _told(line, say)]
        rest = rest[:_PIECE]
    if rest:
        last.append(_told(rest, say))
    return "\n".join(last)


def _told(line: bytes, say: Callable[[str], None]) -> str:
    text = line.decode(errors="replace").rstrip("\r")[:_LINE]
    if text.strip():
        say(text)
    return text


async def _write(stream: asyncio.StreamWriter | None, given: bytes) -> None:
    assert stream is not None
    with suppress(BrokenPipeError, ConnectionResetError):  # it did not want to know
        stream.write(given)
        await stream.drain()
    stream.close()
