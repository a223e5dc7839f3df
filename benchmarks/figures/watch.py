"""What ten terminals with ``taskengine task watch`` cost the server beside many finished tasks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import psutil

from benchmarks.figure import Figure, Must
from benchmarks.processes import Process, until
from benchmarks.stack import Stack
from taskengine import Task
from taskengine.models import TaskStatus
from taskengine.store.fields import TaskField
from taskengine.store.keys import CODES

#: Nobody runs these, so that the server does nothing else.
_NOBODY = "watched"
#: Tasks that are open all the time, and seconds between two that come and go.
_OPEN, _EACH = 100, 0.2
_SEGMENT = 4096
#: Copies a finished task into a whole segment of arrivals.
_FILL = """
local from, codes, ids = tonumber(ARGV[4]), ARGV[5], {}
for at = 0, 4095 do
  local raw = ARGV[6]:sub(16 * at + 1, 16 * at + 16)
  local id = string.format('%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x', raw:byte(1, 16))
  redis.call('COPY', KEYS[1], ARGV[1] .. id)
  redis.call('HSET', ARGV[1] .. id, ARGV[7], from + at)
end
redis.call('SET', ARGV[2], codes)
redis.call('SET', ARGV[3], ARGV[6])
"""


def measure(stack: Stack) -> Iterator[Figure]:
    """Share of a core that the server is busy with ten watchers, less what it is busy with without them."""
    segments, seconds, many = stack.size(245, 1), stack.size(30.0, 1.0), stack.size(10, 2)
    _finish(stack, segments)
    stack.client.submit([Task(name=f"open{n}", capability=_NOBODY) for n in range(_OPEN)])
    alone = _busy(stack, seconds)
    here = {"TASKENGINE_REDIS_URL": stack.server.url}
    with ExitStack() as exits:
        watchers = [Process.python("taskengine.cli", "task", "watch", variables=here) for _ in range(many)]
        for watcher in watchers:
            exits.callback(watcher.stop)
        until(lambda: _watching(stack) >= many, 120, f"{many} watch")
        _busy(stack, 2 * _EACH)
        watched = _busy(stack, seconds)
        for watcher in watchers:
            watcher.require_alive()
    about = stack.describe() | {
        "finished": segments * _SEGMENT, "open": _OPEN, "changes_a_second": 2 / _EACH, "watchers": many,
        "alone": round(alone, 2),
    }  # fmt: skip
    must = Must("value", "<=", 5)
    yield Figure("watch", watched - alone, "% of a core", must=must, config=about)


def _finish(stack: Stack, segments: int) -> None:
    """Make whole segments of finished tasks, by copying one: a million would take minutes to run."""
    client, keys = stack.client, stack.client.keys
    (task,) = client.submit([Task(name="finished", capability=_NOBODY)])
    client.api.cancel_task(task)
    codes = bytes([CODES[TaskStatus.CANCELLED] * 17]) * (_SEGMENT // 2)
    run = client.raw.register_script(_FILL)
    for segment in range(1, segments + 1):
        ids = b"".join(uuid4().bytes for _ in range(_SEGMENT))
        where = (keys.of("task", ""), keys.of("codes", segment), keys.of("ids", segment))
        run([keys.of("task", task)], [*where, segment * _SEGMENT, codes, ids, TaskField.arrival])
    client.raw.set(keys.fixed("arrivals"), (segments + 1) * _SEGMENT - 1)
    client.raw.hincrby(keys.fixed("counts"), TaskStatus.CANCELLED, segments * _SEGMENT)


def _watching(stack: Stack) -> int:
    """Clients that asked for more than one thing: who watches keeps its connection."""
    return sum(one.get("lib-name") == "redis-py" and one["cmd"] == "evalsha" for one in stack.client.raw.client_list())


def _busy(stack: Stack, seconds: float) -> float:
    """Percent of a core that the server is busy while tasks come and go."""
    server, api = psutil.Process(stack.server.pid), stack.client.api
    begin, used = time.perf_counter(), sum(server.cpu_times()[:2])
    while time.perf_counter() - begin < seconds:
        api.cancel_task(api.create_task(Task(name="comes and goes", capability=_NOBODY)).id)
        time.sleep(_EACH)
    return 100 * (sum(server.cpu_times()[:2]) - used) / (time.perf_counter() - begin)
