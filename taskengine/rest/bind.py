"""Where a server listens, and what it wants before it does: beyond this machine no key travels in clear."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from taskengine.errors import SettingsError
from taskengine.rest.guards import LOOPBACK_HOSTS, host_name

_QUEUED = 1024


@dataclass(frozen=True, slots=True)
class Bind:
    """What somebody asked for."""

    host: str = "127.0.0.1"
    port: int = 8460
    tls_cert: Path | None = None
    tls_key: Path | None = None
    #: A proxy with TLS stands before it.
    behind_proxy: bool = False
    #: Everybody may do everything.
    no_login: bool = False
    #: Further names of this server.
    allow_hosts: Sequence[str] = ()
    #: Seconds for which it still serves once somebody asked for its end, and says that it is not ready.
    linger: float = 0.0

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def hosts(self) -> frozenset[str] | None:
        """Names that a request may give the server; None: any, where it is reached by whatever name it has."""
        named = frozenset(host_name(each) for each in self.allow_hosts)
        if self.is_loopback:
            return LOOPBACK_HOSTS | {self.host.lower()} | named
        return named or None

    @property
    def scheme(self) -> str:
        """How it is spoken to."""
        return "http" if self.tls_cert is None else "https"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it over TLS alone."""
        return self.tls_cert is not None or self.behind_proxy

    @property
    def is_everywhere(self) -> bool:
        """Whether it listens on every interface, so that what it binds to is nowhere to go."""
        try:
            return ipaddress.ip_address(self.host).is_unspecified
        except ValueError:
            return False

    def url(self, port: int) -> str:
        """Where to go, with the port that it got: its first name, or this machine's, where it listens everywhere."""
        named = next(iter(self.allow_hosts), None) if self.is_everywhere else None
        if named and self.behind_proxy:
            return f"https://{named}"  # the proxy's own, at its own port: this one's is for the proxy
        host = host_name(named) if named else socket.gethostname() if self.is_everywhere else self.host
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def refuse_unsafe(bind: Bind) -> None:
    """SettingsError where a key would travel in clear, or nobody needed one from elsewhere."""
    if (bind.tls_cert is None) != (bind.tls_key is None):
        raise SettingsError("--tls-cert and --tls-key go together; give both")
    if bind.no_login and (not bind.is_loopback or bind.behind_proxy):
        raise SettingsError(
            "--no-login lets everybody do everything, so it is for the loopback interface alone, and not behind a "
            "proxy; leave it out and make a key: taskengine keys create NAME"
        )
    if not bind.is_loopback and bind.tls_cert is None and not bind.behind_proxy:
        raise SettingsError(
            f"{bind.host} is reached from other machines, and keys would cross the network in clear; give --tls-cert "
            "and --tls-key, or --behind-proxy where a proxy with TLS stands before it"
        )
    for file in filter(None, (bind.tls_cert, bind.tls_key)):
        if not file.is_file():
            raise SettingsError(f"there is no file {file}; it is what TLS needs")


def listen(bind: Bind) -> socket.socket:
    """Return the socket that listens there; SettingsError when it cannot be had."""
    try:
        # With its protocol named: asyncio sets TCP_NODELAY on no other, and each answer waits 40 ms for the last one's.
        addresses = socket.getaddrinfo(bind.host, bind.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, address = addresses[0]
        found = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise SettingsError(f"--host {bind.host}: {exc.strerror}") from exc
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(_QUEUED)
    except OSError as exc:
        found.close()
        raise SettingsError(
            f"TASKENGINE_HTTP_PORT: port {bind.port} of {bind.host} cannot be used ({exc.strerror}); set another "
            "one with --port, 0 for any",
            field="http_port",
        ) from exc
    found.setblocking(False)
    return found
