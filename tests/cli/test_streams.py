"""Commands whose locale knows few letters, and whose streams are closed, full or cut off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, Task

#: A locale in which Python reads and writes ASCII.
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
COMMANDS = ["task list", "doctor", "task submit --capability lint --name a", "nonsense"]


def run(
    server: Any, folder: Path, words: str, redirect: str = "", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TASKENGINE_", "LC_", "LANG"))}
    environment = {**kept, "TASKENGINE_REDIS_URL": server.url, "COLUMNS": "200", **variables}
    shell = ["sh", "-c", f'exec "$0" "$@" {redirect}', sys.executable, "-P", "-m", "taskengine.cli"]
    return subprocess.run(
        [*shell, *words.split()], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
    )


@pytest.fixture
def server(valkey: Any) -> Any:
    """A server with a task whose name no ASCII stream can hold."""
    with BlockingTaskAPI(valkey.url) as api:
        api.create_task(Task(name="prüfen…", capability="lint", metadata={"größe": "ß"}))
    return valkey


@pytest.mark.matrix("words")
@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("redirect", [">&-", ">&- 2>&- <&-"])
def test_closed_streams_change_no_exit_code(server: Any, tmp_path: Path, words: str, redirect: str) -> None:
    usual, closed = run(server, tmp_path, words), run(server, tmp_path, words, redirect)
    assert closed.returncode == usual.returncode
    assert b"Traceback" not in closed.stdout + closed.stderr


@pytest.mark.parametrize("words", COMMANDS)
def test_ascii_streams_get_other_letters_spelled_out(server: Any, tmp_path: Path, words: str) -> None:
    usual = run(server, tmp_path, words)
    found = run(server, tmp_path, words, **ASCII)
    assert found.returncode == usual.returncode
    assert b"Traceback" not in found.stderr
    assert (found.stdout + found.stderr).isascii()
    if words == "task list":
        assert rb"pr\xfcfen\u2026" in found.stdout


def test_full_disk_behind_standard_output_is_one_sentence(server: Any, tmp_path: Path) -> None:
    found = run(server, tmp_path, "task list", ">/dev/full")
    assert (found.returncode, found.stderr) == (
        1, b"taskengine: standard output takes no more: No space left on device\n"
    )  # fmt: skip


def test_whoever_stops_reading_ends_a_command_without_a_word(server: Any, tmp_path: Path) -> None:
    found = run(server, tmp_path, "task list", "| true")
    assert found.stderr == b""


def test_json_of_standard_input_is_utf_8_in_every_locale(server: Any, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"größe": "ß"}', encoding="utf-8")
    for source, redirect in (("-", "<in.json"), ("@in.json", "")):
        found = run(server, tmp_path, f"task submit --capability lint --name a --input {source}", redirect, **ASCII)
        assert found.returncode == 0, found.stderr
        with BlockingTaskAPI(server.url) as api:
            assert api.list_tasks()[0].input == {"größe": "ß"}


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import sys\nsys.exit(0)\n", "it called exit(0) while it was imported (broken.py:2)"),
        ("raise SystemExit('enough')\n", "it called exit('enough') while it was imported (broken.py:1)"),
        (
            "import json\njson.loads('')\n",
            "it raised while it was imported (broken.py:2): json.decoder.JSONDecodeError",
        ),
        ("class E(Exception):\n    def __str__(self): return 1/0\nraise E\n", "(broken.py:3): broken.E"),
        ("'\n", "SyntaxError"),
    ],
)
def test_a_module_that_ends_its_own_import_is_one_sentence(server: Any, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "broken.py").write_text(text, encoding="utf-8")
    found = run(server, tmp_path, "worker --import broken")
    assert found.returncode == 1
    assert found.stdout == b""
    (line,) = found.stderr.decode().splitlines()
    assert line.startswith("taskengine: --import broken: ")
    assert says in line
