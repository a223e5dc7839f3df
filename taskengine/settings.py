"""Every knob of the engine, read once at the entry.

One frozen object: nothing below the entries looks at the environment. A field's description gives its unit; the
variable is the upper-case name behind ``TASKENGINE_`` (``TASKENGINE_REDIS_URL``). Fields that would contradict each
other are refused together (:data:`RELATIONS`). Tests shorten the clocks with ``Settings(lease_seconds=2, …)`` and hand
the object down.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from taskengine.errors import SettingsError

#: Bytes. A payload, result or log line up to this size travels inside records.
INLINE_LIMIT = 256 * 1024
#: Bytes. A larger one lies under a key of its own up to this size; beyond it is refused.
REFERENCE_LIMIT = 16 * 1024 * 1024

#: Up to a billion (30 years in seconds): more does not fit into what clocks, sockets and the server's scripts can tell.
Amount = Annotated[float, Field(le=1e9, allow_inf_nan=False)]
Count = Annotated[int, Field(le=1_000_000_000)]


_PREFIX = "TASKENGINE_"
_API_KEY = "TASKENGINE_API_KEY"


@dataclass(frozen=True, slots=True)
class Relation:
    """One setting must be at least so many times another one, which 0 turns off."""

    more: str
    times: float
    spoken: str
    less: str
    #: What would go wrong.
    why: str

    def fault(self, settings: Settings) -> str | None:
        """Return what is wrong and what to do about it; None when nothing is."""
        more, less = getattr(settings, self.more), getattr(settings, self.less)
        if not less or more >= self.times * less * (1 - 1e-9):
            return None
        least = f"{self.spoken} {variable(self.less)} ({less:g})".lstrip()
        wrong = f"{variable(self.more)} ({more:g}) must be at least {least}: {self.why}"
        return f"{wrong}; raise the first or lower the second"


#: All that settings ask of each other.
RELATIONS = (
    Relation(
        "lease_seconds", 3, "three times", "heartbeat_seconds",
        "two beats that come late would lose what a healthy worker runs",
    ),
    # A coordinator sees an outage by a gap of 3/4 of its own lease. With two beats of a third each, that is less than
    # a whole lease of the workers.
    Relation(
        "lease_seconds", 2.5, "two and a half times", "leader_seconds",
        "leases would lapse in an outage that no coordinator notices, and it would take live workers for dead",
    ),
    Relation(
        "claim_seconds", 1, "", "heartbeat_seconds",
        "grants would be taken back before a worker's beat tells that it takes them",
    ),
    Relation(
        "default_timeout", 1, "", "heartbeat_seconds",
        "a worker learns with a beat when an attempt must end",
    ),
    Relation(
        "retention_seconds", 1, "", "idempotency_seconds",
        "a key goes with the task that it names, so it could not count that long",
    ),
)  # fmt: skip

#: What each process may have of its own: how it reaches the server, and what concerns this machine's work alone. All
#: others must be equal across a fleet: scripts hold them, whoever runs them, or any coordinator may come to lead.
LOCAL = frozenset({
    "redis_url", "namespace", "home", "allow_unverified_tls", "flower_port", "heartbeat_seconds", "batch_ms",
    "slice_seconds", "busy_poll_ms", "drain_seconds", "resource_interval",
    "allowed_hosts", "commands", "workspaces", "deploy_root", "agent", "secrets", "secret_names", "resources", "host",
    "http_port", "url", "allow_plain_http",
})  # fmt: skip


class Settings(BaseSettings):
    """Settings of one process; equal on every machine of a fleet but for :data:`LOCAL`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    redis_url: str | None = Field(
        None, description="redis://, rediss://, sentinel:// or redis+socket:// URL; None starts the embedded Valkey."
    )
    url: str | None = Field(
        None, pattern=r"^(?i:https?)://",
        description="http(s):// address of a server of REST that clients and commands ask; None: the store itself.",
    )  # fmt: skip
    namespace: str = Field("te", pattern=r"^[A-Za-z0-9_.-]{1,32}$", description="Prefix of every key and queue.")
    home: Path = Field(Path(".taskengine"), description="Folder of the embedded server's files, per machine.")

    heartbeat_seconds: Amount = Field(2.0, gt=0, description="Seconds between two beats of a worker node.")
    lease_seconds: Amount = Field(10.0, gt=0, description="Seconds an execution stays leased after a beat.")
    batch_ms: Amount = Field(
        5.0, ge=0, description="Milliseconds of short tasks that a slot takes at once; 0 takes one at a time."
    )
    claim_seconds: Amount = Field(10.0, gt=0, description="Seconds a granted execution may wait for its worker.")
    slice_seconds: Amount = Field(1.0, ge=0, description="Seconds one Celery message goes on pulling work.")
    busy_poll_ms: Amount = Field(
        0.5, ge=0, le=10, description="Milliseconds a pool child stays awake for an answer; 0 sleeps at once."
    )
    drain_seconds: Amount = Field(30.0, ge=0, description="Seconds running work may finish after SIGTERM; 0 waits.")
    cancel_grace_seconds: Amount = Field(30.0, ge=0, description="Seconds a cancelled agent may clean up.")
    kill_after_seconds: Amount = Field(5.0, ge=0, description="Seconds between TERM and KILL of a process group.")
    max_lost: Count = Field(3, ge=1, description="Lost workers after which a task is a dead letter.")
    max_not_now: Count = Field(1000, ge=0, description="Times an agent may answer not now before its task fails.")

    leader_seconds: Amount = Field(4.0, gt=0, description="Seconds a coordinator leads without renewing its term.")
    sweep_seconds: Amount = Field(2.0, gt=0, description="Seconds between two sweeps of the coordinator.")
    aging_seconds: Amount = Field(
        600.0, ge=0, description="Seconds a READY task waits for each priority class that it moves up; 0: never."
    )
    resource_patience_seconds: Amount = Field(
        120.0, ge=0, description="Seconds a task waits for room before one host is kept free for it."
    )
    batch_seconds: Amount = Field(600.0, gt=0, description="Seconds after which an uncommitted graph is swept.")
    retention_seconds: Amount = Field(86_400.0, ge=0, description="Seconds a finished run stays in Redis.")
    max_events: Count = Field(200_000, ge=100, description="Events kept of one run; a trim is itself an event.")
    idempotency_seconds: Amount = Field(
        0.0, ge=0, description="Seconds an idempotency key counts from its submit on; 0: as long as what it names."
    )
    max_map_items: Count = Field(10_000, ge=1, description="Items that one map step may have.")
    max_graph: Count = Field(200_000, ge=1, description="Tasks that one submit may hold.")

    default_timeout: Amount = Field(3600.0, gt=0, description="Seconds one attempt may take unless the task says.")
    resource_interval: Amount = Field(1.0, gt=0, description="Seconds between two samples of resource usage.")
    resources: str = Field(
        "", max_length=1000, pattern=r"^([a-z][a-z0-9_]{0,49}=[0-9]+([.][0-9]+)?([ ,]+|$))*$",
        description="What this machine has beside its cores, memory and disk: gpu=2 licence=1.",
    )  # fmt: skip
    host: str = Field("", description="Name of this machine for its resources; empty: the one that it has.")
    flower_port: int = Field(5555, ge=0, le=65535, description="Port of Flower on the loopback interface.")
    # No SERVER_PORT: Kubernetes sets that one, to a URL, where a service is called taskengine-server.
    http_port: int = Field(8460, ge=0, le=65535, description="Port of the server of REST.")
    allowed_hosts: str = Field(
        "", description="Private hosts and networks that agents may reach over HTTP, with commas: api.lan, 10.0.0.0/8."
    )
    commands: str = Field(
        "", description="Programs that agents of the type command and tasks of built-in agents may start, with commas."
    )
    workspaces: str = Field(
        "", description="Folders that tasks of built-in agents may name, with commas; empty: where the worker started."
    )
    deploy_root: Path | None = Field(
        None, description="Folder where the built-in deployment agent puts releases; unset: it only says what it would."
    )
    agent: str = Field("", description="Names of the agents that a worker serves, with commas; empty: all it imports.")
    secrets: Path | None = Field(None, description="Folder with a file for each secret of agents, called as it is.")
    secret_names: str | None = Field(
        None, description="Names of secrets that a worker gives to agents, with commas; unset: those of their records."
    )
    allow_unverified_tls: bool = Field(False, description="Accept rediss:// without certificate verification.")
    allow_plain_http: bool = Field(
        False, description="Send the key in clear, to an http:// address beyond this machine."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse fields that contradict each other, all at once; not a ValueError, which pydantic would wrap."""
        faults = [(relation.more, fault) for relation in RELATIONS if (fault := relation.fault(self))]
        if faults:
            raise SettingsError("; ".join(fault for _, fault in faults), field=faults[0][0])
        return self

    @property
    def shared(self) -> dict[str, Any]:
        """What must be equal across a fleet, by name."""
        return self.model_dump(exclude=set(LOCAL))

    @property
    def digest(self) -> str:
        """Twelve digits that are equal where :attr:`shared` is."""
        return sha256(repr(sorted(self.shared.items())).encode()).hexdigest()[:12]


def load(**overrides: object) -> Settings:
    """Settings from the environment, with *overrides* winning; SettingsError names the wrong variable."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic validates what it is given
    except ValidationError as exc:
        wrong = exc.errors()[0]
        field = str(wrong["loc"][0])
        raise SettingsError(
            f"{variable(field)}: {wrong['msg']} (got {wrong['input']!r}); correct or unset the variable", field=field
        ) from exc


def is_http(url: str) -> bool:
    """Return whether an address is that of a server of REST."""
    return url[:8].lower().startswith(("http://", "https://"))


def api_key() -> str | None:
    """Return the key for a server of REST that the environment has; it is no setting, which people print."""
    return os.environ.get(_API_KEY) or None


@lru_cache(maxsize=1)
def current() -> Settings:
    """Return the settings of this process, read from the environment once."""
    return load()


def as_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that give a child process the same settings; fields that are None are left out."""
    values = settings.model_dump(mode="json", exclude_none=True)
    return {variable(name): str(value) for name, value in values.items()}


def variable(field: str) -> str:
    """Return the variable of a field."""
    return f"{_PREFIX}{field.upper()}"


@dataclass(frozen=True, slots=True)
class UnknownVariable:
    """A ``TASKENGINE_`` variable that is no setting: a slip of the pen, or of another version."""

    name: str
    nearest: str

    def __str__(self) -> str:
        return f"{self.name} is no setting, the nearest is {self.nearest}; correct or unset it"


#: What Kubernetes, and links of Docker, set for a service that is called ``taskengine…``: nobody's slip.
_SERVICE = re.compile(r"_SERVICE_HOST=|_SERVICE_PORT(_\w+)?=|_PORT(_\d+_(TCP|UDP|SCTP))?=\w+://|_PORT_\d+_\w+_\w+=")


def unknown_variables(environment: Mapping[str, str]) -> Iterator[UnknownVariable]:
    """Yield those of *environment*, by name."""
    for name, value in sorted(environment.items()):
        field = name.upper().removeprefix(_PREFIX).lower()
        if not name.upper().startswith(_PREFIX) or field in Settings.model_fields or name == _API_KEY:
            continue
        if not _SERVICE.search(f"{name}={value}"):
            (near,) = get_close_matches(field, Settings.model_fields, n=1, cutoff=0.0)
            yield UnknownVariable(name, variable(near))


def refuse_unknown(environment: Mapping[str, str]) -> None:
    """SettingsError when a variable is no setting: for who starts a fleet, not for one who joins it in an upgrade."""
    if wrong := list(map(str, unknown_variables(environment))):
        raise SettingsError("; ".join(wrong))


def environment() -> Mapping[str, str]:
    """Return the process environment, for entries that start child processes with an explicit one."""
    return os.environ


def export(name: str, value: str) -> None:
    """Set a variable for child processes started later (the embedded URL, so that all share one server)."""
    os.environ[name] = value
