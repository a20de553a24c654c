# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import hypothesis
import hypothesis.strategies as st
import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance, parse_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.headroom import (
    Load,
    Missing,
    headroom_rules,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import SOURCE, TARGET, document

MEGABYTE = 1_000_000.0
LOAD = Load(86400, 10 * MEGABYTE, 5 * MEGABYTE, 3 * MEGABYTE, {"orders": 2 * MEGABYTE, "payments": 1 * MEGABYTE})


def instance(guid: str, region: str, **parameters: t.Any) -> Instance:
    found = parse_instance(document(guid=guid, region=region, name=f"es-{region}", parameters=parameters))
    assert found
    return found


def rules(
    load: Load | Missing | None, regions: tuple[str, str] = ("us-south", "us-east"), **capacity: t.Any
) -> dict[str, Finding]:
    parameters = capacity or {"throughput": "150"}
    previews = [preview("orders", 4), preview("payments", 1)]
    source, target = instance(SOURCE, regions[0], **parameters), instance(TARGET, regions[1], **parameters)
    return {one.rule: one for one in headroom_rules(source, target, previews, load)}


def preview(topic: str, partitions: int | None) -> Preview:
    return Preview(topic, f"{topic}.x", partitions, True, ("^x$",))


def changed(**changes: t.Any) -> Load:
    return dataclasses.replace(LOAD, **changes)


@pytest.mark.parametrize(
    ("load", "rule", "status", "told", "remedy"),
    [
        (
            LOAD,
            "headroom_source",
            "pass",
            "hands out 10.00 MB/s; with 3.00 MB/s of the selected topics that is 13.00 MB/s of 50 MB/s",
            "",
        ),
        (LOAD, "headroom_target", "pass", "takes in 5.00 MB/s; with 3.00 MB/s", ""),
        (changed(source_out=47e6), "headroom_source", "pass", "50.00 MB/s of 50 MB/s", ""),
        (
            changed(source_out=47.1e6),
            "headroom_source",
            "warn",
            "50.10 MB/s of 50 MB/s",
            "Scale both instances to 300 MB/s, which is 2 units",
        ),
        (changed(source_out=72.1e6), "headroom_source", "fail", "75.10 MB/s of 50 MB/s", "300 MB/s"),
        (changed(target_in=120e6), "headroom_target", "fail", "123.00 MB/s", "450 MB/s, which is 3 units"),
        (
            changed(target_in=150e6),
            "headroom_target",
            "fail",
            "153.00 MB/s",
            "it would take 4 units, and there are 3 at most",
        ),
        (changed(source_out=None), "headroom_source", "unknown", "Monitoring has no values", "Enable platform metrics"),
        (changed(selected=None, topics={}), "headroom_target", "unknown", "no values", "Enable platform metrics"),
        (
            changed(source_out=None, selected=None),
            "headroom_source",
            "unknown",
            "hands out in the end is not known: Monitoring has no values",
            "Enable platform metrics",
        ),
        (
            changed(target_in=None, missing={"target_in": Missing("No access.", "Ask for it.")}),
            "headroom_target",
            "unknown",
            "No access.",
            "Ask for it.",
        ),
        (
            changed(source_out=None, missing={"target_in": Missing("No access.", "Ask for it.")}),
            "headroom_source",
            "unknown",
            "Monitoring has no values",
            "Enable",
        ),
        (
            changed(source_out=None, selected=76e6),
            "headroom_source",
            "fail",
            "an unknown amount; with 76.00",
            "300 MB/s",
        ),
        (changed(selected=None, source_out=60e6), "headroom_source", "warn", "60.00 MB/s; with an unknown", "300 MB/s"),
        (
            changed(covered={"source_out": 0.25}),
            "headroom_source",
            "unknown",
            "Only 6 h of 24 h are known",
            "mirroring_headroom_window",
        ),
        (
            changed(source_out=None, selected=76e6),
            "headroom_source",
            "fail",
            "It may be more: Monitoring has no values.",
            "to at least 300 MB/s, which is 2 units",
        ),
        (
            changed(source_out=90e6, target_in=120e6),
            "headroom_source",
            "fail",
            "93.00",
            "to 450 MB/s, which is 3 units",
        ),
        (changed(covered={"source_out": 0.95}), "headroom_source", "pass", "13.00 MB/s", ""),
        (changed(covered={"source_out": 0.25}), "headroom_target", "pass", "8.00 MB/s", ""),
        (changed(covered={"selected": 0.5}), "headroom_total", "unknown", "Only 12 h of 24 h", "headroom_window"),
        (changed(covered={"selected": 0.5}), "headroom_partitions", "unknown", "Only 12 h of 24 h", "headroom_window"),
        (changed(covered={"selected": 0.0}, selected=40e6), "headroom_total", "warn", "40.00 MB/s", "mirror less"),
        (
            LOAD,
            "headroom_total",
            "pass",
            "took in 3.00 MB/s. The vendor measured 1.5 MB/s per partition and 35 MB/s",
            "",
        ),
        (changed(selected=35.1e6), "headroom_total", "warn", "35.10 MB/s", "mirror less"),
        (changed(selected=None), "headroom_total", "unknown", "is not known", "Enable"),
        (LOAD, "headroom_partitions", "pass", "more than 1.5 MB/s at the peak of 24 h", ""),
        (changed(topics={"payments": 3.1e6}), "headroom_partitions", "warn", "payments", "payments (has 1, needs 3)"),
        (changed(topics={}), "headroom_partitions", "unknown", "is not known", "Enable"),
        (changed(silent=2), "headroom_source", "unknown", "Of 2 more selected topics nothing is known", "look at it"),
        (changed(silent=2), "headroom_total", "unknown", "Of 2 more selected topics", "look at it"),
        (changed(silent=2), "headroom_partitions", "unknown", "Of 2 more selected topics", "look at it"),
        (changed(silent=2, source_out=80e6), "headroom_source", "fail", "83.00 MB/s", "300 MB/s"),
        (
            changed(silent=2, source_out=80e6),
            "headroom_source",
            "fail",
            "It may be more: Of 2 more selected topics nothing is known.",
            "to at least 300 MB/s",
        ),
        (
            changed(covered={"target_in": 0.5}, source_out=80e6),
            "headroom_source",
            "fail",
            "83.00 MB/s",
            "to at least 300 MB/s",
        ),
        (changed(target_in=None, source_out=80e6), "headroom_source", "fail", "83.00 MB/s", "to at least 300 MB/s"),
        (
            changed(missing={"selected": Missing("Only the service knows.", "Write it otherwise.")}),
            "headroom_total",
            "unknown",
            "Only the service knows.",
            "Write it otherwise.",
        ),
        (
            changed(source_out=64e6, source_own=32e6, selected=16e6),
            "headroom_source",
            "unknown",
            "48.00 MB/s of 50 MB/s, the recommended two thirds of 75 MB/s. 32.00 MB/s more were handed out while mirroring",
            "Nothing, if it did.",
        ),
        (changed(source_out=20e6, source_own=10e6), "headroom_source", "pass", "13.00 MB/s", ""),
        (changed(source_out=96e6, source_own=48e6), "headroom_source", "warn", "51.00 MB/s", "300 MB/s"),
        (changed(source_out=90e6, source_own=-5.0), "headroom_source", "unknown", "3.00 MB/s of", "Nothing"),
        (changed(source_out=1.7e308, selected=1.7e308), "headroom_source", "fail", "MB/s", "Mirror less"),
    ],
)
def test_rules(load: Load, rule: str, status: str, told: str, remedy: str) -> None:
    found = rules(load)[rule]
    assert found.status == status
    assert told in found.message
    assert remedy in found.remedy
    assert bool(remedy) == bool(found.remedy)


def test_evidence() -> None:
    found = rules(changed(source_out=47.1e6))
    assert {found[name].evidence["units_needed"] for name in ("headroom_source", "headroom_target")} == {2}
    assert found["headroom_source"].evidence == {
        "present_mb_per_s": 47.1,
        "added_mb_per_s": 3.0,
        "recommended_mb_per_s": 50.0,
        "peak_mb_per_s": 75.0,
        "units_needed": 2,
        "silent_topics": 0,
    }
    short = rules(changed(topics={"orders": 2e6, "payments": 3.1e6}))["headroom_partitions"].evidence["topics"]
    assert short == [{"topic": "payments", "mb_per_s": 3.1, "partitions": 1, "partitions_needed": 3}]


@pytest.mark.parametrize(("throughput", "limit"), [("300", 100), ("450", 150)])
def test_limits_follow_the_throughput(throughput: str, limit: int) -> None:
    assert f"of {limit} MB/s" in rules(LOAD, throughput=throughput)["headroom_source"].message


def test_a_throughput_that_is_not_shown() -> None:
    found = rules(LOAD, storage_size="2048")
    for rule in ("headroom_source", "headroom_target"):
        assert found[rule].status == "unknown"
        assert "the cloud shows the throughput of neither instance" in found[rule].message
        assert "mirroring_throughput" in found[rule].remedy


def test_a_throughput_that_only_one_shows_or_that_is_given_holds_for_both() -> None:
    shows, hides = instance(SOURCE, "us-south", throughput="300"), instance(TARGET, "us-east", storage_size="2048")
    for found in (headroom_rules(shows, hides, [], LOAD), headroom_rules(hides, hides, [], LOAD, 300)):
        assert "of 100 MB/s" in found[0].message
        assert "of 100 MB/s" in found[1].message


def test_each_side_has_a_limit_of_its_own() -> None:
    large, small = instance(SOURCE, "us-south", throughput="300"), instance(TARGET, "us-east", throughput="150")
    found = headroom_rules(large, small, [], LOAD, 450)
    assert ["of 100 MB/s" in found[0].message, "of 50 MB/s" in found[1].message] == [True, True]


def test_regions_without_guidance() -> None:
    found = rules(LOAD, ("us-south", "br-sao"))
    assert "took in 3.00 MB/s. There is no published guidance" in found["headroom_total"].message
    assert found["headroom_total"].evidence["selected_mb_per_s"] == 3.0
    assert "took in 1.00 MB/s at most (payments). There is no" in found["headroom_partitions"].message
    silent = rules(changed(silent=1), ("us-south", "br-sao"))["headroom_total"]
    assert "It may be more: Of 1 more selected topics nothing is known." in silent.message
    assert {name: found[name].status for name in ("headroom_total", "headroom_partitions")} == {
        "headroom_total": "unknown",
        "headroom_partitions": "unknown",
    }
    assert all("metrics_info" in found[name].remedy for name in ("headroom_total", "headroom_partitions"))
    assert found["headroom_source"].status == "pass"


@pytest.mark.parametrize(
    ("load", "told"), [(None, "mirroring is on already"), (Missing("No access."), "measured: No access. The")]
)
def test_nothing_measured_is_one_finding(load: Missing | None, told: str) -> None:
    (found,) = rules(load).values()
    assert (found.rule, found.status) == ("headroom", "unknown")
    assert told in found.message
    assert "1.5 MB/s per partition and 35 MB/s in total" in found.message


def test_nothing_selected_adds_nothing() -> None:
    sides = [instance(guid, region, throughput="150") for guid, region in ((SOURCE, "us-south"), (TARGET, "us-east"))]
    assert {one.status for one in headroom_rules(*sides, [], Load(3600, 1e6, 1e6, 0.0))} == {"pass"}


rates = st.one_of(st.none(), st.floats(0, 1e9), st.floats(0, allow_infinity=False))


@hypothesis.given(rates, rates, rates, st.integers(0, 3))
def test_what_is_not_known_never_passes(
    out: float | None, into: float | None, selected: float | None, silent: int
) -> None:
    load = Load(3600, out, into, selected, {} if selected is None else {"orders": selected}, silent)
    found = rules(load)
    for name, needed in (("headroom_source", out), ("headroom_target", into), ("headroom_total", 0.0)):
        if needed is None or selected is None or silent:
            assert found[name].status != "pass"
            assert found[name].remedy
    if found["headroom_source"].status == "pass":
        assert out is not None
        assert selected is not None
        assert out + selected <= 50e6
