"""Whatever people, agents and strangers write into a field, every command shows it as it is: no markup, no control
character, no other exit code.
"""

from __future__ import annotations

import json
import socket
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from typer._completion_classes import _sanitize_help_text

from taskengine.cli import app, completion
from taskengine.cli.lines import Lines
from taskengine.cli.output import begin, clean
from taskengine.store import executions, nodes
from taskengine.transport.quarantine import put_aside

from ..store.world import World

#: What rich, a shell or a terminal would read as something else.
AWKWARD = (
    "[/deploy]", "[bold]x[/bold]", "[link=file:///etc/passwd]y[/link]", "[", "a\\[b]", "\\", "[/]", "[@click=f(1)]z",
    ":boom:", "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\rb", "a\r\nb", "a\tb", "\x08\x08", "\u202eevil", "\u2028x",
    "{x}", "%s", "$(id)", "'\"", "名前\u3000x", "👩‍👩‍👧", "ne\u0301e",
)  # fmt: skip
CHARACTERS = st.one_of(st.sampled_from("[]/\\:{}=@\x1b\r\n\t\x00\u202e "), st.characters(exclude_categories=["Cs"]))
TEXTS = st.one_of(st.sampled_from(AWKWARD), st.text(CHARACTERS, min_size=1, max_size=30))


@dataclass(frozen=True)
class Words:
    """One text for each field that somebody may fill in."""

    name: str
    description: str
    author: str
    key: str
    value: str
    result: str
    error: str
    reason: str
    pause: str
    note: str
    log: str
    logger: str
    message: str
    hostname: str
    drains: str


WORDS = st.builds(Words, **dict.fromkeys(Words.__annotations__, TEXTS))


class Scene:
    """A server on which every field holds what somebody wrote."""

    def __init__(self, world, server, words):
        server.client.flushdb()
        self.words, self.world, self.run = words, world, world.run
        fields = {
            "name": words.name, "description": words.description, "created_by": words.author,
            "metadata": {words.key: words.value}, "input": {words.key: [words.value]},
        }  # fmt: skip
        self.beats = 0
        self.beat()
        self.done = self._over("completed", fields, output=json.dumps({words.key: words.result}))
        self.failed = self._over("failed", fields, error=words.error)
        self.letter = world.new(**fields)
        slot = world.slot("killed")
        world.start(slot)
        for _ in range(3):
            world.claim(slot)
        self.held = world.new(**fields, hold=True)
        self.waits = world.new(**fields, capability="nobody")
        self.graph = world.submit(world.task(words.name, hold=True), name=words.name, by=words.author)
        aside = world.keys.fixed("quarantine")
        put_aside(server.client.connection_pool, aside, "lint", words.message.encode(), words.message)

    def beat(self):
        """Beat again: on a busy machine a test outlives a lease."""
        self.beats += 1
        info = json.dumps({"hostname": self.words.hostname, "pool": self.words.hostname})
        queues = "lint=lint @lint=lint"
        self.run(nodes.heartbeat("n1", self.beats, info, 2, queues, "", []))
        self.run(nodes.heartbeat("n2", self.beats, info, 2, queues, self.words.drains, []))

    def _over(self, disposition, fields, **report):
        task = self.world.new(**fields)
        told = self.world.start()
        line = {"level": "info", "logger": self.words.logger, "message": self.words.log,
                "metadata": {self.words.key: self.words.value}, "timestamp": "2026-01-01T00:00:00Z"}  # fmt: skip
        self.run(executions.append_logs(
            told.execution_id, told.attempt, number=1, lines=[json.dumps(line)], progress=0.5, note=self.words.note
        ))  # fmt: skip
        self.world.report(told, disposition=disposition, **report)
        return task


def is_shown(text, out):
    """Whether each line of *text* is in *out*; tables pad and trailing spaces are nobody's concern."""
    pieces = ["".join(line.split()) for line in clean(text).split("\n")]
    whole = "".join(out.split())
    return all(piece in whole for piece in pieces)


def begins(text, out):
    """Whether the first line of *text* is in *out*."""
    return is_shown(clean(text).strip().split("\n")[0][:40], out)


def is_harmless(out):
    unfit = {char for char in out if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    return unfit <= {"\n", "\u200c", "\u200d"}


#: Made once: Typer makes all commands anew at each call, which is most of what a command costs here.
COMMAND = typer.main.get_command(app)


@pytest.fixture(autouse=True)
def _made_once(monkeypatch):
    monkeypatch.setattr("taskengine.cli.app", COMMAND)


@pytest.fixture
def ask(taskengine, monkeypatch):
    """A command's output, checked; wide enough that nothing is folded."""

    def run(*words, code=0):
        monkeypatch.setenv("COLUMNS", "700")
        done = taskengine(*words)
        assert done.code == code, (words, done.out, done.err)
        assert is_harmless(done.out + done.err), (words, done.out, done.err)
        return done.out

    return run


ONCE = settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip


def all_of(text):
    return Words(*[text] * len(Words.__annotations__))


@given(words=WORDS)
@example(words=all_of("[/deploy]"))
@example(words=all_of("\x1b[2J\x9b31m\r\u202e[link=x]"))
@ONCE
def test_what_is_stored_is_shown_as_it_is(words, at_server, store, ask):
    scene = Scene(World(store, at_server.client, lambda _: store), at_server, words)
    for task in (scene.done, scene.failed, scene.letter, scene.held, scene.waits):
        got = ask("task", "get", str(task.id))
        for each in (words.name, words.description, words.author):
            assert is_shown(each, got), (each, got)
        for verb in ("why", "events"):
            ask("task", verb, str(task.id))
    told = ask("task", "logs", str(scene.done.id)) + ask("task", "get", str(scene.done.id))
    assert all(is_shown(each, told) for each in (words.log, words.logger, words.note)), told
    assert is_shown(words.error, ask("task", "get", str(scene.failed.id)))
    assert is_shown(words.error, ask("task", "why", str(scene.failed.id)))
    assert begins(words.name, ask("task", "list"))
    assert begins(words.name, ask("task", "watch", "--once"))
    for look in (ask("run", "list"), ask("run", "show", scene.graph)):
        assert is_shown(words.name, look), look
        assert is_shown(words.author, look), look
    assert begins(words.name, ask("run", "watch", scene.graph, "--once"))
    screen = ask("status")
    assert is_shown(words.hostname, screen), screen
    assert begins(words.error, screen), screen
    ask("status", "--check", code=2)
    assert begins(words.name, ask("dead", "list"))
    assert is_shown(words.name, ask("dead", "show", str(scene.letter.id)))
    scene.beat()
    seen = ask("workers")
    assert is_shown(words.hostname, seen), seen
    assert is_shown(words.drains, seen), seen
    assert is_shown(words.hostname, ask("doctor", code=1))
    assert "lint" in ask("quarantine", "list")
    (one,) = store.run(_quarantined(store))
    ask("quarantine", "show", one)


def _quarantined(store):
    from taskengine.store import quarantine
    from taskengine.store.keys import Keys

    found = yield from quarantine.piece(Keys(store.settings.namespace), 1, 1)
    return [stored.message.id for stored in found]


@given(words=WORDS)
@example(words=all_of("[/deploy]"))
@ONCE
def test_what_is_said_on_the_command_line_is_kept_and_shown_as_it_is(words, at_server, store, ask):
    scene = Scene(World(store, at_server.client, lambda _: store), at_server, words)
    plain = words.pause.replace("\x00", "") or "x"  # no command line carries a zero
    assert is_shown(plain, ask("pause", "-C", "lint", f"--reason={plain}"))
    ask("pause", "--everything", f"--reason={plain}")
    for look in ("pauses", "queue stats", "doctor"):
        assert is_shown(plain, ask(*look.split(), code=int(look == "doctor"))), look
    said = ask("task", "submit", "-C", "lint", f"--name={plain}", f"--metadata=k={plain}")
    assert is_shown(plain, said), said
    assert is_shown(plain, ask("task", "why", str(scene.waits.id)))
    assert is_shown(plain, ask("task", "list"))
    id = str(scene.waits.id)
    ask("task", "pause", id, f"--reason={plain}")
    assert is_shown(plain, ask("task", "get", id))
    assert is_shown(plain, ask("task", "why", id))
    ask("task", "update", id, f"--name={plain}")
    ask("task", "cancel", id, f"--reason={words.reason.replace(chr(0), '') or 'x'}")
    assert is_shown(words.reason.replace("\x00", ""), ask("task", "get", id))
    ask("task", "events", id)
    ask("agents", "register", "bot", "claude", "gpu", f"--description={plain}")
    ask("agents", "pause", "bot", f"--reason={plain}")
    ask("agents", "drain", "bot", f"--reason={plain}")
    shown = ask("agents", "show", "bot")
    assert is_shown(plain, shown), shown
    assert begins(plain, ask("agents", "list"))
    (file := Path("fleet.yaml")).write_text(json.dumps({"agents": {words.name: {"type": words.error}}}))
    ask("agents", "apply", str(file), code=1)
    ask("task", "list", f"--metadata={plain.replace('=', '') or 'k'}=x", f"--created-by={plain[:200]}")
    ask("resume", "--everything")
    ask("resume", "-C", "lint")


@given(text=TEXTS)
@example(text="[/deploy]")
@ONCE
def test_a_mistake_with_any_text_is_a_sentence(text, at_server, taskengine):
    plain = text.replace("\x00", "")
    for words in (("task", "get", f"x{plain}"), ("pause", f"--until=x{plain}", "--everything"), ("task", f"x{plain}")):
        done = taskengine(*words)
        assert done.code in (1, 2), done
        assert is_harmless(done.err), done.err


@given(text=TEXTS)
@example(text="[/deploy]")
@example(text='\\"); touch x; (')
@ONCE
def test_a_shell_is_offered_names_and_nothing_to_run(text, at_server, store):
    at_server.client.flushdb()
    World(store, at_server.client, lambda _: store).new(name=text)
    ((_, help),) = completion.task_ids("")
    shown = _sanitize_help_text(help)
    assert not set(shown) & set("\\\"'`$\n\r\x1b")
    assert "ready" in shown


@given(text=TEXTS)
@example(text="[/deploy]")
@ONCE
def test_a_graph_of_any_names_is_drawn_planned_and_linted(text, at_server, ask, tmp_path):
    file = tmp_path / "graph.yaml"
    tasks = [{"name": f"{text}-{number}", "capability": "lint", "depends_on": []} for number in range(2)]
    tasks[1]["depends_on"] = [tasks[0]["name"]]
    file.write_text(yaml.safe_dump({"name": text, "tasks": tasks}), encoding="utf-8")
    for verb in ("show", "plan", "lint"):
        out = ask("graph", verb, str(file))
        assert verb == "lint" or is_shown(text, out), (verb, out)
    at_server.client.flushdb()
    ask("graph", "submit", str(file))
    assert begins(text, ask("run", "list"))
    ask("status")


@given(text=TEXTS)
@ONCE
def test_lines_of_a_stack_are_shown_as_they_are(text, capsys):
    begin()
    here, there = socket.socketpair()
    lines = Lines([], here)
    lines.show("up", text)
    lines.close()
    out = capsys.readouterr().out
    assert is_harmless(out)
    assert is_shown(text, out)
    here.close()
    there.close()
