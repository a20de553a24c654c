# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and writes what it and its descendants used: measure.py REPORT COMMAND...

A process of its own, because Linux counts the memory of whoever starts a program as memory of that program, too.
What was not waited for by its parent is not in it; ansible-playbook waits for all its workers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> int:
    """Returns what the command returned. Seconds, and MiB of the largest process."""
    report, *command = sys.argv[1:]
    began = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    _pid, status, used = os.wait4(process, 0)
    wall, cpu = time.perf_counter() - began, used.ru_utime + used.ru_stime
    Path(report).write_text(json.dumps({"wall": wall, "cpu": cpu, "memory": used.ru_maxrss / 1024}))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
