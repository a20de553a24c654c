# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slices of a fleet side by side, each run by ansible-runner as AWX does: a part of the inventory's hosts, an environment of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration import runner
from ansible_collections.mirrorops.event_streams.tests.integration.test_fleet import ACCOUNT, fleet

PATIENCE = 150
SLICES = 3
PAIRS = 6
KEYS = [f"simulated-key-of-slice-{number}" for number in range(SLICES)]
VARIABLES = {
    "mirroring_hosts": "pairs",
    "mirroring_topics": ["^topic-.*"],
    "mirroring_poll_interval": 0.1,
    "mirroring_settle_timeout": 3,
}


class Slice:
    """One job: every SLICES-th pair, as AWX deals hosts out."""

    def __init__(self, number: int, folder: Path, environment: dict[str, str]) -> None:
        self.pairs = [pair for pair in range(PAIRS) if pair % SLICES == number]
        self._folder = folder / f"slice-{number}"
        hosts = {
            f"pair-{pair}": {"mirroring_source": f"from-{pair}", "mirroring_target": f"to-{pair}"}
            for pair in self.pairs
        }
        programs = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        self._environment = {**environment, "PATH": programs}
        job = {**self._environment, "IC_API_KEY": KEYS[number], "ANSIBLE_HOME": str(self._folder / "ansible")}
        for name, content in {
            "inventory/hosts.json": {"all": {"children": {"pairs": {"hosts": hosts}}}},
            "env/extravars": VARIABLES,
            "env/envvars": {**job, "ANSIBLE_INVENTORY_ENABLED": "yaml", "ANSIBLE_YAML_VALID_EXTENSIONS": ".json"},
        }.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))
        (self._folder / "project").mkdir()

    def start(self) -> subprocess.Popen[str]:
        """Starts the job."""
        return runner.start(self._folder, "mirrorops.event_streams.mirror", self._environment)

    def stats(self) -> dict[str, Any]:
        """What the last job's recap said."""
        events = [
            json.loads(path.read_text())
            for path in max(self._folder.glob("artifacts/*"), key=os.path.getmtime).glob("job_events/*-*.json")
        ]
        (stats,) = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        return dict(stats)


@pytest.fixture
def slices(simulate: Any, playbook: Any, tmp_path: Path) -> Iterator[list[Slice]]:
    """The slices of a fleet, with a key each."""
    account = {"id": ACCOUNT, "name": "main", "api_keys": [{"key": key, "name": key} for key in KEYS]}
    simulator = simulate(accounts=[account], instances=fleet(PAIRS))
    yield [Slice(number, tmp_path, playbook.environment(simulator)) for number in range(SLICES)]


def run_side_by_side(slices: list[Slice]) -> None:
    """Starts all, then waits for all."""
    jobs = [one.start() for one in slices]
    try:
        for job in jobs:
            printed, _nothing = job.communicate(timeout=PATIENCE)
            assert job.returncode == 0, printed
    finally:
        for job in jobs:
            if job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
                job.wait()


def test_slices_converge_disjoint_parts(slices: list[Slice], playbook: Any) -> None:
    simulator = playbook.simulator
    run_side_by_side(slices)
    for number, one in enumerate(slices):
        assert sorted(one.stats()["ok"]) == [f"pair-{pair}" for pair in one.pairs]
        for pair in one.pairs:
            target = simulator.instance(f"to-{pair}")
            assert target.mirroring.source == simulator.instance(f"from-{pair}").crn
            assert [topic.name for topic in target.live_topics() if topic.remote_of] == [f"topic-{pair}.us-south"]
            assert len(target.updates) == 1
            guids = {target.guid, simulator.instance(f"from-{pair}").guid}
            callers = {entry["caller"] for entry in simulator.journal if entry["instance"] in guids}
            assert callers == {KEYS[number]}, "no slice had to do with another's pair"
    tokens = [entry for entry in simulator.journal if entry["path"].endswith("/identity/token")]
    assert len(tokens) == SLICES
    assert len(simulator.state.policies.by_id) == PAIRS

    simulator.clear_journal()
    run_side_by_side(slices)
    assert all(not one.stats()["changed"] for one in slices)
    assert simulator.writes() == []
