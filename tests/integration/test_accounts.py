# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts and instances are meant: two keys, names, GUIDs, CRNs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
SOURCE_KEY, TARGET_KEY = "simulated-key-source", "simulated-key-target"


@pytest.mark.parametrize("target_key", ["variable", "environment"])
def test_two_accounts(simulate: Any, playbook: Any, observe: Any, target_key: str) -> None:
    simulator = simulate("two_accounts")
    seen = observe(simulator)
    environment = playbook.environment(simulator)
    variables = {"mirroring_source_api_key": SOURCE_KEY}
    if target_key == "variable":
        del environment["IC_API_KEY"]
        variables["mirroring_target_api_key"] = TARGET_KEY
    else:
        environment["IC_API_KEY"] = TARGET_KEY
    playbook.environment = lambda *_: environment

    playbook.mirror("--check", **variables).worked()
    seen.untouched()
    playbook.mirror(**variables).worked()
    seen.mirrored()

    source, target = simulator.instance(SOURCE), simulator.instance(TARGET)
    (policy,) = simulator.state.policies.by_id.values()
    assert policy.account == source.account
    assert {entry["account"] for entry in seen.patches()} == {target.account}

    simulator.clear_journal()
    assert playbook.mirror(**variables).worked().changed == 0
    seen.untouched()


@pytest.mark.parametrize("form", ["guid", "crn", "crn without its end"])
def test_instances_are_named_in_other_ways(simulator: Any, playbook: Any, observe: Any, form: str) -> None:
    def named(name: str) -> str:
        instance = simulator.instance(name)
        return (
            str(instance.guid) if form == "guid" else str(instance.crn).removesuffix("::" if "without" in form else "")
        )

    variables = {"mirroring_source": named(SOURCE), "mirroring_target": named(TARGET)}
    playbook.mirror(**variables).worked()
    observe(simulator).mirrored()


def test_a_key_in_a_file(simulator: Any, playbook: Any, observe: Any, tmp_path: Path) -> None:
    environment = playbook.environment(simulator)
    (tmp_path / "key.json").write_text(json.dumps({"name": "operator", "apikey": environment["IC_API_KEY"]}))
    environment["IC_API_KEY"] = f"@{tmp_path / 'key.json'}"
    playbook.environment = lambda *_: environment
    playbook.mirror().worked()
    observe(simulator).mirrored()


def test_a_name_of_two_instances_is_refused(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate("duplicate_names")
    failure = playbook.mirror().failure
    namesakes = [one for one in simulator.state.instances.values() if one.name == SOURCE]
    assert len(namesakes) == 2
    assert all(str(one.crn) in failure for one in namesakes)
    observe(simulator).untouched()
