"""The fields of every stored hash: a name for people, and the few letters that a million records carry.

Scripts write ``F.waiting`` for a field of a task and ``F.exec.deadline`` for one of another kind of hash, called as in
``key('exec', id)``; :mod:`taskengine.store.scripts` replaces both by literals when a script is loaded. Python writes
``TaskField.waiting`` and ``ExecutionField.deadline``. So a field that is not in these tables loads in neither.
"""

from __future__ import annotations

from collections.abc import Mapping


class TaskField:
    """Of ``task:ID``: what scripts decide by; everything else that the client set lies in ``doc``."""

    status = "st"
    arrival = "no"  # its number
    run = "run"
    queue = "queue"  # that it waits in
    score = "sc"
    attempts = "att"  # begun = fencing token of the latest execution
    waiting = "w"  # dependencies not ended (and commit wait); RULED lower with a rule
    failed = "f"  # dependencies that failed
    skipped = "c"  # dependencies that were skipped
    late_edge = "ld"  # number of its latest edge from a task that came when it was over
    reopened = "ro"  # it was opened again
    failed_before = "fb"  # something before it failed: CANCELLED, and counted as failed
    held = "hold"
    due = "due"  # ms: schedule or next attempt
    batch = "batch"  # graph whose commit wait it holds
    cancel = "cq"  # cancel requested: reason
    awaited = "wt"  # somebody waits for its end
    filters = "ix"  # of lists, while staged or being deleted
    crosses_runs = "xr"  # depends on tasks of other runs
    pinned = "pin"  # open dependents in other runs
    parked = "park"  # scope under which it is parked
    granted = "g"  # execution
    releasing = "rel"  # cursor into dependents to tell
    undoing = "undo"  # cursor into dependents to take back
    counted_as = "how"  # what dependents are told: s, f or c
    pinning = "pins"  # cursor into parents in other runs, to pin or unpin
    deleting = "del"  # it is being deleted: cursor into its parents
    depends_on = "on"  # ids
    large_output = "lo"  # bytes of it
    name = "nm"
    doc = "doc"  # client's fields, one JSON object
    rule = "rule"  # trigger rule, unless it is all_success
    timeout = "to"  # ms one attempt may take
    clocks = "clk"  # that only some have: exp (ms) and qt, hb, tt (ms long), as name=value,…; steps: timers
    total_end = "tend"  # ms: its total_timeout ends
    queue_paused = "qb"  # ms it had been paused when its queue_timeout began, or grew
    total_paused = "tb"  # the same of its total_timeout
    sha = "sha"  # content as first submitted
    pause = "pz"  # record of its pause
    pause_asked = "pq"  # record of the pause asked for while it runs
    timers_left = "left"  # what its timers had left when it was paused: 'kind:ms' words
    revision = "rev"  # times updated
    key = "key"  # hashed idempotency key
    key_end = "kx"  # ms
    large_input = "big"  # key of it
    created = "cr"  # ms
    ready = "rdy"  # ms
    started = "sta"  # ms
    finished = "fin"  # ms
    error = "err"
    error_kind = "knd"
    reason = "rsn"
    closed_by = "by"
    retries = "rt"  # spent
    lost = "lc"  # workers
    not_now = "nn"  # times its agent said so
    traceback_attempt = "tba"  # the one that has the whole traceback
    estimate = "es"  # ms that it takes, as its client said
    at_risk = "risk"  # ms since when its deadline is
    aged = "ag"  # its own score and ms of its last lift, while aging lifted it
    kind = "k"  # of a step of a workflow
    path = "p"  # of a step
    frame = "fr"  # of a step, unless it begins one
    parent = "up"  # step whose child it is
    binding_bytes = "bl"  # of what its worker puts in, at the end of doc
    planned = "tot"  # children
    placed = "x"  # children that are there
    end_as = "end_as"  # what becomes of a step once its children are over
    end_reason = "frs"
    unput = "un"  # children that were announced when it began to end, and never put
    retrying = "rtr"  # its children are being opened again
    closing = "cx"  # pieces of children that heard so
    culprit = "cul"  # path of the failure that ended it
    shown_as = "as"  # unless that is its status
    branch = "br"  # taken
    turns = "n"  # begun; items of a map
    next_item = "nx"  # of a map with max_parallel: the next item that may start
    max_parallel = "mp"  # items of a map at once
    decided_end = "de"  # a map with max_parallel whose end takes a decision
    item_suffix = "rt"  # what stands behind an item's path in that of its first row
    windowed = "wd"  # an item that waits until it may start
    step_paused = "nb"  # ms a step had been paused when its timer began, or grew
    limit_paused = "lb"  # the same of its timeout
    signal = "sig"  # name of the one that a step waits for
    extra = "xx"  # it has one of the following, which its worker is told
    reference = "ref"  # 'ms JSON': where an attempt left its work for the next one
    question = "ask"  # 'ms JSON': what an attempt asks a person, while nobody answered
    answers = "ans"  # 'ms asked-ms JSON' lines: what people answered, the latest last
    most_tokens = "cap"  # that all of its attempts together may use
    tokens = "tok"  # that they used so far
    demand = "dem"  # what each attempt reserves of its host: 'NAME=milli,…' in order
    refused = "rf"  # times that a host without room was granted it, since it started


class ExecutionField:
    """Of ``exec:ID``."""

    task = "task"  # id
    attempt = "att"  # and fencing token
    status = "st"
    queued = "q"  # ms granted
    started = "s"  # ms
    ended = "e"  # ms
    deadline = "dl"  # ms
    heartbeat = "hbt"  # ms it may be silent
    silent_until = "hb"  # ms until which it may be silent
    node = "node"  # '~' once its work goes on at a service
    slot = "slot"  # of such a one its own id
    agent = "ag"
    reported = "rep"  # the report of a cancelled one was accepted
    output = "out"  # JSON
    error = "err"
    error_kind = "knd"
    traceback = "tb"  # of the latest attempt that had one
    last_frame = "tbl"  # and its error
    usage = "use"  # JSON
    large_output = "big"  # bytes of an output by reference
    late_disposition = "late"  # of a fenced report
    late_output = "late_out"
    late_error = "late_err"
    cancel = "cq"  # ms it was requested
    progress = "pr"
    progress_note = "prn"
    watched = "wat"  # ms until which somebody follows its log
    log_lines = "ln"  # taken so far
    log_bytes = "lb"  # of those kept
    pid = "pid"  # process of a lost one
    reference = "ref"  # 'ms JSON', as it checkpointed
    hold = "hold"  # what it holds of limits: words 'NAME' or 'NAME=requests,input,output'; '&HOST' it reserves from
    permits = "pmt"  # number of its latest permit, and ms when it may use it
    spent = "spt"  # 'requests input output cache_read cache_write model' lines: what it used so far


class AgentField:
    """Of ``agent:NAME``."""

    type = "ty"
    capabilities = "ca"  # words in order
    most = "mx"  # executions at once, unless there is no bound
    limits = "li"  # names of those that it shares: words
    doc = "doc"  # JSON of what scripts need not know
    origin = "from"  # code or api
    revision = "rev"  # changes of its content
    created = "cr"  # ms
    updated = "up"  # ms
    seen = "seen"  # ms when a node of it left, or fell silent
    draining = "dr"  # 'ms JSON {by, why}'


class LimitField:
    """Of ``limit:NAME``, and of ``limit:agent:NAME``, what is an agent's own."""

    in_flight = "mx"  # executions at once
    requests = "rm"  # a minute
    input = "im"  # tokens a minute
    output = "om"  # tokens a minute
    day_cap = "td"  # tokens a day
    requests_at = "rt"  # µs: when all that was taken so far had come one by one
    input_at = "it"  # the same
    output_at = "ot"  # the same
    input_mean = "mi"  # tokens of one execution, as the latest ones took
    output_mean = "mo"  # the same
    reserved = "rs"  # tokens that executions hold
    day = "day"  # number of the latest day on which something was spent
    day_spent = "dt"  # tokens on it
    paused_until = "until"  # ms
    why = "why"  # it is paused, or its breaker open
    breaks = "brk"  # it has a breaker
    failures = "bf"  # in a row
    opened = "bo"  # times in a row that its breaker opened; it is open, or half open once paused_until is over
    share = "sh"  # what each execution reserves of its host unless its task says otherwise: 'NAME=milli,…'
    preference = "pf"  # digit: of several agents with free slots the lowest is asked first; 5 where there is none
    probe = "pr"  # execution that a half-open breaker let through


class ApiKeyField:
    """Of ``api_key:ID``."""

    sha = "sha"  # sha256 of its secret
    name = "nm"
    scope = "sc"  # a word
    created = "cr"  # ms
    ends = "end"  # ms; '' never
    rate = "rate"  # requests a minute; 0: any number
    busy_until = "tat"  # ms: when all requests so far had come one by one
    request = "req"  # the latest that was let in
    used = "used"  # ms, about a minute exact
    is_local = "own"  # '1': a server made it for its machine and renews it


class RunField:
    """Of ``run:ID``."""

    created = "cr"  # ms
    total = "total"  # tasks
    open = "open"  # of these
    finished = "fin"  # ms
    pruned = "pruned"  # some of its tasks went before it
    forgotten = "forgotten"  # old turns of its loops went before it
    name = "nm"
    created_by = "by"


class NodeField:
    """Of ``node:NAME``."""

    beat = "no"  # number of the latest
    info = "info"  # JSON for people
    slots = "slots"  # that may be granted to
    size = "size"  # slots that it has
    queues = "queues"  # 'queue=agent' words
    alive_until = "until"  # ms
    draining = "drain"  # why
    took = "took"  # ms since when it is trusted
    offered = "had"  # queues that it offered then
    untaken = "un"  # grants in a row that it did not take
    untaken_at = "una"  # ms of the latest
    host = "host"  # 'NAME total,…' of its machine
    probe = "probe"  # ms of the next grant to a distrusted one


class BatchField:
    """Of ``batch:ID``; beside these the sha1 of each chunk -> its first arrival."""

    state = "state"  # open, committed, taken or swept
    run = "run"
    tasks = "n"
    cursor = "cursor"  # chunks whose commit waits fell


class FrameField:
    """Of ``frame:ID``."""

    workflow = "wf"
    definition = "def"  # its digest
    revision = "vr"  # changes of variables
    context = "ctx"  # JSON
    path = "p"  # of the step that it begins with
    begun_with = "ini"  # JSON: its variables as it began
    depth = "dp"  # frames around it
    names = "pins"  # JSON: workflow name -> digest, as they were at the start
    definitions = "defs"  # digests that it keeps, of its own and of what it may run
    asking = "ec"  # cursor into the steps that wait for a change and are being asked


class GraphField:
    """Of ``graph:KEY``."""

    sha = "sha"  # what it is made of
    run = "run"


class LeaderField:
    """Of ``leader``."""

    id = "id"
    term = "term"
    leads_until = "until"  # ms
    settings = "set"  # digest of what must be equal across the fleet


def _table(fields: type) -> Mapping[str, str]:
    return {name: stored for name, stored in vars(fields).items() if not name.startswith("_")}


#: Field of a task -> as it is stored.
TASK_FIELDS = _table(TaskField)
#: Kind of key -> field of its hash -> as it is stored.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "task": TASK_FIELDS,
    "exec": _table(ExecutionField),
    "agent": _table(AgentField),
    "api_key": _table(ApiKeyField),
    "limit": _table(LimitField),
    "run": _table(RunField),
    "node": _table(NodeField),
    "batch": _table(BatchField),
    "frame": _table(FrameField),
    "graph": _table(GraphField),
    "leader": _table(LeaderField),
}
