"""A person answers what a task asks, and it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from taskengine import ConflictError, InvalidInputError, NotFoundError, Outcome, Task, agent
from taskengine.models.question import Question
from taskengine.testing import Engine, NeverDoneError

HOSTS = {"type": "object", "properties": {"hosts": {"type": "integer"}}, "required": ["hosts"]}


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as made:
        yield made


def asks(engine: Engine, question: Any) -> Task:
    """A task that asks *question* and then returns its answer."""

    @agent
    def deploy(task: Task, context: Any) -> Any:
        if context.answer is None:
            context.ask(question)
        return {"said": context.answer.value, "by": context.answer.by}

    task = engine.submit(Task(name="d", capability="deploy"))[0]
    engine.run_until_idle()
    return task


def test_it_goes_on_with_what_was_said(engine: Engine) -> None:
    task = asks(engine, "Deploy now?")
    found = engine.task(task)
    assert (found.status, found.retry_count, found.error_message) == ("paused", 0, None)
    answered = engine.api.answer(task.id, "yes", by="ann")
    assert (answered.status, answered.question) == ("ready", None)
    engine.run_until_done(task)
    assert engine.task(task).result == {"said": "yes", "by": "ann"}


def test_a_choice_takes_one_of_its_options(engine: Engine) -> None:
    task = asks(engine, Question(kind="choice", text="Which?", options=("red", "green")))
    with pytest.raises(InvalidInputError, match="'blue' is no option; there are 'red', 'green'"):
        engine.api.answer(task.id, "blue")
    engine.api.answer(task.id, "green")
    engine.run_until_done(task)


def test_a_form_takes_what_fits_its_schema(engine: Engine) -> None:
    task = asks(engine, Question(kind="form", text="How many?", answer_schema=HOSTS))
    with pytest.raises(InvalidInputError, match="hosts: 'three' is not of type 'integer'"):
        engine.api.answer(task.id, {"hosts": "three"})
    engine.api.answer(task.id, {"hosts": 3})
    engine.run_until_done(task)
    assert engine.task(task).result["said"] == {"hosts": 3}


def test_an_answer_to_another_question_is_refused_and_names_the_present_one(engine: Engine) -> None:
    task = asks(engine, Question(id="now", text="Deploy now?"))
    with pytest.raises(ConflictError, match=r"asks 'Deploy now\?' now \(question now\), not question old"):
        engine.api.answer(task.id, "yes", question_id="old")
    assert engine.api.answer(task.id, "yes", question_id="now").status == "ready"


def test_what_asks_nothing_takes_no_answer(engine: Engine) -> None:
    task = asks(engine, "Deploy now?")
    engine.api.answer(task.id, "yes")
    with pytest.raises(ConflictError, match="asks nothing; it may have been answered already"):
        engine.api.answer(task.id, "yes")
    with pytest.raises(NotFoundError):
        engine.api.answer("0" * 32, "yes")


def test_a_task_that_asks_is_not_resumed_but_answered(engine: Engine) -> None:
    task = asks(engine, "Deploy now?")
    with pytest.raises(ConflictError, match=r"it is not resumed; answer it: answer\('"):
        engine.api.resume_task(task.id)
    done = engine.api.resume_tasks(everything=True)
    assert dict(done.skipped) == {"asks": 1}


def test_lists_explanations_and_events_say_what_is_asked(engine: Engine) -> None:
    task = asks(engine, Question(id="now", kind="choice", text="Deploy now?", options=("yes", "no")))
    engine.submit(Task(name="other", capability="deploy", hold=True))
    (found,) = engine.api.list_tasks(asking=True)
    assert found.question is not None
    assert found.question.options == ("yes", "no")
    why = engine.api.explain(task.id)
    assert why.facts[0].kind == "asks"
    assert "Deploy now? (yes, no); answer(" in why.headline
    events = [(each.what, each.note) for each in engine.api.get_task_events(task.id, 100)]
    assert ("asked", "1 now") in events
    assert list(engine.api.list_tasks(asking=True, status="running")) == []


def test_a_lost_attempt_gets_the_same_answer_again(engine: Engine) -> None:
    task = asks(engine, "Deploy now?")
    engine.api.answer(task.id, "yes")
    engine.lose_worker()
    engine.run_until_done(task)
    assert engine.task(task).result["said"] == "yes"
    assert engine.task(task).lost_count == 1


def test_an_outcome_asks_as_well_and_from_a_coroutine(engine: Engine) -> None:
    @agent
    async def deploy(task: Task, context: Any) -> Any:
        if context.answer is None:
            return Outcome("needs_input", question=Question(text="Deploy now?"))
        return context.answer.value

    task = engine.submit(Task(name="d", capability="deploy"))[0]
    engine.run_until_idle()
    engine.api.answer(task.id, "yes")
    engine.run_until_done(task)
    assert engine.task(task).result == {"value": "yes"}


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (Question(kind="form", text="?", answer_schema={"type": "nonsense"}), "answer_schema.type"),
        (Question(kind="form", text="?", answer_schema={"$ref": "http://x"}), "a reference is not followed"),
        (Question(text="?", kind="choice", options=tuple("x" * 490 + str(n) for n in range(100))), "the limit"),
        (7, "7 is no Question"),
    ],
)
def test_what_cannot_be_asked_fails_without_another_attempt(engine: Engine, question: Any, why: str) -> None:
    if why == "the limit":
        question = Question(text="?", kind="form", answer_schema={"description": "x" * 70_000})
    task = engine.task(asks(engine, question))
    assert (task.status, task.error_kind, task.attempt) == ("failed", "invalid_output", 1)
    assert why in str(task.error_message)


def test_a_test_is_told_that_the_task_waits_for_its_answer(engine: Engine) -> None:
    task = asks(engine, "Deploy now?")
    with pytest.raises(NeverDoneError, match=r"asks: Deploy now\?; answer\('"):
        engine.run_until_done(task)


def test_secrets_in_a_question_are_masked(engine: Engine) -> None:
    task = asks(engine, "Use password=hunter2?")
    assert "hunter2" not in str(engine.task(task).question)
