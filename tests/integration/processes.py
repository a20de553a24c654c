# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is whose child, by the parent ids in /proc: newer ansible-cores give their workers sessions of their own."""

from __future__ import annotations

from pathlib import Path


def parents() -> dict[int, int]:
    """The parent of every process that is alive."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(path.parent.name)] = int(parent)
    return found


def descendants(of: int) -> set[int]:
    """All processes that come from one."""
    table = parents()
    found: set[int] = set()
    while more := {one for one, parent in table.items() if parent in found | {of}} - found:
        found |= more
    return found
