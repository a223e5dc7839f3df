"""What a task is about: a repository or folder, the commit, and what that is compared with. Read, not yet reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import JsonValue

from taskengine.errors import InvalidInputError
from workers.agents.builtin.roots import is_within, roots, within

_REF = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_./@-]{0,199}$")
_HOST = re.compile(r"^([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]+\])$")
_USER = re.compile(r"^[A-Za-z0-9._-]{1,100}$")
#: ``git@host:path``, as git takes it for ssh.
_SHORT = re.compile(r"^(?P<user>[A-Za-z0-9._-]+)@(?P<host>[A-Za-z0-9.-]+):(?P<path>[^\s:].*)$")
#: ``ext::…``, with which git would run a program.
_HELPER = re.compile(r"^[A-Za-z0-9+.-]*::")
_PORTS = {"https": 443, "ssh": 22}
_FORMS = "write https://host/path, ssh://git@host/path, git@host:path, or a folder in TASKENGINE_WORKSPACES"


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository at another machine."""

    url: str
    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What a task's input names."""

    source: Remote | Path
    #: A branch, tag, commit or other ref.
    ref: str
    #: What it is compared with; None: the repository's HEAD.
    base: str | None


def asked(given: Mapping[str, JsonValue]) -> Asked:
    """Read ``pull_request_url``, or ``repository_url`` (or ``path``), ``ref`` and ``base``; InvalidInputError names
    what cannot be taken.
    """
    base = given.get("base")
    kept = None if base is None else _ref(base, "base")
    if "pull_request_url" in given:
        repository, _, number = str(given["pull_request_url"]).rstrip("/").rpartition("/pull/")
        if not repository or not number.isdecimal():
            raise InvalidInputError(
                f"pull_request_url: {given['pull_request_url']!r:.200} is no pull request; write REPOSITORY/pull/7",
                field="pull_request_url",
            )
        return Asked(source(repository, "pull_request_url"), f"refs/pull/{int(number)}/head", kept)
    field = "path" if "path" in given and "repository_url" not in given else "repository_url"
    named = given.get(field, ".")
    return Asked(source(str(named), field), _ref(given.get("ref", "HEAD"), "ref"), kept)


def source(named: str, field: str) -> Remote | Path:
    """Return where a repository is, if that may be a place at all; InvalidInputError says what may."""
    if named.startswith("-") or _HELPER.match(named) or any(ord(char) < 32 or ord(char) == 127 for char in named):
        raise _wrong(named, field)
    if (short := _SHORT.match(named)) is not None:
        return _remote(f"ssh://{short['user']}@{short['host']}/{short['path']}", named, field)
    if "://" not in named:
        return _local(named, field)
    if named.lower().startswith("file://"):
        parts = urlsplit(named)
        if parts.netloc not in ("", "localhost"):
            raise _wrong(named, field)
        return _local(unquote(parts.path), field)
    return _remote(named, named, field)


def _remote(url: str, named: str, field: str) -> Remote:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError as exc:
        raise _wrong(_without_secret(named), field) from exc
    if parts.password is not None:
        raise InvalidInputError(
            f"{field}: {_without_secret(named):.200} carries a credential, which every process of this machine could "
            "read; use ssh with a key of the worker's user",
            field=field,
        )
    shown = f"[{host}]" if ":" in host else host
    if " " in named:
        raise _wrong(named, field)
    is_user = parts.username is None or _USER.match(parts.username)
    if scheme not in _PORTS or not _HOST.match(shown) or not is_user or parts.query or parts.fragment or not parts.path:
        raise _wrong(_without_secret(named), field)
    # ssh://host/-x would be an option to whatever serves it there.
    if scheme == "ssh" and parts.path.lstrip("/").startswith("-"):
        raise _wrong(named, field)
    return Remote(url if url == named else named, scheme, host, port or _PORTS[scheme])


def _local(named: str, field: str) -> Path:
    path = within(named, field)
    if not path.is_dir():
        raise InvalidInputError(f"{field}: there is no folder {path}", field=field)
    _refuse_borrowed(path, field)
    return path


def _refuse_borrowed(path: Path, field: str) -> None:
    """InvalidInputError when a repository's objects lie elsewhere, where nobody said that they may be read."""
    for place in _places_of(path):
        if not is_within(place.resolve(), roots()):
            raise InvalidInputError(
                f"{field}: what {path} holds lies in {place}, outside of TASKENGINE_WORKSPACES; add that folder",
                field=field,
            )


def _places_of(path: Path) -> list[Path]:
    """Return where git would find a repository's objects; a worktree's lie in another one."""
    git = path / ".git" if (path / ".git").exists() else path
    if git.is_file():
        git = path / _line(git).removeprefix("gitdir:").strip()
    common = git / _line(git / "commondir") if (git / "commondir").is_file() else git
    objects = common / "objects"
    alternates = objects / "info" / "alternates"
    lines = alternates.read_text(encoding="utf-8", errors="replace").splitlines() if alternates.is_file() else []
    return [git, common, objects, *(objects / line for line in lines if line and not line.startswith("#"))]


def _line(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as opened:
        return opened.readline(4096).strip()


def _ref(said: JsonValue, field: str) -> str:
    if not isinstance(said, str) or not _REF.match(said) or ".." in said or "@{" in said:
        raise InvalidInputError(f"{field} is {said!r:.100}; write a branch, tag or commit", field=field)
    return said


def _without_secret(named: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", named)


def _wrong(named: str, field: str) -> InvalidInputError:
    return InvalidInputError(f"{field}: {named!r:.200} is no repository that is cloned here; {_FORMS}", field=field)
