# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures as Markdown."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable

from cases import CASES
from figures import RATIOS, TOKEN, Figures

NAMES = {"cpu": "CPU", "wall": "wall time", "memory": "peak memory", "requests": "requests"}
INTRODUCTION = """\
# Benchmark

Runs that find nothing to do, for fleets of N pairs. All cases of a round run one after the other on the same machine, so that what
disturbs one disturbs all: ratios tell more than seconds.

    {command}

{cores} CPU cores, Python {python}, ansible-core {ansible}, 5 forks (Ansible's default). The simulated cloud runs on the same machine, in a
process of its own. Its CPU time is not in that of the cases, but it takes its share of their wall time.
"""
NOTES = """\
## How it is measured

- Every cloud is mirrored already. Each case runs once before the first round, uncounted, so that all bytecode is there.
- CPU is user and system time of all processes of a run, memory the largest resident size of one of them; both as the kernel accounts them.
- Numbers are medians of all rounds. Ratios are taken within a round; behind the median stand the lowest and the highest.
- Growth is the exponent of a line through the logarithms of size and value, with the smallest fleet taken off: 1.00 is linear.
- `floor` has as many tasks for a host as the run of `collection` just before; `limit` sends the same requests as that run.
- The real cloud takes longer to answer, so there wall time depends more on the number of requests.
"""


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    titles = list(head)
    lines: list[Iterable[object]] = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def _goals(figures: Figures) -> str:
    words = {True: "met", False: "**not met**", None: "-"}
    rows = [(goal.text, goal.measured, words[goal.met]) for goal in figures.goals()]
    return "## Goals\n\n" + _table(("The collection", "Measured", ""), rows)


def _ratios(figures: Figures) -> str:
    rows = []
    for case, other, what in RATIOS:
        found = [figures.ratio(case, other, size, what) for size in figures.sizes]
        if any(found):
            rows.append((f"{NAMES[what]}, {case} / {other}", *(spread or "-" for spread in found)))
    return "## Ratios\n\n" + _table(("", *(f"N = {size}" for size in figures.sizes)), rows)


def _measured(figures: Figures) -> str:
    rows = []
    for case in figures.cases:
        for size in figures.sizes:
            if not figures.runs(case, size):
                continue
            wall, cpu, cloud, memory, requests, tasks = (
                figures.value(case, size, what) or 0 for what in ("wall", "cpu", "cloud", "memory", "requests", "tasks")
            )
            seconds = [f"{value:.2f}" for value in (wall, cpu, cloud)]
            whole = [f"{value:.0f}" for value in (memory, requests, tasks, 1000 * cpu / size)]
            rows.append((case, size, *seconds, *whole, f"{requests / size:.1f}"))
    head = (
        "Case",
        "N",
        "Wall, s",
        "CPU, s",
        "Cloud's CPU, s",
        "Memory, MiB",
        "Requests",
        "Tasks for a host",
        "CPU for a pair, ms",
        "Requests for a pair",
    )
    return "## Measured\n\n" + _table(head, rows)


def _growth(figures: Figures) -> str:
    kinds = ("wall", "cpu", "requests")
    rows = []
    for case in figures.cases:
        found = [figures.growth(case, kind) for kind in kinds]
        if any(found):
            rows.append((case, *("-" if exponent is None else f"{exponent:.2f}" for exponent in found)))
    if not rows:
        return "## Growth\n\nNeeds three sizes.\n"
    return "## Growth\n\n" + _table(("Exponent of N", *(NAMES[kind] for kind in kinds)), rows)


def _endpoints(figures: Figures) -> str:
    """Of the collection with every size, and of uri with the largest."""
    columns = [("collection", size) for size in figures.sizes]
    columns += [("uri", size) for size in figures.sizes if figures.runs("uri", size)][-1:]
    counts = [figures.runs(case, size)[-1].endpoints for case, size in columns]
    names = sorted({name for count in counts for name in count}, key=lambda name: (name != TOKEN, name))
    rows = [(f"`{name}`", *(count.get(name, 0) for count in counts)) for name in names]
    return "## Requests\n\n" + _table(("", *(f"{case}, N = {size}" for case, size in columns)), rows)


def markdown(figures: Figures, command: str) -> str:
    """The whole report."""
    introduction = INTRODUCTION.format(
        command=command,
        cores=os.cpu_count(),
        python=platform.python_version(),
        ansible=importlib.metadata.version("ansible-core"),
    )
    cases = [(f"`{case}`", CASES[case].description) for case in figures.cases]
    parts = (
        introduction,
        _table(("Case", "What runs"), cases).replace("---:", "---"),
        "![Wall and CPU time by number of pairs](benchmark.svg)\n",
        *(part(figures) for part in (_goals, _ratios, _measured, _growth, _endpoints)),
        NOTES,
    )
    return "\n".join(parts)
