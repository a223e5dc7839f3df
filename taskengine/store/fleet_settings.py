"""What each process of a fleet has set where all must be alike: beats and terms carry a digest, the values lie once.

So a beat grows by twelve letters, however many settings there are, and who examines the fleet reads the values of a
digest only when there are two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskengine.settings import Settings
from taskengine.store.call import Call
from taskengine.store.codec import canonical, note
from taskengine.store.keys import Keys

#: Seconds that values are kept after somebody said them last, and after which whoever has them says them again.
KEPT_SECONDS, AGAIN_SECONDS = 7 * 86_400, 3600.0


def put(settings: Settings) -> Call[None]:
    """Keep what :attr:`Settings.shared` says under its digest; safe to repeat."""
    key = Keys(settings.namespace).of("settings", settings.digest)
    values = canonical(settings.shared, "settings")
    return Call("SET", (key, values, "EX", KEPT_SECONDS), _nothing, command=True)


def get(keys: Keys, digest: str) -> Call[Mapping[str, Any]]:
    """Return the values of *digest*; empty when nobody has said them for long."""
    return Call("GET", (keys.of("settings", digest),), _values, command=True)


def _nothing(_: Any) -> None:
    return None


def _values(raw: str | None) -> Mapping[str, Any]:
    return note(raw or "")
