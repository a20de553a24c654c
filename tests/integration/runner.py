# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: with ansible-runner, out of a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def start(folder: Path, playbook: str, environment: dict[str, str], *options: str) -> subprocess.Popen[str]:
    """Starts a job, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "ansible_runner", "run", str(folder), "-p", playbook, *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
