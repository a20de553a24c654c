# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mirroring does to the target: names, times, partitions, groups."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.mirroring import LONGEST_TOPIC_NAME, Selection, Transform

CHECKPOINTS = "us-south.checkpoints.internal"
PART = st.text("ab-", max_size=3)


def rename(**members: str) -> dict[str, Any]:
    return {"topic_name_transform": {"type": "rename", "rename": members}}


def mirrored(cloud: Any, *patterns: str) -> list[str]:
    cloud.select(*patterns)
    cloud.wait()
    return [name for name in cloud.topics() if name != CHECKPOINTS]


@given(name=st.text("ab-.", min_size=1, max_size=12), prefix=PART, suffix=PART, add=PART)
def test_rename_takes_off_both_ends_one_after_the_other(name: str, prefix: str, suffix: str, add: str) -> None:
    transform = Transform("rename", add_prefix=add, remove_prefix=prefix, remove_suffix=suffix)
    bare = transform.bare(name)
    if bare is None:
        assert not (name.startswith(prefix) and name.endswith(suffix) and len(name) >= len(prefix) + len(suffix))
    else:
        assert prefix + bare + suffix == name
        assert transform.result(bare, "alias") == add + bare


@given(st.text("ab", min_size=1, max_size=6), st.text("ab", min_size=1, max_size=3))
def test_a_full_match_is_also_found_by_search(name: str, pattern: str) -> None:
    full = Selection([pattern], search=False, comma_separates=False)
    search = Selection([pattern], search=True, comma_separates=False)
    assert full.matches(name) == (pattern == name)
    assert search.matches(name) == (pattern in name)


@pytest.mark.parametrize(
    ("options", "patterns", "expected"),
    [
        (None, ["orders"], ["orders.us-south"]),
        ({"topic_name_transform": {"type": "use_alias"}}, ["orders"], ["orders.us-south"]),
        ({"topic_name_transform": {"type": "none"}}, ["orders", "pay.*"], ["orders", "payments"]),
        (rename(add_prefix="dr-", add_suffix="-x"), [".*"], ["dr-audit-x", "dr-orders-x", "dr-payments-x"]),
        (rename(remove_suffix="s"), [".*"], ["order", "payment"]),
        (rename(remove_suffix="s", remove_prefix="or"), [".*"], ["der"]),
        (rename(remove_prefix="or", add_prefix="x"), ["orders"], []),
        (rename(remove_prefix="or", add_prefix="x"), ["ders"], ["xders"]),
        (None, ["order"], []),
        (None, [], []),
        (None, [""], []),
    ],
)
def test_names_on_the_target(cloud: Any, options: Any, patterns: list[str], expected: list[str]) -> None:
    cloud.enable(**({} if options is None else {"options": options}))
    assert mirrored(cloud, *patterns) == expected


def test_internal_topics_of_the_source_are_left_alone(cloud: Any) -> None:
    for name in ("__offsets", "b.checkpoints.internal", "_mine"):
        cloud.sim.create_topic(cloud.source, name)
    cloud.enable()
    assert mirrored(cloud, ".*") == [f"{name}.us-south" for name in ("_mine", "audit", "orders", "payments")]


def test_a_name_that_becomes_too_long_is_silently_left_out(cloud: Any) -> None:
    room = LONGEST_TOPIC_NAME - len(".us-south")
    for length in (room, room + 1):
        cloud.sim.create_topic(cloud.source, "x" * length)
    cloud.enable()
    assert mirrored(cloud, "x+") == ["x" * room + ".us-south"]
    assert cloud.active() == ["x" * room]


def test_times(start: Any) -> None:
    timing = {"operation_seconds": 10, "remote_topic_seconds": 5, "active_topic_seconds": 8}
    cloud = start(timing=timing)
    cloud.authorize()
    cloud.mirror()
    cloud.sim.clock.advance(11)
    assert cloud.topics() == [CHECKPOINTS]
    cloud.select("orders")
    cloud.sim.clock.advance(4)
    assert cloud.topics() == [CHECKPOINTS]
    cloud.sim.clock.advance(2)
    assert cloud.topics() == ["orders.us-south", CHECKPOINTS]
    assert cloud.active() == []
    cloud.sim.clock.advance(3)
    assert cloud.active() == ["orders"]
    cloud.select("payments")
    assert cloud.active() == ["orders"]
    cloud.sim.clock.advance(9)
    assert cloud.active() == ["payments"]
    cloud.select("payments", "orders")
    cloud.select("")
    cloud.sim.clock.advance(9)
    assert cloud.active() == []
    assert cloud.topics() == ["orders.us-south", "payments.us-south", CHECKPOINTS]


def test_the_future_is_the_same_in_one_step_or_in_many(start: Any) -> None:
    seen = []
    for steps in (1, 50):
        cloud = start(clock={"start": "2026-01-01T00:00:00Z", "speed": 0})
        cloud.authorize()
        cloud.mirror()
        cloud.sim.instance(cloud.target).selection = ["orders"]
        for _dummy in range(steps):
            cloud.sim.clock.advance(10 / steps)
            cloud.topics()
        seen.append((cloud.topics(), cloud.active(), cloud.get()["last_operation"]))
    assert seen[0] == seen[1]


def test_new_topics_are_picked_up_and_deleted_ones_stay(cloud: Any) -> None:
    cloud.enable()
    assert mirrored(cloud, "orders.*") == ["orders.us-south"]
    cloud.sim.create_topic("es-source-us-south", "orders-2", 4)
    cloud.wait()
    assert cloud.active() == ["orders", "orders-2"]
    assert cloud.admin("GET", "/admin/topics/orders-2.us-south").json["partitions"] == 4
    cloud.sim.delete_topic("es-source-us-south", "orders-2")
    cloud.wait()
    assert cloud.active() == ["orders"]
    assert "orders-2.us-south" in cloud.topics()


def test_partitions_follow_and_stop_at_the_limit(start: Any) -> None:
    scenario = start().sim.scenario
    scenario["instances"][1]["partition_limit"] = 6
    cloud = start(scenario)
    cloud.enable()
    assert mirrored(cloud, ".*") == ["audit.us-south", "orders.us-south"]
    cloud.admin("PATCH", "/admin/topics/orders", {"new_total_partition_count": 4}, at=cloud.source)
    assert cloud.admin("GET", "/admin/topics/orders.us-south").json["partitions"] == 4
    cloud.admin("PATCH", "/admin/topics/orders", {"new_total_partition_count": 9}, at=cloud.source)
    assert cloud.admin("GET", "/admin/topics/orders.us-south").json["partitions"] == 4
    reply = cloud.admin("POST", "/admin/topics", {"name": "local", "partition_count": 1})
    assert reply.status == 422
    limits = [
        start(name).sim.instance("es-source-us-south").most_partitions for name in ("friendly", "high_throughput")
    ]
    assert limits == [3000, 6000]


def test_a_local_topic_of_the_same_name_is_not_touched(cloud: Any) -> None:
    cloud.admin("POST", "/admin/topics", {"name": "orders", "partition_count": 1})
    cloud.enable(options={"topic_name_transform": {"type": "none"}})
    assert mirrored(cloud, "orders") == ["orders"]
    assert cloud.admin("GET", "/admin/topics/orders").json["partitions"] == 1
    assert cloud.active() == ["orders"]


def test_groups_that_read_selected_topics_come_along(cloud: Any) -> None:
    group = {"type": "rename", "rename": {"add_prefix": "dr-"}}
    cloud.enable(options={"group_id_transform": group})
    assert cloud.admin("GET", "/admin/consumergroups").json == []
    cloud.select("orders")
    assert cloud.admin("GET", "/admin/consumergroups").json == ["dr-billing"]
    assert cloud.admin("GET", "/admin/consumergroups/dr-billing").json["offsets"][0]["topic"] == "orders"


def test_disable_leaves_everything_on_the_target(cloud: Any) -> None:
    cloud.enable()
    mirrored(cloud, "orders")
    before = cloud.topics()
    cloud.disable()
    cloud.sim.create_topic(cloud.source, "orders")
    assert cloud.topics() == before
    cloud.enable()
    assert cloud.selection().json == {"includes": []}
    assert cloud.active() == []


def test_a_deleted_source_stops_mirroring(cloud: Any) -> None:
    cloud.enable()
    mirrored(cloud, "orders")
    cloud.call("DELETE", f"/v2/resource_instances/{cloud.source}")
    cloud.wait()
    assert cloud.active() == []
