"""A task that asks: PAUSED in its agent's name without a slot, until the question that it asks now is answered."""

from __future__ import annotations

import json

import pytest

from taskengine.models import Task
from taskengine.models.question import Question
from taskengine.store import executions, kept, tasks
from taskengine.store.replies import Assignment

from .world import World

QUESTION = Question(id="deploy", text="Deploy now?", kind="choice", options=("yes", "no"))


def ask(world: World, told: Assignment, question: Question = QUESTION, slot: str = "s1") -> kept.Asked:
    more = json.dumps({"question": kept.question_text(question)})
    ended = world.report(told, world.slot(slot), "ask", more=more, error=question.text, error_kind="asked")
    assert ended.word == "ok"
    asked = kept.asked_from(world.fields("task", told.task_id)["ask"])
    assert asked is not None
    return asked


@pytest.fixture
def asking(world: World) -> tuple[Task, Assignment, kept.Asked]:
    task = world.new("a")
    told = world.start()
    return task, told, ask(world, told)


Asking = tuple[Task, Assignment, kept.Asked]


def answer(world: World, task: Task, asked: kept.Asked, value: str = "yes") -> tuple[str, str]:
    found = world.run(kept.answer_question(str(task.id), asked, value, "ann"))
    return found.word, found.text()


def test_a_task_that_asks_is_paused_and_holds_no_slot(world: World, asking: Asking) -> None:
    task, told, asked = asking
    found = world.read(task.id)
    assert (found.status, found.question and found.question.text) == ("paused", "Deploy now?")
    assert "asks: Deploy now?" in str(found.reason)
    assert asked.question == found.question
    run = world.fields("exec", told.execution_id)
    assert (run["st"], run["knd"]) == ("cancelled", "asked")
    assert world.fields("slots", "n1") == {}
    assert world.happened(task.id)[-2:] == ["asked", "paused"]


def test_the_answer_is_told_to_every_attempt_until_the_task_completed(world: World, asking: Asking) -> None:
    task, _, asked = asking
    assert answer(world, task, asked) == ("ok", "ready")
    told = world.start(world.slot("s2"))
    world.run(executions.hand_back([(told.execution_id, told.attempt)], "it goes"))
    told = world.start(world.slot("s3"))
    (said,) = kept.answers(told)
    assert (said.question_id, said.value, said.by) == ("deploy", "yes", "ann")
    assert said.at is not None
    world.report(told, world.slot("s3"))
    assert not {"ans", "ask", "ref"} & world.fields("task", task.id).keys()


def test_an_old_question_takes_no_answer(world: World, asking: Asking) -> None:
    task, _, first = asking
    answer(world, task, first)
    second = ask(world, world.start(world.slot("s2")), slot="s2")
    assert second.question.id == first.question.id
    world.raw.hset(world.keys.of("task", task.id), "ask", "77 " + kept.question_text(QUESTION))
    found = world.run(kept.answer_question(str(task.id), kept.Asked(QUESTION, 78), "no", "ann"))
    assert found.word == "other"
    assert kept.asked_from(found.text()) is not None


def test_whoever_asked_for_several_things_is_told_each_answer(world: World, asking: Asking) -> None:
    task, _, first = asking
    answer(world, task, first)
    second = ask(world, world.start(world.slot("s2")), Question(id="where", text="Where?"), "s2")
    answer(world, task, second, "here")
    told = world.start(world.slot("s3"))
    assert [(one.question_id, one.value) for one in kept.answers(told)] == [("deploy", "yes"), ("where", "here")]


def test_a_task_that_asks_is_not_resumed(world: World, asking: Asking) -> None:
    task, _, _ = asking
    assert world.run(tasks.resume(str(task.id))).word == "asks"
    assert world.status(task.id) == "paused"


def test_a_pause_by_name_stands_behind_the_answer(world: World, asking: Asking) -> None:
    task, _, asked = asking
    assert world.run(tasks.pause(str(task.id), "bob", "wait", None)).ok
    assert answer(world, task, asked) == ("ok", "paused")
    assert world.read(task.id).question is None
    assert "by bob" in str(world.read(task.id).reason)
    assert world.run(tasks.resume(str(task.id))).ok
    assert kept.answers(world.start(world.slot("s2")))


def test_a_pause_that_was_asked_for_before_the_question_stands_behind_it_too(world: World) -> None:
    task = world.new("a")
    told = world.start()
    world.run(tasks.pause(str(task.id), "bob", "wait", None))
    asked = ask(world, told)
    assert world.read(task.id).question is not None
    assert answer(world, task, asked) == ("ok", "paused")
    assert "by bob" in str(world.read(task.id).reason)


def test_a_pause_behind_a_question_can_be_withdrawn(world: World, asking: Asking) -> None:
    task, _, asked = asking
    world.run(tasks.pause(str(task.id), "bob", "wait", None))
    assert world.run(tasks.resume(str(task.id))).ok
    assert world.read(task.id).question is not None
    assert answer(world, task, asked) == ("ok", "ready")


def test_a_task_that_asks_can_be_cancelled_and_asks_no_more(world: World, asking: Asking) -> None:
    task, _, asked = asking
    assert world.run(tasks.cancel(str(task.id), "never mind")).ok
    assert answer(world, task, asked) == ("conflict", "cancelled")
    assert world.run(tasks.find(0, 5, ["q:1"]))[1] == []


def test_lists_find_what_asks(world: World, asking: Asking) -> None:
    task, _, asked = asking
    world.new("other")
    assert world.run(tasks.find(0, 5, ["q:1"]))[1] == [str(task.id)]
    answer(world, task, asked)
    assert world.run(tasks.find(0, 5, ["q:1"]))[1] == []


def test_answers_that_are_kept_are_bounded(world: World, asking: Asking) -> None:
    task, _, asked = asking
    for number in range(6):
        assert answer(world, task, asked, f"{number}" + "x" * 60_000)[0] == "ok"
        told = world.start(world.slot(f"t{number}"))
        if number < 5:
            asked = ask(world, told, Question(id=f"q{number}", text="more?"), f"t{number}")
    found = kept.answers(told)
    assert [str(one.value)[0] for one in found] == ["2", "3", "4", "5"]
