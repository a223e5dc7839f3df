"""Two checkouts against each other: ``python -m benchmarks.pairs OLD NEW [figure …] [--pairs 8]``.

What a machine does beside changes from minute to minute, so only neighbours in time compare: the two take turns, each
with a server and a fleet of its own, in the other order at each pair. A pair's ratio is how much better the new one is
(rates: new ÷ old; times: old ÷ new). Printed are the geometric mean, the smallest and the largest; 1.00 inside of them
is no difference that this measurement could see. Each checkout runs with the Python of its own ``.venv``, and both need
the figures that are asked for.

Beside some ratios stands what a change that batches short tasks must reach against the checkout before it. They replace
ratios beside bare Celery, whose rate differs by two fifths from one hour to the next.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Seconds that one side of a pair may take.
_LIMIT = 900
#: Units of which less is better.
_TIMES = ("ms", "s", "us", "B", "makespan")
#: Figure -> smallest ratio of what takes short tasks several at a time to what takes them one by one.
_MUST = {
    "flat": 1.8, "fan": 1.6, "layered": 1.5, "chain": 1.2, "agent.1ms": 1.15, "agent.10ms": 0.98, "submit": 1.25,
    "processor.flat": 2.0,
}  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print a line for each figure."""
    asked = _arguments().parse_args(words)
    more = ["--rounds", str(asked.rounds), *(["--traces", str(asked.traces.resolve())] if asked.traces else [])]
    ratios: dict[str, list[float]] = defaultdict(list)
    for pair in range(asked.pairs):
        order = [asked.old, asked.new] if pair % 2 == 0 else [asked.new, asked.old]
        found = {side: _measured(side, asked.figures, more) for side in order}
        for name, (old, unit) in found[asked.old].items():
            new, _ = found[asked.new].get(name, (0.0, unit))
            if old and new:
                ratios[name].append(old / new if unit.split()[0] in _TIMES else new / old)
        print(f"pair {pair + 1} of {asked.pairs}: {_line(found[asked.old], found[asked.new])}", file=sys.stderr)
    for name, values in ratios.items():
        mean = statistics.geometric_mean(values)
        must = f"  must be ≥ {_MUST[name]:g}" if name in _MUST else ""
        print(f"{name:30} {mean:5.2f}  ({min(values):.2f} to {max(values):.2f}, {len(values)} pairs){must}")


def _line(old: Mapping[str, tuple[float, str]], new: Mapping[str, tuple[float, str]]) -> str:
    return ", ".join(f"{name} {old[name][0]:g} → {new[name][0]:g} {old[name][1]}" for name in old if name in new)


def _measured(checkout: Path, figures: Sequence[str], more: Sequence[str]) -> dict[str, tuple[float, str]]:
    """Value and unit by name of the figure."""
    python = checkout.resolve() / ".venv" / "bin" / "python"
    words = [str(python), "-m", "benchmarks", *figures, "--no-peers", *more]
    done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, timeout=_LIMIT, check=False)
    if done.returncode:
        raise SystemExit(f"{checkout}: {done.stderr.strip().splitlines()[-1:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["name"]: (line["value"], line["unit"]) for line in lines}


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairs", description="Two checkouts in turns.")
    parser.add_argument("old", type=Path, help="checkout with a .venv")
    parser.add_argument("new", type=Path, help="another one")
    parser.add_argument("figures", nargs="*", default=["flat", "fan", "chain", "layered"])
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each figure on each side of a pair; 3")
    parser.add_argument("--traces", type=Path, metavar="FOLDER", help="recorded workflows to replay, *.json")
    return parser


if __name__ == "__main__":
    main()
