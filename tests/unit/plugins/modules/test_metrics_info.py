# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import email.utils
import os
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import metrics_info
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    KEY,
    TARGET,
    FakeClock,
)

GUID = "33333333-aaaa-4bbb-8ccc-000000000003"
PATH = "/api/prometheus/api/v1"
TOPIC = "ibm_eventstreams_topic"


def options(cloud: Cloud, **changes: t.Any) -> dict[str, t.Any]:
    base = {**cloud.base, "monitoring_endpoint": cloud.server.url, "monitoring_instance": GUID}
    return {**base, "instance": TARGET, **changes}


NOW = FakeClock().time()
OF = f'{{ibm_service_instance="{TARGET}"}}'
NAME = "ibm_eventstreams_instance_"
LATENCY = f"max({NAME}mirroring_latency_seconds{OF}) by (ibm_eventstreams_topic)"
RATES = ("mirroring_throughput_bytes_per_second", "bytes_in_per_second", "bytes_out_per_second")
TOPICS = ("topic_bytes_in_per_second", "topic_bytes_out_per_second")


def answer(cloud: Cloud, query: str, *results: t.Any, over: float = 0, ago: float = 0.0, step: float = 60) -> None:
    """What is asked next, and its answer; each result is a topic (or nothing) and its values, the newest last, so many seconds old.
    ``over`` is a window in seconds."""
    found = []
    for topic, *values in results:
        points = [[NOW - ago - 60 * number, value] for number, value in enumerate(reversed(values))][::-1]
        metric = {TOPIC: topic} if topic else {}
        found.append({"metric": metric, **({"values": points} if over else {"value": points[-1]})})
    asked = {"query": query}
    if over:
        asked |= {"start": f"{NOW - over:.3f}", "end": f"{NOW:.3f}", "step": f"{step:.3f}"}
    cloud.server.expect(
        "GET",
        PATH + ("/query_range" if over else "/query"),
        {"status": "success", "data": {"resultType": "matrix" if over else "vector", "result": found}},
        query=asked,
        headers={**cloud.headers, "IBMInstanceID": GUID},
        reply_headers={"Date": email.utils.formatdate(NOW, usegmt=True)},
    )


def everything(
    cloud: Cloud, window: float = 3600, step: float = 60, reach: float = 120, drawn: str = "", **given: list[t.Any]
) -> None:
    """All requests, with the answers that are given, and empty ones. The trend is always that of the last ten minutes. ``drawn`` is the
    regular expression of the topics that a page draws."""
    by = "by (ibm_eventstreams_topic)"
    cloud.token()
    cloud.instance()
    answer(cloud, LATENCY, *given.get("lag", []))
    answer(cloud, LATENCY, *given.get("lags", []), over=600)
    last = f"max(last_over_time({NAME}mirroring_latency_seconds{OF}[21600s])) by (ibm_eventstreams_topic)"
    answer(cloud, last, *given.get("last", []))
    if drawn:
        metric = f"{NAME}mirroring_latency_seconds"
        answer(cloud, f"topk(8, max(max_over_time({metric}{OF}[{window:g}s])) {by})", *given.get("worst", []))
        chosen = f'{OF[:-1]},{TOPIC}=~"{drawn}"}}'
        answer(cloud, f"max(max_over_time({metric}{chosen}[{reach:g}s])) {by}", *given.get("lines", []), over=window)
    for name, metric in zip(("throughput", "bytes_in", "bytes_out"), RATES, strict=True):
        peaks = f"max(max_over_time({NAME}{metric}{OF}[{reach:g}s]))"
        answer(cloud, peaks, *given.get(f"{name}_before", []), over=window, step=step)
        answer(cloud, f"max({NAME}{metric}{OF})", *given.get(name, []))
    for name, metric in zip(("in", "out"), TOPICS, strict=True):
        answer(cloud, f"max({NAME}{metric}{OF}) {by}", *given.get(f"topics_{name}", []))
        answer(cloud, f"max(max_over_time({NAME}{metric}{OF}[{window:g}s])) {by}", *given.get(f"peaks_{name}", []))
    for name in ("partitions", "utilization"):
        answer(cloud, f"max({NAME}{name}{OF})", *given.get(name, []))


@pytest.mark.parametrize("check", [False, True])
def test_everything(check: bool, cloud: Cloud) -> None:
    everything(
        cloud,
        lag=[("orders", "30"), ("payments", "2")],
        lags=[("orders", "90", "60", "30"), ("payments", "2", "2", "2")],
        throughput_before=[("", "5e6", "9e5")],
        throughput=[("", "1e6")],
        bytes_in_before=[("", "3e6", "2e6")],
        bytes_in=[("", "2e6")],
        bytes_out_before=[("", "1e6", "4e6")],
        bytes_out=[("", "4e6")],
        topics_in=[("orders", "10"), ("audit", "1")],
        peaks_in=[("orders", "20"), ("audit", "30")],
        topics_out=[("orders", "5")],
        peaks_out=[("orders", "6")],
        partitions=[("", "12")],
        utilization=[("", "1")],
    )
    ran = run_main(metrics_info, options(cloud, most_topics=1), check=check)
    assert ran.code == 0
    result = ran.result
    assert (result["instance"]["guid"], result["monitoring_instance"], result["window"]) == (TARGET, GUID, 3600)
    assert result["lag"]["worst"] == {"topic": "orders", "seconds": 30}
    assert (result["lag"]["catching_up"], result["lag"]["caught_up_in"]) == (True, 60)
    assert result["lag"]["topics"] == [{"topic": "orders", "seconds": 30}]
    assert result["lag"]["topic_count"] == 2
    assert result["mirroring_throughput"] == {"now": 1e6, "peak": 5e6}
    assert (result["bytes_in"], result["bytes_out"]) == ({"now": 2e6, "peak": 3e6}, {"now": 4e6, "peak": 4e6})
    assert result["topics"] == [
        {"topic": "audit", "bytes_in": {"now": 1, "peak": 30}, "bytes_out": {"now": None, "peak": None}}
    ]
    assert result["topic_count"] == 2
    assert (result["partitions"], result["utilization"], result["unknown"]) == (12, 1, [])
    assert result["summary"][0] == (
        "es-target is behind by 30 s at most (orders), and will have caught up in 60 s at the present rate"
    )
    assert "bytes_out: 4.00 MB/s now, 4.00 MB/s at the peak" in result["summary"]
    assert KEY not in ran.text


def test_a_week_has_the_trend_of_the_last_minutes_and_no_peak_is_lost(cloud: Cloud) -> None:
    everything(
        cloud,
        window=604800,
        step=600,
        reach=1200,
        lag=[("orders", "30")],
        lags=[("orders", "90", "60", "30")],
    )
    assert run_main(metrics_info, options(cloud, window=604800)).result["lag"]["caught_up_in"] == 60


def test_nothing_is_unknown_and_not_zero(cloud: Cloud) -> None:
    everything(cloud, lag=[("orders", "NaN")], bytes_in=[("", "NaN")])
    result = run_main(metrics_info, options(cloud)).result
    assert result["lag"] == {
        "worst": None,
        "topics": [{"topic": "orders", "seconds": None}],
        "topic_count": 1,
        "slope": None,
        "catching_up": None,
        "caught_up_in": None,
    }
    nothing = {"now": None, "peak": None}
    assert result["mirroring_throughput"] == result["bytes_in"] == result["bytes_out"] == nothing
    assert (result["partitions"], result["utilization"]) == (None, None)
    assert set(result["unknown"]) == set(metrics_info.read_names(None))
    assert result["summary"][0] == "es-target: how far its topics are behind is not known"


def test_the_present_value_is_the_newest_one_and_not_that_of_the_last_step(cloud: Cloud) -> None:
    """A step of a week has the largest value of twenty minutes."""
    everything(cloud, window=604800, step=600, reach=1200, throughput_before=[("", "5")], bytes_in_before=[("", "7")])
    result = run_main(metrics_info, options(cloud, window=604800)).result
    assert result["mirroring_throughput"] == {"now": None, "peak": 5}
    assert {"mirroring_throughput", "bytes_in"} <= set(result["unknown"])


def test_topics_without_a_present_value_are_unknown(cloud: Cloud) -> None:
    everything(cloud, peaks_in=[("orders", "20")], topics_out=[("orders", "1")])
    result = run_main(metrics_info, options(cloud)).result
    assert "topic_bytes_in" in result["unknown"]
    assert "topic_bytes_out" not in result["unknown"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"window": 1}, "window is 1 s"),
        ({"most_topics": 0}, "most_topics must be at least 1"),
        ({"metric_names": {"lag": "x"}}, "metric_names has 'lag'"),
        ({"max_lag": -1}, "max_lag must be 0 or more"),
        ({"page": "page.html"}, "no absolute path"),
        ({"source": "crn:v1:oops"}, "source is not the CRN"),
    ],
)
def test_bad_input_sends_nothing(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run_main(metrics_info, options(cloud, **changes))
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.calls() == []


@pytest.mark.parametrize(("limit", "status"), [(30, "pass"), (29, "fail")])
def test_a_limit_for_lag_is_a_finding(limit: float, status: str, cloud: Cloud) -> None:
    everything(cloud, lag=[("orders", "30")])
    (finding,) = run_main(metrics_info, options(cloud, max_lag=limit)).result["findings"]
    assert (finding["rule"], finding["status"]) == ("lag", status)
    assert f"Accepted are {limit} s." in finding["message"]


def test_without_a_limit_and_a_page_there_is_neither(cloud: Cloud) -> None:
    everything(cloud)
    result = run_main(metrics_info, options(cloud)).result
    assert "findings" not in result
    assert result["page"] is None


@pytest.mark.parametrize("check", [False, True])
def test_a_page(check: bool, cloud: Cloud, tmp_path: t.Any) -> None:
    drawn = "" if check else "a\\\\.b|orders"
    everything(
        cloud,
        drawn=drawn,
        worst=[("a.b", "90")],
        lines=[("a.b", "90", "5"), ("orders", "20", "30")],
        lag=[("orders", "30")],
        throughput_before=[("", "5e6", "1e6")],
    )
    page = tmp_path / "page.html"
    ran = run_main(metrics_info, options(cloud, page=str(page)), check=check)
    assert (ran.result["page"], ran.result.get("changed", False)) == (None if check else str(page), False)
    assert page.exists() is not check
    assert "latency" not in ran.result
    assert "throughput" not in ran.result
    if not check:
        text = page.read_text()
        assert "<title>es-target (us-east)</title>" in text
        assert "a.b" in text


def test_a_page_that_cannot_be_written_is_a_warning(
    cloud: Cloud, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(beside: str, path: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    everything(cloud, drawn="orders", lag=[("orders", "30")])
    ran = run_main(metrics_info, options(cloud, page=f"{tmp_path}/page.html", max_lag=60))
    assert (ran.code, ran.result["page"], ran.result["lag"]["worst"]["seconds"]) == (0, None, 30)
    assert "write the page" in ran.warnings
    assert "No space left on device" in ran.warnings


def test_without_any_value_the_instance_may_be_the_wrong_one(cloud: Cloud) -> None:
    everything(cloud)
    told = run_main(metrics_info, options(cloud)).result["summary"][-1]
    assert "the wrong instance of IBM Cloud Monitoring, or platform metrics are not enabled" in told


@pytest.mark.parametrize("given", [{"bytes_in_before": [("", "1")]}, {"peaks_in": [("a", "1")]}, {"lag": [("a", "1")]}])
def test_with_any_value_it_is_not(given: dict[str, t.Any], cloud: Cloud) -> None:
    everything(cloud, **given)
    assert "wrong instance" not in " ".join(run_main(metrics_info, options(cloud)).result["summary"])


def test_with_a_limit_it_is_told_when_all_topics_are_within_it(cloud: Cloud) -> None:
    everything(
        cloud,
        lag=[("orders", "90"), ("payments", "80")],
        lags=[("orders", "210", "150", "90"), ("payments", "92", "86", "80")],
    )
    result = run_main(metrics_info, options(cloud, max_lag=30)).result
    assert (result["lag"]["catching_up"], result["lag"]["caught_up_in"]) == (True, pytest.approx(500))
    assert "all, payments last, will be within what is accepted in 500 s" in result["summary"][0]


def test_an_instance_does_not_mirror_itself(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    cloud.instance()
    ran = run_main(metrics_info, options(cloud, source=TARGET))
    assert "source and instance are the same instance" in ran.result["msg"]
