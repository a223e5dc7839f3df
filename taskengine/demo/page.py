"""One self-contained HTML page of tables, to be opened from disk; columns sort at a click."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

#: Nothing is loaded from anywhere, and a name in the findings cannot become code.
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 14px/1.45 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }}
table {{ border-collapse: collapse; margin: .5rem 0 2rem }}
th, td {{ padding: .2rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd }}
th {{ cursor: pointer; background: #f3f3f3; position: sticky; top: 0 }}
td.n {{ text-align: right; font-variant-numeric: tabular-nums }}
tr:hover td {{ background: #f8f8f2 }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #ddd; background: #1b1b1b }} th {{ background: #2a2a2a }}
  th, td {{ border-color: #3a3a3a }} tr:hover td {{ background: #262626 }}
}}
</style></head><body>
<h1>{title}</h1>
"""

_TAIL = """<script>
for (const head of document.querySelectorAll("th")) head.onclick = () => {
  const body = head.closest("table").tBodies[0], column = head.cellIndex;
  const up = head.dataset.order === "down", value = row => row.cells[column].textContent;
  head.dataset.order = up ? "up" : "down";
  const sorted = [...body.rows].sort((a, b) => value(a).localeCompare(value(b), "en", {numeric: true}));
  body.append(...(up ? sorted : sorted.reverse()));
};
</script>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and a table; without rows the section says so."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[Sequence[str | int]]


def page(title: str, sections: Iterable[Section]) -> str:
    """Return the text of the page."""
    return _HEAD.format(title=escape(title)) + "".join(map(_section, sections)) + _TAIL


def _section(section: Section) -> str:
    count = f" ({len(section.rows)})" if len(section.rows) > 1 and any(section.headings) else ""
    heading = f"<h2>{escape(section.title)}{count}</h2>\n"
    return heading + ("".join(_table(section)) if section.rows else "<p>None.</p>\n")


def _table(section: Section) -> Iterator[str]:
    yield "<table>"
    if any(section.headings):
        yield f"<thead><tr>{''.join(f'<th>{escape(text)}</th>' for text in section.headings)}</tr></thead>"
    yield "<tbody>\n"
    for row in section.rows:
        yield f"<tr>{''.join(map(_cell, row))}</tr>\n"
    yield "</tbody></table>\n"


def _cell(value: str | int) -> str:
    return f'<td class="n">{value}</td>' if isinstance(value, int) else f"<td>{escape(value)}</td>"
