"""Where a server of REST is, and the key that is shown to it: never in clear beyond this machine, unless one says so.

The key is the one that is given, else ``TASKENGINE_API_KEY``, else, for a server on this machine, the one that it laid
by for its user (:mod:`taskengine.api.local_key`).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from taskengine.api import local_key
from taskengine.api.surface import PREFIX
from taskengine.errors import InvalidInputError, SettingsError
from taskengine.settings import Settings, api_key, variable

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and how to show it a key."""

    #: Without a slash at its end.
    url: str
    is_loopback: bool
    is_plain: bool
    port: int
    settings: Settings
    #: The key that was given or is in the environment; None: that of this machine, if there is one.
    key: str | None

    def shown(self) -> str | None:
        """Return the key to show; None when there is none. It is looked for anew, for a server may make another."""
        if self.key is not None or not self.is_loopback:
            return self.key
        return local_key.read(local_key.path_of(self.settings, self.port))

    def why_no_key(self) -> str:
        """Return where a key was looked for, and what to do, for a person."""
        looked = "pass api_key=, or set TASKENGINE_API_KEY"
        if self.is_loopback:
            file = local_key.path_of(self.settings, self.port)
            looked = f"no key was given, and {file}, where a server on this machine puts it, is not there; {looked}"
        return f"{looked} (taskengine keys create NAME makes a key)"


def address(url: str, settings: Settings, given: str | None) -> Address:
    """Return the address that *url* is; InvalidInputError when it is none, SettingsError when a key would be seen."""
    url, _, printed = url.partition("#key=")  # as a server prints it, for a browser
    parts = _split(url)
    host = parts.hostname or ""
    given = printed or None if given is None else given
    found = Address(
        url=_plain(url), is_loopback=_is_loopback(host), is_plain=parts.scheme == "http",
        port=parts.port or _PORTS[parts.scheme], settings=settings, key=_checked(given, "api_key") or _of_environment(),
    )  # fmt: skip
    if found.key is not None and found.is_plain and not found.is_loopback and not settings.allow_plain_http:
        raise SettingsError(
            f"{found.url} would send the key across the network in clear; use https://, or set "
            f"{variable('allow_plain_http')}=true where nobody else can listen",
            field="allow_plain_http",
        )
    return found


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a wrong one is refused here
    except ValueError as exc:
        raise _wrong(url, str(exc)) from exc
    if parts.scheme not in _PORTS or not parts.hostname:
        raise _wrong(url, "it names no host")
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError("url holds a name or a password; pass the key as api_key=", field="url")
    if parts.query or parts.fragment:
        raise InvalidInputError("url has more behind its path; pass http(s)://HOST[:PORT] alone", field="url")
    return parts


def _wrong(url: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"url is {url!r:.120}: {why}; pass http(s)://HOST[:PORT]", field="url")


def _plain(url: str) -> str:
    """Return it without what a person copied along: the prefix of the routes, and slashes."""
    return url.rstrip("/").removesuffix(PREFIX).rstrip("/")


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _of_environment() -> str | None:
    return _checked(api_key(), "TASKENGINE_API_KEY")


def _checked(key: object, field: str) -> str | None:
    """Return a key that can be sent; it is not repeated when it cannot."""
    if key is None or (isinstance(key, str) and _KEY.fullmatch(key)):
        return key
    raise InvalidInputError(f"{field} is no key; pass it as it was shown: te_…", field="api_key")
