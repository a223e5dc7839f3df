"""What the documents for people who work on the code name is there: files, folders, links, ways to run the tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from taskengine.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "GLOSSARY.md", "SECURITY.md")
#: Where a path in a document may begin.
BEGINNINGS = (
    "", "taskengine", "taskengine/store/lua", "taskengine/cli/task", "tests", "tests/api", "tests/cli", "tests/core",
    "tests/store",
)  # fmt: skip
_PATH = re.compile(r"[\w.]+(/[\w.]+)*(/|\.(py|lua|md|toml|yaml))")
_MADE_UP = re.compile(r"[A-Z]{4}(?!\w*\.md)")


def named(text: str) -> set[str]:
    """Every path that stands as code; one with a word like NAME in it stands for many."""
    words = [word for code in re.findall(r"`([^`\n]+)`", text) for word in code.split()]
    return {word for word in words if _PATH.fullmatch(word) and not _MADE_UP.search(word)}


def is_there(path: str) -> bool:
    return any((ROOT / beginning / path).exists() for beginning in BEGINNINGS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_a_document_names_exists(name: str) -> None:
    assert sorted(path for path in named((ROOT / name).read_text()) if not is_there(path)) == []


@pytest.mark.parametrize("name", [*DOCUMENTS, "README.md"])
def test_every_link_to_a_file_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / name).read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_way_to_run_the_tests_is_one() -> None:
    script = (ROOT / ".ci/run").read_text()
    known = {word for case in re.findall(r"^([a-z |]+)\)", script, re.MULTILINE) for word in case.split()}
    ways = set(re.findall(r"\.ci/run ([a-z]+)", (ROOT / "CONTRIBUTING.md").read_text()))
    assert ways
    assert ways - known == set()


def test_a_file_that_is_not_there_is_found() -> None:
    assert named("`store/gone.py`, `store/lua/`, `cli/NOUN.py`, `GLOSSARY.md`, `python x`") == {
        "store/gone.py", "store/lua/", "GLOSSARY.md"
    }  # fmt: skip
    assert not is_there("store/gone.py")


def test_every_process_of_the_procfile_is_a_command_and_the_server_is_among_them() -> None:
    processes = dict(re.findall(r"^(\w+): taskengine (\w+)$", (ROOT / "Procfile").read_text(), re.MULTILINE))
    assert {"coordinator", "worker", "server", "flower"} <= processes.keys()
    assert set(processes.values()) <= {*typer.main.get_command(app).commands}
