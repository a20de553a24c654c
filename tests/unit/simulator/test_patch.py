# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""PATCH with parameters: what is refused, and how an operation runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

ALIASES = {"source_alias": "us-south", "target_alias": "us-east"}


def refusal(reply: Any) -> str:
    """Return the broker's words out of its wrapping (API §3.8)."""
    body = reply.json
    assert (reply.status, body["error_code"], body["status_code"]) == (422, "RC-ServiceBrokerErrorResponse", 422)
    details = json.loads(body["details"])
    assert details["description"] in body["message"]
    return str(details["description"])


def test_an_operation_runs_and_succeeds(cloud: Any) -> None:
    cloud.authorize()
    before = cloud.get()
    cloud.sim.clock.advance(1)
    started = cloud.mirror().json
    assert (started["state"], started["last_operation"]["state"]) == ("active", "in progress")
    assert started["last_operation"]["type"] == "update"
    assert started["updated_at"] > before["updated_at"]
    cloud.sim.clock.advance(0.5)
    assert cloud.get()["last_operation"]["state"] == "in progress"
    assert cloud.selection().status == 404
    cloud.sim.clock.advance(0.2)
    after = cloud.get()
    assert (after["state"], after["last_operation"]["state"]) == ("active", "succeeded")
    assert after["updated_at"] > started["updated_at"]
    assert after["parameters"]["mirroring"] == cloud.block()
    assert cloud.selection().json == {"includes": []}


def test_disable(cloud: Any) -> None:
    cloud.enable()
    reply = cloud.patch({"mirroring": {"disable": True}})
    assert reply.json["parameters"]["mirroring"] == {"disable": True}
    assert cloud.selection().status == 200
    cloud.wait()
    assert cloud.selection().status == 404
    assert "mirroring" not in cloud.get()["parameters"]


@pytest.mark.parametrize(
    ("parameters", "words", "is_violation"),
    [
        ({"mirroring": {"disable": "true"}}, "must be true or false", True),
        ({"mirroring": {"disable": False}}, "disable must be true", True),
        ({"mirroring": {"disable": True, **ALIASES}}, "only member", True),
        ({"mirroring": {"disable": True}}, "not enabled", False),
        ({"mirroring": {"source_crn": "crn", **ALIASES}}, "ten segments", False),
        ({"mirroring": {"source_crn": "<no colons>", **ALIASES}}, "ten segments", False),
        ({"mirroring": {"source_crn": "<other service>", **ALIASES}}, "not an Event Streams instance", False),
        ({"mirroring": {"source_crn": "<other region>", **ALIASES}}, "not found", False),
        ({"mirroring": {"source_crn": "<target>", **ALIASES}}, "same instance", False),
        ({"mirroring": {"source_crn": "<source>", "source_alias": "a"}}, "lacks target_alias", True),
        ({"mirroring": ALIASES}, "lacks source_crn", True),
        ({"mirroring": {"source_crn": "<source>", "source_alias": "", "target_alias": "b"}}, "empty", False),
        ({"mirroring": {"source_crn": "<source>", **ALIASES, "schemas": "maybe"}}, "schemas", False),
        ({"mirroring": {"source_crn": "<source>", **ALIASES, "mode": "x"}}, "unknown member 'mode'", True),
        ({"mirroring": {"source_crn": "<source>", **ALIASES, "options": {"topic": {}}}}, "unknown member", True),
        ({"mirroring": {"source_crn": 5, **ALIASES}}, "must be a string", True),
        ({"throughput": 150}, "must be a string", True),
        ({"speed": "150"}, "unknown member 'speed'", True),
        ({"service-endpoints": "secret"}, "must be one of", True),
    ],
)
def test_refusals(cloud: Any, parameters: dict[str, Any], words: str, is_violation: bool) -> None:
    crn = cloud.crn()
    texts = {
        "<source>": crn,
        "<target>": cloud.crn(cloud.target),
        "<no colons>": crn.removesuffix("::"),
        "<other service>": crn.replace("messagehub", "kms"),
        "<other region>": crn.replace("us-south", "eu-de"),
    }
    cloud.authorize()
    data = json.dumps(parameters)
    for name, text in texts.items():
        data = data.replace(name, text)
    reply = cloud.patch(json.loads(data))
    assert words in refusal(reply)
    assert len(cloud.sim.violations()) == int(is_violation)
    assert cloud.sim.journal[-1]["processed"] is False
    assert cloud.get()["last_operation"]["type"] == "create"


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        ({"type": "upper"}, "type must be one of"),
        ({"type": "rename"}, "needs rename"),
        ({"type": "rename", "rename": {}}, "needs rename"),
        ({"type": "rename", "rename": {"prefix": "x"}}, "unknown member 'prefix'"),
        ({}, "lacks 'type'"),
    ],
)
@pytest.mark.parametrize("which", ["topic_name_transform", "group_id_transform"])
def test_bad_transforms(cloud: Any, which: str, transform: Any, words: str) -> None:
    cloud.authorize()
    assert words in refusal(cloud.mirror(options={which: transform}))


def test_plans_and_capacity(start: Any) -> None:
    cloud = start("unsupported_plans")
    for name in ("es-standard", "es-gen2"):
        guid = cloud.sim.instance(name).guid
        assert "Enterprise plan on the target" in refusal(cloud.patch({"mirroring": cloud.block()}, guid))
        block = cloud.block(source_crn=cloud.crn(guid))
        assert "Enterprise plan on the source" in refusal(cloud.patch({"mirroring": block}, cloud.source))
    cloud = start("mismatch")
    cloud.authorize()
    assert "same throughput and storage" in refusal(cloud.mirror())
    both = {"throughput": "300", "storage_size": "4096", "mirroring": cloud.block()}
    assert cloud.patch(both).status == 200


def test_throughput_above_150_must_come_along(start: Any) -> None:
    cloud = start("high_throughput")
    cloud.authorize()
    assert "throughput must be given" in refusal(cloud.mirror())
    assert cloud.patch({"mirroring": cloud.block(), "throughput": "300"}).status == 200
    cloud.wait()
    assert "throughput must be given" in refusal(cloud.patch({"mirroring": {"disable": True}}))


@pytest.mark.parametrize(
    ("parameters", "fine"),
    [
        ({"throughput": "300", "storage_size": "4096"}, True),
        ({"storage_size": "12288"}, True),
        ({"throughput": "150", "storage_size": "2048"}, True),
        ({"throughput": "300"}, False),
        ({"throughput": "200", "storage_size": "4096"}, False),
        ({"storage_size": "2049"}, False),
        ({"throughput": "75"}, False),
    ],
)
def test_scaling(cloud: Any, parameters: dict[str, str], fine: bool) -> None:
    assert cloud.patch(parameters).status == (200 if fine else 422)
    cloud.wait()
    shown = cloud.get()["parameters"]
    wanted = {"throughput": "150", "storage_size": "2048", **(parameters if fine else {})}
    assert {name: shown[name] for name in wanted} == wanted


def test_scaling_down_is_refused(start: Any) -> None:
    cloud = start("high_throughput")
    assert "scaling down" in refusal(cloud.patch({"throughput": "150"}))
    assert cloud.patch({"throughput": "450", "storage_size": "6144"}).status == 200


def test_enabled_busy_and_opposite(cloud: Any) -> None:
    cloud.authorize()
    cloud.mirror()
    assert "in progress" in refusal(cloud.patch({"metrics": ["topic"]}))
    cloud.wait()
    assert "other values" in refusal(cloud.mirror(source_alias="another"))
    same = cloud.mirror(schemas="inactive", options={"topic_name_transform": {"type": "use_alias"}})
    assert same.status == 200
    cloud.wait()
    assert cloud.get()["parameters"]["mirroring"] == cloud.block()
    cloud.authorize(subject=cloud.source, resource=cloud.target)
    back = {"source_crn": cloud.crn(cloud.target), **ALIASES}
    assert "already mirrored" in refusal(cloud.patch({"mirroring": back}, cloud.source))


def test_a_late_refusal_is_a_failed_operation(start: Any) -> None:
    cloud = start(switches={"refusals": "late"})
    assert cloud.mirror().status == 200
    cloud.wait()
    operation = cloud.get()["last_operation"]
    assert operation["state"] == "failed"
    assert operation["description"] == "the target is not authorized to read the source"
    assert "mirroring" not in cloud.get()["parameters"]
    assert cloud.selection().status == 404


def test_a_stale_document_is_the_whole_old_one(start: Any) -> None:
    cloud = start(switches={"stale_operation": "succeeded"}, timing={"stale_reads": 1, "stale_seconds": 5})
    cloud.authorize()
    before = cloud.get()
    cloud.sim.clock.advance(1)
    cloud.mirror()
    shown = cloud.get()
    assert shown["last_operation"]["state"] == "succeeded"
    assert {**shown, "last_operation": 0} == {**before, "last_operation": 0}
    cloud.sim.clock.advance(4)
    assert cloud.get()["updated_at"] == before["updated_at"]
    cloud.sim.clock.advance(2)
    assert cloud.get()["parameters"]["mirroring"] == cloud.block()


def test_mirroring_that_somebody_enabled_before(start: Any) -> None:
    scenario = start().sim.scenario
    mirroring = {"source": "es-source-us-south", "source_alias": "a", "target_alias": "b", "schemas": "proxied"}
    scenario["instances"][1].update(mirroring=mirroring, selection=["orders"])
    scenario["policies"] = [{"subject": "es-target-us-east", "resource": "es-source-us-south", "version": "v2"}]
    cloud = start(scenario)
    assert cloud.topics() == ["a.checkpoints.internal", "orders.a"]
    assert cloud.active() == ["orders"]
    assert cloud.get()["parameters"]["mirroring"]["schemas"] == "proxied"
