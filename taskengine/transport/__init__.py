"""Celery and kombu, and nothing of them above this room.

Three things are made here for everybody else: the channel that survives unreadable messages
(:func:`install`, :func:`is_ours`), the message that wakes a slot (:func:`template`, :func:`queue_key`), and
Celery's configuration as data (:func:`celery_options`). A message is a wake-up, not the work: losing,
repeating or reordering messages must never lose, repeat or reorder work, so nothing here tries to make
delivery reliable.
"""

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
