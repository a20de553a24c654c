# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import (
    NO_OPERATION,
    Instance,
    Operation,
    parse_instance,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    ENTERPRISE,
    GROUP,
    TARGET,
    crn,
    document,
    instance,
)


def test_a_whole_document() -> None:
    assert instance() == Instance(
        crn=crn(TARGET, "us-east"),
        guid=TARGET,
        name="es-target",
        region="us-east",
        account_id=ACCOUNT,
        resource_group_id=GROUP,
        plan_id=ENTERPRISE,
        plan="enterprise",
        state="active",
        locked=False,
        throughput=150,
        storage=2048,
        admin_url="https://mh-22222222.us-east.containers.appdomain.cloud",
        operation=Operation("create", "succeeded", "", None),
        updated_at="2025-08-28T19:41:53.419092609Z",
        parameters={"service-endpoints": "public", "throughput": "150", "storage_size": "2048"},
        echo=None,
        addresses=("166.9.14.10",),
        endpoints="public",
    )


def test_what_is_missing_comes_out_of_the_crn_or_is_not_known() -> None:
    bare = parse_instance({"id": crn(TARGET, "us-east")})
    assert bare is not None
    assert (bare.guid, bare.name, bare.region, bare.account_id) == (TARGET, TARGET, "us-east", ACCOUNT)
    assert (bare.throughput, bare.storage, bare.admin_url, bare.updated_at, bare.echo) == (None,) * 5
    assert (bare.plan, bare.state, bare.locked, bare.addresses) == ("unknown", "unknown", False, ())
    assert bare.operation == NO_OPERATION
    assert bare.label == f"{TARGET} ({TARGET})"


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": None},
        {"parameters": []},
        {"extensions": "x"},
        {"extensions": {"virtual_private_endpoints": []}},
        {"extensions": {"virtual_private_endpoints": {"endpoints": {}}}},
        {"extensions": {"virtual_private_endpoints": {"endpoints": [None, {}, {"ip_address": None}]}}},
        {"extensions": {"virtual_private_endpoints": {"endpoints": [{"ip_address": {"x": 1}}, {"ip_address": 5}]}}},
        {"last_operation": None},
        {"last_operation": "x"},
        {"last_operation": {"state": None, "type": 5}},
        {"name": None, "locked": "true", "updated_at": 5},
        {"name": "x" * 10**6, "updated_at": "x" * 10**6},
    ],
)
def test_odd_members_are_not_known(changes: dict[str, t.Any]) -> None:
    seen = instance(**changes)
    assert seen.guid == TARGET
    for member in changes:
        assert {
            "parameters": seen.throughput is None,
            "extensions": seen.admin_url is None and seen.addresses == (),
            "last_operation": seen.operation == NO_OPERATION,
            "name": seen.name == TARGET,
            "locked": seen.locked is False,
            "updated_at": seen.updated_at is None,
        }[member]


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"crn": "x"}, {"crn": 5}, {"id": "a:b:c:d:e:f:g:h"}, {"crn": "crn:v1:a:b:c:d:e:"}]
)
def test_what_is_no_instance(body: t.Any) -> None:
    assert parse_instance(body) is None


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("in progress", "running"),
        ("In Progress", "running"),
        ("in_progress", "running"),
        (" in  progress ", "running"),
        ("succeeded", "succeeded"),
        ("Succeeded ", "succeeded"),
        ("update succeeded", "succeeded"),
        ("sync succeeded", "succeeded"),
        ("sync_succeeded", "succeeded"),
        ("failed", "failed"),
        ("Update Failed", "failed"),
        ("succeeded with errors", "unknown"),
        ("failed to read", "unknown"),
        ("pending", "unknown"),
        ("", "none"),
        ("   ", "none"),
    ],
)
def test_what_a_state_means(state: str, phase: str) -> None:
    assert Operation("update", state, "", None).phase == phase


def test_a_long_description_is_cut() -> None:
    seen = instance(last_operation={"type": "update", "state": "failed", "description": "no " * 10**6})
    assert seen.operation.phase == "failed"
    assert seen.operation.description == ("no " * 1000)[:2000]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("150", 150),
        (300, 300),
        (" 450 ", 450),
        ("0", None),
        ("-1", None),
        (0, None),
        ("", None),
        (None, None),
        ("fast", None),
        ("150.0", None),
        (True, None),
        ([150], None),
        ("9" * 5000, None),
        ("9" * 4000, None),
        (10**4000, None),
        ("1_50", None),
        ("\uff11\uff15\uff10", None),
        (150.0, None),
    ],
)
def test_capacity_is_a_positive_number_or_not_known(value: t.Any, expected: int | None) -> None:
    seen = instance(parameters={"throughput": value, "storage_size": value})
    assert (seen.throughput, seen.storage) == (expected, expected)


GEN1 = {"kafka_http_url": "https://x", "kafka_brokers_sasl": ["a"]}


@pytest.mark.parametrize(
    ("plan_id", "extensions", "plan"),
    [
        (ENTERPRISE, {}, "enterprise"),
        (ENTERPRISE.upper(), {}, "enterprise"),
        ("enterprise-3nodes-2tb", GEN1, "enterprise"),
        ("enterprise-3nodes-2tb", {}, "unknown"),
        ("enterprise-3nodes-2tb", {**GEN1, "kafka_brokers_sasl": "a"}, "unknown"),
        ("enterprise-gen2", {}, "enterprise-gen2"),
        ("enterprise-gen2", GEN1, "enterprise-gen2"),
        ("ibm.message.hub.enterprise.gen2", {}, "enterprise-gen2"),
        (ENTERPRISE, {"dataservices": {}}, "enterprise-gen2"),
        ("", {"dataservices": {}}, "enterprise-gen2"),
        ("something-gen2", {}, "unknown"),
        ("ibm.message.hub.standard.v2", GEN1, "standard"),
        ("ibm.message.hub.lite", {}, "lite"),
        ("satellite-3nodes-2tb", GEN1, "satellite"),
        ("", GEN1, "unknown"),
        ("guid-like", GEN1, "unknown"),
    ],
)
def test_plans(plan_id: str, extensions: dict[str, t.Any], plan: str) -> None:
    assert instance(resource_plan_id=plan_id, extensions=extensions).plan == plan


@pytest.mark.parametrize(
    ("parameters", "extensions", "echo"),
    [
        ({"mirroring": {"a": 1}}, {}, {"a": 1}),
        ({}, {"mirroring": {"a": 2}}, {"a": 2}),
        ({"mirroring": {"a": 1}}, {"mirroring": {"a": 2}}, {"a": 1}),
        ({"mirroring": {}}, {"mirroring": {"a": 2}}, {"a": 2}),
        ({"mirroring": "on"}, {"mirroring": None}, None),
        ({"mirroring": {}}, {}, None),
    ],
)
def test_an_echo_is_taken_where_it_is_shown(
    parameters: dict[str, t.Any], extensions: dict[str, t.Any], echo: dict[str, t.Any] | None
) -> None:
    assert instance(parameters=parameters, extensions=extensions).echo == echo


def test_the_shape_of_results() -> None:
    result = instance().to_result()
    assert result["throughput"] == 150
    assert result["private_addresses"] == ["166.9.14.10"]
    assert result["last_operation"] == {"type": "create", "state": "succeeded", "description": "", "updated_at": None}
    assert "parameters" not in result, "parameters may hold what others put there"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(document())), json_values, max_size=8))
def test_no_document_breaks_the_parser(changes: dict[str, t.Any]) -> None:
    seen = parse_instance({**document(), **changes})
    if seen is not None:
        assert seen.guid
        seen.to_result()
