# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the parts of the gate in parallel, as many at a time as there are processors.

Each part writes a log below .cache/gate; only the logs of the parts that failed are shown. The last line counts every
test of pytest, and each other part as one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import check

LOGS = check.CACHE / "gate"


@dataclass(frozen=True)
class Result:
    part: str
    code: int
    seconds: float
    passed: int
    failed: int
    skipped: int

    def __str__(self) -> str:
        counts = f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")
        return f"{'FAILED' if self.code else 'ok':7} {self.part:14} {self.seconds:5.0f} s   {counts}"


def selection(full: bool, only: str | None) -> list[str]:
    """The parts to run, the long ones first; says which versions of ansible-core are left out for want of a Python."""
    usable = []
    for core in check.cores():
        if core.python:
            usable.append(core)
        elif full or core in (check.cores()[0], check.cores()[-1]):
            print(f"skipped ansible-core {core.name}: it needs Python {' or '.join(core.pythons)}, and none is here")
    chosen = usable if full else list(dict.fromkeys([*usable[:1], *usable[-1:]]))
    left_out = {f"{kind}-{core.name}" for core in check.cores() if core not in chosen for kind in ("sanity", "core")}
    left_out |= {f"core-{core.name}" for core in chosen if core.is_own}  # unit and integration run on that one
    if not full:
        left_out |= {"importer", "awx"}
    return [part for part in check.PARTS if part not in left_out and (only is None or part.partition("-")[0] == only)]


def run(part: str) -> Result:
    started = time.monotonic()
    with (LOGS / f"{part}.log").open("w") as log:
        command = [sys.executable, str(check.ROOT / "scripts/check.py"), part]
        code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, cwd=check.ROOT, check=False).returncode
    report = LOGS / f"{part}.xml"
    passed, failed, skipped = count(report) if report.exists() else (int(not code), 0, 0)
    return Result(part, code, time.monotonic() - started, passed, failed or int(bool(code)), skipped)


def show_counts(log: Path) -> None:
    """What the tests of a part counted (tests/conftest.py)."""
    shown = False
    for line in log.read_text(errors="replace").splitlines():
        heading = re.fullmatch(r"[=-]+ (.+) [=-]+", line)
        shown = heading[1] == "counts" if heading else shown
        if heading and shown:
            print(f"\n{log.stem}:")
        elif shown:
            print(line)


def run_in_turn(parts: list[str]) -> list[Result]:
    results = []
    for part in parts:
        results.append(run(part))
        print(results[-1], flush=True)
    return results


def count(report: os.PathLike[str]) -> tuple[int, int, int]:
    """What pytest's report says: passed, failed, skipped."""
    suites = list(ET.parse(report).getroot().iter("testsuite"))
    total, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return total - failures - errors - skipped, failures + errors, skipped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", help="run only this kind of parts, for instance sanity")
    parser.add_argument(
        "--full", action="store_true", help="add slow tests, all of ansible-core, galaxy-importer, AWX modules"
    )
    arguments = parser.parse_args()

    if arguments.full:
        os.environ["GATE_FULL"] = "1"
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    parts = selection(arguments.full, arguments.only)
    print(f"running {', '.join(parts)}; logs in {LOGS.relative_to(check.ROOT)}", flush=True)

    # One ansible-test at a time: they share a cache of virtual environments below the home directory, without a lock.
    in_turn = [part for part in parts if part.startswith("sanity-")]
    groups = [in_turn, *([part] for part in parts if part not in in_turn)]
    with ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
        pending = futures = [pool.submit(run_in_turn, group) for group in groups]
        while pending:
            wait(pending, timeout=30, return_when=FIRST_COMPLETED)
            still = [future for future in pending if not future.done()]
            if still == pending:
                print("...", flush=True)
            pending = still
    results = [result for future in futures for result in future.result()]

    for result in results:
        if result.code:
            print(f"\n===== {result.part} failed =====")
            print((LOGS / f"{result.part}.log").read_text(errors="replace"))
    for result in results:
        show_counts(LOGS / f"{result.part}.log")
    broken = [result.part for result in results if result.code]
    if broken:
        print(f"failed parts: {', '.join(broken)}")
    print(f"{sum(result.passed for result in results)} passed, {sum(result.failed for result in results)} failed")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
