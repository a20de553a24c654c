# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flows of the fault matrix in which a pair fails over, is turned round, and comes back."""

from __future__ import annotations

from typing import Any

from ansible_collections.mirrorops.event_streams.tests.faults.stage import (
    ACCOUNT,
    AUTHORIZED,
    ENABLED,
    SOURCE,
    TARGET,
    TOPICS,
    Stage,
    scenario,
)
from simulator import Simulator

BOTH_WAYS = [*AUTHORIZED, {"subject": SOURCE, "resource": TARGET}]
TURNED = {
    "mirroring": {"source": TARGET, "source_alias": "us-east", "target_alias": "us-south"},
    "selection": TOPICS,
}
OWN = {"topics": [{"name": name, "partitions": 1} for name in ("orders", "payments")]}
MONITORING = [
    {"name": f"monitoring-{region}", "account": ACCOUNT, "region": region} for region in ("us-south", "us-east")
]
STILL = [
    {
        "instance": name,
        "topic": topic,
        "metric": "ibm_eventstreams_instance_mirroring_latency_seconds",
        "points": [[90000, 0]],
    }
    for name in (SOURCE, TARGET)
    for topic in ("orders", "payments")
]


def world(target: dict[str, Any], source: dict[str, Any] | None = None, policies: Any = None) -> dict[str, Any]:
    """A pair whose applications have stopped, so that nothing lags."""
    chosen = scenario(monitoring=MONITORING, series=STILL, policies=policies or BOTH_WAYS, target={**OWN, **target})
    next(one for one in chosen["instances"] if one["name"] == SOURCE).update(source or {})
    return chosen


FORWARD = world(ENABLED)
BACKWARD = world({}, TURNED)
CLEARED = world({**ENABLED, "selection": []}, policies=AUTHORIZED)


def fail_over(stage: Stage) -> Any:
    """A planned failover."""
    return stage.recover("failover")


def turn_round(stage: Stage) -> Any:
    """The opposite direction after it, with an authorization that is made on the way."""
    return stage.recover("reverse")


def fail_back(stage: Stage) -> Any:
    """The normal direction again. What is told here is what the record of an earlier run tells."""
    return stage.recover("failback", resume=True)


def failed_over(simulator: Simulator) -> bool:
    """The target mirrors the source, and selects nothing."""
    target = simulator.instance(TARGET)
    return target.mirroring is not None and not any(target.selection)


def turned_round(simulator: Simulator) -> bool:
    """The source mirrors the target as asked, and nothing else does."""
    source, target = simulator.instance(SOURCE), simulator.instance(TARGET)
    return source.mirroring is not None and target.mirroring is None and sorted(source.selection) == sorted(TOPICS)


def failed_back(simulator: Simulator) -> bool:
    """The target mirrors the source as asked, and nothing else does."""
    source, target = simulator.instance(SOURCE), simulator.instance(TARGET)
    return target.mirroring is not None and source.mirroring is None and sorted(target.selection) == sorted(TOPICS)


VERBS: tuple[tuple[dict[str, Any], str, dict[str, Any]], ...] = (
    (FORWARD, "disable", {"remove_authorization": True}),
    (FORWARD, "failover", {}),
    (FORWARD, "failover", {"mode": "unplanned"}),
    (CLEARED, "reverse", {}),
    (BACKWARD, "failback", {}),
)
"""Every verb with the world that it begins in, and its options."""


def at_once(chosen: dict[str, Any]) -> dict[str, Any]:
    """A world in which nothing takes any time, so that nobody asks twice."""
    timing = {
        **chosen["timing"],
        **dict.fromkeys(("operation_seconds", "remote_topic_seconds", "active_topic_seconds"), 0.0),
    }
    return {**chosen, "timing": timing}
