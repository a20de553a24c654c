# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The round trip: fail over, turn round, fail back, disable (API §10)."""

from __future__ import annotations

from typing import Any

from .conftest import SOURCE, TARGET

METRIC = "ibm_eventstreams_instance_mirroring_latency_seconds"
MONITORING = [
    {"name": f"monitoring-{region}", "account": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "region": region}
    for region in ("us-south", "us-east")
]


def still(*names: str) -> list[dict[str, Any]]:
    """Series of topics that lag by nothing, as while nobody produces."""
    return [
        {"instance": name, "topic": topic, "metric": METRIC, "points": [[90000, 0]]}
        for name in names
        for topic in ("orders", "payments")
    ]


def world(simulate: Any, **changes: Any) -> Any:
    own = {"topics": [{"name": name, "partitions": 1} for name in ("orders", "payments", "local")]}
    return simulate(monitoring=MONITORING, series=still(SOURCE, TARGET), target=own, **changes)


def test_the_round_trip(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = world(simulate)
    source, target = simulator.instance(SOURCE), simulator.instance(TARGET)
    playbook.mirror(mirroring_failback=True).worked()
    run = playbook.mirror(play="failover", failover_confirm=TARGET)
    print(run.output)
    run.worked()
    assert target.selection == [""]
    run = playbook.mirror(play="reverse", reverse_confirm=TARGET)
    print(run.output)
    run.worked()
    assert target.mirroring is None
    assert source.mirroring.source.guid == target.guid
    run = playbook.mirror(play="failback", failback_confirm=TARGET)
    print(run.output)
    run.worked()
    assert 0
