"""A store full of runs, quickly: what clients and workers call, many calls in a trip, and copies of what they left.

A hundredth is submitted and worked through by the engine's own scripts, without models and without waiting for each
trip. The rest are copies of it under other ids: the same keys with the same fields, a millisecond later each. What is
searched for last comes first, and the newest runs, which are open, come last and by the scripts again.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import count, islice
from typing import Any
from uuid import UUID, uuid4

from benchmarks.client import Client
from taskengine import Task
from taskengine.core.estimates import kind_of
from taskengine.store import executions, graphs, nodes
from taskengine.store.call import Call, Operation
from taskengine.store.executions import BatchHint, Report, Slot
from taskengine.store.records import Pattern
from taskengine.store.replies import Assignment
from taskengine.store.scripts import Scripts
from taskengine.transport import template

#: Operations side by side.
_ABREAST = 64
_SLOTS = 16
#: Tasks that a slot takes at once.
_SHORT = 32
_BEAT_SECONDS = 2.0
_SEGMENT = 4096
#: Tasks of a run; the oldest has more.
EACH, LARGEST = 10, 1000
#: The oldest runs, by the scripts alone; and how many times everything behind them is there.
_FIRST, _TIMES = 10, 100
#: What only three of the oldest runs, or their tasks, carry at every filter: what a search finds last.
RARE = "rare"
_RARE_RUNS = range(3, 6)
_QUEUES = [f"queue_{n}" for n in range(8)]
_AGENTS = [f"agent_{n}" for n in range(4)]
#: One of so many tasks failed; is critical; is pinned to an agent.
_FAILED, _CRITICAL, _PINNED = 5003, 1009, 101
#: Ids of a copy: the first byte is another one, so that sixteen bytes and text say the same.
_IDS = """
local p, copy = ARGV[1], tonumber(ARGV[2])
local function moved(byte) return (byte + copy) % 256 end
local function of_copy(id) return string.format('%02x', moved(tonumber(id:sub(1, 2), 16))) .. id:sub(3) end
"""
#: Copies a run that is over, with its tasks, their executions and its history.
#: ARGV: prefix, copy, arrivals by which its tasks come later, run.
_COPY_RUN = _IDS + """
local later, run, new = tonumber(ARGV[3]), ARGV[4], of_copy(ARGV[4])
local function copied(kind, from, to, moments, ...)
  redis.call('COPY', p .. kind .. from, p .. kind .. to)
  for _, name in ipairs(moments) do redis.call('HINCRBY', p .. kind .. to, name, copy) end
  if ... then redis.call('HSET', p .. kind .. to, ...) end
end
local function execution_of(id)
  local s = redis.sha1hex(id .. ':1')
  return table.concat({s:sub(1, 8), s:sub(9, 12), '5' .. s:sub(14, 16), 'a' .. s:sub(18, 20), s:sub(21, 32)}, '-')
end
local function copy_task(no)
  local raw = redis.call('GETRANGE', p .. 'ids:' .. math.floor(no / 4096), no % 4096 * 16, no % 4096 * 16 + 15)
  local id = ('%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x'):format(raw:byte(1, 16))
  local to = of_copy(id)
  copied('task:', id, to, {'cr', 'rdy', 'sta', 'fin'}, 'run', new, 'no', no + later)
  copied('exec:', execution_of(id), execution_of(to), {'s', 'dl', 'e'}, 'task', to)
end
-- A copy of the call, sent again because its answer was late, changes nothing.
if redis.call('EXISTS', p .. 'run:' .. new) == 1 then return end
copied('run:', run, new, {'cr', 'fin'})
for _, range in ipairs(redis.call('LRANGE', p .. 'ranges:' .. run, 0, -1)) do
  local first, n = range:match('(%d+):(%d+)')
  redis.call('RPUSH', p .. 'ranges:' .. new, first + later .. ':' .. n)
  for no = first, first + n - 1 do copy_task(no) end
end
for _, entry in ipairs(redis.call('XRANGE', p .. 'events:' .. run, '-', '+')) do
  local word, id, at, rest = entry[2][2]:match('^(%S+) (%S+) (%d+)(.*)$')
  local said = word .. ' ' .. (id == '-' and id or of_copy(id)) .. ' ' .. string.format('%d', at + copy) .. rest
  redis.call('XADD', p .. 'events:' .. new, entry[1], 'e', said)
end
for _, name in ipairs({'runs', 'graphs', 'finished'}) do
  redis.call('ZADD', p .. name, redis.call('ZSCORE', p .. name, run) + copy, new)
end
"""
#: Copies what lists read of a segment. ARGV: prefix, copy, segments by which it comes later, segment, filters …
_COPY_SEGMENT = _IDS + """
local to = ARGV[4] + ARGV[3]
redis.call('COPY', p .. 'codes:' .. ARGV[4], p .. 'codes:' .. to)
for i = 5, #ARGV do
  local bits = p .. 'bits:' .. ARGV[i] .. ':'
  redis.call('COPY', bits .. ARGV[4], bits .. to)
end
local ids = redis.call('GET', p .. 'ids:' .. ARGV[4])
if not ids then return end
local empty, made = string.rep('\\0', 16), {}
for at = 1, #ids, 16 do
  local id = ids:sub(at, at + 15)
  made[#made + 1] = id == empty and id or string.char(moved(id:byte())) .. id:sub(2)
end
redis.call('SET', p .. 'ids:' .. to, table.concat(made))
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """What is there now."""

    runs: int
    tasks: int
    #: The oldest run, which is the largest.
    large: UUID


class Filler:
    """Fills one server."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._raw, self._keys = client.raw, client.keys
        self._scripts = Scripts(client.settings)
        self._envelope = template()
        self._beats = count(1)
        self._beat: Callable[[int], Call[Any]] | None = None
        self._beaten = 0.0
        for name in ("stage", "commit_graph", "settle_batch", "heartbeat", "claim", "report"):
            self._raw.script_load(self._scripts[name].source)

    def fill(self, runs: int, still_open: int) -> Filled:
        """Fill an empty store with about so many *runs* of ten tasks, the latest of them *still_open*."""
        first = [uuid4() for _ in range(_FIRST)]
        tasks = self._submit(first, 0, LARGEST)
        self._client.api.cancel_tasks(reason="nobody needs it", run_id=first[_RARE_RUNS[-1]])
        self._end()
        start, before = self._skip(), self._counts()
        base = [uuid4() for _ in range(max(1, (runs - _FIRST - still_open) // _TIMES))]
        tasks += self._submit(base, _FIRST) * _TIMES
        self._end()
        self._copy(base, range(start, self._skip()), self._counts() - before)
        tasks += self._submit([uuid4() for _ in range(still_open)], runs)
        return Filled(_FIRST + len(base) * _TIMES + still_open, tasks, first[0])

    def _submit(self, runs: Sequence[UUID], at: int, first: int = EACH) -> int:
        """Submit these runs, the first of them with *first* tasks; how many tasks they have together."""
        sizes = [first, *[EACH] * (len(runs) - 1)]
        tasks = 0
        for n in self._together(_graph(at + i, n, run) for i, (run, n) in enumerate(zip(runs, sizes, strict=True))):
            tasks += n
            _tell("tasks submitted", tasks, sum(sizes))
        return tasks

    def _end(self) -> None:
        """Let the slots of a node a queue end all that is ready."""
        numbers = count()
        for queue in [*_QUEUES, RARE, *(f"@{agent}" for agent in [*_AGENTS, RARE])]:
            node, words = f"filler-{queue}", f"{queue}={queue.lstrip('@')}"
            self._beat, self._beaten = partial(_beat, node, words), 0.0
            slots = (Slot(node, f"s{n}", f"m{n}", 1, words) for n in range(_SLOTS))
            ended = sum(self._together(_worked(slot, numbers) for slot in slots))
            _tell(f"of {queue} have ended", ended, ended)
        self._beat = None

    def _skip(self) -> int:
        """Let the next task arrive as the first one of a segment; its number."""
        arrivals = int(self._raw.get(self._keys.fixed("arrivals")) or 0)
        start = (arrivals // _SEGMENT + 1) * _SEGMENT
        self._raw.set(self._keys.fixed("arrivals"), start - 1)
        return start

    def _counts(self) -> Counter[str]:
        return Counter({str(status): int(n) for status, n in self._raw.hgetall(self._keys.fixed("counts")).items()})

    def _copy(self, runs: Sequence[UUID], arrivals: range, counts: Counter[str]) -> None:
        """Copy *runs*, whose tasks are over, arrived in *arrivals* and stand in those statuses."""
        segments = range(arrivals.start // _SEGMENT, arrivals.stop // _SEGMENT)
        bits = self._keys.of("bits", "")
        filters = [name.removeprefix(bits).rpartition(":") for name in self._raw.scan_iter(f"{bits}*", count=1000)]
        of = {seg: [name for name, _, last in filters if int(last) == seg] for seg in segments}
        one_run, one_segment = map(self._raw.register_script, (_COPY_RUN, _COPY_SEGMENT))
        for copy in range(1, _TIMES):
            about = (self._keys.prefix, copy)
            for at in range(0, len(runs), _ABREAST):
                with self._raw.pipeline(transaction=False) as trip:
                    for run in runs[at : at + _ABREAST]:
                        one_run(args=[*about, copy * len(arrivals), str(run)], client=trip)
                    trip.execute()
            for seg in segments:
                one_segment(args=[*about, copy * len(segments), seg, *of[seg]])
            self._raw.set(self._keys.fixed("arrivals"), arrivals.stop - 1 + copy * len(arrivals))
            _tell("times copied", copy, _TIMES - 1)
        for status, n in (self._counts() + Counter({status: n * (_TIMES - 1) for status, n in counts.items()})).items():
            self._raw.hset(self._keys.fixed("counts"), status, n)

    def _together(self, works: Iterable[Operation[int]]) -> Iterator[int]:
        """Run operations side by side, the next call of each in one trip; what they come to, as it comes."""
        left = iter(works)
        asked: list[tuple[Operation[int], Call[Any]]] = []
        while True:
            asked += [(work, next(work)) for work in islice(left, _ABREAST - len(asked))]
            if not asked:
                return
            answers = self._send([call for _, call in asked])
            going, asked = asked, []
            for (work, call), raw in zip(going, answers, strict=True):
                try:
                    asked.append((work, work.send(call.decode(raw))))
                except StopIteration as end:
                    yield end.value

    def _send(self, calls: Sequence[Call[Any]]) -> list[Any]:
        if self._beat is not None and time.monotonic() - self._beaten > _BEAT_SECONDS:
            self._beaten = time.monotonic()
            calls = [self._beat(next(self._beats)), *calls]
            return self._trip(calls)[1:]
        return self._trip(calls)

    def _trip(self, calls: Sequence[Call[Any]]) -> list[Any]:
        with self._raw.pipeline(transaction=False) as trip:
            for call in calls:
                args = (*call.args, self._envelope) if call.grants else call.args
                trip.evalsha(self._scripts[call.name].sha, 0, *args)
            found: list[Any] = trip.execute()
            return found


def _graph(at: int, n: int, run: UUID) -> Operation[int]:
    """Submit the run of that number; how many tasks it has."""
    is_rare = at in _RARE_RUNS
    by = RARE if is_rare else f"user_{at % 20}"
    places = [at * EACH + i for i in range(n)]
    made = [_pattern(is_rare, by, no).record(str(uuid4()), f"step {no}", {"at": no}, "", 1.0) for no in places]
    label = graphs.Label(RARE if is_rare else f"nightly_{at % 200}", by)
    yield from graphs.submit(str(run), made, label=label)
    return n


def _pattern(is_rare: bool, by: str, no: int) -> Pattern:
    """What the task of that number has beside its name and input."""
    agent = RARE if is_rare else _AGENTS[no % len(_AGENTS)]
    return _like(
        RARE if is_rare else _QUEUES[no % len(_QUEUES)],
        by,
        agent if no % (2 if is_rare else _PINNED) == 0 else None,
        "critical" if is_rare or no % _CRITICAL == 0 else "normal",
        RARE if is_rare else f"team_{no % 50}",
    )


@cache
def _like(capability: str, by: str, agent: str | None, priority: str, team: str) -> Pattern:
    task = Task(
        name="", capability=capability, created_by=by, assigned_to=agent, priority=priority, metadata={"team": team}
    )
    return Pattern(task)


def _beat(node: str, queues: str, number: int) -> Call[Any]:
    """Return a beat of a node that wants no message: its slots ask by themselves."""
    return nodes.heartbeat(node, number, "{}", 0, queues, "", [])


def _worked(slot: Slot, numbers: Iterator[int]) -> Operation[int]:
    """Claim, then report and pull until nothing is ready; how many it ended."""
    answer, done = (yield from executions.claim(slot, str(uuid4()), "none", 1)), 0
    while answer.batch:
        reports = [_report(one, at) for one, at in zip(answer.batch, numbers, strict=False)]
        hint = BatchHint(kind_of(answer.batch[0].queue, answer.batch[0].name), 1, _SHORT)
        answer = yield from executions.report(slot, reports, pull=True, hint=hint)
        done += len(reports)
    return done


def _report(told: Assignment, at: int) -> Report:
    agent = told.queue.lstrip("@")
    if at % _FAILED == 0:
        return Report(told.task_id, told.attempt, "failed", agent, error="it broke", execution=told.execution_id)
    return Report(told.task_id, told.attempt, "completed", agent, '{"ok":true}', execution=told.execution_id)


def _tell(what: str, done: int, of: int) -> None:
    if done == of or done % (of // 10 or 1) == 0:
        print(f"{done:,} of {of:,} {what}", file=sys.stderr, flush=True)
