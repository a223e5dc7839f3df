"""Rows of comma separated values, in files of TASKENGINE_WORKSPACES."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from taskengine.errors import InvalidInputError
from workers.agents.builtin.roots import within

#: Bytes of a file.
MOST_BYTES = 256 * 1024 * 1024
Row = dict[str, str]


def read_rows(location: str, field: str) -> list[Row]:
    """Return the rows of a file by the names in its first line; InvalidInputError when it may not or cannot be read."""
    path = within(location, field)
    try:
        if not path.is_file():
            raise InvalidInputError(f"{field}: there is no file {path}", field=field)
        if path.stat().st_size > MOST_BYTES:
            raise InvalidInputError(f"{field}: {path} is over {MOST_BYTES >> 20} MiB", field=field)
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as exc:
        raise InvalidInputError(f"{field}: {path} cannot be read: {exc}", field=field) from exc


def write_beside(location: str, rows: list[Row], field: str) -> str:
    """Write rows into ``LOCATION.clean``, whole or not at all; where they are."""
    path = within(location, field)
    target, fresh = Path(f"{path}.clean"), Path(f"{path}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    with fresh.open("x", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    fresh.replace(target)
    return f"{location}.clean"


def are_whole(rows: list[Row]) -> bool:
    """Whether there are rows, and each has as many values as the first line names."""
    return bool(rows) and all(None not in row.values() and None not in row for row in rows)


def without_empty(rows: list[Row]) -> list[Row]:
    """Return the rows that say something."""
    return [row for row in rows if any(value and value.strip() for key, value in row.items() if key is not None)]
