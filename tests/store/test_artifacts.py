"""What an execution leaves beside its result: bytes under a name, which go with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models.artifact import ArtifactKind
from taskengine.store import artifacts, executions, tasks
from taskengine.store.records import index_names
from taskengine.store.replies import Assignment

from .world import World


def put(world: World, told: Assignment, name: str, body: bytes | str | Path, kind: str = "file") -> str:
    packed = artifacts.pack(name, body, ArtifactKind(kind))
    return world.run(artifacts.put(told.execution_id, told.attempt, packed)).word


def names(world: World, told: Assignment) -> list[tuple[str, str, int, bool]]:
    found = world.run(artifacts.of_executions([told.execution_id]))
    return [(one.name, one.kind.value, one.size, one.is_cut) for one in found]


@pytest.fixture
def told(world: World) -> Assignment:
    world.new("a")
    return world.start()


def test_bytes_and_text_and_files_come_back_as_they_were(world: World, told: Assignment, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"\0\xff")
    assert put(world, told, "a.diff", "-x\n+ü\n", "diff") == "ok"
    assert put(world, told, "b", b"\0\x80") == "ok"
    assert put(world, told, "c", file) == "ok"
    assert names(world, told) == [("a.diff", "diff", 7, False), ("b", "file", 2, False), ("c", "file", 2, False)]
    bodies = [world.run(artifacts.body(world.keys, told.execution_id, name)) for name in ("a.diff", "b", "c", "d")]
    assert bodies == ["-x\n+ü\n".encode(), b"\0\x80", b"\0\xff", None]


def test_a_later_one_of_a_name_replaces_it(world: World, told: Assignment) -> None:
    put(world, told, "a", "one")
    put(world, told, "a", "other")
    assert names(world, told) == [("a", "file", 5, False)]
    assert world.run(artifacts.body(world.keys, told.execution_id, "a")) == b"other"


def test_a_long_transcript_loses_its_middle_and_says_so(world: World, told: Assignment) -> None:
    text = "begin" + "x" * (2 * 1024 * 1024) + "end"
    put(world, told, "t", text, "transcript")
    assert names(world, told) == [("t", "transcript", len(text), True)]
    body = world.run(artifacts.body(world.keys, told.execution_id, "t"))
    assert body is not None
    assert (body[:5], body[-3:]) == (b"begin", b"end")
    assert b"bytes are left out" in body
    assert len(body) < 1024 * 1024 + 100


def test_an_attempt_that_is_over_leaves_nothing_more(world: World, told: Assignment) -> None:
    world.run(executions.hand_back([(told.execution_id, told.attempt)], "it goes"))
    assert put(world, told, "a", "x") == "fenced"
    assert names(world, told) == []


def test_those_of_an_execution_are_bounded_together(
    world: World, told: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "MOST_OF_A_RUN", 90)
    assert put(world, told, "a", "x") == "ok"
    assert put(world, told, "b", "y") == "ok"
    assert put(world, told, "a", "z") == "ok"
    assert put(world, told, "c", bytes(range(60))) == "full"
    monkeypatch.setattr(artifacts, "MOST_NAMES", 2)
    assert put(world, told, "c", "") == "many"


def test_what_is_too_large_is_refused_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "LARGEST_ARTIFACT", 20)
    with pytest.raises(PayloadTooLargeError, match="artifact 'a', zipped, is"):
        artifacts.pack("a", bytes(range(100)), ArtifactKind.FILE)
    with pytest.raises(InvalidInputError, match="name"):
        artifacts.pack("a\n", "x", ArtifactKind.FILE)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        artifacts.pack("a", Path("/nowhere"), ArtifactKind.FILE)


def test_they_are_erased_with_their_execution(world: World, told: Assignment) -> None:
    put(world, told, "a", "x")
    world.report(told)
    task = world.read(told.task_id)
    world.run(tasks.delete(told.task_id, index_names(task), world.since()))
    assert [name for name in world.key_names() if ":artifact" in name] == []
