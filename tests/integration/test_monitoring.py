# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IBM Cloud Monitoring tells: headroom before mirroring is enabled, lag after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
GUIDS = {"us-south": "33333333-aaaa-4bbb-8ccc-000000000001", "us-east": "33333333-aaaa-4bbb-8ccc-000000000002"}
MONITORING = [
    {"name": f"monitoring-{region}", "account": ACCOUNT, "region": region, "guid": guid}
    for region, guid in GUIDS.items()
]
ENABLED: dict[str, Any] = {
    "policies": [{"subject": TARGET, "resource": SOURCE}],
    "target": {
        "mirroring": {"source": SOURCE, "source_alias": "us-south", "target_alias": "us-east"},
        "selection": ["^orders$", "^payments$"],
    },
}
NAME = "ibm_eventstreams_instance_"
OLD_NAMES = {
    "mirroring_latency": f"{NAME}mirroring_latency",
    "mirroring_throughput": f"{NAME}mirroring_throughput",
}
RULES = ("headroom_source", "headroom_target", "headroom_total", "headroom_partitions")


def drawn(metric: str, *points: list[Any], instance: str = TARGET, topic: str | None = None) -> dict[str, Any]:
    """A series that goes on with each value until the next point, in seconds before the start."""
    chosen = {"instance": instance, "metric": f"{NAME}{metric}", "points": list(points)}
    return chosen if topic is None else {**chosen, "topic": topic}


def lags(**topics: list[list[Any]]) -> list[dict[str, Any]]:
    """The latency of these topics."""
    return [drawn("mirroring_latency_seconds", *points, topic=topic) for topic, points in topics.items()]


def metrics(playbook: Any, **options: Any) -> Any:
    """Asks for the metrics of the target."""
    task = {"name": "Ask", "mirrorops.event_streams.metrics_info": {"instance": TARGET, **options}}
    return playbook([{"name": "Look at a target", "hosts": "localhost", "gather_facts": False, "tasks": [task]}])


def asked(simulator: Any) -> list[str]:
    """The requests to Monitoring."""
    return [entry["path"] for entry in simulator.journal if entry["api"] == "monitoring"]


@pytest.mark.every_core
def test_there_is_headroom(simulate: Any, playbook: Any) -> None:
    simulator = simulate(monitoring=MONITORING)
    run = playbook.mirror().worked()
    assert set(RULES) <= set(run.facts["setup_result"]["passed"])
    assert asked(simulator)
    simulator.clear_journal()
    again = playbook.mirror().worked()
    assert (again.changed, asked(simulator)) == (0, [])


@pytest.mark.parametrize(("megabytes", "status"), [(60, "warn"), (80, "fail")])
def test_a_source_that_is_busy(megabytes: int, status: str, simulate: Any, playbook: Any) -> None:
    """Within the last day, for ten minutes only."""
    peak = drawn("bytes_out_per_second", [90000, 1e6], [50000, megabytes * 1e6], [49400, 1e6], instance=SOURCE)
    simulator = simulate(monitoring=MONITORING, series=[peak])
    run = playbook.mirror()
    (found,) = [one for one in run.facts["setup_result"]["findings"] if one["rule"] == "headroom_source"]
    assert (found["status"], found["evidence"]["present_mb_per_s"]) == (status, megabytes)
    assert f"{megabytes}.00 MB/s" in found["message"]
    assert "300 MB/s, which is 2 units" in found["remedy"]
    assert run.rc == (2 if status == "fail" else 0)
    assert bool(simulator.writes()) == (status == "warn")


def test_a_window_that_ends_after_the_peak(simulate: Any, playbook: Any) -> None:
    peak = drawn("bytes_out_per_second", [90000, 1e6], [50000, 80e6], [49400, 1e6], instance=SOURCE)
    simulate(monitoring=MONITORING, series=[peak])
    run = playbook.mirror("--check", mirroring_headroom_window=3600).worked()
    assert "headroom_source" in run.facts["setup_result"]["passed"]


def test_a_topic_with_too_few_partitions(simulate: Any, playbook: Any) -> None:
    busy = drawn("topic_bytes_in_per_second", [90000, 8e6], instance=SOURCE, topic="payments")
    simulate(monitoring=MONITORING, series=[busy])
    run = playbook.mirror("--check").worked()
    (found,) = [one for one in run.facts["setup_result"]["findings"] if one["rule"] == "headroom_partitions"]
    assert found["status"] == "warn"
    assert "payments (has 2, needs 6)" in found["remedy"]


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "no instance of IBM Cloud Monitoring in us-south"),
        ({"monitoring": [{**one, "receives": False} for one in MONITORING]}, "Monitoring has no values"),
        ({"monitoring": MONITORING[1:]}, "no instance of IBM Cloud Monitoring in us-south"),
    ],
)
def test_without_metrics_it_is_unknown(members: dict[str, Any], told: str, simulate: Any, playbook: Any) -> None:
    simulate(**members)
    found = playbook.mirror("--check").worked().facts["setup_result"]
    unknown = [one for one in found["findings"] if one["rule"].startswith("headroom")]
    assert {one["status"] for one in unknown} == {"unknown"}
    assert any(told in one["message"] for one in unknown)
    assert all("Enable platform metrics" in one["remedy"] for one in unknown)


@pytest.mark.parametrize("refusal", ["401", "403"])
def test_an_instance_that_is_not_the_right_one(refusal: str, simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, switches={"monitoring_refusal": refusal}, **ENABLED)
    failure = metrics(playbook, monitoring_instance="44444444-aaaa-4bbb-8ccc-000000000009").failure
    assert f"HTTP {refusal}" in failure
    assert "the instance of IBM Cloud Monitoring that gets the platform metrics of us-east" in failure


@pytest.mark.every_core
@pytest.mark.parametrize("names", ["source", "remote"])
def test_the_metrics_of_a_target(names: str, simulate: Any, playbook: Any) -> None:
    simulate(
        monitoring=MONITORING,
        switches={"latency_topic_names": names},
        series=lags(orders=[[90000, 2], [1200, 40], [600, 20]], payments=[[90000, "NaN"]]),
        **ENABLED,
    )
    (result,) = metrics(playbook).worked().results("metrics_info")
    suffix = ".us-south" if names == "remote" else ""
    assert result["lag"]["worst"] == {"topic": f"orders{suffix}", "seconds": 20}
    assert {"topic": f"payments{suffix}", "seconds": None} in result["lag"]["topics"]
    assert result["monitoring_instance"] == GUIDS["us-east"]
    assert result["mirroring_throughput"]["now"] > 0
    assert result["unknown"] == []
    assert result["partitions"] > 0


def test_metrics_under_their_old_names(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, switches={"metric_names": "old"}, **ENABLED)
    (result,) = metrics(playbook).worked().results("metrics_info")
    assert result["unknown"] == ["mirroring_latency", "mirroring_throughput"]
    (result,) = metrics(playbook, metric_names=OLD_NAMES).worked().results("metrics_info")
    assert result["unknown"] == []


def test_several_instances_of_which_none_is_marked(simulate: Any, playbook: Any) -> None:
    other = {**MONITORING[1], "name": "another", "guid": GUIDS["us-east"][:-1] + "9", "receives": False}
    simulate(monitoring=[*MONITORING, other], switches={"default_receiver_shown": "hidden"}, **ENABLED)
    failure = metrics(playbook).failure
    assert "2 Monitoring instances are in us-east" in failure
    assert "as monitoring_instance" in failure
    metrics(playbook, monitoring_instance=GUIDS["us-east"]).worked()


def test_the_one_that_is_marked(simulate: Any, playbook: Any) -> None:
    other = {**MONITORING[1], "name": "another", "guid": GUIDS["us-east"][:-1] + "9", "receives": False}
    simulate(monitoring=[*MONITORING, other], **ENABLED)
    (result,) = metrics(playbook).worked().results("metrics_info")
    assert result["monitoring_instance"] == GUIDS["us-east"]


def validate(playbook: Any, **variables: Any) -> Any:
    """The playbook validate for the pair."""
    return playbook("mirrorops.event_streams.validate", {**playbook.pair, "mirroring_poll_interval": 0.2, **variables})


def test_lag_within_what_is_accepted(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, series=lags(orders=[[90000, 2]], payments=[[90000, 3]]), **ENABLED)
    lag = validate(playbook, validate_max_lag=3).worked().facts["validate_result"]["lag"]
    assert (lag["state"], lag["accepted"], lag["worst"]) == ("within", 3, {"topic": "payments", "seconds": 3})


@pytest.mark.every_core
def test_lag_above_what_is_accepted(simulate: Any, playbook: Any) -> None:
    simulator = simulate(monitoring=MONITORING, series=lags(orders=[[90000, 250]], payments=[[90000, 1]]), **ENABLED)
    run = validate(playbook, mirroring_max_lag=60)
    assert "orders, is behind by 250 s, and steady. Accepted are 60 s" in run.failure
    result = run.facts["validate_result"]
    assert (result["verdict"], result["lag"]["state"]) == ("behind", "behind")
    assert simulator.writes() == []


def test_lag_that_nobody_knows(simulate: Any, playbook: Any) -> None:
    simulate(
        monitoring=MONITORING, series=lags(orders=[[90000, "NaN"]], payments=[[90000, 1], [600, "stale"]]), **ENABLED
    )
    run = validate(playbook, mirroring_max_lag=60)
    assert "no value of a selected topic that is younger than five minutes" in run.failure
    result = run.facts["validate_result"]
    assert (result["verdict"], result["lag"]["state"], result["lag"]["worst"]) == ("unknown", "unknown", None)


def test_lag_is_waited_for(simulate: Any, playbook: Any) -> None:
    """It falls a few seconds after the start."""
    simulate(
        monitoring=MONITORING,
        timing={"metrics_interval_seconds": 1},
        series=lags(orders=[[90000, 250], [-6, 1]], payments=[[90000, 1]]),
        **ENABLED,
    )
    run = validate(playbook, mirroring_max_lag=60, mirroring_wait_for_lag=True).worked()
    assert "is behind by 250 s" in run.stdout
    assert run.facts["validate_result"]["lag"]["worst"]["seconds"] == 1


@pytest.mark.slow
def test_what_was_seen_before_waiting_for_lag_is_looked_at_again(simulate: Any, playbook: Any, observe: Any) -> None:
    """Somebody disables mirroring while this run waits for its lag."""
    simulator = simulate(
        monitoring=MONITORING,
        timing={"metrics_interval_seconds": 1},
        series=lags(orders=[[90000, 250], [-12, 1]], payments=[[90000, 1]]),
        **ENABLED,
    )
    variables = {
        **playbook.pair,
        "mirroring_poll_interval": 0.2,
        "mirroring_max_lag": 60,
        "mirroring_wait_for_lag": True,
    }
    process, record = playbook.start("mirrorops.event_streams.validate", variables, simulator=simulator)
    observe(simulator).until(lambda: asked(simulator) or process.poll() is not None)
    simulator.instance(TARGET).mirroring = None
    run = playbook.finish(process, record)
    assert "is behind by 250 s" in run.stdout
    assert run.facts["validate_result"]["verdict"] == "not_mirroring"
    assert run.rc == 2


def test_lag_is_waited_for_within_the_time_limit(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, series=lags(orders=[[90000, 250]], payments=[[90000, 1]]), **ENABLED)
    run = validate(playbook, mirroring_max_lag=60, mirroring_wait_for_lag=True, mirroring_wait_timeout=1)
    assert "is behind by 250 s" in run.failure

    assert "This task has waited for" in run.failure
    assert "If it shrinks, give it more time" in run.failure
    assert "with wait_for_lag" not in run.failure


def waits_for_lag(playbook: Any, **variables: Any) -> Any:
    """What validate found when it waited for lag, for hours if need be."""
    return validate(playbook, mirroring_max_lag=60, mirroring_wait_for_lag=True, **variables).facts["validate_result"]


@pytest.mark.parametrize(
    ("variables", "members", "told", "remedy"),
    [
        (
            {"mirroring_target_monitoring_instance": "44444444-aaaa-4bbb-8ccc-000000000009"},
            {"monitoring": MONITORING},
            "(HTTP 403)",
            "service role Reader",
        ),
        ({}, {}, "no instance of IBM Cloud Monitoring in us-east", "enable platform metrics for the region"),
        (
            {},
            {
                "monitoring": [
                    *MONITORING,
                    {**MONITORING[1], "name": "x", "guid": GUIDS["us-east"][:-1] + "9", "receives": False},
                ]
            },
            "2 Monitoring instances are in us-east",
            "as monitoring_instance",
        ),
        (
            {"mirroring_metric_names": {"mirroring_latency": "sum"}},
            {"monitoring": MONITORING},
            "(HTTP 400)",
            "Check the options",
        ),
    ],
)
def test_what_no_later_try_changes_is_not_waited_for(
    variables: dict[str, Any], members: dict[str, Any], told: str, remedy: str, simulate: Any, playbook: Any
) -> None:
    simulator = simulate(switches={"default_receiver_shown": "hidden"}, **members, **ENABLED)
    result = waits_for_lag(playbook, **variables)
    (found,) = [one for one in result["findings"] if one["rule"] == "lag"]
    assert (result["verdict"], result["lag"]["state"], found["status"]) == ("unknown", "unknown", "unknown")
    assert told in found["message"]
    assert remedy in found["remedy"]
    assert result["duration"] < 60
    assert len(asked(simulator)) <= 1


@pytest.mark.parametrize(
    ("payments", "state", "member"),
    [
        ([[90000, None]], "within", "silent"),
        ([[90000, 0.5], [420, None]], "within", "silent"),
        ([[90000, 900], [420, None]], "unknown", "stopped"),
        ([[90000, 900], [7200, None]], "unknown", "stopped"),
        ([[90000, 0.5], [420, "NaN"]], "within", "silent"),
        ([[90000, 900], [420, "NaN"]], "unknown", "stopped"),
        ([[90000, 900], [7200, "NaN"]], "unknown", "stopped"),
        ([[90000, 900], [420, "NaN"], [200, None]], "unknown", "stopped"),
    ],
)
def test_topics_that_have_no_value_now(
    payments: list[Any], state: str, member: str, simulate: Any, playbook: Any
) -> None:
    """One that was well when it had its last value is a warning; one that was behind may be stuck. Both are waited for as long as
    topics may take, and no longer."""
    simulate(monitoring=MONITORING, series=lags(orders=[[90000, 2]], payments=payments), **ENABLED)
    result = waits_for_lag(playbook, mirroring_topics_timeout=1)
    assert (result["lag"]["state"], result["lag"][member]) == (state, ["payments"])
    assert result["accepted"] == (state == "within")
    (found,) = [one for one in result["findings"] if one["rule"] == "lag"]
    assert "payments" in found["message"]
    assert "This task has waited for" in found["message"]
    assert result["duration"] < 60


def test_topics_that_are_not_selected_do_not_decide(simulate: Any, playbook: Any) -> None:
    series = lags(orders=[[90000, 2]], payments=[[90000, 3]], audit=[[90000, 900]])
    simulate(monitoring=MONITORING, series=series, **ENABLED)
    lag = validate(playbook, mirroring_max_lag=60).worked().facts["validate_result"]["lag"]
    assert (lag["state"], lag["worst"]) == ("within", {"topic": "payments", "seconds": 3})
    assert lag["topics"][0] == {"topic": "audit", "seconds": 900}


def test_a_source_whose_topics_cannot_be_read(simulate: Any, playbook: Any) -> None:
    simulator = simulate(monitoring=MONITORING, series=lags(orders=[[90000, 2]], payments=[[90000, 3]]), **ENABLED)
    simulator.add_fault("forbidden", path="/admin/topics", nth=2, times=None)
    result = validate(playbook, mirroring_max_lag=60).worked().facts["validate_result"]
    (found,) = [one for one in result["findings"] if one["rule"] == "lag"]
    assert (result["lag"]["state"], found["status"]) == ("within", "warn")
    assert "Which topics should be there is not known" in found["message"]


def test_when_all_topics_will_be_within_the_limit(simulate: Any, playbook: Any) -> None:
    """The worst one shrinks, another one grows."""
    orders = [[600 - 60 * number, 1600 - 100 * number] for number in range(10)]
    payments = [[600 - 60 * number, 100 + 25 * number] for number in range(10)]
    simulate(
        monitoring=MONITORING,
        series=lags(orders=[[90000, 2000], *orders], payments=[[90000, 90], *payments]),
        **ENABLED,
    )
    run = validate(playbook, mirroring_max_lag=60)
    assert "payments grows by" in run.failure
    lag = run.facts["validate_result"]["lag"]
    assert (lag["worst"]["topic"], lag["catching_up"], lag["caught_up_in"]) == ("orders", False, None)
    assert lag["slope"] < 0


def test_a_crn_of_another_region(simulate: Any, playbook: Any) -> None:
    simulator = simulate(monitoring=MONITORING, **ENABLED)
    given = f"crn:v1:bluemix:public:sysdig-monitor:us-south:a/{ACCOUNT}:{GUIDS['us-south']}::"
    failure = metrics(playbook, monitoring_instance=given).failure
    assert "is in us-south, and the metrics of es-target-us-east" in failure
    assert asked(simulator) == []


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"mirroring_max_lag": -1}, "max_lag must be 0 or more"),
        ({"mirroring_wait_for_lag": True}, "wait_for_lag is set without max_lag"),
    ],
)
def test_limits_that_make_no_sense(variables: dict[str, Any], told: str, simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, **ENABLED)
    assert told in validate(playbook, **variables).failure


MANY = [f"orders-{number:04}-{'x' * 60}" for number in range(3000)]


def test_thousands_of_topics_with_latency(simulate: Any, playbook: Any) -> None:
    """What comes back has those that matter, and their number."""
    series = lags(orders=[[90000, 2]], payments=[[90000, 2]], **{name: [[90000, 30]] for name in MANY})
    series[-7]["points"] = [[90000, 400]]
    simulator = simulate(monitoring=MONITORING, series=series, **ENABLED)
    (result,) = metrics(playbook, most_topics=5).worked().results("metrics_info")
    assert (result["lag"]["topic_count"], len(result["lag"]["topics"])) == (3002, 5)
    assert result["lag"]["worst"] == {"topic": MANY[-7], "seconds": 400}
    for limit, worst, late, others in ((1, "payments", 2, 100), (10, MANY[-7], 100, 0)):
        run = validate(playbook, mirroring_max_lag=limit)
        lag = run.facts["validate_result"]["lag"]
        assert (lag["topic_count"], len(lag["topics"]), lag["worst"]["topic"]) == (3002, 100, worst)
        (found,) = [one for one in run.facts["validate_result"]["findings"] if one["rule"] == "lag"]
        assert (len(found["evidence"]["late"]), len(found["evidence"]["others"])) == (late, others)
        assert len(found["message"]) < 1000
        assert len(run.failure) < 2000
        # From now on the topics of the source cannot be read, so all count.
        simulator.add_fault("forbidden", path="/admin/topics", nth=2, times=None)


def test_a_day_of_thousands_of_topics_on_a_page(simulate: Any, playbook: Any, tmp_path: Path) -> None:
    """Only of those that are drawn are all values of the day asked for; one that was far behind and then ended is among them."""
    series = lags(**{name: [[90000, 30.123456]] for name in MANY})
    series[-7]["points"] = [[90000, 1], [50000, 4000], [49400, None]]
    simulator = simulate(monitoring=MONITORING, series=series, **ENABLED)
    page = tmp_path / "page.html"
    (result,) = (
        metrics(playbook, window=86400, most_topics=5, page=str(page), request_timeout=300)
        .worked()
        .results("metrics_info")
    )
    assert (result["lag"]["topic_count"], result["page"]) == (3001, str(page))
    assert MANY[-7] in page.read_text()
    assert "and 2994 more, which are not drawn" in page.read_text()
    assert len(asked(simulator)) < 20


@pytest.mark.slow
def test_thousands_of_selected_topics(simulate: Any, playbook: Any) -> None:
    """Each is counted, in a bounded number of requests, each short enough for a URL."""
    topics = [{"name": name, "partitions": 1, "traffic": 0.01} for name in MANY]
    simulator = simulate(monitoring=MONITORING, source={"topics": topics})
    options = {"source": SOURCE, "target": TARGET, "topics": ["^orders-.*$"]}
    task = {"name": "Look", "mirrorops.event_streams.readiness_info": options}
    run = playbook([{"name": "Is it ready?", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]).worked()
    (result,) = run.results("readiness_info")
    found = {one["rule"]: one for one in result["findings"]}
    assert found["headroom_source"]["evidence"]["added_mb_per_s"] == pytest.approx(30, rel=0.01)
    assert found["headroom_partitions"]["status"] == found["headroom_total"]["status"] == "pass"
    assert len(asked(simulator)) < 150
    assert max(len(path) for path in asked(simulator)) < 8000


def test_a_query_that_fails(simulate: Any, playbook: Any) -> None:
    """As Prometheus answers it: HTTP 400 and a reason."""
    simulate(monitoring=MONITORING, **ENABLED)
    failure = metrics(playbook, metric_names={"mirroring_latency": "sum"}).failure
    assert "ask Monitoring for the latency of mirroring" in failure
    assert "HTTP 400" in failure
