"""The manual: every command that it shows is one, with the options that it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import typer

from taskengine.cli import app

from ..cases import each

README = Path(__file__).resolve().parents[2] / "README.md"


def commands():
    for line in re.findall(r"^    (taskengine .*)$", README.read_text(), re.MULTILINE):
        for command in line.partition("  #")[0].split(" ; "):
            yield shlex.split(command.strip())[1:]


@each("words", list(commands()))
def test_the_manual_names_commands_and_options_that_there_are(words):
    command = typer.main.get_command(app)
    words = words[2:] if words[0] == "--url" else words
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    assert not getattr(command, "commands", None)
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_graph_of_the_manual_is_one(tmp_path):
    from taskengine import load_graph

    (text,) = re.findall(r"```yaml\n(# nightly.yaml.*?)```", README.read_text(), re.DOTALL)
    file = tmp_path / "nightly.yaml"
    file.write_text(text)
    assert [task.name for task in load_graph(file).tasks] == ["parse", "check"]
