# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-playbook` is killed while it waits: nothing goes on, and the next run takes over."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.processes import descendants, parents

pytestmark = pytest.mark.every_core

PAIR_PLAYBOOK = "mirrorops.event_streams.mirror"
TARGET = "es-target-us-east"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("victim", ["one process", "its group"])
def test_killed_while_waiting(simulate: Any, playbook: Any, observe: Any, tmp_path: Path, victim: str) -> None:
    simulator = simulate(timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    variables = {
        "mirroring_source": "es-source-us-south",
        "mirroring_target": TARGET,
        "mirroring_topics": ["^orders$", "^payments$"],
        "mirroring_poll_interval": 0.1,
        "mirroring_settle_timeout": 3,
    }
    process, _record = playbook.start(PAIR_PLAYBOOK, variables)
    seen.until(seen.patches)
    seen.polled()
    workers = descendants(process.pid)
    assert workers
    if victim == "one process":
        os.kill(process.pid, signal.SIGKILL)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    seen.until(lambda: not workers & parents().keys(), 10)
    assert [entry["method"] for entry in simulator.writes()] == ["POST", "PATCH"]

    seen.later()
    assert not simulator.instance(TARGET).busy
    playbook.mirror().worked()
    seen.mirrored()
    assert len(seen.patches(accepted=False)) == 1
    assert playbook.mirror().worked().changed == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_the_next_run_joins(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    pair = {"mirroring_source": "es-source-us-south", "mirroring_target": TARGET}
    process, _record = playbook.start(PAIR_PLAYBOOK, pair)
    seen.until(seen.patches)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    joined = playbook.mirror(meanwhile=lambda: (seen.polled(), seen.later())).worked()
    assert joined.facts["enable_result"]["action"] == "joined"
    seen.mirrored()
    assert len(seen.patches(accepted=False)) == 1
