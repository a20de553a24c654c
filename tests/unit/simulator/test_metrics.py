# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Platform metrics: default values, what mirroring does to them, drawn series, and the texts for Prometheus."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import simulator
from simulator import ScenarioError, Simulator, load_scenario

ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
INSTANCE = "ibm_eventstreams_instance_"
LATENCY = INSTANCE + "mirroring_latency_seconds"
THROUGHPUT = INSTANCE + "mirroring_throughput_bytes_per_second"
BYTES_IN, BYTES_OUT = INSTANCE + "bytes_in_per_second", INSTANCE + "bytes_out_per_second"
TOPIC_IN, TOPIC_OUT = INSTANCE + "topic_bytes_in_per_second", INSTANCE + "topic_bytes_out_per_second"
START = 1767225600  # 2026-01-01T00:00:00Z
MIRRORING = {"source": "es-source-us-south", "source_alias": "us-south", "target_alias": "us-east"}
SOURCE_MONITOR, TARGET_MONITOR = (f"33333333-aaaa-4bbb-8ccc-00000000000{number}" for number in (1, 2))


def scenario(**parts: Any) -> Any:
    """Return the friendly pair with traffic, monitoring, and a clock that stands still."""
    made = load_scenario("friendly")
    made["instances"][0]["topics"] = [
        {"name": "orders", "partitions": 3, "traffic": 2},
        {"name": "payments", "partitions": 2, "traffic": 0.5, "traffic_out": 4},
        {"name": "audit"},
    ]
    made["monitoring"] = [
        {"name": "south", "account": ACCOUNT, "region": "us-south", "guid": SOURCE_MONITOR},
        {"name": "east", "account": ACCOUNT, "region": "us-east", "guid": TARGET_MONITOR},
    ]
    made["clock"] = {"start": "2026-01-01T00:00:00Z", "speed": 0}
    return {**made, **parts}


def mirrored(**parts: Any) -> Any:
    """Return the same pair, which mirrors two topics since long ago."""
    made = scenario(**parts)
    made["instances"][1].update(mirroring=MIRRORING, selection=["orders|payments"])
    made["policies"] = [{"subject": "es-target-us-east", "resource": "es-source-us-south"}]
    return made


def ask(cloud: Any, text: str, at: float | None = None, monitor: str = TARGET_MONITOR) -> dict[str, str]:
    """Return the values of a query by topic."""
    parameters = {"query": text} if at is None else {"query": text, "time": START + at}
    path = f"/api/prometheus/api/v1/query?{urlencode(parameters)}"
    reply = cloud.call("GET", path, IBMInstanceID=monitor)
    assert reply.status == 200
    return {one["metric"].get("ibm_eventstreams_topic", ""): one["value"][1] for one in reply.json["data"]["result"]}


def on_source(cloud: Any, text: str, at: float | None = None) -> dict[str, str]:
    return ask(cloud, text, at, SOURCE_MONITOR)


# -- default values


def test_metrics_of_a_cluster_without_mirroring(start: Any) -> None:
    cloud = start(scenario())
    seen = on_source(cloud, '{__name__=~".+"}')
    assert set(seen) == {"", "orders", "payments", "audit"}
    assert on_source(cloud, TOPIC_IN) == {"orders": "2000000", "payments": "500000", "audit": "2048"}
    assert on_source(cloud, TOPIC_OUT) == {"orders": "2000000", "payments": "4000000", "audit": "2048"}
    assert on_source(cloud, BYTES_IN) == {"": "2502048"}
    assert on_source(cloud, BYTES_OUT) == {"": "6002048"}
    values = {name: on_source(cloud, name)[""] for name in (INSTANCE + "topics", INSTANCE + "partitions")}
    assert list(values.values()) == ["3", "6"]
    assert on_source(cloud, INSTANCE + "reserved_disk_space_percent") == {"": "10"}
    assert on_source(cloud, INSTANCE + "utilised_disk_space_percent") == {"": "5"}
    for name in ("offline_partitions", "under_minisr_partitions"):
        assert on_source(cloud, f"ibm_eventstreams_kafka_{name}") == {"": "0"}
    assert on_source(cloud, '{__name__=~".*mirroring.*"}') == {} == ask(cloud, '{__name__=~".*mirroring.*"}')


@pytest.mark.parametrize(("traffic", "value"), [(49.9, "0"), (50.1, "1"), (74.9, "1"), (75, "2")])
def test_utilization(start: Any, traffic: float, value: str) -> None:
    made = scenario()
    made["instances"][0]["topics"] = [{"name": "orders", "traffic": 0, "traffic_out": traffic}]
    assert on_source(start(made), INSTANCE + "utilization") == {"": value}


def test_windows_of_a_day_are_full(start: Any) -> None:
    cloud = start(mirrored())
    for text in (LATENCY, THROUGHPUT, BYTES_IN, TOPIC_IN, INSTANCE + "topics"):
        assert set(ask(cloud, f"count_over_time({text}[1d])").values()) == {"1441"}
    assert on_source(cloud, f"count_over_time({BYTES_IN}[10d])") == {"": "2881"}


def test_the_interval_is_a_timing(start: Any) -> None:
    cloud = start(scenario(timing={"metrics_interval_seconds": 15}))
    assert on_source(cloud, f"count_over_time({BYTES_IN}[1m])") == {"": "5"}
    cloud.sim.set_timing("metrics_interval_seconds", 30)
    assert on_source(cloud, f"count_over_time({BYTES_IN}[1m])") == {"": "3"}
    with pytest.raises(ValueError, match="at least 1"):
        cloud.sim.set_timing("metrics_interval_seconds", 0.5)


# -- mirroring


def test_what_mirroring_adds(start: Any) -> None:
    cloud = start(mirrored())
    assert ask(cloud, LATENCY) == {"orders": "1.5", "payments": "1.5"}
    assert ask(cloud, THROUGHPUT) == {"": "2500000"}
    assert ask(cloud, BYTES_IN) == {"": "2500000"} and ask(cloud, BYTES_OUT) == {"": "0"}
    assert on_source(cloud, BYTES_IN) == {"": "2502048"} and on_source(cloud, BYTES_OUT) == {"": "8502048"}
    remote = {"orders.us-south": "2000000", "payments.us-south": "500000", "us-south.checkpoints.internal": "0"}
    assert ask(cloud, TOPIC_IN) == remote
    assert on_source(cloud, TOPIC_OUT) == {"orders": "4000000", "payments": "4500000", "audit": "2048"}
    assert on_source(cloud, LATENCY) == {} == on_source(cloud, THROUGHPUT)


def test_nobody_writes_to_remote_topics_unless_it_is_said(start: Any) -> None:
    made = mirrored()
    made["instances"][1]["topics"] = [{"name": "orders.us-south"}, {"name": "payments.us-south", "traffic": 1}]
    seen = ask(start(made), TOPIC_IN)
    assert (seen["orders.us-south"], seen["payments.us-south"]) == ("2000000", "1500000")


def test_mirroring_begins_and_ends(start: Any) -> None:
    cloud = start(scenario())
    cloud.enable()
    assert ask(cloud, THROUGHPUT) == {"": "0"} and ask(cloud, LATENCY) == {}
    cloud.select("orders")
    cloud.sim.clock.advance(60)
    assert ask(cloud, LATENCY) == {"orders": "1.5"} and ask(cloud, THROUGHPUT) == {"": "2000000"}
    assert on_source(cloud, BYTES_OUT) == {"": "8002048"}
    cloud.select("payments")
    assert ask(cloud, LATENCY) == {}
    cloud.sim.clock.advance(60)
    assert ask(cloud, LATENCY) == {"payments": "1.5"} and ask(cloud, THROUGHPUT) == {"": "500000"}
    cloud.disable()
    assert ask(cloud, LATENCY) == {} == ask(cloud, THROUGHPUT)
    assert on_source(cloud, BYTES_OUT) == {"": "6002048"}
    assert ask(cloud, f"max_over_time({LATENCY}[10m])") == {"orders": "1.5", "payments": "1.5"}
    assert on_source(cloud, f"max_over_time({BYTES_OUT}[10m])") == {"": "8002048"}
    assert ask(cloud, INSTANCE + "topics") == {"": "3"}


def test_mirroring_can_come_back(start: Any) -> None:
    cloud = start(mirrored())
    cloud.disable()
    assert ask(cloud, LATENCY) == {}
    cloud.enable()
    cloud.select("orders")
    cloud.sim.clock.advance(60)
    assert ask(cloud, LATENCY) == {"orders": "1.5"}
    counted = ask(cloud, f"count_over_time({LATENCY}[1d])")
    assert int(counted["payments"]) < int(counted["orders"]) < 1441


def test_a_removed_authorization_ends_the_flow(start: Any) -> None:
    cloud = start(mirrored())
    number = cloud.call("GET", f"/v1/policies?account_id={ACCOUNT}").json["policies"][0]["id"]
    cloud.call("DELETE", f"/v1/policies/{number}")
    cloud.sim.clock.advance(600)
    assert ask(cloud, LATENCY) == {} and ask(cloud, THROUGHPUT) == {"": "0"}
    cloud.authorize()
    cloud.sim.clock.advance(60)
    assert ask(cloud, LATENCY)["orders"] == "1.5"
    assert ask(cloud, f"count_over_time({LATENCY}[600s])")["orders"] == "1"


def test_topics_and_instances_come_and_go(start: Any) -> None:
    cloud = start(mirrored())
    cloud.sim.create_topic("es-source-us-south", "new", 4)
    assert "new" in on_source(cloud, TOPIC_IN) and "new" not in on_source(cloud, TOPIC_IN, -1)
    assert [on_source(cloud, INSTANCE + "partitions", second)[""] for second in (-1, 0)] == ["6", "10"]
    assert cloud.call("DELETE", f"/v2/resource_instances/{cloud.target}").status == 204
    cloud.sim.clock.advance(60)
    assert ask(cloud, '{__name__=~".+"}') == {}
    assert ask(cloud, LATENCY, -1) == {"orders": "1.5", "payments": "1.5"}
    assert [on_source(cloud, BYTES_OUT, second)[""] for second in (-1, 60)] == ["8502048", "6004096"]


def test_an_instance_that_is_gone_has_no_metrics(start: Any) -> None:
    made = scenario()
    made["instances"][1]["state"] = "removed"
    assert ask(start(made), '{__name__=~".+"}') == {}


def test_when_nobody_writes_nothing_is_behind(start: Any) -> None:
    cloud = start(mirrored())
    assert set(ask(cloud, LATENCY).values()) == {"1.5"}
    assert cloud.send("POST", "/_control/stop_producers").status == 200
    assert set(ask(cloud, LATENCY).values()) == {"0"}


def test_names_can_be_others(start: Any) -> None:
    made = mirrored(switches={"metric_names": "old", "latency_topic_names": "remote"})
    made["series"] = [drawn([[60, 7]])]
    cloud = start(made)
    assert ask(cloud, LATENCY) == {} == ask(cloud, THROUGHPUT)
    latency = ask(cloud, INSTANCE + "mirroring_latency")
    assert latency == {"orders.us-south": "7", "payments.us-south": "1.5"}
    assert ask(cloud, INSTANCE + "mirroring_throughput") == {"": "2500000"}
    cloud.disable()
    assert ask(cloud, INSTANCE + "mirroring_latency") == {"orders.us-south": "7"}


# -- drawn series


def drawn(points: Any, metric: str = LATENCY, topic: str | None = "orders", **more: Any) -> dict[str, Any]:
    named = {} if topic is None else {"topic": topic}
    return {"instance": "es-target-us-east", "metric": metric, "points": points, **named, **more}


def test_a_series_is_held_from_point_to_point(start: Any) -> None:
    points = [[600, 2], [480, "NaN"], [360, 40], [90, 5], [-120, 1.25]]
    cloud = start(mirrored(series=[drawn(points)]))
    seen = {second: ask(cloud, LATENCY, second).get("orders") for second in (-601, -600, -480, -360, -61, -60, 0)}
    assert list(seen.values()) == [None, "2", "NaN", "40", "40", "5", "5"]
    assert ask(cloud, LATENCY) == {"orders": "5", "payments": "1.5"}
    assert ask(cloud, f'count_over_time({LATENCY}{{ibm_eventstreams_topic="orders"}}[1d])') == {"orders": "11"}
    assert ask(cloud, LATENCY, 120)["orders"] == "5"
    cloud.sim.clock.advance(120)
    assert ask(cloud, LATENCY)["orders"] == "1.25"


def test_a_gap_and_an_end(start: Any) -> None:
    cloud = start(mirrored(series=[drawn([[3600, 9], [3000, None], [1800, 4], [30, "stale"]])]))
    seen = [ask(cloud, LATENCY, second).get("orders") for second in (-3000, -2760, -2759, -1801, -1800, -31, -30, 0)]
    assert seen == ["9", "9", None, None, "4", "4", None, None]
    assert ask(cloud, f"max_over_time({LATENCY}[5m])") == {"orders": "4", "payments": "1.5"}


def test_a_series_grows_with_the_clock(start: Any) -> None:
    cloud = start(mirrored(series=[drawn([[-60 * step, 30 * step] for step in range(-10, 11)])]))
    assert ask(cloud, f"deriv({LATENCY}[10m])")["orders"] == "0.5"
    cloud.sim.clock.advance(300)
    assert ask(cloud, f"deriv({LATENCY}[10m])")["orders"] == "0.5"
    assert ask(cloud, LATENCY)["orders"] == "150"


def test_the_example_of_the_readme(start: Any) -> None:
    text = (Path(simulator.__file__).parent / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```json\n(.*?)^```", text, re.M | re.S)
    cloud = start(mirrored(**json.loads(f"{{{example}}}")))
    (monitor,) = cloud.sim.state.monitors
    seen = [ask(cloud, LATENCY, second, monitor)["orders"] for second in (-86400, -3600, -3000, -300)]
    assert seen == ["2", "250", "2", "40"]


def test_a_reset_draws_from_the_present_time(start: Any) -> None:
    cloud = start(mirrored(series=[drawn([[3600, 9], [1800, 4]])]))
    cloud.sim.clock.advance(86_400)
    cloud.sim.reset()
    cloud = type(cloud)(cloud.sim)
    assert ask(cloud, LATENCY, 86_400 - 1801) == {"orders": "9", "payments": "1.5"}
    assert ask(cloud, LATENCY) == {"orders": "4", "payments": "1.5"}
    assert ask(cloud, f"count_over_time({LATENCY}[3d])") == {"orders": "61", "payments": "2881"}


def test_it_is_there_without_mirroring_and_for_an_instance(start: Any) -> None:
    series = [drawn([[60, 3]]), drawn([[60, 1e9]], BYTES_IN, None)]
    cloud = start(scenario(series=series))
    assert ask(cloud, LATENCY) == {"orders": "3"} and ask(cloud, BYTES_IN) == {"": "1000000000"}
    assert on_source(cloud, BYTES_IN) == {"": "2502048"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (drawn([[60, 1]], "lag"), "must be one of"),
        (drawn([[60, 1]], INSTANCE + "mirroring_latency"), "must be one of"),
        (drawn([[60, 1]], topic=None), "needs a topic"),
        (drawn([[60, 1]], BYTES_IN), "has no topic"),
        (drawn([[60, 1]], colour="red"), "unknown member 'colour'"),
        (drawn([[60, 1]], instance="nothing"), "0 instances are called"),
        (drawn([60]), "must be a list of seconds"),
        (drawn([[60, 1, 1]]), "must be a list of seconds"),
        (drawn([["60", 1]]), "must hold two numbers"),
        (drawn([[None, 1]]), "must hold two numbers"),
        (drawn([[60, "much"]]), "must hold two numbers"),
        (drawn([[60, True]]), "must hold two numbers"),
        (drawn([[60, float("inf")]]), "must hold two numbers"),
        (drawn([[60, [1]]]), "must hold two numbers"),
        (drawn([[60, 1], [60, 2]]), "in order of time"),
        (drawn([[60, 1], [120, 2]]), "in order of time"),
    ],
)
def test_a_wrong_series_is_an_error(entry: Any, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        Simulator(scenario(series=[entry]))


def test_other_errors_of_a_scenario() -> None:
    with pytest.raises(ScenarioError, match="there twice"):
        Simulator(
            scenario(series=[drawn([[60, 1]]), drawn([[90, 1]], instance="22222222-aaaa-4bbb-8ccc-000000000002")])
        )
    with pytest.raises(ScenarioError, match="at least 1"):
        Simulator(scenario(timing={"metrics_interval_seconds": 0}))


# -- texts for Prometheus

SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} (\S+)(?: (\S+))?')


def families(lines: list[str]) -> dict[str, list[Any]]:
    """Return the samples of each family; each family must be in one piece, after its type."""
    found: dict[str, list[Any]] = {}
    name = ""
    for line in lines:
        if line.startswith("#"):
            _hash, _type, name, kind = line.split(" ")
            assert kind == "gauge" and name not in found
            found[name] = []
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample is not None and sample[1] == name, line
            found[name].append((sample[2], sample[3], sample[4]))
    return found


def test_the_present_can_be_scraped(start: Any) -> None:
    gap = drawn([[180, 1], [60, None]], topic="audit")
    made = mirrored(series=[drawn([[60, "NaN"]]), drawn([[60, 1], [30, "stale"]], topic="payments"), gap])
    made["instances"][1]["name"] = 'a "quoted" \\ name\n'
    for entry in made["series"]:
        entry["instance"] = "22222222-aaaa-4bbb-8ccc-000000000002"
    made["policies"][0]["subject"] = "22222222-aaaa-4bbb-8ccc-000000000002"
    cloud = start(made)
    reply = cloud.send("GET", "/_control/metrics")
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = reply.raw.decode()
    assert text.endswith("\n")
    found = families(text.splitlines())
    ((labels, value, moment),) = found[LATENCY]
    assert 'ibm_eventstreams_topic="orders"' in labels and (value, moment) == ("NaN", None)
    assert r'ibm_service_instance_name="a \"quoted\" \\ name\n"' in labels
    assert len(found[BYTES_IN]) == 2 and len(found) == 13
    assert cloud.sim.journal == []
    expected = {one.name for one in cloud.sim.metrics() if one.present() is not None}
    assert set(found) == expected


def test_the_history_can_be_imported(start: Any) -> None:
    cloud = start(mirrored(series=[drawn([[3600, 2], [120, None], [60, 8], [30, "stale"]])]))
    cloud.sim.clock.advance(30.5)
    reply = cloud.send("GET", "/_control/openmetrics?hours=1&step=60")
    assert reply.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    *lines, last, rest = reply.raw.decode().split("\n")
    assert (last, rest) == ("# EOF", "")
    found = families(lines)
    orders = [(value, float(moment) - START) for labels, value, moment in found[LATENCY] if '"orders"' in labels]
    assert orders == [*(("2", -60.0 * step) for step in range(59, 2, -1)), ("8", -60.0)]
    for samples in found.values():
        series = [labels for labels, _value, _moment in samples]
        assert series == sorted(series, key=series.index), "all samples of a series come together"
        for one in set(series):
            times = [float(moment) for labels, _value, moment in samples if labels == one]
            assert times == sorted(set(times))
    hourly = cloud.send("GET", "/_control/openmetrics?hours=3&step=3600").raw.decode()
    times = [float(moment) - START for _labels, _value, moment in families(hourly.splitlines()[:-1])[THROUGHPUT]]
    assert times == [-10740.0, -7140.0, -3540.0]
    assert cloud.send("GET", "/_control/openmetrics").raw.count(THROUGHPUT.encode() + b"{") == 1440


@pytest.mark.parametrize("query", ["hours=0", "hours=x", "step=0", "days=1", "hours=nan"])
def test_a_wrong_history_is_refused(start: Any, query: str) -> None:
    reply = start(scenario()).send("GET", f"/_control/openmetrics?{query}")
    assert reply.status == 400 and reply.json["message"]
