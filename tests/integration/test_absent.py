# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disabling mirroring, and acting where the state cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
MIRRORED: dict[str, Any] = {
    "policies": [{"subject": TARGET, "resource": SOURCE}],
    "target": {
        "mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"},
        "selection": ["^orders$"],
    },
}
LIMITS = {"poll_interval": 0.1, "settle_timeout": 3, "wait_timeout": 60}


def play(**options: Any) -> list[dict[str, Any]]:
    """One task of the module mirroring."""
    return [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [{"name": "Change", "mirrorops.event_streams.mirroring": {**LIMITS, "target": TARGET, **options}}],
        }
    ]


@pytest.mark.parametrize("switches", [{}, {"echo": "none"}, {"stale_operation": "succeeded"}], ids=str)
def test_disable(simulate: Any, playbook: Any, observe: Any, switches: dict[str, str]) -> None:
    simulator = simulate(switches=switches, **MIRRORED)
    absent = play(state="absent")

    checked = playbook(absent, arguments=("--check", "--diff")).worked().results("mirroring")[0]
    assert (checked["changed"], checked["action"], checked["mirroring"]["enabled"]) == (True, "disabled", False)
    assert (checked["diff"]["before"]["enabled"], checked["diff"]["after"]["enabled"]) == (True, False)
    observe(simulator).untouched()

    playbook(absent).worked()
    assert [entry["body"] for entry in simulator.writes()] == [{"parameters": {"mirroring": {"disable": True}}}]
    assert simulator.instance(TARGET).mirroring is None
    simulator.clear_journal()
    assert playbook(absent).worked().changed == 0
    observe(simulator).untouched()


@pytest.mark.parametrize("shown", ["all", "none"])
def test_disable_carries_the_throughput_above_150(simulate: Any, playbook: Any, shown: str) -> None:
    simulator = simulate("high_throughput", switches={"parameters_shown": shown}, **MIRRORED)
    playbook(play(state="absent", throughput=300)).worked()
    assert simulator.writes()[0]["body"] == {"parameters": {"throughput": "300", "mirroring": {"disable": True}}}


def test_what_cannot_be_read_is_left_alone_unless_forced(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(switches={"echo": "none", "repeat_patch": "noop_operation"}, **MIRRORED)
    wanted = {"source": SOURCE}
    left = playbook(play(**wanted)).worked().results("mirroring")[0]
    assert (left["changed"], left["action"]) == (False, "left_alone")
    assert left["mirroring"]["known"]["source_crn"] == "unknown"
    observe(simulator).untouched()

    forced = playbook(play(**wanted, force=True)).worked().results("mirroring")[0]
    assert (forced["changed"], forced["updates_sent"]) == (True, 1)
    assert len(observe(simulator).patches()) == 1


def test_an_unreadable_state_is_not_acted_on(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(switches={"echo": "none", "admin_url_published": "absent"}, **MIRRORED)
    for options in ({"state": "absent"}, {"source": SOURCE}):
        simulator.clear_journal()
        failure = playbook(play(**options)).failure
        assert "whether mirroring is enabled could not be found out" in failure
        assert "admin_url" in failure
        observe(simulator).untouched()
