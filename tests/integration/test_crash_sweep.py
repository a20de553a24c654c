# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `mirror` is killed at every request of a full run, and then it runs again.

`make test` takes a seeded sample of the boundaries, `make test-full` takes all.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.sweep import Boundary, Journey, Sweep, boundaries

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")

SEED = 20261123
CHUNKS = 6
SAMPLED = 2
SAMPLED_WORLDS = [("full", "everything"), ("none", "the parent")]
TIMING = {"operation_seconds": 1.5, "policy_readable_seconds": 0.2}
SETTINGS = {"mirroring_poll_interval": 0.3}


@pytest.fixture
def sweep(simulate: Any, playbook: Any, observe: Any, echo: str, victim: str) -> Sweep:
    def arrived(simulator: Any) -> None:
        seen = observe(simulator)
        seen.mirrored()
        assert len(seen.policies()) == 1

    world = {"switches": {"echo": echo}, "timing": TIMING}
    return Sweep(Journey("mirror", lambda: simulate(**world), lambda: SETTINGS, arrived), playbook, observe, victim)


@pytest.mark.parametrize(("echo", "victim"), SAMPLED_WORLDS)
def test_killed_at_some_request(sweep: Sweep, echo: str, victim: str, record_property: Any) -> None:
    """A seeded sample, and always the update: processed and not answered."""
    update = next(number for number, entry in enumerate(sweep.journal, 1) if entry["method"] == "PATCH")
    chosen = random.Random(f"{SEED} {echo} {victim}").sample(boundaries(sweep.journal), SAMPLED)
    for boundary in [*chosen, Boundary(update, processed=True)]:
        sweep.try_boundary(boundary)
    record_property("kills", sweep.killed)
    assert sweep.killed


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("victim", ["everything", "the parent"])
@pytest.mark.parametrize("echo", ["full", "none"])
def test_killed_at_every_request(sweep: Sweep, echo: str, victim: str, chunk: int, record_property: Any) -> None:
    for boundary in boundaries(sweep.journal)[chunk::CHUNKS]:
        sweep.try_boundary(boundary)
    record_property("kills", sweep.killed)
    assert sweep.killed
