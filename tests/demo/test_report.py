"""What people see: screen, page and file."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser

import pytest
from rich.console import Console

from taskengine.demo.report import tables, write
from taskengine.errors import InvalidInputError

CODE = {
    "a.py": "import b\ndef f(x):\n    return x or 1\n",
    "b.py": "def g():\n    import a\n",
    "low.py": "",
    "use.py": "import low, a, os\n",
    "bad.py": "(",
}


class Cells(HTMLParser):
    """The text of every table cell of a page, and the names of its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.tags.add(tag)
        self._open = tag == "td"
        if self._open:
            self.cells.append("")

    def handle_endtag(self, _tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.cells[-1] += data


def on_screen(report: dict) -> str:
    console = Console(width=140, file=io.StringIO())
    console.print(tables(report))
    return console.file.getvalue()


def test_the_screen_names_cycles_ranks_and_problems(write_code, run_plan):
    shown = on_screen(run_plan(write_code(CODE)).report)
    for words in ("Import cycles: 1", "a → b → a", "f (2)", "bad.py", "5 modules, 7 lines of code"):
        assert words in shown


def test_the_file_holds_every_module_with_names_for_numbers(write_code, run_plan, tmp_path):
    analysis = run_plan(write_code(CODE))
    page = write(tmp_path / "out", analysis.report, analysis.packages)
    kept = json.loads((page.parent / "report.json").read_text())
    assert {module["module"]: (module["imports"], module["reach"]) for module in kept["modules"]} == {
        "a": (["b"], 2),
        "b": (["a"], 2),
        "bad": ([], 0),
        "low": ([], 1),
        "use": (["a", "low"], 0),
    }
    assert kept["cycles"][0]["modules"] == ["a", "b"]


def test_the_page_shows_every_module_and_loads_nothing(write_code, run_plan, tmp_path):
    analysis = run_plan(write_code(CODE))
    page = Cells(write(tmp_path, analysis.report, analysis.packages).read_text())
    assert {"a", "b", "bad", "low", "use", "a.py"} <= set(page.cells)
    assert page.tags.isdisjoint({"link", "img", "iframe"})


def test_names_from_files_stay_text(write_code, run_plan, tmp_path):
    code = write_code({"<script>alert(1)<": "", "[red]x.py": "(", "\x1b[2Jx.py": "", "<b>.py": ""})
    analysis = run_plan(code)
    page = Cells(write(tmp_path, analysis.report, analysis.packages).read_text())
    assert "<b>" in page.cells
    assert "b" not in page.tags
    shown = on_screen(analysis.report)
    assert "[red]x" in shown
    assert "\x1b" not in shown


def test_a_report_is_equal_at_every_writing(write_code, run_plan, tmp_path):
    code = write_code(CODE)
    written = []
    for _ in range(2):
        analysis = run_plan(code)
        written.append(write(tmp_path, analysis.report, analysis.packages).read_bytes())
    assert written[0] == written[1]


def test_a_folder_that_can_not_be_written_is_named(write_code, run_plan, tmp_path):
    analysis = run_plan(write_code(CODE))
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInputError, match=r"^folder: ") as caught:
        write(tmp_path / "file", analysis.report, analysis.packages)
    assert caught.value.field == "folder"
