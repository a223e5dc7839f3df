"""How Celery is configured: one URL in, all of Celery's settings out, as plain data.

A message only wakes a slot; what must not be lost lies in Redis and moves by scripts. So Celery is told to
do as little as possible: acknowledge early, take nothing in advance, restore nothing, keep no results.
Workers, Flower and whoever else speaks to this broker use the same options, or they look for queues and
events under other names.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from taskengine.core.order import queue_priority
from taskengine.models import TaskPriority
from taskengine.settings import Settings
from taskengine.store.address import read
from taskengine.store.keys import Keys
from taskengine.transport.envelope import PRIORITY_STEPS, SEPARATOR

#: The fixed key of the list of messages that nobody could read.
QUARANTINE = "quarantine"
#: Where Celery tasks of a user's own go when they name no queue; the engine sends nothing there.
DEFAULT_QUEUE = "default"
_CERT_REQS = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}


def celery_options(settings: Settings, url: str) -> dict[str, Any]:
    """Celery's settings for the broker at *url*; SettingsError names what is wrong with it."""
    address = read(url, allow_unverified_tls=settings.allow_unverified_tls)
    bare = address.parts._replace(query="").geturl()
    options = {**_BROKER, **_TASKS, **_WORKER, **_EVENTS}
    options["broker_transport_options"] = transport_options(settings)
    match address.scheme:
        case "redis":
            options["broker_url"] = bare
        case "rediss":
            options["broker_url"] = bare
            # Not in the URL: Flower never reads it there.
            options["broker_use_ssl"] = {**address.query, "ssl_cert_reqs": _CERT_REQS[address.cert_reqs]}
        case "redis+socket" | "unix":
            database = f"?virtual_host={address.database}" if address.database else ""
            options["broker_url"] = f"redis+socket://{address.login}{address.parts.path}{database}"
        case _:
            # kombu wants one URL for each of ``sentinel://login@host:port,host:port/service``.
            each = (f"sentinel://{address.login}{host}:{port}/0" for host, port in address.sentinels)
            options["broker_url"] = ";".join(each)
            options["broker_transport_options"]["master_name"] = address.service
    return options


def transport_options(settings: Settings) -> dict[str, Any]:
    """Return what kombu's channel (and Flower's reader of queue lengths) must know."""
    keys = Keys(settings.namespace)
    return {
        "global_keyprefix": keys.queue_prefix(),
        "priority_steps": list(PRIORITY_STEPS),
        "sep": SEPARATOR,
        "queue_order_strategy": "round_robin",  # inside one priority no queue waits for another
        "quarantine": keys.fixed(QUARANTINE),
        # No unacked copy: it costs two transactions a message (570 messages/s without, 400 to 470 with it,
        # one prefork child), and its sweep would wake slots for grants that are long gone. A lost wake-up is
        # granted anew after the claim deadline. For Celery tasks of a user's own on this app it means: early
        # acknowledgement only, and an ETA does not outlive its worker.
        "ack_emulation": False,
        "do_restore": False,
        "visibility_timeout": 30 * 86_400,  # if it is switched on after all: never sweep what still runs
        # A half-open link is met three times over, one after the other, by a worker's main loop: as it sends its beat,
        # and twice as it asks after the links it reads from. With 10 s it consumed again after 31 s, with 5 after 16.
        # The longest blocking read here is BRPOP's, 1 s; the store's is 5 s, with its own timeout of 10.
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 5,  # a half-open BRPOP is dropped after 1 + 2 x 5 s instead of 51 s
        "max_connections": 1000,  # a pool raises at its limit, it does not wait; kombu's default is 10
    }


_BROKER: Mapping[str, Any] = {
    "broker_connection_retry": True,
    "broker_connection_retry_on_startup": True,  # a worker may start before its server
    "broker_connection_max_retries": None,  # for ever: a supervisor could only start it again
    "broker_channel_error_retry": True,  # an answer such as OOM or MISCONF must not end a worker
    "result_backend": None,  # results are reported by script
}

_TASKS: Mapping[str, Any] = {
    "task_default_queue": DEFAULT_QUEUE,
    "task_default_priority": queue_priority(TaskPriority.NORMAL),  # kombu's 0 is the most urgent here
    "task_create_missing_queues": True,  # a queue is a capability; there is no list of them
    "task_serializer": "json",
    "accept_content": ["json"],  # no code from a message
    "result_accept_content": ["json"],
    "task_ignore_result": True,
    "task_acks_late": False,  # a connection blip re-runs every running late-ack task at once
    "task_track_started": False,
    "task_send_sent_event": False,  # grants are pushed by scripts, which send no events
    "enable_utc": True,
    "timezone": "UTC",
}

_WORKER: Mapping[str, Any] = {
    "worker_disable_prefetch": True,  # a popped message that waits in a busy worker is a slot that wakes late
    "worker_prefetch_multiplier": 1,
    "worker_enable_prefetch_count_reduction": False,  # after a reconnect; disable_prefetch bounds it exactly
    "worker_cancel_long_running_tasks_on_connection_loss": False,  # running work outlives the connection
    "worker_lost_wait": 2.0,  # seconds the slot of a killed child stays occupied (default 10)
    "worker_proc_alive_timeout": 60.0,  # seconds a child may import agents in (default 4)
    "worker_hijack_root_logger": False,  # handlers that an agent module or an operator set up stay
}

_EVENTS: Mapping[str, Any] = {
    "worker_send_task_events": True,  # what Flower shows
    "event_serializer": "json",
    "event_queue_prefix": "celeryev",  # Celery's own names: global_keyprefix already keeps namespaces apart
    "event_exchange": "celeryev",
    "control_exchange": "celery",
}
