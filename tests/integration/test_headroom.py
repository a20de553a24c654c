# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headroom where Monitoring knows only a part: what is not known never passes, and never stops anybody."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.integration.test_monitoring import (
    GUIDS,
    MONITORING,
    RULES,
    SOURCE,
    TARGET,
    asked,
    drawn,
)

HOUR = 3600


def findings(playbook: Any, **options: Any) -> dict[str, dict[str, Any]]:
    """What readiness_info finds out about headroom."""
    asks = {"source": SOURCE, "target": TARGET, "topics": ["^orders$", "^payments$"], **options}
    task = {"name": "Look", "mirrorops.event_streams.readiness_info": {k: v for k, v in asks.items() if v is not None}}
    run = playbook([{"name": "Is it ready?", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]).worked()
    (result,) = run.results("readiness_info")
    return {one["rule"]: one for one in result["findings"] if one["rule"].startswith("headroom")}


def takes_in(topic: str, *points: list[Any]) -> dict[str, Any]:
    """What a topic of the source takes in."""
    return drawn("topic_bytes_in_per_second", *points, instance=SOURCE, topic=topic)


@pytest.mark.parametrize("nothing", ["NaN", None])
def test_a_topic_without_numbers_does_not_hide_the_peak_of_another(nothing: Any, simulate: Any, playbook: Any) -> None:
    peak = takes_in("orders", [90000, 1e6], [40000, 100e6], [30000, 1e6])
    gap = takes_in("payments", [90000, 1e6], [40200, nothing], [29800, 1e6])
    simulate(monitoring=MONITORING, series=[peak, gap])
    found = findings(playbook)
    assert {found[rule]["status"] for rule in RULES} <= {"warn", "fail"}
    assert found["headroom_source"]["status"] == "fail"
    assert found["headroom_source"]["evidence"]["added_mb_per_s"] >= 100


def test_a_topic_that_never_has_a_number_leaves_what_is_known(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, series=[takes_in("orders", [90000, 40e6]), takes_in("payments", [90000, "NaN"])])
    found = findings(playbook)
    assert found["headroom_total"]["status"] == "warn"
    assert found["headroom_total"]["evidence"] | {"guidance": None} == {
        "guidance": None,
        "selected_mb_per_s": 40.0,
        "silent_topics": 1,
    }
    simulate(monitoring=MONITORING, series=[takes_in("orders", [90000, 1e6]), takes_in("payments", [90000, "NaN"])])
    found = findings(playbook)
    assert {found[rule]["status"] for rule in RULES} == {"unknown"}
    assert all("Of 1 more selected topics nothing is known" in found[rule]["message"] for rule in RULES)


@pytest.mark.parametrize("points", [[[HOUR, 1e6]], [[90000, 1e6], [20 * HOUR, None]]])
def test_a_part_of_the_window_is_not_the_window(points: list[Any], simulate: Any, playbook: Any) -> None:
    """Metrics have just begun, or ended long ago."""
    series = [takes_in(topic, *points) for topic in ("orders", "payments")]
    series += [drawn("bytes_out_per_second", *points, instance=SOURCE), drawn("bytes_in_per_second", *points)]
    simulate(monitoring=MONITORING, series=series)
    found = findings(playbook)
    assert {found[rule]["status"] for rule in RULES} == {"unknown"}
    assert all("of 24 h are known" in found[rule]["message"] for rule in RULES)
    assert all("mirroring_headroom_window" in found[rule]["remedy"] for rule in RULES)
    if points[0][0] == HOUR:
        found = findings(playbook, headroom_window=HOUR - 300)
        assert {found[rule]["status"] for rule in RULES} == {"pass"}


@pytest.mark.every_core
def test_an_instance_that_nobody_marked_stops_nothing(simulate: Any, playbook: Any) -> None:
    """Users who never asked for Monitoring may have several instances of it."""
    others = [
        {**one, "name": f"another-{one['region']}", "guid": one["guid"].replace("3333", "4444"), "receives": False}
        for one in MONITORING
    ]
    simulate(monitoring=[*MONITORING, *others], switches={"default_receiver_shown": "hidden"})
    found = findings(playbook)
    assert (found["headroom"]["status"], set(found)) == ("unknown", {"headroom"})
    assert "2 Monitoring instances are in us-south" in found["headroom"]["message"]
    assert "mirroring_source_monitoring_instance" in found["headroom"]["remedy"]
    playbook.mirror().worked()
    found = findings(playbook, source_monitoring_instance=GUIDS["us-south"])
    assert "mirroring is on already" in found["headroom"]["message"]


def test_one_side_that_nobody_marked(simulate: Any, playbook: Any) -> None:
    other = {**MONITORING[1], "name": "another", "guid": GUIDS["us-east"][:-1] + "9", "receives": False}
    simulate(monitoring=[*MONITORING, other], switches={"default_receiver_shown": "hidden"})
    found = findings(playbook)
    assert (found["headroom_source"]["status"], found["headroom_target"]["status"]) == ("pass", "unknown")
    assert "mirroring_target_monitoring_instance" in found["headroom_target"]["remedy"]


def test_a_throughput_that_the_cloud_does_not_show(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, switches={"parameters_shown": "none"})
    found = findings(playbook)
    assert "shows the throughput of neither instance" in found["headroom_source"]["message"]
    assert "mirroring_throughput" in found["headroom_source"]["remedy"]
    found = findings(playbook, throughput=150)
    assert {found[rule]["status"] for rule in RULES} == {"pass"}


def test_patterns_that_only_the_service_understands(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, series=[takes_in("orders", [90000, 100e6])])
    for topics in (["^payments$", "^orders?+$"], ["^orders?+$"]):
        found = findings(playbook, topics=topics)
        assert {found[rule]["status"] for rule in RULES} == {"unknown"}
        assert all("can only be told by the service: ^orders?+$" in found[rule]["message"] for rule in RULES)


def mirrored_before(out: float) -> list[dict[str, Any]]:
    """Until an hour ago the target mirrored 32 MB/s, which the source handed out beside 10 MB/s of its own, or less."""
    return [
        *(takes_in(topic, [90000, 16e6]) for topic in ("orders", "payments")),
        drawn("bytes_out_per_second", [90000, out], [HOUR, 10e6], instance=SOURCE),
        drawn("bytes_in_per_second", [90000, 37e6], [HOUR, 5e6]),
        drawn("mirroring_throughput_bytes_per_second", [90000, 32e6], [HOUR, None]),
    ]


@pytest.mark.parametrize(("out", "status"), [(42e6, "unknown"), (10e6, "pass"), (120e6, "fail")])
def test_what_was_mirrored_before_does_not_count_twice(out: float, status: str, simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, series=mirrored_before(out))
    found = findings(playbook)
    assert (found["headroom_source"]["status"], found["headroom_target"]["status"]) == (status, "pass")
    assert ("while mirroring to this target was on" in found["headroom_source"]["message"]) == (status == "unknown")


def test_a_topic_without_numbers_is_no_gap_of_another(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING, series=[takes_in("orders", [90000, 1e6]), takes_in("payments", [90000, "NaN"])])
    found = findings(playbook)
    assert {found[rule]["status"] for rule in RULES} == {"unknown"}
    assert not any("of 24 h are known" in found[rule]["message"] for rule in RULES)


def test_topics_that_nobody_asked_for(simulate: Any, playbook: Any) -> None:
    simulate(monitoring=MONITORING)
    found = findings(playbook, topics=None)
    assert {found[rule]["status"] for rule in RULES} == {"unknown"}
    assert all("Set mirroring_topics" in found[rule]["remedy"] for rule in RULES)
    found = findings(playbook, topics=[])
    assert {found[rule]["status"] for rule in RULES} == {"pass"}


def test_refusals_keep_their_reason_and_remedy(simulate: Any, playbook: Any) -> None:
    simulator = simulate(monitoring=MONITORING, switches={"monitoring_refusal": "403"})
    found = findings(playbook, source_monitoring_instance=GUIDS["us-south"].replace("3", "4"))
    assert "failed to ask Monitoring for what the source hands out" in found["headroom_source"]["message"]
    assert "HTTP 403" in found["headroom_source"]["message"]
    assert "service role Reader" in found["headroom_source"]["remedy"]
    assert asked(simulator)
