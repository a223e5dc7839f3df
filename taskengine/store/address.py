"""A server's URL, read once for state and broker alike.

redis-py and kombu read URLs differently (``redis://host?db=2``, ``redis://host/name``, ``ssl_cert_reqs``), and what
one of them does not understand it passes over: tasks would lie in one database and their wake-ups in another. So what
is not plain is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from taskengine.errors import SettingsError

#: Query parameters by scheme.
_PARAMETERS: Mapping[str, frozenset[str]] = {
    "redis": frozenset(),
    "rediss": frozenset({"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}),
    "redis+socket": frozenset({"virtual_host"}),
    "unix": frozenset({"db"}),
    "sentinel": frozenset({"master_name"}),
}
#: Schemes of a server on this machine, reached by a file.
SOCKETS = ("redis+socket", "unix")
_CERT_REQS = ("required", "optional", "none")
_SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is; every part is known to be sound."""

    parts: SplitResult
    query: Mapping[str, str]

    @property
    def scheme(self) -> str:
        """redis, rediss, redis+socket, unix or sentinel."""
        return self.parts.scheme

    @property
    def login(self) -> str:
        """``user:password@`` as it stands in the URL, or nothing."""
        head, at, _ = self.parts.netloc.rpartition("@")
        return head + at

    @property
    def user_and_password(self) -> dict[str, str]:
        """Those that are given, decoded."""
        user, _, password = self.login.removesuffix("@").partition(":")
        named = {"username": unquote(user), "password": unquote(password)}
        return {name: value for name, value in named.items() if value}

    @property
    def database(self) -> str:
        """Its number; nothing means 0."""
        if self.scheme in SOCKETS:
            return self.query.get("db") or self.query.get("virtual_host") or ""
        return "" if self.scheme == "sentinel" else self.parts.path.strip("/")

    @property
    def sentinels(self) -> list[tuple[str, int]]:
        """Host and port of each."""
        places = [place.rpartition(":") for place in self.parts.netloc.rpartition("@")[2].split(",")]
        return [(host, int(port)) if colon else (port, _SENTINEL_PORT) for host, colon, port in places]

    @property
    def service(self) -> str:
        """What sentinels call the server."""
        return self.query.get("master_name") or self.parts.path.strip("/")

    @property
    def cert_reqs(self) -> str:
        """required, optional or none: whether the server must prove who it is."""
        return self.query.get("ssl_cert_reqs", "none").lower().removeprefix("cert_")


def read(url: str, *, allow_unverified_tls: bool) -> Address:
    """Return the address in *url*; SettingsError says what is wrong with it."""
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        address = Address(parts, query)
        _ = address.sentinels if parts.scheme == "sentinel" else parts.port
    except ValueError as exc:
        raise _wrong(f"{_shown(url)}: {exc}") from exc
    if parts.scheme not in _PARAMETERS:
        raise _wrong(f"must begin with {'://, '.join(_PARAMETERS)}://, got scheme {parts.scheme!r} in {_shown(url)}")
    if any(not letter.isprintable() or letter.isspace() for letter in url):
        raise _wrong(f"{_shown(url)} holds white space; remove it")
    _check_query(address)
    _check_place(address)
    if parts.scheme == "rediss":
        _check_tls(address, allow_unverified_tls)
    return address


def redacted(url: str) -> str:
    """Return the URL without user and password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url


def client_url(address: Address) -> str:
    """Return the URL as redis-py reads it; sentinels have none."""
    if address.scheme in SOCKETS:
        return f"unix://{address.login}{address.parts.path}" + (f"?db={address.database}" if address.database else "")
    if address.scheme == "rediss":
        query = urlencode({**address.query, "ssl_cert_reqs": address.cert_reqs})
        return address.parts._replace(query=query).geturl()
    return address.parts.geturl()


def _check_query(address: Address) -> None:
    known = _PARAMETERS[address.scheme]
    if unknown := set(address.query) - known:
        can = ", ".join(sorted(known)) or "none"
        raise _wrong(f"{address.scheme}:// does not take {min(unknown)!r} (known: {can}); remove it")


def _check_place(address: Address) -> None:
    database, path = address.database, address.parts.path
    if database and not (database.isascii() and database.isdecimal()):
        raise _wrong(f"the database is {database!r}; write its number, such as redis://host:6379/0")
    if address.scheme in SOCKETS:
        host = address.parts.netloc.rpartition("@")[2]
        if host or len(path) < 2:
            raise _wrong(f"{address.scheme}:// names no socket; write {address.scheme}:///path/to/socket")
    if address.scheme in ("redis", "rediss") and not address.parts.hostname:
        raise _wrong(f"{address.scheme}:// names no host; write {address.scheme}://host:6379/0")
    if address.scheme == "sentinel" and not address.service:
        raise _wrong("sentinel:// does not name the service; write sentinel://host:26379,host:26379/NAME")


def _check_tls(address: Address, allow_unverified: bool) -> None:
    if address.cert_reqs not in _CERT_REQS:
        raise _wrong(f"ssl_cert_reqs must be required, optional or none, got {address.cert_reqs!r}")
    if address.cert_reqs != "required" and not allow_unverified:
        raise _wrong(
            "rediss:// without verification can be read by anybody in between; append ?ssl_cert_reqs=required"
            "&ssl_ca_certs=PATH, or set TASKENGINE_ALLOW_UNVERIFIED_TLS=true if that is what you want"
        )


def _shown(url: str) -> str:
    return repr(redacted(url))


def _wrong(message: str) -> SettingsError:
    return SettingsError(f"TASKENGINE_REDIS_URL: {message}", field="redis_url")
