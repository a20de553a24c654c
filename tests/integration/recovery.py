# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair in a simulator whose applications have stopped, and the playbooks that move it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .conftest import SOURCE, TARGET, Run

METRIC = "ibm_eventstreams_instance_mirroring_latency_seconds"
MIRRORS = {"mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"}}
TURNED = {"mirroring": {"source": TARGET, "source_alias": "us-east", "target_alias": "us-south"}}
TOPICS = ["^orders$", "^payments$"]
THERE = {"subject": TARGET, "resource": SOURCE}
BACK = {"subject": SOURCE, "resource": TARGET}
VERBS = ("disable", "failover", "reverse", "failback")


def monitoring(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """An instance of Monitoring for each region, in the account of the instance that is there."""
    return [
        {"name": f"monitoring-{one['region']}", "account": one["account"], "region": one["region"]}
        for one in scenario["instances"]
        if one["name"] in (SOURCE, TARGET)
    ]


def lagging(**seconds: float) -> list[dict[str, Any]]:
    """Series of topics that are behind by so many seconds, whichever way they are mirrored."""
    return [
        {"instance": name, "topic": topic, "metric": METRIC, "points": [[90000, value]]}
        for name in (SOURCE, TARGET)
        for topic, value in seconds.items()
    ]


STILL = lagging(orders=0, payments=0)


def topics(*names: str) -> list[dict[str, Any]]:
    """Topics of an instance."""
    return [{"name": name, "partitions": 1} for name in names]


class World:
    """A simulated pair, and the playbooks for it, with records in a folder of the test's own."""

    def __init__(self, simulate: Any, playbook: Any, folder: Path) -> None:
        self._simulate, self._playbook = simulate, playbook
        self.folder = folder
        self.simulator: Any = None

    def begin(self, name: str = "friendly", state: str = "forward", **changes: Any) -> Any:
        """Starts one whose pair is in a state: fresh, forward, cleared (failed over), off, backward, backward and cleared."""
        from simulator import load_scenario

        target: dict[str, Any] = {"topics": topics("orders", "payments", "local")}
        source: dict[str, Any] = {}
        if state in ("forward", "cleared"):
            target |= {**MIRRORS, "selection": TOPICS if state == "forward" else []}
        if state.startswith("backward"):
            source |= {**TURNED, "selection": TOPICS if state == "backward" else []}
        changes["target"] = {**target, **changes.get("target", {})}
        changes["source"] = {**source, **changes.get("source", {})}
        if state != "fresh":
            changes.setdefault("policies", [THERE, BACK])
        changes.setdefault("monitoring", monitoring(load_scenario(name)))
        changes.setdefault("series", STILL)
        # After an update only new values count.
        changes["timing"] = {"metrics_interval_seconds": 1, **changes.get("timing", {})}
        self.simulator = self._simulate(name, **changes)
        return self.simulator

    @property
    def source(self) -> Any:
        return self.simulator.instance(SOURCE)

    @property
    def target(self) -> Any:
        return self.simulator.instance(TARGET)

    def run(self, verb: str, *arguments: str, confirm: Any = TARGET, **variables: Any) -> Run:
        """Runs a playbook, confirmed unless it is said otherwise."""
        given = {f"{verb}_confirm": confirm} if verb in VERBS else {}
        where = {"mirroring_records": str(self.folder)}
        run: Run = self._playbook.mirror(*arguments, play=verb, **{**where, **given, **variables})
        return run

    def records(self, verb: str) -> list[dict[str, Any]]:
        """The records of a verb, the oldest first."""
        found = [json.loads(path.read_text()) for path in sorted(self.folder.glob(f"*-{verb}-*.json"))]
        return sorted(found, key=lambda one: one["started_at"])

    def selected(self, instance: Any) -> list[str]:
        """The patterns that an instance selects; none where it mirrors nothing."""
        return [pattern for pattern in instance.selection if pattern] if instance.mirroring else []

    @property
    def direction(self) -> str:
        """Which way data flows, as the simulator knows it."""
        forward, backward = self.target.mirroring is not None, self.source.mirroring is not None
        assert not (forward and backward)
        return "forward" if forward else "backward" if backward else "none"

    def untouched(self) -> None:
        """Nothing that could write was sent."""
        assert [(entry["method"], entry["path"]) for entry in self.simulator.writes()] == []
