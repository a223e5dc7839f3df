"""Which addresses work for others may reach from here: public ones, and what the worker's settings allow.

A task or a record may name any address, and a worker stands inside a network: its loopback, the services beside it, the
cloud's metadata. So a name is looked up here, each of its addresses must be public, and the connection goes to the very
address that was looked at: a name that answers differently a moment later gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from taskengine.errors import AgentError, SettingsError

Address = IPv4Address | IPv6Address
#: Prefixes whose addresses hold one of version 4 in their last bits: NAT64 (RFC 6052, RFC 8215).
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))

#: Of protocols, and no host's (RFC 6890), though older Pythons take some of them for global.
_OF_PROTOCOLS = IPv4Network("192.0.0.0/24")


class ForbiddenAddressError(AgentError):
    """An address that is private, or of this machine, and that no setting allows."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What TASKENGINE_ALLOWED_HOSTS lets through beside public addresses."""

    #: Names and addresses, with or without ``:port``.
    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, text: str) -> Allowed:
        """Read names, addresses and networks (``10.0.0.0/8``), with commas; SettingsError for what is none."""
        hosts, networks = set[str](), []
        for word in filter(None, (part.strip().lower() for part in text.split(","))):
            if "/" not in word:
                hosts.add(word)
                continue
            try:
                networks.append(ip_network(word, strict=False))
            except ValueError as exc:
                raise SettingsError(
                    f"TASKENGINE_ALLOWED_HOSTS: {word:.100} is no network ({exc}); write names, addresses or networks "
                    "such as 10.0.0.0/8, with commas"
                ) from exc
        return cls(frozenset(hosts), tuple(networks))

    def has(self, host: str, port: int, address: Address) -> bool:
        """Whether this very host, or an address of its network, is allowed."""
        names = {host.lower(), str(address)}
        is_named = any(name in self.hosts or f"{name}:{port}" in self.hosts for name in names)
        return is_named or any(address in network for network in self.networks if network.version == address.version)


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet; of one that holds another, whether both are."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
        if any(address in network for network in _NAT64):
            return False
    elif address in _OF_PROTOCOLS:
        return False
    return address.is_global and not address.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the address of version 4 that one of version 6 stands for; None for most."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64[0] or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


async def reachable(host: str, port: int, allowed: Allowed) -> Address:
    """Return the address to connect to; ForbiddenAddressError when one of the name's is not to be reached, OSError when
    it has none.
    """
    found = [ip_address(text) for text in await _look_up(host, port)]
    for address in found:
        if not is_public(address) and not allowed.has(host, port, address):
            raise ForbiddenAddressError(
                f"{host}:{port} is {address}, which is not public; if this worker may reach it, add it to "
                "TASKENGINE_ALLOWED_HOSTS"
            )
    return found[0]


async def _look_up(host: str, port: int) -> Iterable[str]:
    infos = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return [str(info[4][0]).partition("%")[0] for info in infos]
