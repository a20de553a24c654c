# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up what tests counted with `record_property` and shows it at the end of the run."""

from __future__ import annotations

import collections
from typing import Any

COLUMNS = ("cases", "recovered", "failed clearly", "defects")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One row for each fault of the matrix, and one line for each other number."""
    rows: dict[str, collections.Counter[str]] = {}
    totals: collections.Counter[str] = collections.Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) != "call":
                continue
            counted = dict(report.user_properties)
            fault = counted.pop("fault", None)
            if fault is None:
                totals.update({name: value for name, value in counted.items() if isinstance(value, int)})
            else:
                counted["failed clearly"] = counted["cases"] - counted["recovered"]
                rows.setdefault(fault, collections.Counter()).update(counted)
    if not rows and not totals:
        return
    terminalreporter.section("counts")
    if rows:
        rows["all faults"] = sum(rows.values(), collections.Counter())
        terminalreporter.write_line(f"{'fault':28}" + "".join(f"{name:>16}" for name in COLUMNS))
        for fault, row in rows.items():
            terminalreporter.write_line(f"{fault:28}" + "".join(f"{row[name]:16}" for name in COLUMNS))
    for name, value in sorted(totals.items()):
        terminalreporter.write_line(f"{name.replace('_', ' '):28}{value:16}")
