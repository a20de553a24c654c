# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-playbook` is killed at every request of a full run, and then it runs again.

The request that is the boundary is held by the simulator: it has been processed and not answered, or, for writes also, it has
arrived and is not processed. `make test` takes a seeded sample of the boundaries, `make test-full` takes all.
"""

from __future__ import annotations

import dataclasses
import os
import random
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.processes import descendants, parents

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")

SEED = 20261123
CHUNKS = 6
SAMPLED = 2
HELD_SECONDS = 120
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
TIMING = {"operation_seconds": 1.5, "policy_readable_seconds": 0.2}
SETTINGS = {"mirroring_poll_interval": 0.3}


@dataclasses.dataclass(frozen=True)
class Boundary:
    """The request with this number, and whether it is processed before the run is killed."""

    number: int
    processed: bool


def boundaries(journal: list[dict[str, Any]]) -> list[Boundary]:
    """Every boundary of an undisturbed run."""
    found = []
    for number, entry in enumerate(journal, 1):
        found.append(Boundary(number, processed=True))
        if entry["write"]:
            found.append(Boundary(number, processed=False))
    return found


def kinds(journal: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """What was asked, however often; ids are taken for the same."""
    return {(entry["method"], ID.sub("{id}", entry["path"])) for entry in journal}


def end_state(simulator: Any) -> Any:
    """What is left in the cloud in the end, without ids and times."""
    simulator.clock.advance(1000)
    snapshot = simulator.snapshot()
    instances = {
        instance["name"]: {name: value for name, value in instance.items() if name != "operation"}
        for instance in snapshot["instances"].values()
    }
    policies = [
        {
            name: policy.get(name)
            for name in ("type", "subjects", "resources", "roles", "subject", "resource", "control")
        }
        for policy in snapshot["policies"]
    ]
    return instances, policies


class Sweep:
    """One echo world and one way to kill."""

    def __init__(self, simulate: Callable[..., Any], playbook: Any, observe: Any, echo: str, victim: str) -> None:
        self._simulate, self._playbook, self._observe = simulate, playbook, observe
        self._echo, self._victim = echo, victim
        undisturbed = self._world()
        playbook.mirror(**SETTINGS).worked()
        self.journal = undisturbed.journal
        self._end_state = end_state(undisturbed)
        self.killed = 0

    def _world(self) -> Any:
        return self._simulate(switches={"echo": self._echo}, timing=TIMING)

    def try_boundary(self, boundary: Boundary) -> None:
        """Kills a run there, and runs again."""
        simulator = self._world()
        seen = self._observe(simulator)
        held = simulator.add_fault(
            "hang", nth=boundary.number, times=1, seconds=HELD_SECONDS, processed=boundary.processed
        )
        process, record = self._playbook.start(
            "mirrorops.event_streams.mirror", {**self._playbook.pair, **SETTINGS}, simulator=simulator
        )
        seen.until(lambda: len(simulator.journal) >= boundary.number or process.poll() is not None, 60)
        if process.poll() is None:
            self.killed += 1
            sent = simulator.writes()
            orphans = self._kill(process)
            seen.until(lambda: not orphans & parents().keys(), 10)
            assert simulator.writes() == sent, "an orphan wrote"
        else:
            # How often an undisturbed run polls depends on the machine, so its last boundaries may not be reached.
            self._playbook.finish(process, record).worked()
            assert kinds(simulator.journal) == kinds(self.journal), boundary
            assert len(simulator.journal) < boundary.number
        simulator.clear_faults(held)
        self._playbook.mirror(**SETTINGS).worked()
        seen.mirrored()
        assert end_state(simulator) == self._end_state, boundary
        assert len(seen.policies()) == 1

    def _kill(self, process: Any) -> set[int]:
        family = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        if self._victim == "everything":
            for one in family & parents().keys():
                os.kill(one, signal.SIGKILL)
        process.communicate()
        return family


@pytest.fixture
def sweep(simulate: Any, playbook: Any, observe: Any, echo: str, victim: str) -> Sweep:
    return Sweep(simulate, playbook, observe, echo, victim)


@pytest.mark.parametrize("victim", ["everything", "the parent"])
@pytest.mark.parametrize("echo", ["full", "none"])
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
