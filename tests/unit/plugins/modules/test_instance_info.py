# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import SERVICE_ID
from ansible_collections.mirrorops.event_streams.plugins.modules import instance_info
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import GROUP, SOURCE, TARGET, THIRD, jwt

QUERY = {"type": "service_instance", "limit": "100", "resource_id": SERVICE_ID}


def listed(cloud: Cloud, *documents: dict[str, t.Any], **filters: str) -> None:
    cloud.token()
    cloud.server.expect(
        "GET", "/v2/resource_instances", {"resources": documents}, query={**QUERY, **filters}, headers=cloud.headers
    )


def test_one_instance(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    ran = run_main(instance_info, {**cloud.base, "instance": TARGET}, verbosity=3)
    assert (ran.code, ran.result.get("changed", False)) == (0, False)
    assert [one["guid"] for one in ran.result["instances"]] == [TARGET]
    assert ran.result["instances"][0]["admin_url"] == f"{cloud.server.url}/target"
    assert "query_result" not in ran.result
    assert len(ran.result["http_trace"]) == 2
    assert jwt() not in ran.text


def test_the_trace_is_shown_only_when_asked_for(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    assert "http_trace" not in run_main(instance_info, {**cloud.base, "instance": TARGET}, verbosity=2).result


def test_filters_work_here_and_there(cloud: Cloud) -> None:
    documents = [
        cloud.document(name="b"),
        cloud.document("source", name="b"),
        cloud.document(guid=THIRD, name="a"),
        cloud.document(guid=THIRD.replace("3", "4"), resource_group_id="other"),
    ]
    listed(cloud, *documents, resource_group_id=GROUP)
    ran = run_main(instance_info, {**cloud.base, "region": "us-east", "resource_group_id": GROUP})
    assert [(one["name"], one["guid"]) for one in ran.result["instances"]] == [("a", THIRD), ("b", TARGET)]


def test_nothing_found_is_no_failure(cloud: Cloud) -> None:
    listed(cloud, name="x")
    cloud.server.expect(
        "GET",
        "/v2/resource_instances",
        {"resources": []},
        query={"type": "service_instance", "limit": "100", "name": "x"},
    )
    ran = run_main(instance_info, {**cloud.base, "name": "x"})
    assert (ran.code, ran.result["instances"]) == (0, [])


def test_a_query(cloud: Cloud) -> None:
    listed(cloud, cloud.document(), cloud.document("source"))
    ran = run_main(instance_info, {**cloud.base, "query": "[?region=='us-south'].guid | [0]"})
    assert ran.result["query_result"] == SOURCE
    assert len(ran.result["instances"]) == 2


@pytest.mark.parametrize("query", ["[", "foo(", "nosuch(@)[", ""])
def test_a_query_that_is_none_is_refused_before_anything_is_sent(query: str, cloud: Cloud) -> None:
    ran = run_main(instance_info, {**cloud.base, "query": query})
    assert ran.failed
    assert "query is no JMESPath expression" in ran.result["msg"]


@pytest.mark.parametrize("query", ["nosuch(@)", "length(`5`)"])
def test_a_query_that_fails(query: str, cloud: Cloud) -> None:
    listed(cloud, cloud.document())
    ran = run_main(instance_info, {**cloud.base, "query": query})
    assert ran.failed
    assert "query failed" in ran.result["msg"]


def test_jmespath_is_needed_for_queries_only(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jmespath", None)
    ran = run_main(instance_info, {**cloud.base, "query": "[0]"})
    assert "pip install jmespath" in ran.result["msg"]
    cloud.token()
    cloud.instance()
    assert run_main(instance_info, {**cloud.base, "instance": TARGET}).code == 0


@pytest.mark.parametrize("other", ["name", "region", "resource_group_id"])
def test_an_instance_excludes_filters(other: str, cloud: Cloud) -> None:
    ran = run_main(instance_info, {**cloud.base, "instance": TARGET, other: "x"})
    assert "mutually exclusive" in ran.result["msg"]


def test_several_instances_of_a_name(cloud: Cloud) -> None:
    listed(cloud, cloud.document(name="twin"), cloud.document("source", name="twin"), name="twin")
    ran = run_main(instance_info, {**cloud.base, "instance": "twin"})
    assert ran.result["failure"]["kind"] == "not_unique"
    assert len(ran.result["failure"]["candidates"]) == 2
