# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import time
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors, _http
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account, connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import parse_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import (
    Monitoring,
    Series,
    monitoring_region,
    parse_answer,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    SOURCE,
    TARGET,
    StaticBearer,
    document,
    jwt,
    make_call,
)

GUID = "33333333-aaaa-4bbb-8ccc-000000000003"
OTHER = "33333333-aaaa-4bbb-8ccc-000000000004"
PATH = "/api/prometheus/api/v1"


def target(**changes: t.Any) -> t.Any:
    return parse_instance(document(guid=TARGET, region="us-east", name="es-target", **changes))


def client(server: Scripted, prefix: str = "") -> Monitoring:
    return Monitoring(Http(make_call()), server.url + prefix, StaticBearer("t1", "t2"), GUID, target())


def vector(*results: t.Any) -> dict[str, t.Any]:
    return {"status": "success", "data": {"resultType": "vector", "result": list(results)}}


def matrix(*results: t.Any) -> dict[str, t.Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(results)}}


@pytest.mark.parametrize("prefix", ["", "/api", "/proxy", "/proxy/api"])
def test_an_instant_query(prefix: str, server: Scripted) -> None:
    server.expect(
        "GET",
        prefix.removesuffix("/api") + PATH + "/query",
        vector({"metric": {"ibm_eventstreams_topic": "a"}, "value": [1767225600, "1.5"]}),
        query={"query": "max(x)"},
        headers={"Authorization": "Bearer t1", "IBMInstanceID": GUID},
    )
    found = client(server, prefix).instant("max(x)", "x")
    assert found == [Series({"ibm_eventstreams_topic": "a"}, [(1767225600.0, 1.5)])]


def test_a_query_over_a_time(server: Scripted) -> None:
    server.expect(
        "GET",
        PATH + "/query_range",
        matrix({"metric": {}, "values": [[0, "1"], [60.5, "NaN"], [120, "-Inf"], [180, "2e3"]]}),
        query={"query": "x", "start": "0.000", "end": "180.000", "step": "60.000"},
        headers={"IBMInstanceID": GUID},
    )
    assert client(server).over("x", 0, 180, 60, "x") == [
        Series({}, [(0.0, 1.0), (60.5, None), (120.0, None), (180.0, 2000.0)])
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"status": "error", "errorType": "bad_data", "error": "parse error"}, "the query failed: parse error"),
        ([], "holds no vector"),
        ({"data": {"resultType": "vector", "result": []}}, "does not say that the query succeeded"),
        ({**vector(), "status": "timeout"}, "does not say that the query succeeded"),
        ({"status": "success"}, "holds no vector"),
        ({"status": "success", "data": []}, "holds no vector"),
        (matrix(), "holds no vector"),
        ({"status": "success", "data": {"resultType": "vector", "result": {}}}, "holds no vector"),
        (vector("x"), "no labels"),
        (vector({"value": [0, "1"]}), "no labels"),
        (vector({"metric": []}), "no labels"),
        (vector({"metric": {}}), "a value has no time"),
        (vector({"metric": {}, "value": [0]}), "a value has no time"),
        (vector({"metric": {}, "value": [True, "1"]}), "a value has no time"),
        (vector({"metric": {}, "value": ["soon", "1"]}), "could not convert"),
        (vector({"metric": {}, "value": [0, None]}), "a value is no number"),
        (vector({"metric": {}, "value": [0, "many"]}), "could not convert"),
        (vector({"metric": {}, "value": ["inf", "1"]}), "a time is no number"),
    ],
)
def test_answers_that_cannot_be_used(body: t.Any, reason: str, server: Scripted) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_answer(body, "vector")
    server.expect("GET", PATH + "/query", body, query={"query": "x"})
    with pytest.raises(_errors.UnusableAnswer, match=reason) as error:
        client(server).instant("x", "the latency")
    assert (error.value.attempt, error.value.instance) == ("ask Monitoring for the latency", f"es-target ({TARGET})")


def test_its_own_time(server: Scripted) -> None:
    """As values show it, else as the answer does, else ours, where that shows nothing that can be."""
    monitoring = client(server)
    ours = monitoring.now
    at = {"metric": {}, "value": [ours + 7200, "1"]}
    server.expect("GET", PATH + "/query", vector(at), query={"query": "x"})
    monitoring.instant("x", "x")
    assert monitoring.now == pytest.approx(ours + 7200, abs=60)
    for body in (vector(), vector({"metric": {}, "value": [1e300, "1"]})):
        server.expect("GET", PATH + "/query", body, query={"query": "x"})
        monitoring.instant("x", "x")
        assert monitoring.now == pytest.approx(time.time(), abs=60)  # our clock is one that the test has made


def test_what_it_warns_of(server: Scripted) -> None:
    monitoring = client(server)
    for warnings in (["cut off"], "slow", None, []):
        server.expect("GET", PATH + "/query", {**vector(), "warnings": warnings}, query={"query": "x"})
        monitoring.instant("x", "x")
    assert monitoring.warnings == ["cut off", "slow"]


def test_values_missing_in_a_matrix() -> None:
    with pytest.raises(ValueError, match="has no values"):
        parse_answer(matrix({"metric": {}}), "matrix")
    assert parse_answer(matrix({"metric": {"a": 1}, "values": []}), "matrix") == [Series({"a": "1"}, [])]


def test_an_answer_that_is_too_large_is_not_asked_for_again(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "LARGEST_BODY", 1000)
    server.expect("GET", PATH + "/query", "x" * 2000, query={"query": "x"})
    with pytest.raises(_errors.AnswerTooLarge) as error:
        client(server).instant("x", "the latency")
    assert error.value.remedy.startswith("Give a shorter window")
    assert len(server.calls()) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_asks_for_the_right_instance_and_role(status: int, server: Scripted) -> None:
    server.expect(
        "GET", PATH + "/query", {"message": "no"}, query={"query": "x"}, status=status, times=2 if status == 401 else 1
    )
    with pytest.raises((_errors.AuthenticationFailed, _errors.PermissionDenied)) as error:
        client(server).instant("x", "the latency")
    assert f"Is {GUID} the instance of IBM Cloud Monitoring" in error.value.message
    assert f"HTTP {status}" in error.value.message


def test_a_query_that_is_refused(server: Scripted) -> None:
    body = {"status": "error", "errorType": "bad_data", "error": 'invalid parameter "query": 1:2'}
    server.expect("GET", PATH + "/query", body, query={"query": "x"}, status=400)
    with pytest.raises(_errors.ApiError, match='invalid parameter "query"'):
        client(server).instant("x", "the latency")


def test_regions_that_monitoring_calls_otherwise() -> None:
    assert (monitoring_region("che01"), monitoring_region("us-east")) == ("in-che", "us-east")


def receiver(guid: str = GUID, region: str = "us-east", **parameters: t.Any) -> dict[str, t.Any]:
    crn = f"crn:v1:bluemix:public:sysdig-monitor:{region}:a/{ACCOUNT}:{guid}::"
    return {
        "guid": guid,
        "crn": crn,
        "name": guid[-1],
        "region_id": region,
        "state": "active",
        "parameters": parameters,
    }


def account(server: Scripted, **options: t.Any) -> Account:
    places = {"iam_endpoint": server.url, "resource_controller_endpoint": server.url, "monitoring_endpoint": server.url}
    return connect(make_call(None, iam_token=jwt(), **{**places, **options})).target


def listed(server: Scripted, *documents: t.Any) -> None:
    query = {"type": "service_instance", "limit": "100"}
    server.expect("GET", "/v2/resource_instances", {"resources": list(documents)}, query=query)


def test_the_only_one_of_the_region(server: Scripted) -> None:
    listed(server, document(guid=SOURCE), receiver(OTHER, "us-south"), receiver())
    assert account(server).monitoring(target(), None).guid == GUID


def test_the_only_one_that_is_shown_to_receive(server: Scripted) -> None:
    listed(server, receiver(OTHER, default_receiver=False), receiver(default_receiver=True))
    assert account(server).monitoring(target(), None).guid == GUID


@pytest.mark.parametrize("shown", [{}, {"default_receiver": True}, {"default_receiver": "true"}])
def test_several_of_which_nobody_can_tell(shown: dict[str, t.Any], server: Scripted) -> None:
    listed(server, receiver(OTHER, **shown), receiver(**shown))
    with pytest.raises(_errors.NotUnique) as error:
        account(server).monitoring(target(), None)
    assert GUID in error.value.message
    assert OTHER in error.value.message
    assert "as monitoring_instance" in error.value.message


def test_none_in_the_region(server: Scripted) -> None:
    listed(server, receiver(OTHER, "us-south"))
    with pytest.raises(_errors.NotFound, match="no instance of IBM Cloud Monitoring in us-east") as error:
        account(server).monitoring(target(), None)
    assert "enable platform metrics" in error.value.message


def test_chennai(server: Scripted) -> None:
    listed(server, receiver(OTHER, "che01"), receiver(GUID, "in-che"))
    instance = parse_instance(document(guid=TARGET, region="che01"))
    assert instance
    found = account(server, monitoring_endpoint=f"{server.url}/{{region}}").monitoring(instance, None)
    assert (found.guid, found.base_url) == (GUID, f"{server.url}/in-che")


@pytest.mark.parametrize(
    "given", [GUID, GUID.upper(), f" {GUID} ", f"crn:v1:bluemix:public:sysdig-monitor:us-east:a/x:{GUID}::"]
)
def test_one_that_is_given_is_not_looked_for(given: str, server: Scripted) -> None:
    assert account(server).monitoring(target(), given).guid == GUID


@pytest.mark.parametrize(
    "given", ["my-monitoring", "crn:v1:x", "crn:v1:bluemix:public:sysdig-monitor:us-east:a/x:y::", "3333"]
)
def test_one_that_is_neither_guid_nor_crn(given: str, server: Scripted) -> None:
    with pytest.raises(_errors.InvalidInput, match="neither a GUID nor a CRN"):
        account(server).monitoring(target(), given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            f"crn:v1:bluemix:public:sysdig-monitor:eu-de:a/x:{GUID}::",
            r"is in eu-de, and the metrics of es-target .* are in us-east",
        ),
        (f"crn:v1:bluemix:public:sysdig-monitor::a/x:{GUID}::", "is in no region"),
        (f"crn:v1:bluemix:public:messagehub:us-east:a/x:{GUID}::", "the CRN of an Event Streams instance"),
        (
            f"crn:v1:bluemix:public:logs:us-east:a/x:{GUID}::",
            r"an instance of logs, .* which is sysdig-monitor.*give its GUID",
        ),
        (f"crn:v1:bluemix:public::us-east:a/x:{GUID}::", "an instance of no service"),
    ],
)
def test_a_crn_that_is_not_that_of_the_right_instance(given: str, told: str, server: Scripted) -> None:
    with pytest.raises(_errors.InvalidInput, match=f"^monitoring_instance 'crn.*{told}"):
        account(server).monitoring(target(), given)
    assert server.calls() == []


def test_the_option_that_is_wrong_is_named(server: Scripted) -> None:
    given = f"crn:v1:bluemix:public:sysdig-monitor:eu-de:a/x:{GUID}::"
    with pytest.raises(_errors.InvalidInput, match=r"^source_monitoring_instance 'crn"):
        account(server).monitoring(target(), given, option="source_monitoring_instance")
    event_streams = f"crn:v1:bluemix:public:messagehub:us-east:a/x:{GUID}::"
    with pytest.raises(_errors.InvalidInput, match="the CRN of an Event Streams instance"):
        account(server, monitoring_instance=event_streams)
    assert server.calls() == []


def test_a_crn_of_a_region_that_monitoring_calls_otherwise(server: Scripted) -> None:
    given = f"crn:v1:bluemix:public:sysdig-monitor:in-che:a/x:{GUID}::"
    instance = parse_instance(document(guid=TARGET, region="che01", name="es-target"))
    assert account(server).monitoring(instance, given).guid == GUID


def test_where_it_is(server: Scripted) -> None:
    hosts = {
        "public": "https://us-east.monitoring.cloud.ibm.com",
        "private": "https://private.us-east.monitoring.cloud.ibm.com",
    }
    for visibility, url in hosts.items():
        found = account(server, monitoring_endpoint=None, visibility=visibility).monitoring(target(), GUID)
        assert found.base_url == url


def test_an_unencrypted_endpoint_is_refused(server: Scripted) -> None:
    with pytest.raises(_errors.InvalidInput, match="monitoring_endpoint would send credentials unencrypted"):
        account(server, monitoring_endpoint="http://{region}.example.com").monitoring(target(), GUID)


def test_numbers_only() -> None:
    (one,) = parse_answer(vector({"metric": {}, "value": [1, "nan"]}), "vector")
    assert one.points == [(1.0, None)]
    assert not math.isnan(one.points[0][0])
