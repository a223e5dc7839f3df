"""A plan as tasks, and what is known of them from their history alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from taskengine.demo.plan import plan
from taskengine.demo.run import Analysis, findings, to_tasks
from taskengine.models import Event, TaskStatus

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
CODE = {"a.py": "", "b.py": "import a", "p/__init__.py": "import b"}


class History:
    """The part of a door that an analysis uses: it keeps what is submitted and tells what a test says happened."""

    def __init__(self):
        self.events: list[Event] = []
        self.tasks = {}

    def create_tasks(self, tasks, *, name):
        assert name is None or name
        run = uuid4()
        self.tasks = {task.id: task.model_copy(update={"run_id": run}) for task in tasks}
        return list(self.tasks.values())

    def get_events(self, run_id: UUID, after: int, limit: int):
        assert run_id in {task.run_id for task in self.tasks.values()}
        return [event for event in self.events if event.sequence > after][:limit]

    def get_task(self, id):
        return self.tasks[id].model_copy(update={"result": {"of": self.tasks[id].name}})

    def tell(self, what, task=None, note=""):
        at = BEGIN + timedelta(seconds=len(self.events))
        self.events.append(Event(len(self.events) + 1, what, task and task.id, at, note))


@pytest.fixture
def nodes(write_code):
    return plan(write_code(CODE))


@pytest.fixture
def history():
    return History()


@pytest.fixture
def analysis(nodes, history):
    made = Analysis.of(nodes)
    made.submit(history, now=0.0)
    return made


def test_each_node_is_a_task_behind_those_that_it_needs(nodes):
    tasks = to_tasks(nodes)
    names = {task.id: task.name for task in tasks}
    assert [(task.name, task.input, sorted(names[id] for id in task.depends_on)) for task in tasks] == [
        (node["name"], node["input"], sorted(node["depends_on"])) for node in nodes
    ]
    assert {(task.task_type, task.capability) for task in tasks} == {("code_analysis", "code_analysis")}


def test_states_follow_the_history(analysis, history):
    a, b, *_ = analysis.tasks
    for task in analysis.tasks:
        history.tell("created", task)
    history.tell("ready", a)
    history.tell("started", a, "1 n1")
    analysis.look(history, now=3.0)
    assert analysis.running == {a.id: 3.0}
    assert analysis.counts[TaskStatus.RUNNING] == 1
    history.tell("completed", a)
    history.tell("ready", b)
    history.tell("cancel_requested", b)
    analysis.look(history, now=4.0)
    assert analysis.running == {}
    assert (analysis.ended, analysis.is_over) == (1, False)
    assert analysis.counts[TaskStatus.READY] == 1
    assert a.id not in analysis.open_ids()


def test_a_look_reads_only_what_is_new(analysis, history):
    (a, *_) = analysis.tasks
    history.tell("created", a)
    analysis.look(history, now=1.0)
    history.events[0] = Event(1, "failed", a.id, BEGIN, "")
    history.tell("ready", a)
    analysis.look(history, now=2.0)
    assert analysis.statuses == {a.id: TaskStatus.READY}


def test_it_is_over_when_every_task_has_ended_and_trouble_is_named(analysis, history):
    *others, report = analysis.tasks
    for task in others:
        history.tell("completed", task)
    history.tell("cancelled", report)
    history.tell("run_finished")
    analysis.look(history, now=1.0)
    assert analysis.is_over
    assert analysis.troubled() == [report.id]
    assert analysis.seconds == len(analysis.tasks)


def test_the_rate_counts_the_last_seconds(analysis, history):
    a, b, *_ = analysis.tasks
    history.tell("completed", a)
    analysis.look(history, now=10.0)
    history.tell("completed", b)
    analysis.look(history, now=14.0)
    assert analysis.rate(14.0) == 2 / 5
    assert analysis.rate(16.0) == 1 / 5
    assert analysis.rate(30.0) == 0


def test_open_tasks_are_told_dependents_first(analysis):
    assert analysis.open_ids() == [task.id for task in reversed(analysis.tasks)]


def test_findings_are_the_results_of_the_report_and_of_all_packages(analysis, history):
    report, packages = findings(history, analysis)
    assert report == {"of": "report"}
    assert [package["of"] for package in packages] == ["package (none)", "package p"]
