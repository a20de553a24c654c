# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each playbook of recovery is killed at every request, and then it runs again: it ends where an undisturbed run ends.

`make test` takes a seeded sample of the boundaries, `make test-full` takes all.
"""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.conftest import TARGET
from ansible_collections.mirrorops.event_streams.tests.integration.recovery import THERE, TOPICS, World, topics
from ansible_collections.mirrorops.event_streams.tests.integration.sweep import Boundary, Journey, Sweep, boundaries

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")

SEED = 20261128
CHUNKS = 4
SAMPLED = 1
SAMPLED_JOURNEYS = ("failover, unplanned", "reverse", "cleanup")
TIMING = {"operation_seconds": 1.5, "policy_readable_seconds": 0.2}
JOURNEYS: dict[str, tuple[str, str, str, bool]] = {
    "disable": ("disable", "forward", "none", False),
    "failover": ("failover", "forward", "forward", False),
    "failover, unplanned": ("failover", "forward", "forward", False),
    "reverse": ("reverse", "cleared", "backward", True),
    "failback": ("failback", "backward", "forward", True),
    "cleanup": ("cleanup", "cleared", "forward", False),
}
"""The playbook, the state it begins in, and how it ends: which way data flows, and whether topics are selected."""

LEFT_OVER = ["orders.us-south", "payments.us-south"]
MORE = {
    "cleanup": {"cleanup_topics": LEFT_OVER},
    "disable": {"disable_remove_authorization": True},
    "failover, unplanned": {"failover_mode": "unplanned"},
}


@pytest.fixture
def sweep(simulate: Any, playbook: Any, observe: Any, tmp_path: Path, journey: str) -> Sweep:
    verb, state, direction, selects = JOURNEYS[journey]
    world, numbers = World(simulate, playbook, tmp_path), itertools.count()

    def variables() -> dict[str, Any]:
        records = {"mirroring_records": str(tmp_path / f"records-{next(numbers)}")}
        return {f"{verb}_confirm": TARGET, "mirroring_poll_interval": 0.3, **records, **MORE.get(journey, {})}

    def arrived(simulator: Any) -> None:
        world.simulator = simulator
        assert world.direction == direction
        taker = world.source if direction == "backward" else world.target
        assert world.selected(taker) == (TOPICS if selects else [])
        left = {topic.name for topic in world.target.live_topics()} & set(LEFT_OVER)
        assert not (left and verb == "cleanup")
        busy = [entry for entry in simulator.journal if entry["method"] == "PATCH" and entry["processed"]]
        assert len(busy) == {"disable": 1, "reverse": 2, "failback": 2}.get(journey, 0)

    def begin() -> Any:
        more: dict[str, Any] = {
            "reverse": {"policies": [THERE]},
            "cleanup": {"target": {"topics": topics(*LEFT_OVER, "local")}},
        }
        return world.begin(state=state, timing=TIMING, **more.get(verb, {}))

    return Sweep(Journey(verb, begin, variables, arrived), playbook, observe, "everything")


@pytest.mark.parametrize("journey", SAMPLED_JOURNEYS)
def test_killed_at_some_request(sweep: Sweep, journey: str, record_property: Any) -> None:
    """A seeded sample, and always the first write: processed and not answered."""
    write = next(number for number, entry in enumerate(sweep.journal, 1) if entry["write"])
    for boundary in [
        *random.Random(f"{SEED} {journey}").sample(boundaries(sweep.journal), SAMPLED),
        Boundary(write, True),
    ]:
        sweep.try_boundary(boundary)
    record_property("kills", sweep.killed)
    assert sweep.killed


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("journey", JOURNEYS)
def test_killed_at_every_request(sweep: Sweep, journey: str, chunk: int, record_property: Any) -> None:
    for boundary in boundaries(sweep.journal)[chunk::CHUNKS]:
        sweep.try_boundary(boundary)
    record_property("kills", sweep.killed)
    assert sweep.killed
