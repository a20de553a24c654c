# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs for the same pair at the same time, in step: each sends its next request when the other is about to, too."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.faults.matrix import mirrored, policies
from ansible_collections.mirrorops.event_streams.tests.faults.stage import TARGET, Stage, scenario
from simulator import Simulator

SECONDS = 10
LEAD = 40
"""The second run begins after so many requests of the first, from none to more than a whole run makes before it waits."""

WORLDS: dict[str, dict[str, str]] = {
    "echoed": {},
    "nothing echoed": {"echo": "none", "policy_store": "v2"},
    "busy is 409": {"busy_status": "409", "echo": "none"},
    "busy is 400": {"busy_status": "400", "conflict_body": "id_string"},
    "repeats are accepted": {"busy_identical": "accepted"},
    "reads are behind": {"stale_operation": "succeeded", "echo": "none"},
    "failures are behind": {"stale_operation": "failed", "operation_updated_at": "null"},
    "refused late": {"refusals": "late"},
}


class InStep:
    """Two runs that wait for each other before each request, once the second has begun."""

    def __init__(self, lead: int) -> None:
        self._lead = lead
        self._begun = threading.Event()
        self._both = threading.Barrier(2)

    def first(self) -> None:
        """Before each request of the first run."""
        if self._lead > 0:
            self._lead -= 1
            return
        self._begun.set()
        self._meet()

    def second(self) -> None:
        """Before each request of the second run."""
        assert self._begun.wait(SECONDS)
        self._meet()

    def _meet(self) -> None:
        try:
            self._both.wait(SECONDS)
        except threading.BrokenBarrierError:
            return  # the other one has ended

    def end(self) -> None:
        """One of them has ended: the other one goes on alone."""
        self._begun.set()
        self._both.abort()


def run_both(simulator: Simulator, lead: int) -> list[Any]:
    """Runs two at once. Returns their results; raises what either of them raised."""
    step = InStep(lead)
    # Time passes for both when one of them sleeps, also while the other is being answered.
    stages = [Stage(simulator, poll_interval=300, request_timeout=80_000) for _dummy in range(2)]
    stages[0].check_wanted, stages[1].check_wanted = step.first, step.second

    def run(stage: Stage) -> Any:
        try:
            return stage.mirror()
        finally:
            step.end()

    with ThreadPoolExecutor(2) as pool:
        return [future.result() for future in [pool.submit(run, stage) for stage in stages]]


@pytest.mark.parametrize("world", WORLDS)
def test_two_runs_at_the_same_moment(world: str, record_property: Any) -> None:
    """Whichever request of the one meets whichever of the other: one policy, one update, and both succeed."""
    with Simulator(scenario(switches=WORLDS[world], timing={"stale_reads": 2, "stale_seconds": 10})) as simulator:
        for lead in range(LEAD):
            simulator.reset()
            results = run_both(simulator, lead)
            assert mirrored(simulator), lead
            assert policies(simulator).total() == 1
            assert len(simulator.instance(TARGET).updates) == 1, lead
            changed = sorted(result["enable"]["changed"] for result in results)
            assert changed == [False, True] or (world == "repeats are accepted" and all(changed))
            assert simulator.violations() == []
    record_property("runs_at_the_same_moment", 2 * LEAD)
