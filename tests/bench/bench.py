# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the collection with other ways to do its work, on fleets that are mirrored already. Prints Markdown."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from cases import CASES, Case, Measurement, Scene, run
from cloud import ROOT, Cloud
from figures import Figures
from plot import svg
from report import markdown

DOCUMENTS = ROOT / "docs/benchmark"


def _sizes(text: str) -> list[int]:
    sizes = sorted(map(int, text.split(",")))
    if sizes[0] < 1:
        raise ValueError(text)
    return sizes


def _cases(text: str) -> list[Case]:
    """In the order of CASES, so that the collection comes first: the others do what it did."""
    chosen = {"collection", *text.split(",")}
    if chosen - CASES.keys():
        raise argparse.ArgumentTypeError(f"known are {', '.join(CASES)}")
    return [case for name, case in CASES.items() if name in chosen]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default="1,10,100,500", help="numbers of pairs (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything runs (default: %(default)s)")
    parser.add_argument("--only", type=_cases, default=",".join(CASES), help="which cases (default: %(default)s)")
    parser.add_argument(
        "--write",
        type=Path,
        nargs="?",
        const=DOCUMENTS,
        metavar="FOLDER",
        help="also write it down (in docs/benchmark)",
    )
    return parser.parse_args()


def _round(number: int, scenes: list[Scene], cases: list[Case]) -> list[Measurement]:
    measurements = []
    for scene in scenes:
        for case in cases:
            if case.most is None or scene.pairs <= case.most:
                print(f"round {number}: {case.name} with {scene.pairs} pairs", file=sys.stderr)
                measurements.append(run(case, scene, number))
                if measurements[-1].changed:
                    raise RuntimeError(f"{case.name} found something to change.")
    return measurements


def main() -> None:
    """Measures, prints and, if wanted, writes."""
    options = _arguments()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        scenes = [
            Scene(folder / str(pairs), stack.enter_context(Cloud(folder, pairs)), pairs) for pairs in options.sizes
        ]
        _round(0, scenes[:1], options.only)
        measurements = [one for number in range(1, options.rounds + 1) for one in _round(number, scenes, options.only)]
    figures = Figures(measurements)
    sizes, names = (",".join(map(str, one)) for one in (options.sizes, figures.cases))
    text = markdown(figures, f"python tests/bench/bench.py --sizes {sizes} --rounds {options.rounds} --only {names}")
    print(text)
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
        (options.write / "README.md").write_text(text)
        (options.write / "benchmark.svg").write_text(svg(figures))
        (options.write / "measurements.json").write_text(
            json.dumps([asdict(one) for one in measurements], indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
