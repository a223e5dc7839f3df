"""kombu's Redis channel, with a quarantine for messages that nobody can read.

Stock kombu pops a message and then trusts it: one malformed message ends every worker that meets it. Here a
message is screened between the pop and Celery. An unreadable one goes, with its reason, to a bounded list
and the worker takes the next. Three places, each a seam that kombu itself calls, so none of its code is
repeated:

* the reply of BRPOP (task queues, reply queues), which kombu reads through ``client.parse_response``;
* broadcasts (remote control, events), which kombu reads through ``_handle_message``. They are logged and
  dropped, not kept: every process has its own copy, and nobody waits for one;
* delivery: what still raises while Celery takes a message in is put aside too. A message once popped is never
  restored and could end one worker at most, but a broadcast reaches all of them at once. The honest doubt: a
  worker that is broken itself, so that every message raises, puts them all aside and says so in its log.

Only a connection whose transport options name a ``quarantine`` is screened, as those of
:func:`taskengine.transport.celery_options` do. Any other in the process, also to another server, is as
kombu wrote it.

Rejected: ``broker_transport`` instead of kombu's aliases. Flower cannot read such a URI, and
``redis+socket://`` takes its transport from the scheme and ignores the setting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property, partial
from queue import Empty
from typing import Any

from celery.signals import task_rejected, task_unknown
from kombu import transport as aliases
from kombu.transport import redis as stock
from kombu.utils.json import dumps, loads

from taskengine.transport.quarantine import put_aside
from taskengine.transport.screening import DATA_ERRORS, message_fault, task_fault

_OPTIONS = ("do_restore", "quarantine")
_MAX_REASON = 500

logger = logging.getLogger(__name__)


class _ScreeningChannel(stock.Channel):
    """Puts unreadable messages aside instead of dying of them."""

    #: Full name of the list for refused messages; empty: no screening.
    quarantine = ""

    from_transport_options = (*stock.Channel.from_transport_options, *_OPTIONS)

    # Parts of kombu's channel that its stubs leave out.
    _create_client: Callable[..., Any]
    _maybe_update_queues_expire: Callable[[Any, str], None]
    _q_for_pri: Callable[[str, int], str]
    _queue_cycle: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._task_queues: set[str] = set()
        super().__init__(*args, **kwargs)

    @cached_property
    def client(self) -> Any:
        """The client that waits in BRPOP; the replies that it parses are screened."""
        client = self._create_client(asynchronous=True)
        client.parse_response = partial(self._screened_reply, client.parse_response)
        return client

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> Any:
        """Consume, and remember whether a Celery worker takes tasks from *queue*: those must be tasks."""
        if _is_of_worker(kwargs.get("callback")):
            self._task_queues.add(queue)
        return super().basic_consume(queue, *args, **kwargs)

    def put_aside(self, queue: str, raw: bytes, reason: str) -> None:
        """Keep a refused message with its reason. Never raises."""
        put_aside(self.pool, self.quarantine, queue, raw, reason[:_MAX_REASON])

    def give_up(self, queue: str, message: Any, exc: Exception) -> None:
        """Put a delivered *message* aside that raised while it was taken in, and free its place."""
        if queue in self.active_fanout_queues:
            logger.error("dropped a broadcast on %s that nobody could read", queue, exc_info=exc)
            return
        logger.error("a message from queue %s passed the screening and raised", queue, exc_info=exc)
        tag = message["properties"]["delivery_tag"]
        if tag in (self.qos._delivered or ()):
            self.qos.ack(tag)
        self.put_aside(queue, dumps(message).encode(), f"{type(exc).__name__}: {exc}")

    def _screened_reply(self, parse: Any, connection: Any, command: str, **options: Any) -> Any:
        reply = parse(connection, command, **options)
        if command != "BRPOP" or not reply:
            return reply
        key, raw = reply
        queue = key.decode(errors="replace").rsplit(self.sep, 1)[0]
        if self._admits(queue, raw):
            return reply
        self._queue_cycle.rotate(queue)  # a flood of refused messages must not starve the other queues
        return None  # to kombu: nothing came

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002  # kombu's signature
        with self.conn_or_acquire() as client:
            self._maybe_update_queues_expire(client, queue)
            for step in self.priority_steps:
                while raw := client.rpop(self._q_for_pri(queue, step)):
                    if self._admits(queue, raw):
                        return loads(raw)
        raise Empty

    def _admits(self, queue: str, raw: bytes) -> bool:
        if not self.quarantine:
            return True
        reason = task_fault(raw) if queue in self._task_queues else message_fault(raw)
        if reason:
            self.put_aside(queue, raw, reason)
        return not reason

    def _handle_message(self, client: Any, response: Any) -> Any:
        event = super()._handle_message(client, response)  # type: ignore[misc]  # left out of kombu's stubs
        if self.quarantine and event["type"].endswith(b"message"):
            reason = message_fault(event["data"])
            if reason:
                logger.warning("dropped a broadcast on %r: %s", event["channel"], reason)
                event["data"] = None  # to kombu: an empty broadcast
        return event


class _ScreeningTransport(stock.Transport):
    """Survives messages that raise while Celery takes them in."""

    def _deliver(self, message: Any, queue: str | None) -> None:
        try:
            super()._deliver(message, queue)
        except DATA_ERRORS as exc:
            channel = next((c for c in self.channels or () if queue in c._active_queues), None)
            if not isinstance(channel, _ScreeningChannel) or not channel.quarantine or queue is None:
                raise
            channel.give_up(queue, message, exc)


class Channel(_ScreeningChannel):
    """The screening channel of one Redis server."""


class SentinelChannel(_ScreeningChannel, stock.SentinelChannel):
    """The screening channel of a server that Sentinel names."""

    from_transport_options = (*stock.SentinelChannel.from_transport_options, *_OPTIONS)


class Transport(_ScreeningTransport):
    """What the schemes redis, rediss and redis+socket mean after :func:`install`."""

    Channel = Channel


class SentinelTransport(_ScreeningTransport, stock.SentinelTransport):
    """What the scheme sentinel means after :func:`install`."""

    Channel = SentinelChannel


def install() -> None:
    """Make kombu use these channels for Redis in this process, before any connection. Safe to repeat."""
    here = f"{__name__}:Transport"
    aliases.TRANSPORT_ALIASES.update(redis=here, rediss=here, sentinel=f"{__name__}:SentinelTransport")
    aliases._transport_cache.clear()  # type: ignore[attr-defined]  # left out of kombu's stubs
    task_unknown.connect(_put_aside_discarded)
    task_rejected.connect(_put_aside_discarded)


def is_ours(connection: Any) -> bool:
    """Return whether the live channel of this kombu connection screens; connects when it is not yet connected."""
    channel = connection.default_channel
    return isinstance(channel, _ScreeningChannel) and bool(channel.quarantine)


def _put_aside_discarded(
    *, message: Any, exc: Exception | None = None, name: str | None = None, **_: Any
) -> None:
    """What Celery discards by itself: no such task, or a request that it finds invalid."""
    channel = message.channel
    if isinstance(channel, _ScreeningChannel) and channel.quarantine:
        reason = f"no task {name!r} in this worker" if name else f"Celery refused it: {exc}"
        channel.put_aside(message.delivery_info["routing_key"], dumps(message._raw).encode(), reason)


def _is_of_worker(callback: Any) -> bool:
    """Whether *callback* is of a Celery worker's task consumer, not of a mailbox or a user's own consumer."""
    told_of_errors = getattr(getattr(callback, "__self__", None), "on_decode_error", None)
    return hasattr(getattr(told_of_errors, "__self__", None), "create_task_handler")
