"""What of the client can be asked for from afar: one row a coroutine of ``TaskAPI``, and nothing but data.

The server makes its routes from it (:mod:`taskengine.rest`), so a verb that has a row is reachable with its docstring
as its text, its parameters checked, and a scope that a key must have. A new public coroutine gets a row, or a reason
in :data:`NOT_REMOTE`; a test says which one is missing.

Names in braces are arguments that stand in the path; the others are sent as :class:`Sends` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

#: Stands before every path.
PREFIX = "/api/v1"
#: The header by which a person's reader (the page) asks for advice as commands of the shell, not as calls in Python.
ADVICE = "Taskengine-Advice"
#: Seconds that a request may wait for something: proxies cut one that says nothing for half a minute.
LONGEST_WAIT = 25.0
#: Bytes of a body, and of one that may be a whole graph or a large payload.
BODY_BYTES, GRAPH_BYTES = 2**20, 32 * 2**20
#: Ids that one request may name.
MOST_IDS = 1000


class Scope(IntEnum):
    """What a key may do; each may what those before it may."""

    #: Ask, and change nothing.
    READ = 1
    #: Store work, change what it is, and start it.
    SUBMIT = 2
    #: Steer what others submitted: cancel, retry, pause, delete, answer.
    OPERATE = 3
    #: Change what the fleet is: agents, limits, keys.
    ADMIN = 4

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()


class Sends(Enum):
    """How arguments travel that do not stand in the path."""

    #: Each is a parameter of the query.
    QUERY = "query"
    #: The body is an object of them.
    BODY = "body"
    #: The body is one of them (:attr:`Row.one`); others are parameters of the query.
    ONE = "one"
    #: The body is a filter and what the verb takes besides; it may tell its progress.
    WHERE = "where"


@dataclass(frozen=True, slots=True)
class Row:
    """One method of the client, as it is asked for over HTTP."""

    #: Of ``TaskAPI``.
    name: str
    verb: str
    #: Behind :data:`PREFIX`.
    path: str
    scope: Scope
    sends: Sends = Sends.QUERY
    #: The argument that is the body.
    one: str = ""
    #: The argument that names who does it: it is the key's name, whatever a caller says.
    who: str = ""
    #: The argument that says until when something lasts that is to last no longer than the caller's key.
    until: str = ""
    #: The argument, or ``argument.field``, that the header ``Idempotency-Key`` is.
    key: str = ""
    #: Why the same request sent again would be another one; '' where it changes nothing more. A client that sends
    #: ``Idempotency-Key`` with it is not to believe that it is safe.
    again: str = ""
    #: It may wait up to :data:`LONGEST_WAIT`; the answer says whether it came to its end.
    waits: bool = False
    #: Arguments that cannot be sent.
    without: tuple[str, ...] = ()
    #: Where one method has two paths, what the second is called.
    called: str = ""
    #: Its body may be a whole graph.
    is_large: bool = False
    #: Arguments that only a key of that scope may set, where the row asks for less.
    only: tuple[tuple[str, Scope], ...] = ()

    @property
    def id(self) -> str:
        """Unique among the rows."""
        return self.called or self.name

    @property
    def in_path(self) -> tuple[str, ...]:
        """Arguments that stand in the path."""
        return tuple(re.findall(r"\{(\w+)", self.path))


_GET, _POST, _PUT, _PATCH, _DELETE = "GET", "POST", "PUT", "PATCH", "DELETE"
_READ, _SUBMIT, _OPERATE, _ADMIN = Scope
_BODY, _ONE, _WHERE = Sends.BODY, Sends.ONE, Sends.WHERE
_REOPENS = "what failed again meanwhile would be opened once more"

_TASKS = (
    Row("list_tasks", _GET, "/tasks", _READ),
    Row("create_task", _POST, "/tasks", _SUBMIT, _ONE, one="task", key="task.idempotency_key", is_large=True),
    Row("create_tasks", _POST, "/tasks:batch", _SUBMIT, _BODY, key="idempotency_key", is_large=True),
    Row("get_tasks", _POST, "/tasks:read", _READ, _BODY),
    Row("get_latest_executions", _POST, "/tasks:executions", _READ, _BODY),
    Row("find_task", _GET, "/tasks:find", _READ),
    Row("wait", _POST, "/tasks:wait", _READ, _BODY, waits=True),
    Row("get_execution_plan", _POST, "/plan", _READ, _BODY),
    Row("get_task", _GET, "/tasks/{task_id}", _READ),
    Row("update_task", _PATCH, "/tasks/{task_id}", _SUBMIT, _ONE, one="request", without=("changes",)),
    Row("delete_task", _DELETE, "/tasks/{task_id}", _OPERATE),
    Row("execute_task", _POST, "/tasks/{task_id}/execute", _SUBMIT, _BODY, waits=True),
    Row("retry_task", _POST, "/tasks/{task_id}/retry", _OPERATE, _BODY, waits=True, again=_REOPENS),
    Row("cancel_task", _POST, "/tasks/{task_id}/cancel", _OPERATE, _BODY),
    Row("pause_task", _POST, "/tasks/{task_id}/pause", _OPERATE, _BODY, who="by"),
    Row("resume_task", _POST, "/tasks/{task_id}/resume", _OPERATE, _BODY),
    Row("hold_task", _POST, "/tasks/{task_id}/hold", _OPERATE, _BODY),
    Row("release_task", _POST, "/tasks/{task_id}/release", _OPERATE, _BODY),
    Row("answer", _POST, "/tasks/{task_id}/answer", _OPERATE, _BODY, who="by"),
    Row("add_dependency", _POST, "/tasks/{task_id}/dependencies", _SUBMIT, _BODY),
    Row("explain", _GET, "/tasks/{task_id}/why", _READ),
    Row("get_task_execution", _GET, "/tasks/{task_id}/execution", _READ),
    Row("get_task_executions", _GET, "/tasks/{task_id}/executions", _READ),
    Row("get_task_events", _GET, "/tasks/{task_id}/events", _READ),
    Row("get_logs", _GET, "/tasks/{task_id}/logs", _READ),
    Row("follow_logs", _GET, "/tasks/{task_id}/logs:follow", _READ),
    Row("list_artifacts", _GET, "/tasks/{task_id}/artifacts", _READ),
    Row("get_artifact", _GET, "/tasks/{task_id}/artifacts/{name}", _READ),
)
_MANY = (
    Row("cancel_tasks", _POST, "/tasks:cancel", _OPERATE, _WHERE),
    Row("pause_tasks", _POST, "/tasks:pause", _OPERATE, _WHERE, who="by"),
    Row("resume_tasks", _POST, "/tasks:resume", _OPERATE, _WHERE),
    Row("hold_tasks", _POST, "/tasks:hold", _OPERATE, _WHERE),
    Row("release_tasks", _POST, "/tasks:release", _OPERATE, _WHERE),
    Row("retry_tasks", _POST, "/tasks:retry", _OPERATE, _WHERE, again=_REOPENS),
    Row("update_tasks", _POST, "/tasks:reprioritise", _OPERATE, _WHERE),
    Row("delete_tasks", _POST, "/tasks:delete", _OPERATE, _WHERE),
)
_RUNS = (
    Row("list_runs", _GET, "/runs", _READ),
    Row("find_run", _GET, "/runs:find", _READ),
    Row("get_run", _GET, "/runs/{run_id}", _READ),
    Row("wait_run", _POST, "/runs/{run_id}/wait", _READ, _BODY, waits=True),
    Row("get_events", _GET, "/runs/{run_id}/events", _READ),
    Row("get_dependency_graph", _GET, "/runs/{run_id}/graph", _READ),
    Row("get_dependency_graph", _GET, "/graph", _READ, without=("run_id",), called="get_whole_graph"),
)
_WORKFLOWS = (
    Row("list_workflows", _GET, "/workflows", _READ),
    Row("start_workflow", _POST, "/workflows", _SUBMIT, _BODY, key="idempotency_key", is_large=True),
    Row(
        "execute_workflow", _POST, "/workflows:execute", _SUBMIT, _BODY, key="idempotency_key", waits=True,
        is_large=True,
    ),
    Row("get_workflow", _GET, "/workflows/{workflow_id}", _READ),
    Row("get_workflow_status", _GET, "/workflows/{workflow_id}/status", _READ),
    Row("list_step_children", _GET, "/workflows/{workflow_id}/children", _READ),
    Row("wait_workflow", _POST, "/workflows/{workflow_id}/wait", _READ, _BODY, waits=True),
    Row("pause_workflow", _POST, "/workflows/{workflow_id}/pause", _OPERATE, _BODY, who="by"),
    Row("resume_workflow", _POST, "/workflows/{workflow_id}/resume", _OPERATE, _BODY, who="by"),
    Row("cancel_workflow", _POST, "/workflows/{workflow_id}/cancel", _OPERATE, _BODY),
    Row("retry_workflow", _POST, "/workflows/{workflow_id}/retry", _OPERATE, _BODY, again=_REOPENS),
    Row(
        "restart_workflow", _POST, "/workflows/{workflow_id}/restart", _SUBMIT, _BODY,
        again="each request starts a workflow",
    ),
    Row("signal_workflow", _POST, "/workflows/{workflow_id}/signals", _SUBMIT, _BODY, key="signal_id"),
    Row("update_context", _POST, "/workflows/{workflow_id}/context", _SUBMIT, _BODY),
    Row("approve", _POST, "/workflows/{workflow_id}/approvals", _OPERATE, _BODY, who="by"),
    Row("get_approval", _GET, "/workflows/{workflow_id}/approvals", _READ),
    Row("register_workflow", _POST, "/definitions", _SUBMIT, _BODY, who="by", is_large=True),
    Row("get_definition", _GET, "/definitions/{name}", _READ),
)  # fmt: skip
_FLEET = (
    Row("get_queue_statistics", _GET, "/queues", _READ),
    Row("get_queue_demand", _GET, "/queues/{queue}/demand", _READ),
    Row("list_workers", _GET, "/workers", _READ),
    Row("list_hosts", _GET, "/hosts", _READ),
    Row("health_check", _GET, "/health", _READ),
    Row("examine", _GET, "/examination", _READ, only=(("deep", _ADMIN),)),
    Row("list_pauses", _GET, "/pauses", _READ),
    Row("pause", _POST, "/pauses", _OPERATE, _BODY, who="by"),
    Row("resume", _POST, "/pauses:end", _OPERATE, _BODY, who="by"),
    Row("list_agents", _GET, "/agents", _READ),
    Row("get_agent_usage", _GET, "/agents:usage", _READ),
    Row("get_agent", _GET, "/agents/{agent_id}", _READ),
    Row("register_agent", _PUT, "/agents/{agent_id}", _ADMIN, _BODY),
    Row("update_agent", _PATCH, "/agents/{agent_id}", _ADMIN, _BODY),
    Row("unregister_agent", _DELETE, "/agents/{agent_id}", _ADMIN),
    Row("pause_agent", _POST, "/agents/{agent_id}/pause", _OPERATE, _BODY, who="by"),
    Row("resume_agent", _POST, "/agents/{agent_id}/resume", _OPERATE, _BODY, who="by"),
    Row("drain_agent", _POST, "/agents/{agent_id}/drain", _OPERATE, _BODY, who="by"),
    Row("list_limits", _GET, "/limits", _READ),
    Row("set_limit", _PUT, "/limits/{name}", _ADMIN, _BODY),
    Row("remove_limit", _DELETE, "/limits/{name}", _ADMIN),
)
#: Who has a key for everything may make one; whole keys come in a body, for paths stand in logs.
_KEYS = (
    Row("list_keys", _GET, "/keys", _ADMIN),
    Row("create_key", _POST, "/keys", _ADMIN, _BODY, until="expires_at", again="each request makes a key"),
    Row("revoke_key", _POST, "/keys:revoke", _ADMIN, _BODY),
)
_ASIDE = (
    Row("list_dead_letters", _GET, "/dead-letters", _READ),
    Row("requeue_dead_letters", _POST, "/dead-letters:requeue", _OPERATE, _BODY, again=_REOPENS),
    Row("drop_dead_letters", _POST, "/dead-letters:drop", _OPERATE, _BODY),
    Row("get_dead_letter", _GET, "/dead-letters/{task_id}", _READ),
    Row("list_quarantined", _GET, "/quarantine", _READ),
    Row("drop_quarantined", _POST, "/quarantine:drop", _OPERATE, _BODY),
    Row("get_quarantined", _GET, "/quarantine/{message_id}", _READ),
)

#: Every row.
ROWS: tuple[Row, ...] = (*_TASKS, *_MANY, *_RUNS, *_WORKFLOWS, *_FLEET, *_KEYS, *_ASIDE)

#: Other names of methods that have a row.
ALIASES: Mapping[str, str] = {"cancel_task_execution": "cancel_task"}

#: Public coroutines that nobody asks for from afar, and why.
NOT_REMOTE: Mapping[str, str] = {"close": "it closes connections of the process that calls it"}
