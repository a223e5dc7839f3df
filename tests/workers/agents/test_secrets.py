"""Secrets by name: only what the record names and the worker allows, from a file or the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taskengine.errors import AgentError
from taskengine.models.agent import AgentRecord
from taskengine.settings import Settings
from workers.agents.secrets import AgentSecrets, names_in
from workers.known_secrets import without_secrets

RECORD = AgentRecord(
    id="bot", type="http", capabilities={"x"}, secret="KEY",
    config={"headers": {"Authorization": "secret:HEADER"}, "list": ["Bearer secret:IN_LIST", "a b secret:NOT"]},
)  # fmt: skip


def secrets(**fields: Any) -> AgentSecrets:
    return AgentSecrets.of(RECORD, Settings(**fields))


def test_a_record_names_its_own_secret_and_those_in_its_config() -> None:
    assert names_in(RECORD) == {"KEY", "HEADER", "IN_LIST"}


def test_a_file_wins_over_a_variable_and_loses_its_line_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "of the environment")
    assert secrets().get("KEY") == "of the environment"
    (tmp_path / "KEY").write_text("of a file\n")
    assert secrets(secrets=tmp_path).get("KEY") == "of a file"
    (tmp_path / "KEY").write_text("\n")
    assert secrets(secrets=tmp_path).get("KEY") == "of the environment"


def test_what_was_given_out_is_known_so_that_it_can_be_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "canary-of-the-test")
    secrets().get("KEY")
    assert "canary" not in without_secrets("a line with canary-of-the-test in it")


def test_what_the_record_does_not_name_is_refused_also_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", "x")
    (tmp_path / "OTHER").write_text("x")
    for name in ("OTHER", "../KEY", ""):
        with pytest.raises(AgentError, match=r"agent 'bot': its record names no secret '.*HEADER, IN_LIST, KEY"):
            secrets(secrets=tmp_path).get(name)


def test_a_worker_that_names_secrets_gives_out_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "k")
    monkeypatch.setenv("HEADER", "h")
    assert secrets(secret_names="A, KEY").get("KEY") == "k"
    with pytest.raises(AgentError, match="gives out no secret HEADER; add it to TASKENGINE_SECRET_NAMES"):
        secrets(secret_names="A,KEY").get("HEADER")


def test_a_missing_one_is_named_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(AgentError) as e:
        secrets().check()
    assert "HEADER is missing; TASKENGINE_SECRETS names no folder, and this worker's environment has no var" in str(
        e.value
    )
    with pytest.raises(AgentError, match=f"no file is {tmp_path}/HEADER, and this worker's"):
        secrets(secrets=tmp_path).check()


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "KEY").mkdir()
    with pytest.raises(AgentError, match="the secret KEY cannot be read"):
        secrets(secrets=tmp_path).get("KEY")
    (tmp_path / "HEADER").write_bytes(b"\xff\xfe")
    with pytest.raises(AgentError, match="the secret HEADER cannot be read"):
        secrets(secrets=tmp_path).get("HEADER")
