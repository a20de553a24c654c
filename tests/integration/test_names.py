# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What topics and consumer groups are called on the target: predicted, and as it comes."""

from __future__ import annotations

from typing import Any

import pytest

RENAME = {
    "type": "rename",
    "rename": {"remove_prefix": "app1-", "add_prefix": "dr-", "remove_suffix": "-v1", "add_suffix": "-copy"},
}
TOPICS = [
    {"name": "app1-orders-v1", "partitions": 3},
    {"name": "app1-payments-v1", "partitions": 2},
    {"name": "app1-orders", "partitions": 1},
    {"name": "orders-v1", "partitions": 1},
    {"name": "audit", "partitions": 1},
    {"name": "heartbeats.internal", "partitions": 1},
]
GROUPS = [{"id": "app1-billing", "topics": ["app1-orders-v1"]}]
ALL = [topic["name"] for topic in TOPICS if topic["name"] != "heartbeats.internal"]


USE_ALIAS = {name: f"{name}.us-south" for name in ALL}
KEEP = {"type": "none"}
GROUP_RENAME = {"type": "rename", "rename": {"remove_prefix": "app1-", "add_suffix": ".dr"}}


@pytest.mark.parametrize(
    ("topics", "names", "groups", "group"),
    [
        pytest.param(None, USE_ALIAS, None, "app1-billing", id="default"),
        pytest.param({"type": "use_alias"}, USE_ALIAS, GROUP_RENAME, "billing.dr", id="use_alias-rename"),
        pytest.param(KEEP, {name: name for name in ALL}, KEEP, "app1-billing", id="none-none"),
        pytest.param(
            RENAME,
            {"app1-orders-v1": "dr-orders-copy", "app1-payments-v1": "dr-payments-copy"},
            GROUP_RENAME,
            "billing.dr",
            id="rename-rename",
        ),
    ],
)
def test_names_are_as_predicted(
    simulate: Any,
    playbook: Any,
    observe: Any,
    topics: dict[str, Any] | None,
    names: dict[str, str],
    groups: dict[str, Any] | None,
    group: str,
) -> None:
    simulator = simulate(source={"topics": TOPICS, "consumer_groups": GROUPS})
    seen = observe(simulator)
    patterns = ["^.*$"]
    run = playbook.mirror(
        mirroring_topics=patterns, mirroring_topic_name_transform=topics, mirroring_group_id_transform=groups
    ).worked()

    preview = {one["topic"]: one["remote_topic"] for one in run.facts["setup_result"]["preview"]}
    assert preview == names
    seen.mirrored(patterns, preview)
    target = simulator.instance("es-target-us-east")
    assert [one.id for one in target.groups.values() if one.mirrored] == [group]


def test_patterns_are_matched_against_what_is_left_of_a_name(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(source={"topics": TOPICS})
    run = playbook.mirror(mirroring_topics=["^orders$"], mirroring_topic_name_transform=RENAME).worked()
    assert [one["remote_topic"] for one in run.facts["setup_result"]["preview"]] == ["dr-orders-copy"]
    observe(simulator).mirrored(["^orders$"], {"app1-orders-v1": "dr-orders-copy"})


def test_own_aliases(simulator: Any, playbook: Any, observe: Any) -> None:
    playbook.mirror(mirroring_source_alias="dallas", mirroring_target_alias="washington").worked()
    observe(simulator).mirrored(names={"orders": "orders.dallas", "payments": "payments.dallas"})
    assert "dallas.checkpoints.internal" in simulator.instance("es-target-us-east").topics


def test_an_empty_selection_mirrors_nothing(simulator: Any, playbook: Any, observe: Any) -> None:
    playbook.mirror(mirroring_topics=[]).worked()
    observe(simulator).mirrored([], {})


def test_without_topics_the_selection_is_left_alone(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(
        policies=[{"subject": "es-target-us-east", "resource": "es-source-us-south"}],
        target={
            "mirroring": {"source": "es-source-us-south", "source_alias": "us-south", "target_alias": "us-east"},
            "selection": ["^audit$"],
        },
    )
    run = playbook.mirror(mirroring_topics=None).worked()
    assert run.changed == 0
    assert run.facts["enable_result"]["topics_set"] is False
    observe(simulator).untouched()
    assert simulator.instance("es-target-us-east").selection == ["^audit$"]
