"""The page of a fleet on this machine: whether it can be served, on which port, and the address that opens it.

The address carries the key behind ``#``, which a browser sends to nobody; the page takes it out of the address bar and
shows it for a session.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from urllib.parse import quote

from taskengine.api import local_key
from taskengine.settings import Settings

#: What the extra ``server`` brings.
_PACKAGES = ("fastapi", "fastapi_offline", "httptools", "prometheus_client", "uvicorn")
_TRIED = 50
_ANSWERED = frozenset({HTTPStatus.OK})
_PATIENCE_SECONDS = 1.0


def without() -> str | None:
    """Return why there is no page, and how to get it; None when there is one."""
    missing = next(_missing(), None)
    return missing and f"no page: it needs {missing}; pip install 'taskengine[server]'"


def _missing() -> Iterator[str]:
    for name in _PACKAGES:
        try:
            if find_spec(name) is None:
                yield name
        except ModuleNotFoundError:
            yield name


def ports(wanted: int) -> Iterator[int]:
    """Ports to try: the one that is wanted, those behind it, and any; 0 is any."""
    if wanted:
        yield from range(wanted, min(wanted + _TRIED, 65536))
    yield 0


def serves(port: int) -> bool:
    """Whether a server of this machine answers there; its key is in its file then."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status in _ANSWERED
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def address(settings: Settings, port: int, to: str = "") -> str:
    """Return the address that opens the page at *to*, a route of it, with this machine's key."""
    return opened(f"http://127.0.0.1:{port}/", local_key.read(local_key.path_of(settings, port)), to)


def opened(url: str, key: str | None, to: str = "") -> str:
    """Return the address of a page with a key, and with where to go."""
    words = [f"key={key}"] if key else []
    if to:
        words.append(f"to={quote(to)}")
    return url + ("#" + "&".join(words) if words else "")
