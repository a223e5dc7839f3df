"""Takes a wake-up from its queue without Celery, for a process that is its own worker."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from taskengine.store.call import Call
from taskengine.store.keys import Keys
from taskengine.transport.envelope import PRIORITY_STEPS, TOKEN_HEADER, queue_key


@dataclass(frozen=True, slots=True)
class WakeUp:
    """What a message says: start with this execution if its token still holds."""

    #: Also the message's own id.
    execution_id: str
    token: int


def take(keys: Keys, queues: Iterable[str]) -> Call[WakeUp | None]:
    """Return the next message of *queues*, CRITICAL before LOW as kombu reads them; None when there is none."""
    consumed = tuple(queues)
    lists = [keys.queue_prefix() + queue_key(queue, step) for step in PRIORITY_STEPS for queue in consumed]
    return Call("LMPOP", (len(lists), *lists, "RIGHT"), _read, command=True)


def _read(raw: Any) -> WakeUp | None:
    if not raw:
        return None
    headers = json.loads(raw[1][0])["headers"]
    return WakeUp(str(headers["id"]), int(headers[TOKEN_HEADER]))
