"""Lua as a library: one verb a file, shared parts, names filled in when a script is loaded.

A verb's header names what it does (:mod:`taskengine.store.header`)::

    -- Claims …
    -- args: node, slot, …        (one for each ARGV; a trailing ``name...`` is a list)
    -- reply assignment: task_id, …     (a record in its answer, of more than four fields)
    -- returns: {'ok', …}
    -- events: started
    -- fields: status, exec.deadline

What a verb uses of the library in ``parts`` is put before it (:mod:`taskengine.store.linker`). Some spellings are
replaced by literals, so scripts spell no key, state, setting, field or place and pay nothing for it: ``K.name`` and
``key('kind', id)`` (``store/keys.py``), ``T.READY`` and ``E.LOST`` (``core/lifecycle.py``), ``C.lease_ms`` (settings),
and ``A.token``, ``F.waiting`` and ``R.assignment{…}`` (:mod:`taskengine.store.resolve`). A script's version is its
hash: old and new processes share a server during a rolling upgrade (rejected: Redis Functions, whose names are global).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha1
from importlib import resources

from taskengine.core.lifecycle import TERMINAL
from taskengine.core.order import CLASS_STEP
from taskengine.models.enums import ExecutionStatus, TaskStatus
from taskengine.settings import Settings
from taskengine.store.header import Signature, parse, words
from taskengine.store.keys import CODES, RULED, Keys
from taskengine.store.linker import Library
from taskengine.store.resolve import arguments, records_and_fields
from taskengine.store.schema import OLDEST, SCHEMA

_LUA = resources.files("taskengine.store") / "lua"


@dataclass(frozen=True, slots=True)
class Script:
    """A script as the server sees it."""

    name: str
    source: str
    sha: str


class Scripts:
    """The scripts of one namespace and one set of constants; loaded on first use."""

    def __init__(self, settings: Settings) -> None:
        self._namespace = settings.namespace
        self._constants = tuple(_constants(settings).items())

    def __getitem__(self, name: str) -> Script:
        return _load(name, self._namespace, self._constants)


#: Scripts kept: those of a few namespaces. A process has one as a rule, a suite of tests several.
_KEPT = 512


@lru_cache(_KEPT)
def _load(name: str, namespace: str, constants: tuple[tuple[str, str], ...]) -> Script:
    source = _fill(link(name), Keys(namespace), dict(constants))
    return Script(name, source, sha1(source.encode(), usedforsecurity=False).hexdigest())


def _fill(source: str, keys: Keys, constants: Mapping[str, str]) -> str:
    source = re.sub(r"\bK\.(\w+)", lambda m: f"'{keys.fixed(m[1])}'", source)
    source = re.sub(r"\bkey\('(\w+)', *", lambda m: f"('{keys.of(m[1], '')}'..", source)
    source = re.sub(r"\bT\.([A-Z_]+)", lambda m: f"'{TaskStatus[m[1]].value}'", source)
    source = re.sub(r"\bE\.([A-Z_]+)", lambda m: f"'{ExecutionStatus[m[1]].value}'", source)
    return re.sub(r"\bC\.(\w+)", lambda m: constants[m[1]], source)


def _constants(settings: Settings) -> dict[str, str]:
    return {
        "lease_ms": str(round(settings.lease_seconds * 1000)),
        "batch_us": str(round(settings.batch_ms * 1000)),
        "claim_ms": str(round(settings.claim_seconds * 1000)),
        "grace_ms": str(round(settings.cancel_grace_seconds * 1000)),
        "timeout_ms": str(round(settings.default_timeout * 1000)),
        "key_ms": str(round(settings.idempotency_seconds * 1000)),
        "schema": str(SCHEMA),
        "oldest_schema": str(OLDEST),
        "max_lost": str(settings.max_lost),
        "max_not_now": str(settings.max_not_now),
        "max_graph": str(settings.max_graph),
        "ruled": str(RULED),
        "class_step": str(CLASS_STEP),
        "max_events": str(settings.max_events),
        "trim_every": str(settings.max_events // 100),
        "queue_prefix": f"'{Keys(settings.namespace).queue_prefix()}'",
        "codes": "({" + ",".join(f"['{status}']={code}" for status, code in CODES.items()) + "})",
        "terminal": "({" + ",".join(f"['{s.value}']=true" for s in sorted(TERMINAL)) + "})",
    }


@cache
def link(name: str) -> str:
    """Return the verb behind what it reaches of the library (:mod:`taskengine.store.linker`)."""
    return arguments(_library().link(_verb(name)), signature(name))


def names() -> list[str]:
    """Return the names of all verbs."""
    return sorted(entry.name[:-4] for entry in _LUA.iterdir() if entry.name.endswith(".lua"))


def header(name: str, word: str) -> list[str]:
    """Return the comma separated words behind ``-- word:`` in a verb's header; empty when it has none."""
    return words(_verb(name), word)


@cache
def signature(name: str) -> Signature:
    """Return a verb's arguments and answers, with the records of the library."""
    return parse(_verb(name), "\n".join(_parts()))


@cache
def _library() -> Library:
    return Library(_parts())


@cache
def _parts() -> tuple[str, ...]:
    found = sorted(entry.name for entry in (_LUA / "parts").iterdir())
    return tuple(_read(f"parts/{name}") for name in found if name.endswith(".lua"))


def _verb(name: str) -> str:
    return _read(f"{name}.lua")


@cache
def _read(place: str) -> str:
    return records_and_fields(place, (_LUA / place).read_text(encoding="utf-8"))
