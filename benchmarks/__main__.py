"""The command line: ``python -m benchmarks [figure …] [--quick] [--table]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.figures import FIGURES, GROUPS
from benchmarks.stack import Options, Stack
from benchmarks.table import show


def main(words: Sequence[str] | None = None) -> None:
    """Measure what was asked for and print it as it comes."""
    asked = _arguments().parse_args(words)
    options = Options(
        quick=asked.quick,
        peers=not asked.quick if asked.peers is None else asked.peers,
        listen=asked.listen,
        rounds=asked.rounds or (1 if asked.quick else 3),
        traces=asked.traces,
        server=asked.server,
    )
    figures = _measured([name for word in asked.figures or FIGURES for name in _meant(word)], options)
    if asked.table:
        show(figures)
        return
    for figure in figures:
        print(figure.line(), flush=True)


def _meant(word: str) -> list[str]:
    """Names of the figures that a word means: one, or all whose names begin with it and a dot."""
    return [name for name in FIGURES if name == word or name.startswith(f"{word}.")]


def _measured(names: Sequence[str], options: Options) -> Iterator[Figure]:
    with Stack(options) as stack:
        for name in names:
            begin = time.monotonic()
            for figure in FIGURES[name](stack):
                yield replace(figure, must=None) if options.quick else figure
            print(f"{name}: {time.monotonic() - begin:.1f} s", file=sys.stderr)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Speed and memory, one JSON line a figure."
    )
    parser.add_argument(
        "figures",
        nargs="*",
        metavar="figure",
        choices=[*FIGURES, *GROUPS, []],
        help=f"of {', '.join(FIGURES)}; {', '.join(GROUPS)} for all of them; all without",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, one round: only that everything runs"
    )
    parser.add_argument("--table", action="store_true", help="a table at the end instead of JSON lines")
    parser.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, help="bare Celery too; on unless --quick"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="best of N; 3, with --quick 1")
    parser.add_argument(
        "--listen", action="store_true", help="somebody listens to the task events of both sides"
    )
    parser.add_argument("--traces", type=Path, metavar="FOLDER", help="recorded workflows to replay, *.json")
    parser.add_argument(
        "--server", type=Path, metavar="BINARY", help="a Redis or Valkey of your own instead of the embedded one"
    )
    return parser


if __name__ == "__main__":
    main()
