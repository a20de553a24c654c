# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills `ansible-playbook` at one request after the other, and runs it again.

The request that is the boundary is held by the simulator: it has been processed and not answered, or, for writes also, it has
arrived and is not processed.
"""

from __future__ import annotations

import dataclasses
import os
import re
import signal
from collections.abc import Callable
from typing import Any

from ansible_collections.mirrorops.event_streams.tests.integration.processes import descendants, parents

HELD_SECONDS = 120
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


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


@dataclasses.dataclass(frozen=True)
class Journey:
    """A playbook, the world it runs in, its variables, which are made anew for each world, and what is so when it has worked."""

    play: str
    begin: Callable[[], Any]
    variables: Callable[[], dict[str, Any]]
    arrived: Callable[[Any], None]


class Sweep:
    """One journey and one way to kill."""

    def __init__(self, journey: Journey, playbook: Any, observe: Any, victim: str) -> None:
        self._journey, self._playbook, self._observe, self._victim = journey, playbook, observe, victim
        undisturbed = journey.begin()
        self._run(journey.variables())
        self.journal = undisturbed.journal
        self._end_state = end_state(undisturbed)
        self.killed = 0

    def _run(self, variables: dict[str, Any]) -> None:
        self._playbook.mirror(play=self._journey.play, **variables).worked()

    def try_boundary(self, boundary: Boundary) -> None:
        """Kills a run there, and runs again."""
        simulator, variables = self._journey.begin(), self._journey.variables()
        seen = self._observe(simulator)
        held = simulator.add_fault(
            "hang", nth=boundary.number, times=1, seconds=HELD_SECONDS, processed=boundary.processed
        )
        name = f"mirrorops.event_streams.{self._journey.play}"
        process, record = self._playbook.start(name, {**self._playbook.pair, **variables}, simulator=simulator)
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
        self._run(variables)
        self._journey.arrived(simulator)
        assert end_state(simulator) == self._end_state, boundary

    def _kill(self, process: Any) -> set[int]:
        family = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        if self._victim == "everything":
            for one in family & parents().keys():
                os.kill(one, signal.SIGKILL)
        process.communicate()
        return family
