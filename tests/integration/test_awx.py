# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every job template and every workflow of extensions/awx, run by ansible-runner with what the credential injects and the surveys accept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.awx import ROOT, Awx, Job
from ansible_collections.mirrorops.event_streams.tests.integration.conftest import FAST, PAIR, SOURCE, TARGET
from ansible_collections.mirrorops.event_streams.tests.integration.recovery import World

QUICK = {name: value for name, value in PAIR.items() if name.endswith(("interval", "settle_timeout", "topics_timeout"))}
"""Variables of the inventory that make a simulated cloud bearable."""

ENDPOINTS = {
    "iam_endpoint": "IBMCLOUD_IAM_API_ENDPOINT",
    "resource_controller_endpoint": "IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT",
    "monitoring_endpoint": "IBMCLOUD_MONITORING_API_ENDPOINT",
    "search_endpoint": "IBMCLOUD_GS_API_ENDPOINT",
}


@pytest.fixture
def platform(playbook: Any, tmp_path: Path) -> Callable[..., Awx]:
    """A platform for the simulator that runs; what is given goes into the credential."""

    def start(**credential: str) -> Awx:
        environment = playbook.environment(playbook.simulator)
        endpoints = {field: environment[name] for field, name in ENDPOINTS.items()}
        return Awx(tmp_path, environment, {"api_key": environment["IC_API_KEY"], **endpoints, **credential})

    return start


def worked(job: Job | None) -> Job:
    """The job, if nothing failed and nothing secret was shown."""
    assert job is not None
    assert job.rc == 0, job.stdout
    assert "simulated-key" not in job.shown
    return job


@pytest.mark.slow
def test_the_life_of_a_pair(
    simulate: Any, playbook: Any, tmp_path: Path, platform: Callable[..., Awx], observe: Any
) -> None:
    world = World(simulate, playbook, tmp_path / "records")
    simulator = world.begin("friendly", "fresh", timing={"operation_seconds": 600})
    seen, awx = observe(simulator), platform()
    hosts = awx.synchronise(ROOT / "examples/pairs.event_streams.yml", **QUICK)
    assert hosts["orders"]["mirroring_target"] == str(simulator.instance(TARGET).crn)
    assert "simulated-key" not in json.dumps(hosts)

    def approve(_nodes: list[str]) -> bool:
        seen.untouched()
        return True

    def let_it_end() -> None:
        seen.polled()
        seen.later()

    mirrored = awx.run("mirror with approval", approve, meanwhile={"finish": let_it_end})
    assert [name for name, _job in mirrored] == ["readiness", "approve", "submit", "finish", "report"]
    jobs = {name: worked(job) for name, job in mirrored if job}
    assert "update accepted" in jobs["submit"].shown
    assert len(seen.patches()) == 1, "the second job joins the update of the first"
    shown = [one for one in jobs["finish"].events if "update succeeded" in one["stdout"]]
    assert shown and "update in progress" in jobs["finish"].stdout, "lines of progress are events of their own"
    assert jobs["report"].artifacts()["audit"]["orders"]["verdict"] == "ready"
    assert world.direction == "forward" and world.selected(world.target)

    simulator.set_timing("operation_seconds", FAST["operation_seconds"])
    simulator.clear_journal()
    worked(awx.launch("validate"))
    worked(awx.launch("snapshot", snapshot_file=str(tmp_path / "estate.json")))
    assert json.loads((tmp_path / "estate.json").read_text())
    seen.untouched()

    unconfirmed = awx.launch("failover", mirroring_hosts="orders", failover_confirm="")
    assert unconfirmed.rc == 2 and f"failover_confirm={TARGET}" in unconfirmed.stdout
    seen.untouched()

    answers = {"mirroring_hosts": "orders", "failover_confirm": TARGET}
    moved = awx.run("planned failover", approve, **answers)
    assert [name for name, _job in moved] == ["audit", "plan", "approve", "failover", "report"]
    for _name, job in moved:
        assert job is None or worked(job)
    assert world.direction == "forward" and world.selected(world.target) == []

    reversed_ = worked(awx.launch("reverse", mirroring_hosts="orders", reverse_confirm=TARGET))
    assert "update succeeded" in reversed_.stdout
    assert world.direction == "backward" and world.selected(world.source)
    worked(awx.launch("failback", mirroring_hosts="orders", failback_confirm=TARGET))
    assert world.direction == "forward" and world.selected(world.target)

    simulator.clear_journal()
    worked(awx.launch("cleanup", mirroring_hosts="orders", cleanup_topics="", cleanup_matching="", cleanup_confirm=""))
    seen.untouched()
    worked(awx.launch("disable", mirroring_hosts="orders", disable_confirm=TARGET))
    assert world.direction == "none"
    for verb in ("failover", "reverse", "failback", "disable"):
        assert list((Path(playbook.environment(None)["HOME"]) / "mirroring-records").glob(f"*-{verb}-*.json"))
    worked(awx.launch("mirror these topics", mirroring_hosts="orders", mirroring_topics="^orders$,^payments$"))
    assert world.selected(world.target) == ["^orders$", "^payments$"]


def test_an_unplanned_failover_asks_nothing_of_the_source(
    simulate: Any, playbook: Any, tmp_path: Path, platform: Callable[..., Awx]
) -> None:
    world = World(simulate, playbook, tmp_path / "records")
    simulator = world.begin("friendly", "forward")
    awx = platform()
    awx.synchronise(ROOT / "examples/pairs.event_streams.yml", **QUICK)
    simulator.clear_journal()
    ran = awx.run(
        "unplanned failover", lambda nodes: nodes == ["plan"], mirroring_hosts="orders", failover_confirm=TARGET
    )
    assert [name for name, _job in ran] == ["plan", "approve", "failover", "report"]
    for _name, job in ran:
        assert job is None or worked(job)
    assert world.selected(world.target) == []
    assert not [one for one in simulator.journal if one["instance"] == simulator.instance(SOURCE).guid]


SOURCE_PROFILE, TARGET_PROFILE = (f"Profile-{digit * 8}-aaaa-4bbb-8ccc-0000000000{digit * 2}" for digit in "12")


@pytest.mark.parametrize(
    ("example", "credential", "caller"),
    [
        ("Two accounts", {"source_api_key": "simulated-key-source"}, "operator"),
        ("Two profiles", {"iam_profile": TARGET_PROFILE, "source_iam_profile": SOURCE_PROFILE}, "mirroring"),
    ],
)
def test_two_accounts_with_one_credential(
    example: str,
    credential: dict[str, str],
    caller: str,
    simulate: Any,
    tmp_path: Path,
    platform: Callable[..., Awx],
    observe: Any,
) -> None:
    simulator = simulate("two_accounts")
    awx = platform(api_key="simulated-key-target", **credential)
    pairs = tmp_path / "pairs.event_streams.yml"
    text = (ROOT / "extensions/awx/README.md").read_text()
    pairs.write_text(text.partition(f"```yaml\n# {example}\n")[2].partition("```")[0])
    awx.synchronise(pairs, **QUICK)
    worked(awx.launch("mirror"))
    observe(simulator).mirrored(["^orders$", "^payments$"])
    (policy,) = simulator.state.policies.by_id.values()
    assert policy.account == simulator.instance(SOURCE).account
    assert {entry["caller"] for entry in simulator.journal if entry["api"] == "admin"} == {caller}
