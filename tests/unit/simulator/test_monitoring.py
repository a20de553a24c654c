# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""IBM Cloud Monitoring: its instances, who may ask what, and the answers to queries."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest

from simulator import ScenarioError, Simulator, load_scenario

ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
OTHER = "00000000000000000000000000000001"
ROOT = "/v2/resource_instances"
API = "/api/prometheus/api/v1"
TOPICS = "ibm_eventstreams_instance_topics"
EAST, SOUTH, DEAF = (f"33333333-aaaa-4bbb-8ccc-00000000000{number}" for number in (1, 2, 3))
MONITORING: list[Any] = [
    {"name": "mon-east", "account": ACCOUNT, "region": "us-east", "guid": EAST},
    {"name": "mon-south", "account": ACCOUNT, "region": "us-south", "guid": SOUTH},
    {"name": "mon-deaf", "account": ACCOUNT, "region": "us-east", "guid": DEAF, "receives": False},
]
START = 1767225600  # 2026-01-01T00:00:00Z


@pytest.fixture
def monitored(start: Any) -> Any:
    """The friendly pair, with monitoring in both regions."""
    return start(monitoring=MONITORING, clock={"start": "2026-01-01T00:00:00Z", "speed": 0})


def ask(cloud: Any, text: str | None = TOPICS, at: str | None = EAST, *, who: str = "operator", **more: Any) -> Any:
    """Send a query; with ``step`` one over a range."""
    parameters = {**({} if text is None else {"query": text}), **more}
    headers = {} if at is None else {"IBMInstanceID": at}
    path = f"{API}/query_range" if "step" in more else f"{API}/query"
    return cloud.call("GET", f"{path}?{urlencode(parameters)}", who=who, **headers)


def found(reply: Any) -> list[str]:
    """Return the names of the Event Streams instances in an answer."""
    assert reply.status == 200
    return [one["metric"]["ibm_service_instance_name"] for one in reply.json["data"]["result"]]


# -- instances of the service


def test_the_resource_controller_lists_them_after_the_others(monitored: Any) -> None:
    rows = monitored.call("GET", ROOT).json["resources"]
    assert [row["name"] for row in rows][2:] == ["mon-east", "mon-south", "mon-deaf"]
    assert [row["parameters"] for row in rows[2:]] == [{"default_receiver": value} for value in (True, True, False)]
    assert rows[2]["crn"] == f"crn:v1:bluemix:public:sysdig-monitor:us-east:a/{ACCOUNT}:{EAST}::"
    assert (rows[2]["resource_plan_id"], rows[2]["extensions"]) == ("graduated-tier", {})
    assert sorted(rows[2]) == sorted(rows[0])


def test_filters_tell_the_services_apart(monitored: Any) -> None:
    def names(query: str) -> list[str]:
        return [row["name"] for row in monitored.call("GET", f"{ROOT}?{query}").json["resources"]]

    assert names("resource_id=6a7f4e38-f218-48ef-9dd2-df408747568e") == ["es-source-us-south", "es-target-us-east"]
    every = ["mon-east", "mon-south", "mon-deaf"]
    assert names("resource_id=090c2c10-8c38-11e8-bec2-493df9c49eb8") == every
    assert names("resource_plan_id=graduated-tier") == every
    assert names("name=mon-east") == ["mon-east"]
    assert [names(f"guid={guid}") for guid in (EAST, SOUTH)] == [["mon-east"], ["mon-south"]]


def test_one_is_read_by_guid_and_by_crn(monitored: Any) -> None:
    document = monitored.get(EAST)
    assert document["name"] == "mon-east"
    assert monitored.call("GET", f"{ROOT}/{quote(document['crn'], safe='')}").json == document
    assert monitored.call("GET", f"{ROOT}/{quote(document['crn'][:-2], safe='')}").status == 404


def test_only_the_account_and_callers_with_rights_see_them(start: Any) -> None:
    scenario = load_scenario("friendly")
    scenario["accounts"].append({"id": OTHER, "api_keys": [{"key": "other", "name": "other"}]})
    scenario["monitoring"] = [*MONITORING, {"name": "mon-other", "account": OTHER, "region": "us-east"}]
    cloud = start(scenario)
    rows = cloud.call("GET", ROOT, who="other").json["resources"]
    assert [row["name"] for row in rows] == ["mon-other"]
    assert cloud.call("GET", f"{ROOT}/{EAST}", who="other").status == 404
    assert cloud.call("GET", f"{ROOT}/{EAST}", who="nobody").status == 404
    assert cloud.call("GET", f"{ROOT}/{EAST}", who="viewer").status == 200


def test_changing_one_is_not_simulated(monitored: Any) -> None:
    assert monitored.call("DELETE", f"{ROOT}/{EAST}").status == 501
    assert monitored.patch({"x": 1}, EAST).status == 501
    assert len(monitored.sim.violations()) == 2
    assert monitored.get(EAST)["state"] == "active"


def test_it_cannot_be_the_source_of_mirroring(monitored: Any) -> None:
    monitored.authorize()
    crn = monitored.get(EAST)["crn"]
    assert monitored.mirror(source_crn=crn).status == 422


# -- who may ask


def test_metrics_of_the_own_region_are_seen(monitored: Any) -> None:
    assert found(ask(monitored)) == ["es-target-us-east"]
    assert found(ask(monitored, at=SOUTH)) == ["es-source-us-south"]
    assert found(ask(monitored, at=DEAF)) == []
    assert found(ask(monitored, who="viewer")) == ["es-target-us-east"]
    assert monitored.sim.violations() == []
    entry = monitored.sim.journal[-1]
    assert (entry["api"], entry["instance"], entry["query"]) == ("monitoring", EAST, {"query": TOPICS})
    assert monitored.sim.writes() == []


def test_chennai_has_two_names(start: Any) -> None:
    instances = [{"name": "es", "account": ACCOUNT, "region": "che01"}]
    monitoring = [
        {"name": "there", "account": ACCOUNT, "region": "in-che", "guid": EAST},
        {"name": "nowhere", "account": ACCOUNT, "region": "che01", "guid": SOUTH},
    ]
    cloud = start(instances=instances, monitoring=monitoring)
    assert found(ask(cloud)) == ["es"]
    assert ask(cloud).json["data"]["result"][0]["metric"]["ibm_location"] == "che01"
    assert found(ask(cloud, at=SOUTH)) == []


def test_metrics_of_other_accounts_are_not_seen(start: Any) -> None:
    scenario = load_scenario("two_accounts")
    source, target = (account["id"] for account in scenario["accounts"])
    regions = [instance["region"] for instance in scenario["instances"]]
    scenario["monitoring"] = [
        {"name": "source", "account": source, "region": regions[1], "guid": EAST},
        {"name": "target", "account": target, "region": regions[1], "guid": SOUTH},
    ]
    cloud = start(scenario)
    assert found(ask(cloud, at=EAST, who="simulated-key-source")) == []
    assert found(ask(cloud, at=SOUTH, who="simulated-key-target")) == ["es-target-us-east"]
    assert ask(cloud, at=SOUTH, who="simulated-key-source").status == 403
    assert cloud.sim.violations() == []


@pytest.mark.parametrize("status", [403, 401])
def test_a_wrong_instance_is_refused(start: Any, status: int) -> None:
    cloud = start(monitoring=MONITORING, switches={"monitoring_refusal": str(status)})
    assert ask(cloud, at=cloud.target).status == status
    assert ask(cloud, at="nothing").status == status
    assert ask(cloud, at=str(cloud.crn())).status == status
    assert ask(cloud, who="nobody").status == status
    assert cloud.sim.violations() == []
    assert ask(cloud, at=None).status == status
    assert len(cloud.sim.violations()) == 1


def test_a_token_is_needed(monitored: Any) -> None:
    path, instance = f"{API}/query?query={TOPICS}", {"IBMInstanceID": EAST}
    assert monitored.send("GET", path, None, instance).status == 401
    assert len(monitored.sim.violations()) == 1
    for wrong in ("Bearer nonsense", f"Basic {monitored.token()}"):
        assert monitored.send("GET", path, None, {**instance, "Authorization": wrong}).status == 401
    monitored.sim.clock.advance(3601)
    assert ask(monitored).status == 401


def test_it_has_a_prefix_and_a_place_in_the_environment(monitored: Any) -> None:
    base = monitored.sim.environment(prefix=True)["IBMCLOUD_MONITORING_API_ENDPOINT"]
    assert base == f"{monitored.sim.monitoring_url}/monitoring"
    assert monitored.call("GET", f"{base}{API}/query?query={TOPICS}", IBMInstanceID=EAST).status == 200
    assert monitored.call("GET", f"/rc{API}/query?query={TOPICS}", IBMInstanceID=EAST).status == 501


# -- queries


def test_an_answer_is_that_of_prometheus(monitored: Any) -> None:
    moment = START - 60.5
    reply = ask(monitored, f'{TOPICS}{{ibm_service_instance="{monitored.target}"}}', time=moment)
    assert reply.json["status"] == "success" and reply.json["data"]["resultType"] == "vector"
    (one,) = reply.json["data"]["result"]
    assert one["value"] == [moment, "0"]
    assert one["metric"] == {
        "__name__": TOPICS,
        "ibm_service_instance": monitored.target,
        "ibm_service_instance_name": "es-target-us-east",
        "ibm_location": "us-east",
        "ibm_ctype": "public",
        "ibm_scope": f"a/{ACCOUNT}",
        "ibm_service_name": "messagehub",
        "ibm_resource": monitored.target,
        "ibm_resource_type": "instance",
        "ibm_resource_group_name": "Default",
    }


def test_the_time_is_now_unless_it_is_said(monitored: Any) -> None:
    monitored.sim.clock.advance(90)
    assert ask(monitored).json["data"]["result"][0]["value"][0] == START + 90
    for text in ("2026-01-01T01:00:30+01:00", "2026-01-01T00:00:30Z", "1767225630.000"):
        assert ask(monitored, time=text).json["data"]["result"][0]["value"][0] == START + 30
    assert ask(monitored, time=START + 360).json["data"]["result"] != []
    assert ask(monitored, time=START + 361).json["data"]["result"] == []


def test_a_range_has_a_value_at_each_step(monitored: Any) -> None:
    reply = ask(monitored, f"sum({TOPICS})", start=START - 120, end="2026-01-01T00:00:10Z", step="1m")
    assert reply.json["data"] == {
        "resultType": "matrix",
        "result": [{"metric": {}, "values": [[START + second, "0"] for second in (-120, -60, 0)]}],
    }
    assert ask(monitored, "nothing", start=START, end=START, step=0.5).json["data"]["result"] == []


def test_a_range_has_at_most_11000_steps(monitored: Any) -> None:
    first = START - 11_000
    (one,) = ask(monitored, start=first, end=START, step=1).json["data"]["result"]
    assert len(one["values"]) == 11_001
    reply = ask(monitored, start=first - 1, end=START, step=1)
    assert (reply.status, reply.json["errorType"]) == (400, "bad_data")
    assert reply.json["error"].startswith("exceeded maximum resolution of 11,000 points per timeseries.")
    assert monitored.sim.violations() == []


def test_the_future_has_no_samples(monitored: Any) -> None:
    (one,) = ask(monitored, start=START, end=START + 3600, step=60).json["data"]["result"]
    assert len(one["values"]) == 6


@pytest.mark.parametrize(
    ("text", "status", "kind", "words"),
    [
        ("max(", 400, "bad_data", 'invalid parameter "query": '),
        (f"rate({TOPICS}[5m])", 400, "bad_data", 'invalid parameter "query": '),
        ('max_over_time({ibm_location="us-east"}[5m])', 422, "execution", "vector cannot contain metrics"),
    ],
)
def test_a_wrong_expression_is_no_violation(monitored: Any, text: str, status: int, kind: str, words: str) -> None:
    for more in ({}, {"start": START, "end": START, "step": 60}):
        reply = ask(monitored, text, **more)
        assert (reply.status, reply.json["status"], reply.json["errorType"]) == (status, "error", kind)
        assert reply.json["error"].startswith(words)
    assert monitored.sim.violations() == []


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (None, {}),
        ("", {}),
        (TOPICS, {"timeout": "5s"}),
        (TOPICS, {"time": "yesterday"}),
        (TOPICS, {"time": "2026-13-01T00:00:00Z"}),
        (TOPICS, {"time": "nan"}),
        (TOPICS, {"start": START, "end": START}),
        (TOPICS, {"start": START, "step": 60}),
        (TOPICS, {"end": START, "step": 60}),
        (TOPICS, {"start": START, "end": START - 1, "step": 60}),
        (TOPICS, {"start": START, "end": START, "step": 0}),
        (TOPICS, {"start": START, "end": START, "step": "often"}),
        (TOPICS, {"start": START, "end": START, "step": 60, "time": START}),
    ],
)
def test_a_wrong_parameter_is_a_violation(monitored: Any, text: str | None, more: dict[str, Any]) -> None:
    reply = ask(monitored, text, **more)
    assert reply.status == 400
    (entry,) = monitored.sim.violations()
    assert entry["violation"] in (reply.json.get("error"), reply.json.get("errors", [{}])[0].get("message"))


def test_another_method_or_path_is_a_violation(monitored: Any) -> None:
    assert monitored.call("POST", f"{API}/query", IBMInstanceID=EAST).status == 405
    assert monitored.call("GET", f"{API}/labels", IBMInstanceID=EAST).status == 501
    assert len(monitored.sim.violations()) == 2


def test_faults_and_error_bodies(monitored: Any) -> None:
    monitored.sim.add_fault("forbidden", api="monitoring", path="/query$")
    assert [ask(monitored).status for _dummy in range(2)] == [403, 200]
    monitored.sim.set_switch("error_bodies", "html")
    reply = ask(monitored, "max(")
    assert (reply.status, reply.headers["Content-Type"]) == (400, "text/html")


# -- scenarios


@pytest.mark.parametrize(
    ("monitoring", "words"),
    [
        ([{"name": "m", "account": ACCOUNT}], "lacks 'region'"),
        ([{**MONITORING[0], "colour": "red"}], "unknown member 'colour'"),
        ([{**MONITORING[0], "receives": "yes"}], "must be true or false"),
        ([{**MONITORING[0], "account": OTHER}], "unknown account"),
        ([{**MONITORING[0], "guid": "x"}], "not a GUID"),
        ([MONITORING[0], MONITORING[2], {**MONITORING[1], "guid": EAST}], "used twice"),
        ([{**MONITORING[0], "guid": "11111111-aaaa-4bbb-8ccc-000000000001"}], "used twice"),
        ([MONITORING[0], {**MONITORING[2], "receives": True}], "only one monitoring instance"),
    ],
)
def test_a_wrong_scenario_is_an_error(monitoring: Any, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        Simulator({**load_scenario("friendly"), "monitoring": monitoring})
