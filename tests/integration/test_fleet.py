# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run for several pairs: a host of the inventory for each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PAIRS = 4
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"


def instances() -> list[dict[str, Any]]:
    """Sources and targets, a topic on every source."""
    return [
        {"name": f"{side}-{number}", "account": ACCOUNT, "region": region, "topics": topics}
        for number in range(PAIRS)
        for side, region, topics in (("from", "us-south", [{"name": f"topic-{number}"}]), ("to", "us-east", []))
    ]


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    path = tmp_path / "pairs.json"
    hosts = {
        f"pair-{number}": {"mirroring_source": f"from-{number}", "mirroring_target": f"to-{number}"}
        for number in range(PAIRS)
    }
    path.write_text(json.dumps({"all": {"children": {"pairs": {"hosts": hosts}}}}))
    return str(path)


@pytest.mark.parametrize("strategy", ["linear", "host_pinned", pytest.param("free", marks=pytest.mark.slow)])
def test_a_fleet(simulate: Any, playbook: Any, inventory: str, strategy: str) -> None:
    sides = {name: {"name": name} for name in ("es-source-us-south", "es-target-us-east")}
    spare = [{**side, "account": ACCOUNT, "region": "us-south"} for side in sides.values()]
    simulator = simulate(instances=[*spare, *instances()])
    own = {**playbook.environment(simulator), "ANSIBLE_STRATEGY": strategy}
    playbook.environment = lambda *_: own
    arguments = ("-i", inventory, "--forks", "4")
    given = {"mirroring_hosts": "pairs", "mirroring_source": None, "mirroring_target": None}
    run = playbook.mirror(*arguments, mirroring_topics=["^topic-.*"], **given).worked()

    assert len(run.stats) == PAIRS
    assert {host["changed"] for host in run.stats.values()} == {3}
    for number in range(PAIRS):
        target = simulator.instance(f"to-{number}")
        assert target.mirroring.source == simulator.instance(f"from-{number}").crn
        assert [topic.name for topic in target.live_topics() if topic.remote_of] == [f"topic-{number}.us-south"]
    assert sum(entry["path"].endswith("/identity/token") for entry in simulator.journal) == 1

    simulator.clear_journal()
    assert playbook.mirror(*arguments, mirroring_topics=["^topic-.*"], **given).worked().changed == 0
    assert simulator.writes() == []
