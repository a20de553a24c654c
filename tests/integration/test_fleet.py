# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run for several pairs: a host of the inventory for each."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAIRS = 7
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
GUIDE = Path(__file__).parents[2] / "docs/docsite/rst/guide_fleet.rst"
FORKS = 2
REFUSED = {"message": "The plan does not allow mirroring", "error_code": "RC-ServiceBrokerErrorResponse"}


def fleet(pairs: int) -> list[dict[str, Any]]:
    """Sources and targets, a topic on every source; and the two that every scenario of these tests names."""
    spare = [
        {"name": name, "account": ACCOUNT, "region": "us-south"} for name in ("es-source-us-south", "es-target-us-east")
    ]
    return spare + [
        {"name": f"{side}-{number}", "account": ACCOUNT, "region": region, "topics": topics}
        for number in range(pairs)
        for side, region, topics in (("from", "us-south", [{"name": f"topic-{number}"}]), ("to", "us-east", []))
    ]


class Fleet:
    """Runs the playbooks for so many pairs."""

    def __init__(self, simulate: Any, playbook: Any, folder: Path, pairs: int = PAIRS, **changes: Any) -> None:
        self.simulator = simulate(instances=fleet(pairs), **changes)
        self.names = [f"pair-{number}" for number in range(pairs)]
        self._playbook = playbook
        self.folder = folder
        path = folder / "pairs.json"
        hosts = {
            name: {"mirroring_source": f"from-{number}", "mirroring_target": f"to-{number}"}
            for number, name in enumerate(self.names)
        }
        path.write_text(json.dumps({"all": {"children": {"pairs": {"hosts": hosts}}}}))
        self._arguments = ("-i", str(path), "--forks", str(FORKS))

    def run(
        self, play: str = "mirror", strategy: str = "linear", arguments: tuple[str, ...] = (), **variables: Any
    ) -> Any:
        """Runs a playbook for all pairs."""
        given = {"mirroring_hosts": "pairs", "mirroring_source": None, "mirroring_target": None}
        environment = {
            **self._playbook.environment(self.simulator),
            "ANSIBLE_STRATEGY": strategy,
            "ANSIBLE_RETRY_FILES_ENABLED": "true",
            "ANSIBLE_RETRY_FILES_SAVE_PATH": str(self.folder),
        }
        pair = {
            name: value for name, value in {**self._playbook.pair, **given, **variables}.items() if value is not None
        }
        pair["mirroring_topics"] = ["^topic-.*"]
        return self._playbook(
            f"mirrorops.event_streams.{play}", pair, environment=environment, arguments=self._arguments + arguments
        )

    def mirrored(self) -> list[str]:
        """The pairs that are mirrored as wanted."""
        return [
            name
            for number, name in enumerate(self.names)
            if (target := self.simulator.instance(f"to-{number}")).mirroring
            and target.mirroring.source == self.simulator.instance(f"from-{number}").crn
            and [topic.name for topic in target.live_topics() if topic.remote_of] == [f"topic-{number}.us-south"]
        ]

    def refuse(self, number: int) -> None:
        """The target of a pair refuses every update for good."""
        path = f"/v2/resource_instances/{self.simulator.instance(f'to-{number}').guid}$"
        self.simulator.add_fault("status", status=422, body=REFUSED, method="PATCH", path=path, times=None)


@pytest.fixture
def make_fleet(simulate: Any, playbook: Any, tmp_path: Path) -> Callable[..., Fleet]:
    """Starts a simulator with a fleet in it."""
    return lambda *arguments, **changes: Fleet(simulate, playbook, tmp_path, *arguments, **changes)


def kinds(journal: list[dict[str, Any]]) -> collections.Counter[str]:
    """How many requests of each kind there were."""
    return collections.Counter(
        f"{entry['method']} " + re.sub(r"^/es/[^/]+|(?<=/resource_instances)/.*", "", entry["path"].partition("?")[0])
        for entry in journal
    )


@pytest.mark.parametrize("strategy", ["linear", "host_pinned", pytest.param("free", marks=pytest.mark.slow)])
def test_a_fleet(make_fleet: Any, strategy: str) -> None:
    fleet = make_fleet(4)
    run = fleet.run(strategy=strategy).worked()
    assert {host: numbers["changed"] for host, numbers in run.stats.items()} == dict.fromkeys(fleet.names, 3)
    assert fleet.mirrored() == fleet.names
    asked = kinds(fleet.simulator.journal)
    assert asked["POST /identity/token"] == 1
    assert asked["GET /v1/policies"] >= 4, "each pair's write is decided by a list of its own"

    fleet.simulator.clear_journal()
    assert fleet.run(strategy=strategy).worked().changed == 0
    assert fleet.simulator.writes() == []


def test_every_update_is_sent_before_anyone_waits(make_fleet: Any) -> None:
    """More pairs than forks, and operations that take longer than everything else: all run side by side."""
    fleet = make_fleet(timing={"operation_seconds": 20.0})
    fleet.run().worked()
    journal = fleet.simulator.journal
    sent = [entry for entry in journal if entry["method"] == "PATCH"]
    assert len(sent) == PAIRS
    begun: set[str] = set()
    for entry in journal[sent[0]["number"] - 1 : sent[-1]["number"]]:
        assert entry["write"] or entry["path"] not in begun, "somebody waits already"
        if entry["method"] == "PATCH":
            begun.add(entry["path"])
    finished = [fleet.simulator.instance(f"to-{number}").updates[0].finishes for number in range(PAIRS)]
    assert sent[-1]["clock"] < min(finished), "the first ended when the last was under way"
    assert fleet.mirrored() == fleet.names


def published() -> dict[str, tuple[int, int]]:
    """The guide's list of the requests of a run without changes: for each kind, how many in all, and how many for each pair."""
    rows = re.findall(r"\* - ``(\w+ [^`]+)``\n +- (\d+)\n +- (\d+)$", GUIDE.read_text(), re.MULTILINE)
    return {kind: (int(run), int(pair)) for kind, run, pair in rows}


@pytest.mark.parametrize("pairs", [1, PAIRS])
def test_the_requests_of_a_run_without_changes_are_those_that_are_published(make_fleet: Any, pairs: int) -> None:
    fleet = make_fleet(pairs)
    fleet.run().worked()
    fleet.simulator.clear_journal()
    fleet.run().worked()
    expected = {kind: run + pairs * pair for kind, (run, pair) in published().items()}
    assert kinds(fleet.simulator.journal) == expected
    assert sum(expected.values()) <= 10 * pairs


def test_one_pair_fails_and_the_others_go_on(make_fleet: Any) -> None:
    fleet = make_fleet(4)
    fleet.refuse(1)
    run = fleet.run(mirroring_authorization_timeout=0)
    assert run.rc == 2
    assert fleet.mirrored() == [name for name in fleet.names if name != "pair-1"]
    (outcome,) = [entry["result"]["msg"] for entry in run.tasks if entry["task"] == "Show the outcome of every pair"]
    assert outcome[0] == "4 pairs: 3 mirroring, 1 failed"
    assert sorted(line.partition(":")[0] for line in outcome[1:]) == fleet.names
    assert outcome[1] == "pair-0: us-south -> us-east: mirroring"
    assert outcome[-1].startswith("pair-1: us-south -> us-east: failed in enable: Failed to enable mirroring")
    assert "The plan does not allow mirroring" in outcome[-1]

    fleet.simulator.clear_faults()
    again = fleet.run(arguments=("--limit", f"@{fleet.folder / 'mirror.retry'}")).worked()
    assert {host: numbers["changed"] for host, numbers in again.stats.items()} == {"pair-1": 2}
    assert fleet.mirrored() == fleet.names


def test_the_outcome_is_told_when_all_have_failed(make_fleet: Any) -> None:
    fleet = make_fleet(2)
    fleet.simulator.add_fault("forbidden", api="resource_controller", times=None)
    run = fleet.run()
    assert run.rc == 2
    (outcome,) = [entry["result"]["msg"] for entry in run.tasks if entry["task"] == "Show the outcome of every pair"]
    assert outcome[0] == "2 pairs: 2 failed"
    assert all("failed in setup: Failed to" in line and "HTTP 403" in line for line in outcome[1:])
    assert fleet.simulator.writes() == []


def test_submitted_now_and_validated_later(make_fleet: Any) -> None:
    """As where a job may last four hours only: the first run sends everything, the next ones wait and look."""
    fleet = make_fleet(2, timing={"operation_seconds": 3.0})
    run = fleet.run(mirroring_wait=False).worked()
    assert "2 pairs: 2 submitted" in run.output
    assert len([entry for entry in fleet.simulator.journal if entry["method"] == "PATCH"]) == 2
    run = fleet.run().worked()
    assert "2 pairs: 2 mirroring" in run.output
    assert len([entry for entry in fleet.simulator.journal if entry["method"] == "PATCH"]) == 2
    assert "2 pairs: 2 mirroring" in fleet.run("validate").worked().output
    assert fleet.mirrored() == fleet.names
