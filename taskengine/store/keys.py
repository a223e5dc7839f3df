"""Every key in Redis: its type, what lies under it, how long.

``NS`` below stands for the namespace and a colon. Scripts write ``K.counts`` for a fixed key and ``key('task', id)``
for one with an id; :mod:`taskengine.store.scripts` replaces both by literals when a script is loaded, so a name that
is not in these tables does not load. Keys are not declared in KEYS: the engine refuses Redis Cluster, the only place
where that would matter, and forty literals cost nothing while forty arguments a call do.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Fixed keys. Lives for ever unless the line says otherwise; all are bounded by what is open or retained.
FIXED: Mapping[str, str] = {
    "agent_revision": "string: changes of what is stored of agents; a beat's answer tells workers of it",
    "agents": "zset agent -> ms since when it is known",
    "api_keys": "zset id -> created ms: keys for the server of REST",
    "arrivals": "string: number of the newest task; tasks are numbered in order of arrival",
    "batches": "zset batch -> created ms: staged and not yet committed",
    "commits": "set of batches that are committed and whose commit waits still fall",
    "control": "stream {e: 'what scope ms note'}: pauses and resumes of more than one run, the latest 10 000",
    "counts": "hash status -> number of visible tasks",
    "deadlines": "zset task -> ms of the next look: open tasks with a deadline, until they are at risk",
    "dead": "zset task -> ms: dead letters",
    "decisions": "stream {k: task, b: because of task, h: what}: what the coordinator must think about",
    "definitions": "hash name -> 'digest version': the latest registered definition of each name",
    "edge_revision": "string: revision of all edges added after submit",
    "erasing": "zset task -> ms: being deleted, and not out of all of its parents' lists yet",
    "estimated": "zset kind -> ms of its latest run, oldest first forgotten",
    "estimates": "hash kind -> ms that its latest runs took; a kind is a queue, or a queue and a name without digits",
    "free_nodes": "set of nodes that may have a free slot: a hint, right again at a node's next beat",
    "finished": "zset run -> finished ms: waits for its retention to end",
    "graphs": "zset run -> created ms: those of more than one task, or with a name",
    "granted_all": "zset execution -> claim deadline ms: every outstanding grant",
    "queues": "set of queues that have or had READY tasks",
    "overdue": "zset execution -> ms when the coordinator must look: every slotless one that runs",
    "pollers": "hash agent -> 'node until ms': who polls for it; stays, to say since when nobody does",
    "late_edges": "string: number of the latest edge onto a task that was over",
    "hosts": "hash host -> what it has of each resource, 'NAME=milli,…': machines on which nodes live",
    "kept_hosts": "hash host -> scope of the only tasks that may reserve something of it, for they waited too long",
    "leader": "hash {id, term, until, set}: who coordinates, and the digest of its settings",
    "leases": "zset 'node/slot' -> lease end ms: every slot that holds a RUNNING execution",
    "limited": "hash agent -> names of the limits that its executions count against; its own, 'agent:NAME', first",
    "limits": "set of limits that have a name",
    "nodes": "zset node -> alive until ms",
    "offered_slots": "hash queue -> slots that the nodes in its offers published together",
    "open_queues": "set of queues whose capability is not paused; '!' once an agent or all is, '!run' once a run is, "
    "'!limits' while agents have limits, '!room' while tasks wait for room on a host",
    "room_queues": "set of queues of which tasks wait for room on a host",
    "reopens": "string: number of scripts that opened tasks again",
    "paused_ms": "hash scope -> ms for which it was paused so far, pauses that ended together",
    "pauses": "hash scope -> 'since ms, JSON {by, kind, until, why}': what is paused; scopes: all, cap:, agent:, run:",
    "poison": "list of JSON: decisions that raised five times, with the error",
    "quarantine": "list of JSON {reason, queue, at, size, raw, encoding}: messages nobody could read",
    "releases": "zset task -> ms: dependents not all released (or taken back) yet",
    "runs": "zset run -> created ms",
    "schema": "string: number of the stored form, see schema.py",
    "poison_counts": "hash 'raised ENTRY' or 'ended ENTRY' -> times, 'hand' -> 'WHO ENTRY': decisions that failed",
    "suspending": "set of scopes under which tasks are parked or timers suspended: pauses, 'offer:AGENT' of no node",
    "timers": "zset 'kind:id' -> due ms",
    "wake": "stream {q: queue}: hints that a grant may be possible",
    "workflows": "zset workflow -> started ms",
}

#: Keys with an id behind a colon.
BY_ID: Mapping[str, str] = {
    "agent": "hash of an agent; until it is unregistered",
    "api_key": "hash of a key for the server of REST; until it is revoked",
    "artifacts": "hash name -> 'ms size stored is_cut kind digest': what an execution left beside its result",
    "artifact_bodies": "hash name -> bytes of an artifact, zipped, in base64",
    "batch": "hash {state, run, n, cursor}: a graph between its first and its last trip; 1 h after its end",
    "bits": "string 'index:segment': bitmap over 4096 arrivals, one for each list filter value",
    "codes": "string 'segment': status of each of 4096 arrivals in four bits, see CODES",
    "claim": "string 'node/slot': the latest request that claimed for it; 10 min",
    "definition": "string: JSON of a workflow's definition, by its digest; 1 h unless a workflow uses it",
    "dependents": "list of tasks that depend on this one; dropped when it COMPLETED and all were released",
    "done": "stream: one entry when the task ended and somebody waits; 10 min",
    "condition_waiters": "set of steps of a frame that wait for a condition",
    "events": "stream of a run, entry 0-sequence: {e: 'what task ms note'}",
    "exec": "hash of an execution",
    "frame": "hash {wf, def, vr, ctx}: a definition that runs, by its first step; vr counts changes of variables",
    "granted": "set of executions granted and not claimed, by queue",
    "graph": "hash {sha, run}: the graph that an idempotency key (hashed) names",
    "received_signals": "hash 'name:id' -> ms, or JSON of what stays known: signals that a workflow got",
    "flight": "set of executions that count against a limit",
    "host_nodes": "set of nodes on a host",
    "idem": "string: task that an idempotency key (hashed) names",
    "ids": "string 'segment': 16 raw bytes of task id at each of 4096 arrivals",
    "inbox": "list of JSON, 'workflow:name': signals that nobody took yet",
    "inboxes": "set of names of signals that a workflow got, or waits for",
    "items": "hash index -> JSON: what a map step maps",
    "children": "list of 'first:count': arrivals of a step's children",
    "sharing": "set of agents that share a limit",
    "signal_waiters": "list of steps, 'workflow:name', that wait for a signal",
    "limit": "hash of a limit, or of 'agent:NAME': what an agent alone may use",
    "logs": "list of JSON log lines of an execution, bounded",
    "named": "list of idempotency keys (hashed) that name graphs of a run",
    "node": "hash of a worker node; 1 h after its last beat",
    "offers": "set of nodes that offer a queue",
    "order": "string: raw ids of a graph as it was given, by its hashed key; before its commit by its batch, 1 h",
    "orphans": "hash execution -> reference: what goes on at a service for nobody, by agent, until its poller ended it",
    "remote": "zset execution -> ms of its next poll: slotless ones that run, by agent",
    "park": "zset member -> score: READY tasks that may not run now, by scope",
    "payload": "string: JSON of a task's input or an execution's output over the inline limit",
    "pending": "list of 'first:count': arrivals staged by a batch",
    "ranges": "list of 'first:count': arrivals of a run's tasks",
    "ready": "zset member -> score: tasks of a queue that may run now",
    "reserved": "hash execution -> what it reserves of a host, 'NAME=milli,…'",
    "room_waits": "set of what tasks of a queue demand that wait for room, each in 'room:QUEUE|DEMAND'; 17 at most",
    "run": "hash {cr, total, open, fin, pruned, nm, by}: a run; pruned when some of its tasks went before it",
    "sessions": "hash session -> 'sha256 ends ms': browsers let in with a key, by its id; 12 h after the latest",
    "settings": "string: JSON of the settings that must be equal across a fleet, by their digest; 7 days",
    "slots": "hash slot -> 'execution|message|pid|missed': what a node's slots hold ('h' at its end: of limits, too); "
    "of '~' the slotless executions",
    "spent": "hash 'agent\\nmodel\\nunit' -> number: what agents used of services on a day since 1970 (UTC); 400 days",
    "suspended": "zset 'kind:id' -> due ms: timers that came due while the scope was paused",
    "task": "hash of a task, or of a step of a workflow",
    "definition_users": "set of workflows that use a definition, and 'name:NAME' where a name has it, by its digest",
    "versions": "list of 'digest ms by': definitions registered under a name, the latest 20",
    "variables": "hash name -> JSON: variables of a frame",
}

#: Status (and ``staged``; and ``step``, of a workflow's step in any status) -> its four bits in ``codes``; 0 is nobody.
#: Stored data: numbers never change.
CODES: Mapping[str, int] = {
    "staged": 1, "pending": 2, "ready": 3, "running": 4, "completed": 5, "failed": 6, "cancelled": 7, "paused": 8,
    "retrying": 9, "step": 10,
}  # fmt: skip

#: The counter ``w`` of a task with a trigger rule other than all_success lies this much lower, so below zero: whoever
#: tells it of a dependency's end sees by the counter itself that the coordinator must think, and plain tasks pay
#: nothing. Stored data: it never changes.
RULED = 2**30

#: The node that no worker is: it holds the executions whose work goes on at a service. Stored data: it never changes.
SERVICE = "~"


class Keys:
    """The keys of one namespace."""

    __slots__ = ("prefix",)

    def __init__(self, namespace: str) -> None:
        self.prefix = f"{namespace}:"

    def fixed(self, name: str) -> str:
        """Return a fixed key; KeyError when the table does not know it."""
        if name not in FIXED:
            raise KeyError(f"no fixed key {name!r} in store/keys.py")
        return self.prefix + name

    def of(self, kind: str, id: object) -> str:
        """Return the key of one thing; KeyError when the table does not know its kind."""
        if kind not in BY_ID:
            raise KeyError(f"no key kind {kind!r} in store/keys.py")
        return f"{self.prefix}{kind}:{id}"

    def queue_prefix(self) -> str:
        """Return what stands before the name of every Celery queue (kombu's ``global_keyprefix``)."""
        return f"{self.prefix}q:"
