"""A line must know its room: shown one line, a reader can say which file it is from."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from .conftest import ROOT, Source

Offenders = Callable[..., list[str]]
Found = Iterator[tuple[int, str]]

SCRIPTS = sorted((ROOT / "taskengine" / "store" / "lua").rglob("*.lua"))

#: Where a clock may be read: the entries and the loops. One clock, passed down.
CLOCK_ROOMS = (
    "workers/",
    "taskengine/coordinator/",
    "taskengine/cli/",
    "taskengine/demo/",
    "taskengine/embedded/",
    "taskengine/api/",
    "taskengine/testing/clock.py",
)
#: Where JSON may be written: stored state in the codec, the others their own wire or file form.
JSON_ROOMS = (
    "taskengine/store/codec.py",
    "taskengine/builders/document.py",
    "taskengine/transport/",
    "taskengine/cli/",
    "taskengine/demo/",
    "taskengine/embedded/",
    "workers/heartbeat.py",
)
#: Where any exception may be caught: around an agent (its module, and what its objects say of themselves), around one
#: loop turn.
CATCH_ALL = (
    "taskengine/agent_modules.py",
    "workers/agents/health.py",
    "workers/agents/opened.py",
    "workers/capture.py",
    "workers/invoke.py",
    "workers/known_secrets.py",
    "workers/end_signals.py",
    "workers/heartbeat.py",
    "workers/loop.py",
    "workers/poller.py",
    "workers/agents/claude/toolbox.py",
    "taskengine/coordinator/loop.py",
    "taskengine/coordinator/duties/decisions.py",
    # Readers for whom listeners wait.
    "taskengine/rest/fleet_feed.py",
    "taskengine/rest/taps.py",
)


def naming(*names: str) -> Callable[[Source], Found]:
    """A law against these dotted names."""

    def law(source: Source) -> Found:
        return (found for found in source.attributes if found[1] in names)

    return law


def test_the_environment_is_read_in_settings_alone(offenders: Offenders) -> None:
    law = naming("os.environ", "os.getenv", "os.putenv")
    assert offenders(law, outside=("taskengine/settings.py",)) == []


def test_clocks_are_read_at_the_doors_and_in_the_loops(offenders: Offenders) -> None:
    law = naming("time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.datetime.now")
    assert offenders(law, outside=CLOCK_ROOMS) == []


def test_json_is_written_by_the_codec_and_the_doors(offenders: Offenders) -> None:
    law = naming("json.dumps", "json.loads", "json.dump", "json.load")
    assert offenders(law, outside=JSON_ROOMS) == []


def compared_statuses(source: Source) -> Found:
    for node in source.of(ast.Compare):
        equality = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        if equality and re.search(r"\.status$", ast.unparse(node.left)):
            yield node.lineno, f"{ast.unparse(node)}: use a named set of core/lifecycle.py"


def test_statuses_are_compared_in_the_lifecycle_alone(offenders: Offenders) -> None:
    assert offenders(compared_statuses, outside=("taskengine/core/lifecycle.py",)) == []


def caught_anything(source: Source) -> Found:
    for node in source.of(ast.ExceptHandler):
        caught = ast.unparse(node.type) if node.type else "everything"
        if caught in {"Exception", "everything"}:
            yield node.lineno, f"except {caught}"


def test_everything_is_caught_only_around_an_agent_or_a_loop_turn(offenders: Offenders) -> None:
    assert offenders(caught_anything, outside=CATCH_ALL) == []


#: What reads or writes text in the locale's letters unless it is told which.
_TEXT_CALLS = {"open", "read_text", "write_text", "fdopen", "TextIOWrapper", "NamedTemporaryFile", "TemporaryFile"}


def names_its_encoding(call: ast.Call) -> bool:
    """Whether a call that may read text says in which letters, or that it reads bytes."""
    given = {word.arg: word.value for word in call.keywords}
    return "encoding" in given or any(
        isinstance(value, ast.Constant)
        and isinstance(value.value, str)
        and re.fullmatch(r"[rwax+]*b[rwax+]*", value.value)
        for value in [*call.args, *given.values()]
    )


def texts_without_encoding(source: Source) -> Found:
    awaited = [node.value for node in source.of(ast.Await)]  # an agent type's own ``open``
    for node in source.of(ast.Call):
        if names_its_encoding(node) or node in awaited:
            continue
        name = ast.unparse(node.func)
        if name.rpartition(".")[2] in _TEXT_CALLS and name != "os.open":
            yield node.lineno, f"{name} without encoding"
        if name.startswith("subprocess.") and {"text", "universal_newlines"} & {word.arg for word in node.keywords}:
            yield node.lineno, f"{name} reads text without encoding"


def test_every_text_file_names_its_encoding(offenders: Offenders) -> None:
    """Another locale would read another text: scripts, settings and graph files are UTF-8 everywhere."""
    assert offenders(texts_without_encoding) == []


def imported_celery(source: Source) -> Found:
    modules = [(node.lineno, node.module or "") for node in source.of(ast.ImportFrom)]
    modules += [(node.lineno, alias.name) for node in source.of(ast.Import) for alias in node.names]
    return (found for found in modules if found[1].partition(".")[0] in {"celery", "kombu"})


def test_celery_and_kombu_live_in_transport_and_workers(offenders: Offenders) -> None:
    assert offenders(imported_celery, outside=("taskengine/transport/", "workers/")) == []


def lines_of_scripts(pattern: str) -> list[str]:
    """Lines of Lua that match, without their comments."""
    return [
        f"{path.name}:{number}: {line}"
        for path in SCRIPTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line.split("--")[0])
    ]


def test_key_literals_live_in_keys_alone() -> None:
    """A script builds a key only by name; ``'task:'`` and the like stand nowhere."""
    assert lines_of_scripts(r"redis\.call\('\w+', '|call\('[A-Z]+', '") == []


def test_no_state_is_spelled_in_a_script() -> None:
    """``'st', 'ready'`` and ``m.st == 'ready'`` are written ``T.READY``; a word of another list may be the same."""
    states = "pending|ready|running|completed|failed|cancelled|paused|retrying|queued|timed_out|lost"
    assert lines_of_scripts(rf"\bst'?\b\s*(?:,|==|~=)\s*'(?:{states})'|move\([^)]*'(?:{states})'") == []


def inner_imports(source: Source) -> Found:
    for node in source.of(ast.FunctionDef, ast.AsyncFunctionDef):
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                yield inner.lineno, ast.unparse(inner)


#: Celery takes half a second to import, and ``import taskengine`` must not wait for it.
LAZY_ROOMS = ("taskengine/api/base_client.py",)


def test_nothing_is_imported_inside_a_function(offenders: Offenders) -> None:
    assert offenders(inner_imports, outside=LAZY_ROOMS) == []


def imports_by_name(source: Source) -> Found:
    if source.room.startswith("taskengine/cli/"):
        for node in source.of(ast.Call):
            if ast.unparse(node.func).rpartition(".")[2] in {"import_module", "__import__"}:
                yield node.lineno, ast.unparse(node)


def test_the_command_line_imports_while_it_runs_in_one_place(offenders: Offenders) -> None:
    assert len(offenders(imports_by_name)) == 1
    assert offenders(imports_by_name, outside=("taskengine/cli/lazy.py",)) == []


def without_docstring(source: Source) -> Found:
    if source.text.strip() and not ast.get_docstring(source.tree):
        yield 1, "no docstring"


def test_every_module_says_why_it_exists(offenders: Offenders) -> None:
    assert offenders(without_docstring) == []
