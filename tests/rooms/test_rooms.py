"""A line must know its room: shown one line, a reader can say which file it is from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "taskengine").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])

#: Where a clock may be read: the doors and the loops. One clock, passed down.
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
CATCH_ALL = {
    "taskengine/agent_modules.py",
    "workers/capture.py",
    "workers/invoke.py",
    "workers/teller.py",
    "workers/heartbeat.py",
    "workers/loop.py",
    "taskengine/coordinator/loop.py",
    "taskengine/coordinator/duties/decisions.py",
}


def room(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that is called or read as an attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


@pytest.fixture(params=SOURCES, ids=room)
def source(request: pytest.FixtureRequest) -> tuple[str, ast.Module, str]:
    text = request.param.read_text()
    return room(request.param), ast.parse(text), text


def test_the_environment_is_read_in_settings_alone(source: tuple[str, ast.Module, str]) -> None:
    name, tree, _ = source
    if name != "taskengine/settings.py":
        assert not {c for c in calls(tree) if c in {"os.environ", "os.getenv", "os.putenv"}}


def test_clocks_are_read_at_the_doors_and_in_the_loops(source: tuple[str, ast.Module, str]) -> None:
    name, tree, _ = source
    if not name.startswith(CLOCK_ROOMS):
        clocks = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.datetime.now"}
        assert not {c for c in calls(tree) if c in clocks}


def test_json_is_written_by_the_codec_and_the_doors(source: tuple[str, ast.Module, str]) -> None:
    name, tree, _ = source
    if not name.startswith(JSON_ROOMS):
        assert not {c for c in calls(tree) if c in {"json.dumps", "json.loads", "json.dump", "json.load"}}


def test_statuses_are_compared_in_the_lifecycle_alone(source: tuple[str, ast.Module, str]) -> None:
    name, tree, _ = source
    if name == "taskengine/core/lifecycle.py":
        return
    compared = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        and re.search(r"\.status$", ast.unparse(node.left))
    ]
    assert not compared, "use a named set of core/lifecycle.py"


def test_everything_is_caught_only_around_an_agent_or_a_loop_turn(source: tuple[str, ast.Module, str]) -> None:
    name, tree, _ = source
    if name in CATCH_ALL:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in {"Exception", "everything"}, f"line {node.lineno}"


#: What reads or writes text in the locale's letters unless it is told which.
_TEXT_CALLS = {"open", "read_text", "write_text", "fdopen", "TextIOWrapper", "NamedTemporaryFile", "TemporaryFile"}


def test_every_text_file_names_its_encoding(source: tuple[str, ast.Module, str]) -> None:
    """Another locale would read another text: scripts, settings and graph files are UTF-8 everywhere."""
    _, tree, _ = source
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        given = {word.arg: word.value for word in node.keywords}
        told = "encoding" in given or any(
            isinstance(value, ast.Constant)
            and isinstance(value.value, str)
            and re.fullmatch(r"[rwax+]*b[rwax+]*", value.value)
            for value in [*node.args, *given.values()]
        )
        if name.rpartition(".")[2] in _TEXT_CALLS and name != "os.open":
            assert told, f"line {node.lineno}: {name} without encoding"
        if name.startswith("subprocess.") and {"text", "universal_newlines"} & given.keys():
            assert told, f"line {node.lineno}: {name} reads text without encoding"


def test_celery_and_kombu_live_in_transport_and_workers(source: tuple[str, ast.Module, str]) -> None:
    name, tree, _ = source
    if name.startswith(("taskengine/transport/", "workers/")):
        return
    modules = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not {m for m in modules if m.partition(".")[0] in {"celery", "kombu"}}


def test_key_literals_live_in_keys_alone() -> None:
    """A script builds a key only by name; ``'task:'`` and the like stand nowhere."""
    for path in (ROOT / "taskengine" / "store" / "lua").rglob("*.lua"):
        code = "\n".join(line.split("--")[0] for line in path.read_text().splitlines())
        assert not re.search(r"redis\.call\('\w+', '", code), path.name
        assert not re.search(r"call\('[A-Z]+', '", code), path.name


def test_no_state_is_spelled_in_a_script() -> None:
    """``'st', 'ready'`` and ``m.st == 'ready'`` are written ``T.READY``; a word of another list may be the same."""
    states = "pending|ready|running|completed|failed|cancelled|paused|retrying|queued|timed_out|lost"
    spelled = re.compile(rf"\bst'?\b\s*(?:,|==|~=)\s*'(?:{states})'|move\([^)]*'(?:{states})'")
    for path in (ROOT / "taskengine" / "store" / "lua").rglob("*.lua"):
        for line in path.read_text().splitlines():
            assert not spelled.search(line.split("--")[0]), f"{path.name}: {line}"


def test_nothing_is_imported_inside_a_function(source: tuple[str, ast.Module, str]) -> None:
    name, tree, _ = source
    if name.startswith("taskengine/cli/"):
        return  # a command imports what it needs: --help must not wait for Celery
    if name == "taskengine/api/door.py":
        return  # Celery takes half a second to import; `import taskengine` must not wait for it
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not inner, f"line {inner[0].lineno}"


def test_every_module_says_why_it_exists(source: tuple[str, ast.Module, str]) -> None:
    _, tree, text = source
    assert not text.strip() or ast.get_docstring(tree)
