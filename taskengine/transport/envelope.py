"""The Celery message that wakes a slot, prepared once by Celery's and kombu's own functions.

Grants are made inside Redis, where no Celery is at hand. So the message is published once into a channel
that keeps it, with tokens where an execution's own values go, and a script completes it by plain
substitution. Nothing in the (base64) body depends on the execution: every token lies outside of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import celery
from kombu import Connection, Producer
from kombu.transport import virtual
from kombu.utils.json import dumps

#: The one Celery task there is: a slot takes work until nothing is ready or its slice is over.
SLOT_TASK: Final = "taskengine.slot"
#: The extra header that carries the fencing token of the execution named by the header ``id``.
TOKEN_HEADER: Final = "te_token"  # noqa: S105  # no secret

#: What a script replaces in the template. PRIORITY stands bare, a JSON number, the others in JSON strings.
ID: Final = "@ID@"
TOKEN: Final = "@TOKEN@"  # noqa: S105  # no secret
TAG: Final = "@TAG@"
QUEUE: Final = "@QUEUE@"
PRIORITY: Final = "@PRIORITY@"

#: kombu's ``priority_steps``: one list a priority, 0 (CRITICAL) read first, 4 (LOW) last.
PRIORITY_STEPS: Final = (0, 1, 2, 3, 4)
#: What kombu puts between a queue's name and its priority.
SEPARATOR: Final = "\x06\x16"


class _CaptureChannel(virtual.Channel):
    """Keeps the last published message instead of sending it."""

    message: dict[str, Any]

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:  # noqa: ARG002  # kombu's signature
        self.message = message


class _CaptureTransport(virtual.Transport):
    Channel = _CaptureChannel


@lru_cache(maxsize=1)
def template() -> str:
    """Return the message as JSON text with the five tokens; it becomes valid JSON once PRIORITY is a number.

    ``shadow`` is the queue: logs, events and Flower call the message by its capability, a bounded set.
    """
    message = _published()
    message["properties"].update(delivery_tag=TAG, priority=PRIORITY)
    return dumps(message).replace(f'"{PRIORITY}"', PRIORITY)


def queue_key(queue: str, priority: int) -> str:
    """Return the list that kombu reads for *queue* at *priority* (0 … 4), below the ``global_keyprefix``."""
    if priority not in PRIORITY_STEPS:
        raise ValueError(f"priority is {priority}; the queues have 0 to 4, CRITICAL to LOW")
    return f"{queue}{SEPARATOR}{priority}" if priority else queue


def _published() -> dict[str, Any]:
    app = celery.Celery(set_as_current=False)
    task = app.amqp.as_task_v2(ID, SLOT_TASK, shadow=QUEUE, origin="taskengine", ignore_result=True)
    with Connection(transport=_CaptureTransport) as connection, connection.channel() as channel:
        assert isinstance(channel, _CaptureChannel)
        Producer(channel, auto_declare=False).publish(
            task.body,
            routing_key=QUEUE,
            serializer="json",
            headers={**task.headers, TOKEN_HEADER: TOKEN},
            **task.properties,
        )
        return channel.message
