"""The scripts are what their headers say, and Python and Lua agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import taskengine.store
from taskengine.agents import Reference
from taskengine.core import lifecycle
from taskengine.core.decide import Snapshot
from taskengine.core.identity import execution_id
from taskengine.core.instructions import CloseTask
from taskengine.core.rules import Counters
from taskengine.models import Task, TaskStatus
from taskengine.models.agent import AgentRecord, Limit
from taskengine.models.artifact import ArtifactKind
from taskengine.models.question import Question
from taskengine.models.spent import Spent
from taskengine.settings import Settings
from taskengine.store import (
    agents,
    api_keys,
    artifacts,
    changes,
    coordination,
    dead_letters,
    deadlines,
    decisions,
    estimates,
    executions,
    graph_nodes,
    graphs,
    hosts,
    inspection,
    kept,
    limits,
    needs,
    nodes,
    old_turns,
    pauses,
    quarantine,
    queue_view,
    remote,
    results,
    retention,
    runs,
    sketches,
    spent,
    step_values,
    steps,
    tasks,
    workflows,
)
from taskengine.store.by_moment import Entry
from taskengine.store.call import Call
from taskengine.store.connect import SOCKET_TIMEOUT
from taskengine.store.keys import BY_ID, CODES, FIXED, Keys
from taskengine.store.records import record
from taskengine.store.replies import Reply
from taskengine.store.scripts import Scripts, link, names, signature

from ..cases import each
from .world import World

ROOM = Path(taskengine.store.__file__).parent
LUA = ROOM / "lua"
PARTS = {path.stem: path.read_text() for path in (LUA / "parts").glob("*.lua")}
VERBS = {name: (LUA / f"{name}.lua").read_text() for name in names()}
KEYS = Keys("te")
ID = "0" * 36


def old_turns_calls() -> Iterator[Call[Any]]:
    """The two that one operation makes."""
    operation = old_turns.erase_old_turns("1", "0-1", ID, 1)
    yield next(operation)
    yield operation.send([])


def calls() -> Iterator[Call[Any]]:
    """Each script as its Python stub calls it."""
    new = record(Task(name="a"), 1.0)
    slot = executions.Slot("n", "s", "m", 1, "lint=lint")
    done = executions.Report(ID, 1, "completed", "lint")
    seen = Snapshot(ID, TaskStatus.PENDING, Counters(0, 0, 0), True, "", None)
    decision = decisions.Decision("0-1", ID, ID, "f")
    edges = tasks.EdgeChange("0", (ID,), (ID,))
    yield from (
        coordination.elect("a", 1), coordination.resign("a"), coordination.grant("1", ["lint", "test"]),
        coordination.withdraw("1"), coordination.rescue("1"), coordination.fire_timers("1"),
        coordination.continue_releases("1"), coordination.lift_aged("1", "lint", 0, 1),
        coordination.unpark("1"), coordination.settle_batch("b"),
        coordination.sweep_batch("b", ""), decisions.close_by_rule("1", "0-1", seen, CloseTask(ID, "r", ID, False)),
        decisions.start_by_rule("1", "0-1", seen),
        decisions.reopen_closed("1", "0-1", ID, ID), decisions.drop_decisions("1", ["0-1", "0-2"]),
        decisions.poison("1", decision, "e"), next(decisions.snapshots([decision])),
        executions.claim(slot, "r", ID, 1), executions.report(slot, [done], pull=True),
        executions.report(slot, [done], pull=False), executions.time_out(ID, 1, retry_ms=None, error=""),
        executions.end_cancelled(ID, 1), executions.hand_back([(ID, 1)], ""), executions.append_logs(ID, 1),
        remote.detach(slot, ID, 1, Reference("codegen", "posted"), poll_ms=0, taken_up=False, pull=True),
        remote.poll_take("a", "n", 1), remote.note_polled([remote.Polled(ID, 1, 1)]), remote.lose([(ID, 1, "")]),
        remote.take_overdue("1", 1),
        executions.logs(ID, 0, 0, 1), next(executions.read_heads([ID])), executions.of_task(ID),
        executions.put_payload("n", "{}"), kept.checkpoint(ID, 1, Reference("t", "intent")),
        spent.note(ID, 1, [Spent("m", 1)]), artifacts.put(ID, 1, artifacts.pack("a", "b", ArtifactKind.FILE)),
        next(artifacts.of_executions([ID])),
        next(kept.answer_question(ID, kept.Asked(Question(text="a"), 1), "b", "ann")),
        graphs.stage("b", "r", [new, new]), graphs.stage_edges("b", ID, [ID]),
        graphs.commit("b"), graphs.put_order("b", 0, b""), graphs.read_graph("k", 0),
        coordination.continue_delete("1", ID),
        nodes.heartbeat("n", 1, "{}", 1, "lint=lint", "", ["m|1"]), nodes.drain("n", ""),
        nodes.remove_node("n"), next(nodes.fleet()), next(nodes.every_node()), next(nodes._queues("queues")),
        next(changes._read({ID: 0})),
        next(tasks.create("r", new)), next(tasks.read([ID])),
        next(tasks.begin_alike("abcde", 5)), next(runs.read([ID])), next(runs.counts([ID])),
        dead_letters.find(None, 0, 1), workflows.find(None, 1),
        runs.find(None, 1), runs.find(Entry(ID, 1), 1, name="n", created_by="a", finished=True),
        next(tasks.cancel(ID, "")), next(tasks.reopen(ID)), next(tasks.execute(ID, None)),
        next(tasks.update(ID, "0", new, 1, "", before_first_run=True, edges=edges)),
        next(tasks.delete(ID, "", tasks.Since(0, 0))),
        next(tasks.add_dependency(ID, ID, "0", "")), tasks.statuses([ID]), next(needs.needs([ID])),
        tasks.watch(ID), executions.watch_logs(ID, 0),
        next(tasks.find(0, 1, ["p:1"])), next(graph_nodes.graph_nodes([ID])),
        retention.read_range("r", 0), next(sketches.of_run(ID, 1)), next(sketches.of_tasks(ID, [ID])),
        retention.prune("1", retention.Pass("r", 0), [(ID, "")], last=True), inspection.look([(ID, "p:1")]),
        pauses.pause("cap:lint", "ann", "why", None), pauses.resume("cap:lint", "ann"), next(pauses.running(["all"])),
        next(tasks.pause(ID, "ann", None, None)), next(tasks.resume(ID)), next(tasks.hold(ID, held=True)),
        second(tasks.reprioritise([ID], 5), [["sc", "0"]]),
        next(inspection.members("ready", "lint")), next(inspection.tally()), next(inspection.runs([ID])),
        dead_letters.drop(ID), quarantine.drop(quarantine._stored(['{}'])), next(queue_view.queue_view(ID)),
        agents.register(AgentRecord(id="a", type="claude", capabilities={"lint"}), 0), agents.read(["a"]),
        agents.drain("a", "ann", None), agents.unregister("a"),
        estimates.update_estimates({"lint": 1.5}), next(deadlines.read_weights([ID])),
        deadlines.note("1", [deadlines.Finding(ID, 1, "risk"), deadlines.Finding(ID, 1, "over")]),
        limits.put(Limit(name="key", in_flight=1)), limits.remove("key"), limits.read(["key"]),
        api_keys.put("k", "sha", "bot", "read", None, 60), api_keys.admit("k", "sha", "r"), api_keys.revoke("k"),
        api_keys.renew("k", "sha", 1000),
        api_keys.open_session("k", "sha", "s", "secret", 1000), api_keys.close_session("k", "s"),
        next(api_keys.every_key()),
        limits.permit(ID, 1, 1, (1, 2, 3)), hosts.look_after("1", 1000), next(hosts.every_host()),
        limits.observe("lint", 1, None, 2), next(inspection.limits(["key"])),
    )  # fmt: skip
    step = steps.step_record(UUID(int=1), "", "w", score=1, k="workflow")
    yield from (
        steps.look([(ID, ID)]), next(steps.read([ID])), next(workflows.read(ID)),
        steps.expand("1", "0-1", ID, "", steps.Piece([new, step], 2)),
        steps.end("1", "0-1", ID, "", steps.Ending("completed", sets={"a": "1"}, fields={"br": "x"})),
        steps.start_waiting("1", "0-1", ID, "", "0", steps.Waiting(1, signal="go")),
        steps.ask_condition_waiters("1", "0-1", ID),
        step_values.items(ID, [0]), next(step_values._read(step_values.Where(ID, ID, "", None, "a"), ["x"], ["a"])),
        workflows.put_frame("1", workflows.Frame(ID, ID, "d", "{}", "a", 1, {"x": "1"})),
        workflows.register("w", "d", "ann"), steps.next_item("1", "0-1", ID, ""), steps.retry_scope("1", "0-1", ID, ""),
        next(steps.put_items("1", ID, ["1"])), *old_turns_calls(),
        workflows.signal(ID, "go", "1", "{}"), workflows.set_variables(ID, {"x": "1"}, None),
        steps.end_children("1", "0-1", ID, "", "failed", "r"),
        workflows.put_definition("d", "{}"), workflows.start(workflows.Start("r", "d", "{}", "w", "ann", step, {})),
    )  # fmt: skip
    completed = Task(name="a", status=TaskStatus.COMPLETED, execution_id=UUID(int=1))
    yield next(results.with_results([completed]))


def second(operation: Any, first_answer: Any) -> Call[Any]:
    """The second call of an operation."""
    next(operation)
    call: Call[Any] = operation.send(first_answer)
    return call


def test_every_script_has_a_stub() -> None:
    assert {call.name for call in calls()} == set(names())


@each("call", list(calls()))
def test_stub_sends_what_the_header_names(call: Call[Any]) -> None:
    named = signature(call.name)
    assert call.grants == named.grants
    before = sum(len(row) or 1 for row in named.args.values())
    if named.row:
        assert (len(call.args) - before) % len(named.row) == 0
    elif named.tail:
        assert len(call.args) >= before
    else:
        assert len(call.args) == before


@each("name", names())
def test_header_says_what_it_does_what_it_takes_and_what_it_answers(name: str) -> None:
    lines = VERBS[name].splitlines()
    assert re.match(r"-- [A-Z].*[.:]", lines[0]), "a sentence"
    for word in ("args", "returns"):
        assert any(line.startswith(f"-- {word}:") for line in lines), word


@each("name", names())
def test_every_argument_of_the_header_is_read_by_its_name(name: str) -> None:
    text = code(VERBS[name])
    for argument in (*signature(name).args, signature(name).tail):
        assert not argument or re.search(rf"\bA\.{argument}\b", text), argument
    assert not re.search(r"ARGV\[|#ARGV", text), "by its name"


def code(text: str) -> str:
    """Lua without comments and strings."""
    text = re.sub(r"--.*", "", text)
    return re.sub(r"'(\\.|[^'])*'", "''", text)


def emitted(text: str) -> set[str]:
    return set(re.findall(r"emit\([^,]+, '(\w+)'", text))


@each("name", names())
def test_events_of_a_verb_are_in_its_header(name: str) -> None:
    found = re.search(r"^-- events: *(.*)$", VERBS[name], re.MULTILINE)
    named = set(re.findall(r"\w+", re.sub(r"\(.*\)", "", found[1]))) - {"none"} if found else set()
    assert emitted(VERBS[name]) <= named
    possible = emitted(link(name))
    statuses = {f"{of}{status}" for status in lifecycle.TERMINAL for of in ("", "step_")}
    lost = set(re.findall(r"run_again\(\w+, '(\w+)'", VERBS[name] + "".join(PARTS.values())))
    assert named <= possible | statuses | lost


@each("name", names())
def test_every_script_loads(world: World, name: str) -> None:
    source = Scripts(Settings(namespace="te"))[name].source
    assert not re.search(r"\b[KTEC]\.\w", code(source)), "a constant was not filled in"
    assert not re.search(r"\b(cmsgpack|struct|bit)\.", source), "fakeredis has none of these"
    world.raw.script_load(source)


def test_every_key_of_the_table_is_used() -> None:
    scripts = "".join([*VERBS.values(), *PARTS.values()])
    python = "".join(path.read_text() for path in Path(taskengine.__file__).parent.rglob("*.py"))
    for name in FIXED:
        assert f"K.{name}" in scripts or f'fixed("{name}")' in python, name
    for kind in BY_ID:
        assert f"key('{kind}'" in scripts or f'of("{kind}"' in python, kind


def test_key_that_no_table_knows_does_not_load() -> None:
    with pytest.raises(KeyError):
        KEYS.fixed("nonsense")
    with pytest.raises(KeyError):
        KEYS.of("nonsense", 1)


def test_every_status_has_a_code_of_four_bits() -> None:
    assert set(CODES) == {"staged", "step", *(status.value for status in TaskStatus)}
    assert len(set(CODES.values())) == len(CODES)
    assert all(0 < number < 16 for number in CODES.values())


@each("seconds", [0.0, 0.25, 4.0, 60.0])
def test_no_read_blocks_longer_than_the_socket_waits(seconds: float) -> None:
    """A longer one ended in an error after almost a minute: the client took the silence for a dead server."""
    for call in (tasks.until_done(KEYS, ID, seconds), coordination.listen(KEYS, "0", "0", seconds)):
        block = int(call.args[call.args.index("BLOCK") + 1])
        assert 1 <= block <= 5000 < SOCKET_TIMEOUT * 1000
        assert block == max(1, min(5000, seconds * 1000))


def test_verb_that_grants_is_told_so() -> None:
    for call in calls():
        assert call.grants == ("ENVELOPE" in link(call.name)), call.name


_LUA_ID = re.search(r"^local function execution_id.*?^end$", PARTS["execution"], re.MULTILINE | re.DOTALL)


@given(st.uuids(), st.integers(1, 10_000))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_execution_id_is_the_same_in_lua_and_python(real: World, task: UUID, attempt: int) -> None:
    assert _LUA_ID is not None
    script = f"{_LUA_ID[0]} return execution_id(ARGV[1], ARGV[2])"
    assert real.raw.eval(script, 0, str(task), attempt).decode() == str(execution_id(task, attempt))


def test_namespace_and_settings_are_filled_in() -> None:
    one, two = Scripts(Settings(namespace="a")), Scripts(Settings(namespace="b", lease_seconds=23))
    assert "'a:leases'" in one["report"].source
    assert "'b:leases'" in two["report"].source
    assert "23000" in two["report"].source
    assert one["report"].sha != two["report"].sha


def test_reply_words_are_read_by_position() -> None:
    assert Reply("ok", ("x", 3)).text() == "x"
    assert Reply("ok", ("x", 3)).number(1) == 3
    assert (Reply("ok").text(), Reply("ok").number(), Reply("no").ok) == ("", 0, False)
