"""Fetches a repository into a task's folder: no further back than needed, and nothing of its own runs.

The address is looked up here and git is told to connect to the very one that was looked at. Hooks come from nowhere, no
protocol but the one that is meant is known, submodules stay empty, no redirect is followed, no configuration but git's
own and what stands here is read, and nobody is asked for a password.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from taskengine.errors import InvalidInputError
from taskengine.settings import environment
from workers.agents.addresses import Allowed, reachable
from workers.agents.builtin.folders import MOST_FILES, copy, refuse_ways_out
from workers.agents.builtin.programs import ProgramError, Programs, TooLargeError
from workers.agents.builtin.source import Asked, Remote
from workers.agents.settings import worker_settings
from workers.loop import Run

#: Bytes of the files of a commit.
MOST_BYTES = 512 * 1024 * 1024
#: Commits that are fetched at first of two that are compared, then until both have an ancestor in common.
_DEPTHS = (50, 500, 5000, 50_000)
_HEAD, _BASE = "refs/taskengine/head", "refs/taskengine/base"
_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ATTR_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
    "GIT_LFS_SKIP_SMUDGE": "1", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "GIT_NO_REPLACE_OBJECTS": "1",
}  # fmt: skip
_OPTIONS = (
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "credential.helper=",
    "-c", "http.followRedirects=false", "-c", "http.proxy=", "-c", "submodule.recurse=false",
    "-c", "fetch.recurseSubmodules=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
    "-c", "protocol.allow=never", "-c", "advice.detachedHead=false", "-c", "init.defaultBranch=main",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clone:
    """A checked out commit; its folder is a repository unless a plain folder was named."""

    programs: Programs
    folder: Path
    #: The commit; None of a plain folder.
    commit: str | None
    #: The commit that it goes on from, where one was asked for.
    base: str | None = None

    def git(self, *words: str) -> str:
        """Run git in it; what it printed. ProgramError where that fails."""
        return self.programs.output("git", *_OPTIONS, *words, at=self.folder, env=_ALONE)


def check_out(programs: Programs, wanted: Asked, *, compared: bool = False, plain: bool = False) -> Clone:
    """Return the commit that a task asks for, in its folder; *compared* with what it goes on from.

    *plain*: a folder that is no repository is copied. InvalidInputError when the place or the commit cannot be had,
    TooLargeError when it is too large.
    """
    folder = programs.folder / "clone"
    if isinstance(wanted.source, Path) and not _is_repository(wanted.source):
        if not plain:
            raise InvalidInputError(f"{wanted.source} is no git repository", field="repository_url")
        copy(wanted.source, folder, MOST_BYTES)
        refuse_ways_out(folder)
        return Clone(programs, folder, None)
    fetching = _Fetching(programs, folder, wanted)
    fetching.begin()
    commit = fetching.fetch(wanted.ref, _HEAD, depth=_DEPTHS[0] if compared else 1)
    base = fetching.base(commit) if compared else None
    made = Clone(programs, folder, commit, base)
    _refuse_large(made)
    made.git("checkout", "--quiet", "--detach", _HEAD)
    refuse_ways_out(folder)
    return made


def _is_repository(folder: Path) -> bool:
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def _refuse_large(made: Clone) -> None:
    """TooLargeError before a commit's files are written: what is small to fetch may be large then."""
    lines = made.git("ls-tree", "-r", "-l", "--full-tree", _HEAD).splitlines()
    sizes = [line.partition("\t")[0].split()[3] for line in lines]
    size = sum(int(each) for each in sizes if each != "-")
    if size > MOST_BYTES or len(sizes) > MOST_FILES:
        raise TooLargeError(
            f"the commit has {len(sizes)} files of {size >> 20} MiB, the limits are {MOST_FILES} and {MOST_BYTES >> 20}"
        )


class _Fetching:
    """One repository on its way."""

    def __init__(self, programs: Programs, folder: Path, wanted: Asked) -> None:
        self._programs = programs
        self._folder = folder
        self._wanted = wanted
        source = wanted.source
        if isinstance(source, Remote):
            self._url, (self._options, self._env) = source.url, _way_to(source)
        else:
            self._url, self._options, self._env = f"file://{source}", (), {"GIT_ALLOW_PROTOCOL": "file"}

    def begin(self) -> None:
        """Make an empty repository, without the hooks that git would put there."""
        self._folder.mkdir()
        self._git("init", "--quiet", "--template=")

    def fetch(self, ref: str, to: str, *, depth: int) -> str:
        """Fetch a ref; the commit that it is."""
        try:
            self._git(
                "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", f"--depth={depth}", "--", self._url,
                f"+{ref}:{to}",
            )  # fmt: skip
            return self._git("rev-parse", "--verify", "--quiet", f"{to}^{{commit}}").strip()
        except ProgramError as exc:
            raise InvalidInputError(f"{ref} of {self._url} cannot be fetched: {exc}", field="ref") from exc

    def base(self, commit: str) -> str:
        """Return the commit that *commit* goes on from: of what was asked for, or of the repository's HEAD, the last
        that both have; where that is itself, its parent; of the first of all, the empty tree.
        """
        wanted = self._wanted.base
        other = self.fetch(wanted or "HEAD", _BASE, depth=_DEPTHS[0])
        if other == commit and wanted is None:
            lines = self._git("rev-list", "--parents", "--max-count=1", commit).split()
            return lines[1] if len(lines) > 1 else self._git("hash-object", "-t", "tree", "/dev/null").strip()
        for depth in (*_DEPTHS[1:], None):
            found = self._programs.run(
                "git", *_OPTIONS, "merge-base", other, commit, at=self._folder, env=_ALONE
            ).output.decode().strip()  # fmt: skip
            if found or depth is None:
                break
            self.fetch(self._wanted.ref, _HEAD, depth=depth)
            self.fetch(wanted or "HEAD", _BASE, depth=depth)
        if not found:
            raise InvalidInputError(f"{wanted or 'HEAD'} and {self._wanted.ref} have no commit in common", field="base")
        return found

    def _git(self, *words: str) -> str:
        env = {**_ALONE, **self._env}
        return self._programs.output("git", *_OPTIONS, *self._options, *words, at=self._folder, env=env)


def _way_to(source: Remote) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return git's options and variables that lead to the address that was looked at; ForbiddenAddressError where
    nobody may go from here.
    """
    allowed = Allowed.of(worker_settings().allowed_hosts)
    try:
        address = Run(reachable(source.host, source.port, allowed)).result(None)
    except OSError as exc:
        raise ProgramError(f"{source.host} cannot be looked up: {exc}") from exc
    allow = {"GIT_ALLOW_PROTOCOL": source.scheme}
    if source.scheme == "https":
        return ("-c", f"http.curloptResolve={source.host}:{source.port}:{address}"), allow
    ssh = (
        f"ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o HostKeyAlias={source.host} -o HostName={address} "
        "-o ClearAllForwardings=yes -o ForwardAgent=no -o PermitLocalCommand=no -o ProxyCommand=none -o ProxyJump=none"
    )
    agent = environment().get("SSH_AUTH_SOCK")
    return (), {**allow, "GIT_SSH_COMMAND": ssh, **({"SSH_AUTH_SOCK": agent} if agent else {})}
