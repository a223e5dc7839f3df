"""How long scripts hold the server, from its SLOWLOG."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from benchmarks.client import Client
from taskengine.store.scripts import Scripts, names

#: Microseconds; faster ones are of no interest, and the log itself would cost.
_LOGGED_FROM = 500
_ENTRIES = 50_000


class ScriptTimes:
    """Watches the server while it is entered.

    The log's time is the wall clock's: on a machine with fewer free processors than processes it holds the
    moments in which the server was not running, too.
    """

    def __init__(self, client: Client) -> None:
        self._raw = client.raw
        scripts = Scripts(client.settings)
        self._names = {scripts[name].sha: name for name in names()}

    def __enter__(self) -> Self:
        self._before = {str(k): str(v) for k, v in self._raw.config_get("slowlog-*").items()}
        self._raw.config_set("slowlog-log-slower-than", _LOGGED_FROM)
        self._raw.config_set("slowlog-max-len", _ENTRIES)
        self._raw.slowlog_reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        for name, value in self._before.items():
            self._raw.config_set(name, value)
        self._raw.slowlog_reset()

    def take(self) -> dict[str, float]:
        """Milliseconds of the longest run of each script since the last call, longest first."""
        worst: dict[str, float] = {}
        entries: list[dict[str, Any]] = self._raw.slowlog_get(_ENTRIES)
        for entry in entries:
            name = self._name(entry["command"])
            if name:
                worst[name] = max(worst.get(name, 0.0), entry["duration"] / 1000)
        self._raw.slowlog_reset()
        return dict(sorted(worst.items(), key=lambda pair: -pair[1]))

    def _name(self, command: bytes | str) -> str | None:
        words = (command.decode(errors="replace") if isinstance(command, bytes) else command).split(" ", 2)
        return self._names.get(words[1], words[1]) if words[0] == "EVALSHA" else None
