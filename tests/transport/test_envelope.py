"""The prepared message: what a script may fill in, and that Celery runs the result."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from kombu import Connection
from kombu.transport.redis import Channel

from taskengine.transport import PRIORITY_STEPS, TOKEN_HEADER, install, queue_key, template

from .celery_fleet import Fleet, until, wake


def test_template_is_json_once_filled_and_says_everything_outside_the_body() -> None:
    message = json.loads(wake("e1", queue="lint", token="42", priority=3))

    assert base64.b64decode(message["body"]) == (
        b'[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'
    )
    headers, properties = message["headers"], message["properties"]
    assert (headers["id"], headers["root_id"], headers["task"]) == ("e1", "e1", "taskengine.slot")
    assert (headers["shadow"], headers[TOKEN_HEADER]) == ("lint", "42")
    assert properties["correlation_id"] == "e1"
    assert properties["delivery_tag"] == "tag-e1"
    assert properties["priority"] == 3
    assert properties["delivery_info"] == {"exchange": "", "routing_key": "lint"}


def test_template_holds_nothing_of_the_process_that_made_it() -> None:
    assert "@" not in json.dumps(json.loads(wake("e1")))
    assert template() is template()


@pytest.mark.parametrize("priority", PRIORITY_STEPS)
def test_queue_key_is_the_list_that_kombu_reads(valkey: Any, priority: int) -> None:
    options = {"priority_steps": list(PRIORITY_STEPS)}
    with Connection(valkey.url, transport_options=options) as connection:
        channel = connection.default_channel
        assert isinstance(channel, Channel)
        assert queue_key("lint", priority) == channel._q_for_pri("lint", priority)


def test_queue_key_refuses_a_priority_without_a_list() -> None:
    with pytest.raises(ValueError, match="0 to 4"):
        queue_key("lint", 5)


def test_filled_template_runs_with_its_execution_id_and_token(fleet: Fleet) -> None:
    install()
    fleet.start("-Q", "lint,@ann", "-P", "prefork", "-c", "1")
    for priority in PRIORITY_STEPS:
        fleet.push(wake(f"e{priority}", token=f"t{priority}", priority=priority), priority=priority)
    fleet.push(wake("pinned", queue="@ann"), queue="@ann")

    until(lambda: len(fleet.ran()) == 6)

    seen = {(r["id"], r["token"], r["queue"]) for r in map(json.loads, fleet.ran())}
    assert seen == {(f"e{p}", f"t{p}", "lint") for p in PRIORITY_STEPS} | {("pinned", "7", "@ann")}
    assert "Task lint[e0] received" in fleet.log()
    assert not fleet.quarantine()
