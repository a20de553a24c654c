# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a cloud to a snapshot, to a scenario, to a cloud again: what can be seen is the same."""

from __future__ import annotations

import copy
import json
import string
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import MirrorOpsError
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.snapshot import (
    fleet_snapshot,
    pair_snapshot,
)
from ansible_collections.mirrorops.event_streams.plugins.modules import (
    authorization_policy_info,
    instance_info,
    metrics_info,
    mirroring_info,
    topics_info,
)
from ansible_collections.mirrorops.event_streams.tests.faults.stage import (
    ACCOUNT,
    AUTHORIZED,
    ENABLED,
    SOURCE,
    SOURCE_GUID,
    TARGET,
    TARGET_GUID,
    Stage,
    authorization,
    scenario,
)
from simulator import Simulator, scenario_of

OTHER_ACCOUNT = "b2c3d4e5f60718293a4b5c6d7e8f90a1"
GUIDS = {"source": SOURCE_GUID, "target": TARGET_GUID}
PASSING = ("admin_url", "updated_at", "private_addresses")
MONITORING = [
    {"name": f"monitoring-{region}", "account": ACCOUNT, "region": region} for region in ("us-south", "us-east")
]


def read(simulator: Simulator, declared: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the role snapshot reads of the pair, side by side; a module that fails is not the end of it."""
    stage = Stage(simulator)
    keys = {account.id: account.keys[0].key for account in simulator.state.accounts}

    def ask(module: Any, side: str, **options: Any) -> dict[str, Any]:
        key = keys[simulator.instance(GUIDS[side]).account]
        try:
            return stage.run(module, ibmcloud_api_key=key, source_api_key=key, retry_timeout=0, **options)
        except MirrorOpsError as error:
            return {"failure": error.failure()}

    found: dict[str, Any] = {"declared": declared or {}}
    for side, guid in GUIDS.items():
        (found[side],) = ask(instance_info, side, instance=guid)["instances"]
        found[f"{side}_mirroring"] = ask(mirroring_info, side, target=guid)
        found[f"{side}_topics"] = ask(topics_info, side, instance=guid)
        found[f"{side}_metrics"] = ask(metrics_info, side, instance=guid)
    for side, other in (("source", "target"), ("target", "source")):
        grant = authorization(found[side], found[other])
        found[f"{side}_policies"] = ask(authorization_policy_info, side, **grant)
    return found


def snapshot(simulator: Simulator, declared: dict[str, Any] | None = None) -> dict[str, Any]:
    """The snapshot of the pair, as it comes out of its file."""
    document: dict[str, Any] = json.loads(json.dumps(pair_snapshot(read(simulator, declared), "pair")))
    return document


def lasting(document: dict[str, Any]) -> dict[str, Any]:
    """What of a snapshot is the same in a copy of the cloud: not where it is, and not when something was."""
    kept = copy.deepcopy(document)
    del kept["taken_at"]
    for instance in kept["instances"]:
        for name in PASSING:
            del instance[name]
        del instance["last_operation"]["updated_at"]
    for metrics in kept["metrics"]:
        del metrics["at"]
        rates = [(topic, way, rate) for topic, ways in metrics["traffic"].items() for way, rate in ways.items()]
        metrics["traffic"] = sorted((topic, way, round(rate, 3)) for topic, way, rate in rates)
        if metrics["mirroring_throughput"] is not None:
            metrics["mirroring_throughput"] = round(metrics["mirroring_throughput"], 3)
    return kept


names = st.text(string.ascii_lowercase + "._-", min_size=1, max_size=8).filter(lambda text: text[0].isalpha())
topics = st.lists(
    st.builds(
        lambda name, partitions, traffic: {"name": name, "partitions": partitions, "traffic": traffic},
        names,
        st.integers(1, 9),
        st.sampled_from([0.0, 0.5, 7.25]),
    ),
    max_size=6,
    unique_by=lambda topic: topic["name"],
)
renames = st.dictionaries(
    st.sampled_from(["add_prefix", "remove_prefix", "add_suffix", "remove_suffix"]), names, min_size=1, max_size=3
)
transforms = st.one_of(
    st.sampled_from([{"type": "use_alias"}, {"type": "none"}]),
    renames.map(lambda parts: {"type": "rename", "rename": parts}),
)
group_transforms = st.one_of(st.just({"type": "none"}), renames.map(lambda parts: {"type": "rename", "rename": parts}))


@st.composite
def clouds(draw: st.DrawFn) -> dict[str, Any]:
    """Scenarios with the pair of the tests, mirrored either way, or not."""
    chosen = scenario(monitoring=draw(st.sampled_from([[], MONITORING])))
    source, target = chosen["instances"]
    size = draw(st.sampled_from([("150", "2048"), ("300", "4096")]))
    for instance in (source, target):
        instance.pop("consumer_groups", None)
        instance |= {"throughput": size[0], "storage_size": size[1], "topics": draw(topics)}
        instance |= {"locked": draw(st.booleans()), "name": draw(names)}
        instance["service_endpoints"] = draw(st.sampled_from(["public", "private", "public-and-private"]))
    source["name"] = f"{source['name']}-s"
    if draw(st.booleans()):
        chosen["accounts"].append({"id": OTHER_ACCOUNT, "api_keys": [{"key": "another-key"}]})
        target["account"] = OTHER_ACCOUNT
        chosen["monitoring"] = []
    if draw(st.booleans()):
        target["last_operation"] = {"type": "update", "state": "failed", "description": "Something broke."}
    ways = [(target, source), (source, target)]
    chosen["policies"] = [
        {"subject": one["guid"], "resource": other["guid"], "version": draw(st.sampled_from(["v1", "v2"]))}
        for one, other in ways
        if draw(st.booleans())
    ]
    chosen["switches"] = {
        "echo": draw(st.sampled_from(["full", "none"])),
        "parameters_shown": draw(st.sampled_from(["all", "all", "none"])),
    }
    mirrored = draw(st.sampled_from([None, *ways]))
    if mirrored:
        taker, giver = mirrored
        taker["mirroring"] = {
            "source": giver["guid"],
            "source_alias": draw(names),
            "target_alias": draw(names),
            "options": {
                "topic_name_transform": draw(transforms),
                "group_id_transform": draw(group_transforms),
            },
        }
        if draw(st.booleans()):
            taker["mirroring"]["schemas"] = draw(st.sampled_from(["proxied", "read-only", "inactive"]))
        taker["selection"] = draw(st.lists(names.map("^{}.*".format), max_size=3))
    return chosen


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(cloud=clouds())
def test_a_copy_of_a_cloud_looks_like_it(cloud: dict[str, Any]) -> None:
    with Simulator(cloud) as simulator:
        first = snapshot(simulator)
        assert simulator.writes() == []
    rehearsal = scenario_of(first)
    with Simulator(rehearsal.scenario) as simulator:
        second = snapshot(simulator)
    expected, found = lasting(first), lasting(second)
    unknown = [(one["instance"], one["what"]) for one in expected.pop("unknown")]
    assert {(one["instance"], one["what"]) for one in found.pop("unknown")} <= set(unknown)
    assert len(rehearsal.assumed) >= len(set(unknown))
    mirrored = any(one["enabled"] for one in first["mirroring"])
    if mirrored and (cloud["switches"]["echo"] == "none" or any(what == "policies" for _guid, what in unknown)):
        # Settings and authorizations that nobody saw are assumed, so what follows from them is as the assumption says.
        for one in (expected, found):
            del one["metrics"], one["topics"], one["mirroring"], one["policies"]
    assert found == expected


def test_what_is_mirrored_goes_on_being_mirrored() -> None:
    series = [
        {
            "instance": TARGET,
            "topic": "orders",
            "metric": "ibm_eventstreams_instance_mirroring_latency_seconds",
            "points": [[90000, 12.5]],
        }
    ]
    cloud = scenario(policies=AUTHORIZED, target=ENABLED, monitoring=MONITORING, series=series)
    with Simulator(cloud) as simulator:
        before = snapshot(simulator)
    rehearsal = scenario_of(before)
    with Simulator(rehearsal.scenario) as simulator:
        target = simulator.instance(TARGET)
        assert target.mirroring is not None
        assert str(target.mirroring.source) == str(simulator.instance(SOURCE).crn)
        assert {topic.remote_of for topic in target.live_topics()} == {None, "orders", "payments"}
        assert simulator.snapshot()["instances"][TARGET_GUID]["active_topics"] == ["orders", "payments"]
        assert lasting(snapshot(simulator)) == lasting(before)
        simulator.clock.advance(60)
        assert snapshot(simulator)["metrics"][1]["latency"]["orders"] == 0
    assert rehearsal.assumed == []


def test_what_applications_write_to_a_copy_that_nothing_feeds_is_kept() -> None:
    """After a failover of topics that keep their names."""
    options = {"topic_name_transform": {"type": "none"}, "group_id_transform": {"type": "none"}}
    target = {
        "mirroring": {**ENABLED["mirroring"], "options": options},
        "selection": [],
        "topics": [{"name": "orders", "partitions": 6, "traffic": 0.5}],
    }
    with Simulator(scenario(policies=AUTHORIZED, target=target, monitoring=MONITORING)) as simulator:
        before = snapshot(simulator)
    assert before["metrics"][1]["traffic"]["orders"]["bytes_in"] == 500000
    with Simulator(scenario_of(before).scenario) as simulator:
        assert simulator.instance(TARGET).topics["orders"].remote_of == "orders"
        assert lasting(snapshot(simulator))["metrics"] == lasting(before)["metrics"]


def told(rehearsal: Any, *words: str) -> str:
    """The one line about something that was assumed."""
    (line,) = [one for one in rehearsal.assumed if all(word in one for word in words)]
    return line


def test_settings_that_the_cloud_does_not_show_are_those_of_the_variables() -> None:
    rename = {"type": "rename", "rename": {"add_prefix": "dr."}}
    mirroring = {**ENABLED["mirroring"], "source_alias": "a", "target_alias": "b"}
    mirroring["options"] = {"topic_name_transform": rename, "group_id_transform": {"type": "none"}}
    cloud = scenario("no_echo", policies=AUTHORIZED, target={**ENABLED, "mirroring": mirroring})
    declared = {"source_alias": "a", "target_alias": "b", "topic_name_transform": rename}
    with Simulator(cloud) as simulator:
        first = snapshot(simulator, declared)
    rehearsal = scenario_of(first)
    assert "as the variables say" in told(rehearsal, TARGET, "topic_name_transform")
    assert "by default" in told(rehearsal, TARGET, "schemas")
    with Simulator(rehearsal.scenario) as simulator:
        assert lasting(snapshot(simulator, declared)) == lasting(first)
        target = simulator.instance(TARGET)
        assert target.mirroring is not None
        assert (target.mirroring.source_alias, target.mirroring.target_alias) == ("a", "b")
        assert {topic.name for topic in target.live_topics() if topic.remote_of} == {"dr.orders", "dr.payments"}
    assert rehearsal.scenario["switches"]["echo"] == "none"


def test_aliases_of_a_turned_pair_are_the_other_way_round() -> None:
    turned = {"mirroring": {"source": TARGET_GUID, "source_alias": "b", "target_alias": "a"}, "selection": [".*"]}
    cloud = scenario("no_echo", policies=[{"subject": SOURCE, "resource": TARGET}])
    cloud["instances"][0] |= turned
    with Simulator(cloud) as simulator:
        rehearsal = scenario_of(snapshot(simulator, {"source_alias": "a", "target_alias": "b"}))
    found = rehearsal.scenario["instances"][0]["mirroring"]
    assert found == {**turned["mirroring"], "options": {}}
    assert "as its source" in told(rehearsal, SOURCE, "source_crn")


def test_what_cannot_be_read_is_assumed_and_told() -> None:
    cloud = scenario(policies=AUTHORIZED, target=ENABLED, switches={"parameters_shown": "none"})
    cloud["accounts"][0]["api_keys"][0]["rights"] = {"policies": "none", "instances": "view", "cluster": "none"}
    with Simulator(cloud) as simulator:
        first = snapshot(simulator, {"topics": ["^orders$"], "throughput": "300"})
    unknown = {(one["name"], one["what"]) for one in first["unknown"]}
    assert {(TARGET, what) for what in ("topics", "selection", "policies", "throughput", "metrics")} <= unknown
    assert first["topics"] == {}
    rehearsal = scenario_of(first)
    source, target = rehearsal.scenario["instances"]
    assert (source["topics"], source["throughput"], target["throughput"]) == ([], "150", "300")
    assert target["selection"] == ["^orders$"]
    assert rehearsal.scenario["policies"] == [{"subject": TARGET_GUID, "resource": SOURCE_GUID}]
    assert rehearsal.scenario["monitoring"] == []
    assert "HTTP 403" in told(rehearsal, SOURCE, "topics")
    assert TARGET in told(rehearsal, f"{SOURCE}: policies")
    assert told(rehearsal, f"{TARGET}: policies").endswith("has none.")
    assert len(rehearsal.assumed) == len(set(rehearsal.assumed))
    with Simulator(rehearsal.scenario) as simulator:
        assert snapshot(simulator)["mirroring"][1]["topics"] == ["^orders$"]


@pytest.mark.parametrize(
    ("changes", "words", "place", "expected"),
    [
        ({"state": "melting"}, "melting", "state", "active"),
        ({"resource_plan_id": "", "plan": "standard"}, "plan", "plan", "ibm.message.hub.standard.v2"),
        ({"last_operation": {"type": "update", "state": "in progress", "description": "x"}}, "operation",
         "last_operation", {"type": "update", "state": "in progress", "description": "x", "seconds_left": 5.0}),
        ({"last_operation": {"type": "", "state": "", "description": ""}}, None, "last_operation", None),
        ({"last_operation": {"type": "sync", "state": "sync_succeeded", "description": ""}}, None,
         "last_operation", {"type": "sync", "state": "succeeded", "description": ""}),
        ({"admin_url": None}, "admin_url", "name", TARGET),
    ],
)  # fmt: skip
def test_odd_instances(changes: dict[str, Any], words: str | None, place: str, expected: Any) -> None:
    with Simulator(scenario(policies=AUTHORIZED, target=ENABLED, monitoring=MONITORING)) as simulator:
        first = snapshot(simulator)
    first["instances"][1] |= changes
    rehearsal = scenario_of(first)
    assert rehearsal.scenario["instances"][1][place] == expected
    assert [words in line for line in rehearsal.assumed if words] == ([True] if words else [])
    with Simulator(rehearsal.scenario):
        pass


def test_a_target_of_somebody_else() -> None:
    crn = f"crn:v1:bluemix:public:messagehub:eu-de:a/{OTHER_ACCOUNT}:99999999-aaaa-4bbb-8ccc-000000000009::"
    with Simulator(scenario(policies=AUTHORIZED, target=ENABLED, monitoring=MONITORING)) as simulator:
        first = snapshot(simulator)
    first["mirroring"][1]["source_crn"] = crn
    rehearsal = scenario_of(first)
    assert "of no pair" in told(rehearsal, TARGET)
    with Simulator(rehearsal.scenario) as simulator:
        assert snapshot(simulator)["mirroring"][1]["source_crn"] == crn


def test_several_pairs_in_one() -> None:
    with Simulator(scenario(policies=AUTHORIZED, target=ENABLED)) as simulator:
        found = read(simulator)
    host = {"snapshot_result": {"read": found}}
    document = fleet_snapshot(["a", "b", "c"], {"a": host, "b": host, "c": {}})
    assert [pair["name"] for pair in document["pairs"]] == ["a", "b"]
    assert [one["guid"] for one in document["instances"]] == [SOURCE_GUID, TARGET_GUID]
    assert len(document["policies"]) == 1
    assert [(one["pair"], one["what"]) for one in document["unknown"] if one["what"] == "pair"] == [("c", "pair")]
    rehearsal = scenario_of(document)
    assert rehearsal.assumed[0].startswith("c: this pair is not in the snapshot")
    with Simulator(rehearsal.scenario) as simulator:
        assert lasting(snapshot(simulator))["topics"] == document["topics"]
