# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that can be chosen only while mirroring is being enabled."""

from __future__ import annotations

from typing import Any

import pytest

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
MIRRORED = {
    "policies": [{"subject": TARGET, "resource": SOURCE}],
    "target": {
        "mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"},
        "selection": ["^orders$", "^payments$"],
    },
}
RENAME = {"type": "rename", "rename": {"add_prefix": "dr-"}}
OTHERS = [
    pytest.param({"mirroring_source_alias": "dallas"}, "source_alias", ".dallas", id="alias"),
    pytest.param({"mirroring_topic_name_transform": RENAME}, "topic_name_transform", "dr-", id="transform"),
    pytest.param({"mirroring_schemas": "proxied"}, "schemas", ".us-south", id="schemas"),
]


def steps(simulator: Any) -> list[str]:
    """What was written, in short."""
    names = []
    for entry in simulator.writes():
        if entry["method"] == "PATCH":
            names.append("disable" if entry["body"]["parameters"]["mirroring"].get("disable") else "enable")
        else:
            names.append(entry["path"].rpartition("/")[2])
    return names


@pytest.mark.parametrize(("changes", "setting", "_mark"), OTHERS)
def test_other_settings_are_refused(
    simulate: Any, playbook: Any, observe: Any, changes: dict[str, Any], setting: str, _mark: str
) -> None:
    simulator = simulate(**MIRRORED)
    failure = playbook.mirror(**changes).failure
    assert f"enabled with other settings: {setting} is " in failure
    assert "recreate: true" in failure
    observe(simulator).untouched()


@pytest.mark.parametrize("survives", ["no", pytest.param("yes", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("changes", "_setting", "mark"), OTHERS)
def test_recreate(
    simulate: Any, playbook: Any, observe: Any, changes: dict[str, Any], _setting: str, mark: str, survives: str
) -> None:
    simulator = simulate(switches={"selection_survives_disable": survives}, **MIRRORED)
    seen = observe(simulator)
    playbook.mirror("--check", mirroring_recreate=True, **changes).worked()
    seen.untouched()

    run = playbook.mirror(mirroring_recreate=True, **changes).worked()
    assert run.facts["enable_result"]["action"] == "recreated"
    assert steps(simulator) == ["disable", "enable", *(["topic-selection"] if survives == "no" else [])]
    sent = [entry["clock"] for entry in seen.patches()]
    assert sent[1] - sent[0] >= simulator.state.timing["operation_seconds"]
    target = simulator.instance(TARGET)
    assert target.selection == ["^orders$", "^payments$"]
    names = [topic.name for topic in target.live_topics() if topic.remote_of == "orders"]
    assert any(mark in name for name in names)

    simulator.clear_journal()
    assert playbook.mirror(mirroring_recreate=True, **changes).worked().changed == 0
    seen.untouched()


def test_settings_that_are_not_asked_for_stay(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(
        policies=MIRRORED["policies"],
        target={
            "mirroring": {
                **MIRRORED["target"]["mirroring"],
                "options": {"topic_name_transform": RENAME},
                "schemas": "read-only",
            },
            "selection": ["^orders$", "^payments$"],
        },
    )
    run = playbook.mirror().worked()
    assert run.changed == 0
    assert run.facts["enable_result"]["mirroring"]["schemas"] == "read-only"
    observe(simulator).untouched()
