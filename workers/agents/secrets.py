"""Secrets by name: their values are on this machine alone, in a file or in the environment.

A file ``NAME`` in the folder TASKENGINE_SECRETS (as Docker and Kubernetes mount them) wins over a variable ``NAME``. A
worker gives an agent only what its record names, and of that, where TASKENGINE_SECRET_NAMES is set, only what stands
there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from taskengine.agents.types import default_secret
from taskengine.errors import AgentError
from taskengine.models.agent import AgentRecord
from taskengine.settings import Settings, environment
from workers.known_secrets import learn

#: Before the name of a secret in a config's text.
MARK = "secret:"
#: A text that is one, or one behind a word, as a header has it: ``Bearer secret:NAME``.
_MARKED = re.compile(rf"(?:[\w-]+ )?{MARK}(\S+)")
#: Bytes of a file.
_LARGEST = 64 * 1024


class AgentSecrets:
    """The secrets of one agent."""

    def __init__(self, record: AgentRecord, folder: Path | None, allowed: frozenset[str] | None) -> None:
        self._agent = record.id
        self._named = names_in(record)
        #: Also that which its type takes where the record names none.
        self._names = self._named | ({default} if (default := default_secret(record)) else set())
        self._folder = folder
        self._allowed = allowed

    @classmethod
    def of(cls, record: AgentRecord, settings: Settings) -> AgentSecrets:
        """Return those of an agent on this machine."""
        names = settings.secret_names
        return cls(record, settings.secrets, None if names is None else frozenset(names.replace(",", " ").split()))

    def get(self, name: str) -> str:
        """Return the value; AgentError when the record or this worker does not allow it, or it is nowhere."""
        if name not in self._names:
            known = ", ".join(sorted(self._names)) or "none"
            raise AgentError(f"agent {self._agent!r}: its record names no secret {name!r:.100} (it names {known})")
        if self._allowed is not None and name not in self._allowed:
            raise AgentError(
                f"agent {self._agent!r}: this worker gives out no secret {name}; add it to TASKENGINE_SECRET_NAMES"
            )
        value = self._from_file(name) or environment().get(name)
        if not value:
            raise AgentError(f"agent {self._agent!r}: the secret {name} is missing; {self._looked(name)}")
        learn(value)
        return value

    def check(self) -> None:
        """AgentError names the first secret of the record that is missing."""
        for name in sorted(self._named):
            self.get(name)

    def _from_file(self, name: str) -> str | None:
        if self._folder is None:
            return None
        try:
            with (self._folder / name).open("rb") as file:
                return file.read(_LARGEST).decode().strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as exc:
            raise AgentError(f"agent {self._agent!r}: the secret {name} cannot be read: {exc}") from exc

    def _looked(self, name: str) -> str:
        file = "TASKENGINE_SECRETS names no folder" if self._folder is None else f"no file is {self._folder / name}"
        return f"{file}, and this worker's environment has no variable {name}"


def names_in(record: AgentRecord) -> frozenset[str]:
    """Names of the secrets of a record: its own, and each ``secret:NAME`` in its config."""
    own = [record.secret] if record.secret else []
    return frozenset([*own, *_marked(record.config)])


def _marked(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if found := _MARKED.fullmatch(value):
            yield found[1]
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _marked(each)
    elif isinstance(value, list):
        for each in value:
            yield from _marked(each)
