"""One look at one thing, and what it came to: never an error, since what is not there is an answer.

HTTP and TCP reach only addresses that are public or allowed (:mod:`workers.agents.addresses`), and connect to the very
one that was looked at; redirects are an answer like any other. The standard library's client does: a first look needs
no extra to be installed.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from taskengine.errors import InvalidInputError
from workers.agents.addresses import Allowed, ForbiddenAddressError, reachable
from workers.agents.builtin.roots import roots, within
from workers.agents.settings import worker_settings
from workers.loop import Run

#: Seconds that one look may take unless it says less, and bytes of an answer that are read.
_SECONDS, _LARGEST = 10.0, 256 * 1024
Check = Mapping[str, Any]


def probe_one(check: Check, field: str) -> dict[str, Any]:
    """Return what one check came to: kind, ok, value (in the unit of its kind) and text; InvalidInputError when it
    cannot be read, or leads where nobody may go from here.
    """
    kind = check.get("kind")
    look = _KINDS.get(str(kind))
    if look is None:
        raise InvalidInputError(f"{field}.kind is {kind!r:.60}; use {', '.join(_KINDS)}", field=f"{field}.kind")
    ok, value, text = look(check, field)
    return {"kind": kind, "ok": ok, "value": value, "text": text}


Found = tuple[bool, float | None, str]


def _http(check: Check, field: str) -> Found:
    """``url``; ``status`` (200 to 399), ``max_ms`` and ``contains`` say what is well."""
    url = str(check.get("url"))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as exc:
        raise InvalidInputError(f"{field}.url is {url!r:.200}: {exc}", field=f"{field}.url") from exc
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or not url.isprintable():
        raise InvalidInputError(f"{field}.url is {url!r:.200}; write http://host/path", field=f"{field}.url")
    began = time.monotonic()
    try:
        status, body = _get(parts.scheme, host, port, parts.path or "/", parts.query, _seconds(check, field))
    except (OSError, http.client.HTTPException, ValueError) as exc:
        return False, None, f"{host}:{port} does not answer: {exc or type(exc).__name__}"
    took = (time.monotonic() - began) * 1000
    wanted, most, word = check.get("status"), _number(check, "max_ms", field), check.get("contains")
    wrong = [
        says
        for is_wrong, says in (
            (status != wanted if wanted is not None else not 200 <= status < 400, f"status {status}"),
            (most is not None and took > most, f"{took:.0f} ms"),
            (word is not None and str(word) not in body, f"it does not say {word!r:.60}"),
        )
        if is_wrong
    ]
    return not wrong, round(took, 1), ", ".join(wrong) or f"status {status} in {took:.0f} ms"


def _get(scheme: str, host: str, port: int, path: str, query: str, seconds: float) -> tuple[int, str]:
    made = http.client.HTTPConnection(host, port, timeout=seconds)
    plain = _connected(host, port, seconds)
    try:
        secure = ssl.create_default_context() if scheme == "https" else None
        made.sock = secure.wrap_socket(plain, server_hostname=host) if secure else plain
        made.request("GET", f"{path}?{query}" if query else path, headers={"Connection": "close"})
        answer = made.getresponse()
        return answer.status, answer.read(_LARGEST).decode(errors="replace")
    finally:
        made.close()
        plain.close()


def _tcp(check: Check, field: str) -> Found:
    """``host`` and ``port``; ``max_ms`` says what is well."""
    host, port = str(check.get("host", "")), _number(check, "port", field)
    if not host or port is None or not 0 < port < 65536:
        raise InvalidInputError(f"{field}: give a host and a port", field=field)
    began, most = time.monotonic(), _number(check, "max_ms", field)
    try:
        _connected(host, int(port), _seconds(check, field)).close()
    except OSError as exc:
        return False, None, f"{host}:{int(port)} does not answer: {exc}"
    took = (time.monotonic() - began) * 1000
    return most is None or took <= most, round(took, 1), f"connected in {took:.0f} ms"


def _connected(host: str, port: int, seconds: float) -> socket.socket:
    """Return a connection to the address that was looked at; OSError when there is none."""
    allowed = Allowed.of(worker_settings().allowed_hosts)
    try:
        address = Run(reachable(host, port, allowed)).result(seconds)
    except ForbiddenAddressError as exc:
        raise InvalidInputError(str(exc), field="host") from exc
    return socket.create_connection((str(address), port), timeout=seconds)


def _process(check: Check, field: str) -> Found:
    """``name`` or ``pid``; ``min`` (1) processes, ``max_memory_mb`` and ``max`` say what is well."""
    name, pid = check.get("name"), check.get("pid")
    if not isinstance(name, str) and not isinstance(pid, int):
        raise InvalidInputError(f"{field}: give the name or the pid of a process", field=field)
    running = psutil.process_iter(["name", "memory_info"])
    found = [each for each in running if each.pid == pid or (name is not None and each.info["name"] == name)]
    memory = max((each.info["memory_info"].rss / 2**20 for each in found if each.info["memory_info"]), default=0.0)
    least, most = _number(check, "min", field), _number(check, "max", field)
    largest = _number(check, "max_memory_mb", field)
    count = len(found)
    ok = (1 if least is None else least) <= count and (most is None or count <= most)
    return ok and (largest is None or memory <= largest), float(count), f"{count} run, the largest has {memory:.0f} MiB"


def _disk(check: Check, field: str) -> Found:
    """``path`` (the first workspace); ``max_used_percent`` (90) and ``min_free_gb`` say what is well."""
    path: Path = within(str(check["path"]), f"{field}.path") if "path" in check else roots()[0]
    try:
        usage = psutil.disk_usage(str(path))
    except OSError as exc:
        return False, None, f"{path}: {exc.strerror}"
    free = usage.free / 2**30
    most, least = _number(check, "max_used_percent", field), _number(check, "min_free_gb", field)
    ok = usage.percent <= (90.0 if most is None and least is None else most if most is not None else 100.0)
    return ok and (least is None or free >= least), usage.percent, f"{usage.percent:g} % used, {free:.1f} GiB free"


def _number(check: Check, name: str, field: str) -> float | None:
    said = check.get(name)
    if said is None:
        return None
    if not isinstance(said, int | float) or isinstance(said, bool):
        raise InvalidInputError(f"{field}.{name} is {said!r:.60}; write a number", field=f"{field}.{name}")
    return float(said)


def _seconds(check: Check, field: str) -> float:
    said = _number(check, "timeout_seconds", field)
    return _SECONDS if said is None else min(max(said, 0.1), _SECONDS)


_KINDS: dict[str, Callable[[Check, str], Found]] = {"http": _http, "tcp": _tcp, "process": _process, "disk": _disk}
