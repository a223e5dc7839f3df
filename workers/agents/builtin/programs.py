"""Runs a program for a built-in agent: never a shell, bounded in time, in output and in what it writes, and gone with
its task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from taskengine.agents import AgentContext
from taskengine.store.forks import PerProcess
from workers.agents.builtin.folders import size_of
from workers.agents.child import Children, Ended, OutputTooLargeError
from workers.agents.settings import worker_settings
from workers.loop import Run

#: Seconds that one program may take. A task's timeout ends it before.
PATIENCE = 900.0
#: Bytes that a program may print, and that may lie in a task's folder while it runs.
MOST_OUTPUT, MOST_BYTES = 16 * 1024 * 1024, 1024 * 1024 * 1024
#: Characters of what a program said that an error shows: the end says what was wrong.
SHOWN = 2000
#: Seconds between two looks: at what it writes, and whether its task was cancelled.
_LOOK = 0.25


class ProgramError(Exception):
    """A program ended with another code than 0, or did not end in time."""


class TooLargeError(Exception):
    """More than a task may have: printed, written or fetched."""


@dataclass(slots=True)
class _Here:
    """What starts programs in this process."""

    children: Children | None = None

    def get(self) -> Children:
        if self.children is None:
            self.children = Children(worker_settings().kill_after_seconds)
            self.children.begin()
        return self.children


_here = PerProcess(_Here)


@dataclass(frozen=True, slots=True)
class Programs:
    """Runs programs for one task, in its folder, with an environment that is theirs."""

    context: AgentContext
    folder: Path
    env: Mapping[str, str]

    def output(self, *argv: str, at: Path | None = None, env: Mapping[str, str] | None = None) -> str:
        """Run one that must succeed; what it printed. ProgramError with the end of what it said."""
        ended = self.run(*argv, at=at, env=env)
        if ended.code:
            said = (ended.output.decode(errors="replace") + ended.errors)[-SHOWN:].strip()
            raise ProgramError(f"{_short(argv)} ended with {ended.code}: {said or 'it said nothing'}")
        return ended.output.decode(errors="replace")

    def run(
        self, *argv: str, at: Path | None = None, env: Mapping[str, str] | None = None, given: bytes = b""
    ) -> Ended:
        """Run one to its end; ProgramError when it cannot be started or takes too long, TooLargeError when it prints or
        writes too much.
        """
        bounded = self._bounded(list(argv), at or self.folder, {**self.env, **(env or {})}, given)
        try:
            return _ended(Run(bounded).watch(lambda: self.context.cancelled, _LOOK))
        except TimeoutError as exc:
            raise ProgramError(f"{_short(argv)} did not end within {PATIENCE:g} s") from exc
        except OutputTooLargeError as exc:
            raise TooLargeError(f"{_short(argv)}: {exc}") from exc
        except (OSError, ValueError) as exc:
            raise ProgramError(f"{_short(argv)} cannot be started: {exc}") from exc

    async def _bounded(self, argv: Sequence[str], at: Path, env: Mapping[str, str], given: bytes) -> Ended:
        children = _here.get().get()
        async with asyncio.timeout(PATIENCE):
            running = asyncio.ensure_future(
                children.run(argv, given=given, env=env, cwd=at, most=MOST_OUTPUT, say=_unheard)
            )
            try:
                while not (await asyncio.wait({running}, timeout=_LOOK))[0]:
                    if await asyncio.to_thread(size_of, self.folder) > MOST_BYTES:
                        raise TooLargeError(f"{_short(argv)} wrote more than {MOST_BYTES >> 20} MiB")
                return running.result()
            finally:
                running.cancel()
                await asyncio.wait({running})


def _ended(value: object) -> Ended:
    assert isinstance(value, Ended)
    return value


def _unheard(_: str) -> None:
    """What it says as errors is in its outcome."""


def _short(argv: Sequence[str]) -> str:
    """Return a program and the first words that say what it is asked, without options."""
    words = [word for before, word in pairwise(argv) if not word.startswith("-") and before != "-c"]
    return " ".join([Path(argv[0]).name, *words[:2]])[:200]
