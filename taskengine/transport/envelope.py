"""The Celery message that wakes a slot, prepared once by Celery's and kombu's own functions.

Grants are made inside Redis, where no Celery is at hand. So the message is published once into a drawer
instead of a broker, with tokens where an execution's own values go, and a script completes it by plain
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
LANE: Final = "@LANE@"
PRIORITY: Final = "@PRIORITY@"

#: kombu's ``priority_steps``: one list a priority, 0 (CRITICAL) read first, 4 (LOW) last.
PRIORITY_STEPS: Final = (0, 1, 2, 3, 4)
#: What kombu puts between a queue's name and its priority.
SEPARATOR: Final = "\x06\x16"


class _Drawer(virtual.Channel):
    """Keeps the last published message instead of sending it."""

    message: dict[str, Any]

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:  # noqa: ARG002  # kombu's signature
        self.message = message


class _Desk(virtual.Transport):
    Channel = _Drawer


@lru_cache(maxsize=1)
def template() -> str:
    """The message as JSON text with the five tokens; it becomes valid JSON once PRIORITY is a number.

    ``shadow`` is the lane: logs, events and Flower call the message by its capability, a bounded set.
    """
    message = _published()
    message["properties"].update(delivery_tag=TAG, priority=PRIORITY)
    return dumps(message).replace(f'"{PRIORITY}"', PRIORITY)


def queue_key(lane: str, priority: int) -> str:
    """The list that kombu reads for *lane* at *priority* (0 … 4), below the ``global_keyprefix``."""
    if priority not in PRIORITY_STEPS:
        raise ValueError(f"priority is {priority}; the queues have 0 to 4, CRITICAL to LOW")
    return f"{lane}{SEPARATOR}{priority}" if priority else lane


def _published() -> dict[str, Any]:
    app = celery.Celery(set_as_current=False)
    task = app.amqp.as_task_v2(ID, SLOT_TASK, shadow=LANE, origin="taskengine", ignore_result=True)
    with Connection(transport=_Desk) as connection, connection.channel() as drawer:
        assert isinstance(drawer, _Drawer)
        Producer(drawer, auto_declare=False).publish(
            task.body,
            routing_key=LANE,
            serializer="json",
            headers={**task.headers, TOKEN_HEADER: TOKEN},
            **task.properties,
        )
        return drawer.message
