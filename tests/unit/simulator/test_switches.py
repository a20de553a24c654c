# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every value of every switch shows on the wire (and the README lists them all)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import simulator
from simulator import SWITCHES, load_scenario
from simulator.switches import Switches, table

RENAME = {"type": "rename", "rename": {"add_prefix": "dr-", "remove_prefix": ""}}
ALL_RENAME = {"add_prefix": "dr-", "remove_prefix": "", "add_suffix": "", "remove_suffix": ""}
MONITOR = {
    "name": "monitoring",
    "account": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "region": "us-east",
    "guid": "33333333-aaaa-4bbb-8ccc-000000000001",
}
Observe = Callable[[Any], Any]
OBSERVERS: dict[str, Observe] = {}


def observes(name: str) -> Callable[[Observe], Observe]:
    """Register how to see a switch."""

    def register(function: Observe) -> Observe:
        OBSERVERS[name] = function
        return function

    return register


def policies(cloud: Any, version: str, query: str = "") -> Any:
    return cloud.call("GET", f"/{version}/policies?account_id={cloud.account}{query}").json


def queried(cloud: Any, text: str, monitor: str = "") -> Any:
    path = f"/api/prometheus/api/v1/query?{urlencode({'query': text})}"
    return cloud.call("GET", path, IBMInstanceID=monitor or MONITOR["guid"])


def update(cloud: Any, **parameters: Any) -> Any:
    """Enable with an authorization in place and return status and end of the operation."""
    cloud.authorize()
    status = cloud.patch(parameters).status
    cloud.wait()
    return status, cloud.get()["last_operation"]["state"]


# -- IAM


@observes("unknown_key_status")
def unknown_key_status_shows(cloud: Any) -> Any:
    return cloud.token_reply("no such key").status


@observes("token_error_shape")
def token_error_shape_shows(cloud: Any) -> Any:
    return sorted(cloud.token_reply("no such key").json)


@observes("policy_store")
def policy_store_shows(cloud: Any) -> Any:
    first = cloud.authorize("v1")
    second = cloud.authorize("v2", resource=cloud.target, subject=cloud.source)
    return first.status, second.status, [row["href"].split("/")[3] for row in policies(cloud, "v1")["policies"]]


@observes("policies_create_view")
def policies_create_view_shows(cloud: Any) -> Any:
    return sorted(cloud.authorize("v1").json)


@observes("v2_in_v1_list")
def v2_in_v1_list_shows(cloud: Any) -> Any:
    cloud.authorize("v2")
    found = policies(cloud, "v1", "&type=authorization")["policies"]
    return len(found), [row["type"] for row in policies(cloud, "v1")["policies"]]


@observes("v2_service_name_filter")
def v2_service_name_filter_shows(cloud: Any) -> Any:
    body = cloud.grant("v2")
    for attribute in body["subject"]["attributes"]:
        if attribute["key"] == "serviceName":
            attribute["value"] = "other-service"
    assert cloud.call("POST", "/v2/policies", body).status == 201
    names = ("other-service", "nothing")
    return [len(policies(cloud, "v2", f"&service_name={name}")["policies"]) for name in names]


@observes("conflict_body")
def conflict_body_shows(cloud: Any) -> Any:
    cloud.authorize()
    details = cloud.authorize().json["errors"][0]["details"]["conflicts_with"]["policy"]
    return type(details).__name__, sorted(details)


@observes("duplicate_rule")
def duplicate_rule_shows(cloud: Any) -> Any:
    return cloud.authorize(description="one").status, cloud.authorize(description="two").status


@observes("created_at")
def created_at_shows(cloud: Any) -> Any:
    return cloud.authorize().json["created_at"] is None


@observes("if_match_status")
def if_match_status_shows(cloud: Any) -> Any:
    number = cloud.authorize().json["id"]
    return cloud.call("PUT", f"/v1/policies/{number}", cloud.grant(), If_Match="1-wrong").status


@observes("delete_deleted")
def delete_deleted_shows(cloud: Any) -> Any:
    number = cloud.authorize().json["id"]
    return [cloud.call("DELETE", f"/v1/policies/{number}").status for _dummy in range(2)]


@observes("policy_page_size")
def policy_page_size_shows(cloud: Any) -> Any:
    cloud.authorize()
    cloud.authorize(subject=cloud.source, resource=cloud.target)
    return len(policies(cloud, "v1")["policies"])


# -- Resource Controller


@observes("instance_page_size")
def instance_page_size_shows(cloud: Any) -> Any:
    return cloud.call("GET", "/v2/resource_instances").json["rows_count"]


@observes("next_url_form")
def next_url_form_shows(cloud: Any) -> Any:
    pages = [cloud.call("GET", f"/v2/resource_instances?limit={limit}").json for limit in (1, 100)]
    return [str(page.get("next_url", "missing"))[:8] for page in pages]


@observes("echo")
def echo_shows(cloud: Any) -> Any:
    cloud.enable()
    document = cloud.get()
    first = "mirroring" in document["parameters"], "mirroring" in document["extensions"]
    cloud.disable()
    return first, cloud.get()["parameters"].get("mirroring")


def test_settings_may_be_shown_of_what_is_disabled(start: Any) -> None:
    cloud = start(switches={"echo": "outdated"})
    assert "mirroring" not in cloud.get()["parameters"]
    cloud.enable()
    shown = cloud.get()["parameters"]["mirroring"]
    cloud.disable()
    assert cloud.get()["parameters"]["mirroring"] == shown and shown["source_alias"] == "us-south"
    assert cloud.sim.instance(cloud.target).mirroring is None


@observes("parameters_shown")
def parameters_shown_shows(cloud: Any) -> Any:
    return sorted(cloud.get()["parameters"])


@observes("admin_url_published")
def admin_url_published_shows(cloud: Any) -> Any:
    return str(cloud.get()["extensions"].get("kafka_http_url"))[:8]


@observes("last_operation_extras")
def last_operation_extras_shows(cloud: Any) -> Any:
    return sorted(cloud.get()["last_operation"])


@observes("poll_after")
def poll_after_shows(cloud: Any) -> Any:
    cloud.authorize()
    return cloud.mirror().json["last_operation"].get("poll_after")


@observes("operation_updated_at")
def operation_updated_at_shows(cloud: Any) -> Any:
    cloud.enable()
    return cloud.get()["last_operation"]["updated_at"] is None


@observes("instance_updated_at")
def instance_updated_at_shows(cloud: Any) -> Any:
    before = cloud.get()["updated_at"]
    cloud.enable()
    return cloud.get()["updated_at"] == before


@observes("success_wording")
def success_wording_shows(cloud: Any) -> Any:
    cloud.enable()
    operation = cloud.get()["last_operation"]
    return operation["state"], operation["type"], operation["description"]


@observes("stale_operation")
def stale_operation_shows(cloud: Any) -> Any:
    before = cloud.get()["updated_at"]
    cloud.authorize()
    assert cloud.mirror().json["last_operation"]["state"] == "in progress"
    reads = [cloud.get() for _dummy in range(3)]
    return [(document["last_operation"]["state"], document["updated_at"] == before) for document in reads]


@observes("instance_error_code")
def instance_error_code_shows(cloud: Any) -> Any:
    return cloud.get("99999999-aaaa-4bbb-8ccc-000000000009")["error_code"]


@observes("delete_result")
def delete_result_shows(cloud: Any) -> Any:
    cloud.call("DELETE", f"/v2/resource_instances/{cloud.target}")
    return cloud.get()["state"]


@observes("delete_while_mirroring")
def delete_while_mirroring_shows(cloud: Any) -> Any:
    cloud.enable()
    return cloud.call("DELETE", f"/v2/resource_instances/{cloud.source}").status


@observes("patch_status")
def patch_status_shows(cloud: Any) -> Any:
    cloud.authorize()
    return cloud.mirror().status


@observes("busy_status")
def busy_status_shows(cloud: Any) -> Any:
    cloud.authorize()
    cloud.mirror()
    return cloud.patch({"mirroring": {"disable": True}}).status


@observes("busy_identical")
def busy_identical_shows(cloud: Any) -> Any:
    cloud.authorize()
    cloud.mirror()
    return cloud.mirror().status


@observes("locked_status")
def locked_status_shows(cloud: Any) -> Any:
    cloud.call("POST", f"/v2/resource_instances/{cloud.target}/lock")
    return cloud.mirror().status


@observes("refusals")
def refusals_shows(cloud: Any) -> Any:
    status = cloud.mirror().status
    cloud.wait()
    return status, cloud.get()["last_operation"]["state"]


@observes("refusal_status")
def refusal_status_shows(cloud: Any) -> Any:
    return cloud.mirror().status


@observes("parameters")
def parameters_shows(cloud: Any) -> Any:
    cloud.enable()
    return sorted(cloud.get()["parameters"])


@observes("repeat_patch")
def repeat_patch_shows(cloud: Any) -> Any:
    cloud.enable()
    reply = cloud.mirror()
    return reply.status, reply.json.get("last_operation", {}).get("state")


@observes("throughput_rule")
def throughput_rule_shows(cloud: Any) -> Any:
    for guid in (cloud.source, cloud.target):
        cloud.patch({"throughput": "300", "storage_size": "4096"}, guid)
    cloud.wait()
    cloud.authorize()
    enabled = cloud.mirror().status
    cloud.wait()
    if enabled != 200:
        assert cloud.patch({"mirroring": cloud.block(), "throughput": "300"}).status == 200
        cloud.wait()
    return enabled, cloud.patch({"mirroring": {"disable": True}}).status


@observes("scale_while_mirroring")
def scale_while_mirroring_shows(cloud: Any) -> Any:
    cloud.enable()
    return cloud.patch({"throughput": "300", "storage_size": "4096"}).status


@observes("alias_rule")
def alias_rule_shows(cloud: Any) -> Any:
    return update(cloud, mirroring=cloud.block(source_alias="with space and ö"))


@observes("equal_aliases")
def equal_aliases_shows(cloud: Any) -> Any:
    return update(cloud, mirroring=cloud.block(source_alias="us-east"))


@observes("rename_members")
def rename_members_shows(cloud: Any) -> Any:
    seen = []
    for rename in ({"add_prefix": "dr-"}, ALL_RENAME):
        options = {"topic_name_transform": {"type": "rename", "rename": rename}}
        seen.append(update(cloud, mirroring=cloud.block(options=options)))
        if seen[-1][0] == 200:
            cloud.disable()
    return seen


@observes("both_transforms")
def both_transforms_shows(cloud: Any) -> Any:
    return update(cloud, mirroring=cloud.block(options={"topic_name_transform": {"type": "none"}}))


@observes("group_id_use_alias")
def group_id_use_alias_shows(cloud: Any) -> Any:
    return update(cloud, mirroring=cloud.block(options={"group_id_transform": {"type": "use_alias"}}))


@observes("null_members")
def null_members_shows(cloud: Any) -> Any:
    return update(cloud, mirroring=cloud.block(options=None))


# -- admin REST API


@observes("mirroring_paths_during_operation")
def mirroring_paths_during_operation_shows(cloud: Any) -> Any:
    cloud.enable()
    cloud.patch({"mirroring": {"disable": True}})
    return cloud.selection().status


@observes("enabling_visibility")
def enabling_visibility_shows(cloud: Any) -> Any:
    cloud.authorize()
    cloud.mirror()
    cloud.sim.clock.advance(0.7)
    assert cloud.get()["last_operation"]["state"] == "succeeded"
    first = cloud.selection().status
    cloud.wait()
    return first, cloud.selection().status


@observes("not_enabled_body")
def not_enabled_body_shows(cloud: Any) -> Any:
    reply = cloud.selection()
    assert reply.status == 404
    return reply.raw[:2]


@observes("empty_selection")
def empty_selection_shows(cloud: Any) -> Any:
    cloud.enable()
    return json.dumps(cloud.selection().json)


@observes("selection_survives_disable")
def selection_survives_disable_shows(cloud: Any) -> Any:
    cloud.enable()
    cloud.select("orders")
    cloud.disable()
    cloud.enable()
    return cloud.selection().json["includes"]


@observes("pattern_match")
def pattern_match_shows(cloud: Any) -> Any:
    cloud.enable()
    cloud.select("rder")
    cloud.wait()
    return cloud.active()


@observes("pattern_comma")
def pattern_comma_shows(cloud: Any) -> Any:
    cloud.enable()
    cloud.select("orders,payments")
    cloud.wait()
    return cloud.active()


@observes("invalid_pattern")
def invalid_pattern_shows(cloud: Any) -> Any:
    cloud.enable()
    return cloud.select("(").status


@observes("active_topics_names")
def active_topics_names_shows(cloud: Any) -> Any:
    cloud.enable()
    cloud.select("orders")
    cloud.wait()
    return cloud.active()


@observes("internal_topics")
def internal_topics_shows(cloud: Any) -> Any:
    cloud.enable()
    return cloud.topics()


@observes("authorization_removed")
def authorization_removed_shows(cloud: Any) -> Any:
    cloud.enable()
    cloud.select("orders")
    cloud.wait()
    assert cloud.active() == ["orders"]
    number = policies(cloud, "v1")["policies"][0]["id"]
    cloud.call("DELETE", f"/v1/policies/{number}")
    cloud.wait()
    return cloud.active()


@observes("topic_page_limit")
def topic_page_limit_shows(cloud: Any) -> Any:
    return len(cloud.topics(cloud.source))


@observes("delete_unknown_topic")
def delete_unknown_topic_shows(cloud: Any) -> Any:
    return cloud.admin("DELETE", "/admin/topics/nothing").status


@observes("topic_delete")
def topic_delete_shows(cloud: Any) -> Any:
    assert cloud.admin("DELETE", "/admin/topics/orders", at=cloud.source).status == 202
    first = cloud.topics(cloud.source)
    cloud.wait()
    return "orders" in first, "orders" in cloud.topics(cloud.source)


# -- monitoring


@observes("default_receiver_shown")
def default_receiver_shown_shows(cloud: Any) -> Any:
    return cloud.get(MONITOR["guid"])["parameters"]


@observes("monitoring_refusal")
def monitoring_refusal_shows(cloud: Any) -> Any:
    return queried(cloud, "ibm_eventstreams_instance_topics", cloud.target).status


@observes("metric_names")
def metric_names_shows(cloud: Any) -> Any:
    cloud.enable()
    found = queried(cloud, '{__name__=~".*mirroring.*"}').json["data"]["result"]
    return [one["metric"]["__name__"] for one in found]


@observes("latency_topic_names")
def latency_topic_names_shows(cloud: Any) -> Any:
    cloud.enable()
    cloud.select("orders")
    cloud.wait()
    (one,) = queried(cloud, "ibm_eventstreams_instance_mirroring_latency_seconds").json["data"]["result"]
    return one["metric"]["ibm_eventstreams_topic"]


# -- all


@observes("error_bodies")
def error_bodies_shows(cloud: Any) -> Any:
    reply = cloud.call("GET", "/v1/policies/nothing")
    assert reply.status == 404
    return len(reply.raw), reply.headers["Content-Type"]


@observes("search_fields")
def search_fields_shows(cloud: Any) -> Any:
    queries = ("service_name:messagehub", "family:resource_controller")
    return [len(cloud.call("POST", "/v3/resources/search", {"query": query}).json["items"]) for query in queries]


@observes("rate_limit")
def rate_limit_shows(cloud: Any) -> Any:
    replies = [cloud.call("GET", "/v2/resource_instances") for _dummy in range(6)]
    return [(reply.status, reply.headers.get("Retry-After")) for reply in replies]


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_each_value_shows_on_the_wire(switch: Any, start: Any) -> None:
    seen = {}
    for value in switch.values:
        cloud = start(switches={switch.name: value}, monitoring=[MONITOR])
        seen[value] = repr(OBSERVERS[switch.name](cloud))
        assert cloud.sim.violations() == []
    assert len(set(seen.values())) == len(switch.values), seen


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_the_table_is_sound(switch: Any) -> None:
    assert {switch.friendly, switch.nasty} <= set(switch.values)
    assert switch.friendly != switch.nasty
    assert re.fullmatch(r"\d+\.\d+", switch.api_section)


def test_a_switch_can_be_set_while_running(cloud: Any) -> None:
    cloud.sim.set_switch("instance_page_size", 1)
    assert OBSERVERS["instance_page_size"](cloud) == 1
    assert cloud.sim.switches["instance_page_size"] == "1"
    cloud.sim.set_switch("next_url_form", None)
    with pytest.raises(ValueError, match="unknown switch"):
        cloud.sim.set_switch("nothing", "1")
    with pytest.raises(ValueError, match="cannot be"):
        cloud.sim.set_switch("echo", "sometimes")


def test_the_rate_limit_hits_every_third_request_and_processes_nothing(start: Any) -> None:
    cloud = start(switches={"rate_limit": "429_retry_after_1"})
    cloud.token()
    assert [cloud.authorize(description=str(number)).status for number in range(5)] == [201, 429, 409, 409, 429]
    assert [entry["processed"] for entry in cloud.sim.writes()] == [True, False, False, False, False]
    assert len(cloud.sim.snapshot()["policies"]) == 1


def test_the_nasty_scenario_has_every_nasty_value(start: Any) -> None:
    assert start("nasty").sim.switches == {switch.name: switch.nasty for switch in SWITCHES}
    assert Switches().as_dict() == {switch.name: switch.friendly for switch in SWITCHES}
    assert start(load_scenario("friendly")).sim.switches == Switches().as_dict()


def test_the_print_out_names_everything() -> None:
    text = table()
    for switch in SWITCHES:
        assert switch.name in text and switch.meaning in text and f"API §{switch.api_section}" in text


def test_the_readme_has_the_same_table() -> None:
    text = (Path(simulator.__file__).parent / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| `(\S+)` \| `(\S+)` \| (§\S+) \| (.*) \|$", text, re.M)
    expected = [
        (s.name, ", ".join(f"`{value}`" for value in s.values), s.friendly, s.nasty, f"§{s.api_section}", s.meaning)
        for s in SWITCHES
    ]
    assert [row for row in rows if row[0] in Switches().as_dict()] == expected
