"""Celery and kombu, and nothing of them above this room.

Three things are made here for everybody else: the channel that survives unreadable messages
(:func:`install`, :func:`is_ours`), the message that wakes a slot (:func:`template`, :func:`queue_key`), and
Celery's configuration as data (:func:`celery_options`). A message is a wake-up, not the work: losing,
repeating or reordering messages must never lose, repeat or reorder work, so nothing here tries to make
delivery reliable.

Each is imported when it is first asked for: who only grants needs the message, and no channel.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskengine.transport.broker import celery_options, transport_options
    from taskengine.transport.channel import install, is_ours
    from taskengine.transport.envelope import PRIORITY_STEPS, SLOT_TASK, TOKEN_HEADER, queue_key, template
    from taskengine.transport.pools import POOLS, refusal

__all__ = [
    "POOLS",
    "PRIORITY_STEPS",
    "SLOT_TASK",
    "TOKEN_HEADER",
    "celery_options",
    "install",
    "is_ours",
    "queue_key",
    "refusal",
    "template",
    "transport_options",
]

#: Where each comes from.
_LATE = {
    "POOLS": "taskengine.transport.pools",
    "PRIORITY_STEPS": "taskengine.transport.envelope",
    "SLOT_TASK": "taskengine.transport.envelope",
    "TOKEN_HEADER": "taskengine.transport.envelope",
    "celery_options": "taskengine.transport.broker",
    "install": "taskengine.transport.channel",
    "is_ours": "taskengine.transport.channel",
    "queue_key": "taskengine.transport.envelope",
    "refusal": "taskengine.transport.pools",
    "template": "taskengine.transport.envelope",
    "transport_options": "taskengine.transport.broker",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_LATE[name]), name)
    return found
