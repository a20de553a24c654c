# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import time
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.expected import Expected
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import Lag
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import Measured
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import (
    TOPIC,
    UNKNOWN_RATE,
    Rate,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.picture import View, picture
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.module_utils.page.reader import Page
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import EPOCH, instance

SOURCE = dataclasses.replace(instance(), name="es-source", region="us-south")
TARGET = dataclasses.replace(instance(), name="es-target", region="us-east")
NOW = EPOCH + 3600.0


def measured(**changes: t.Any) -> Measured:
    """One topic that is behind, and one of which nothing is known."""
    latency = [Series({TOPIC: "orders"}, [(NOW - 60, 200.0), (NOW, 250.0)]), Series({TOPIC: "audit"}, [(NOW, None)])]
    known = Measured(
        at=NOW,
        window=3600.0,
        lag=Lag({"orders": 250.0, "payments": 2.0, "audit": None}),
        rates={"mirroring_throughput": Rate(9e6, 12e6), "bytes_in": Rate(None, 3e6), "bytes_out": UNKNOWN_RATE},
        topics={},
        values={"partitions": 12.0, "utilization": None},
        latency=latency,
        throughput=[Series({}, [(NOW - 60, 12e6), (NOW, 9e6)])],
    )
    return dataclasses.replace(known, **changes)


FINDINGS = [
    Finding("enabled", "pass", "Mirroring is enabled."),
    Finding("network", "unknown", "Nobody knows."),
    Finding("lag", "fail", "The worst topic, orders, is behind.", "Wait."),
    Finding("settings", "warn", "Look at this."),
]
VIEW = View(SOURCE, TARGET, "behind", FINDINGS, NOW, 3600.0, "guid-of-monitoring", measured(), 60.0)


def page_of(**changes: t.Any) -> Page:
    return Page(picture(dataclasses.replace(VIEW, **changes)))


def rows(page: Page, first: str) -> list[list[str]]:
    """The cells of the table whose first column is called so, with the texts of what is in them."""
    tables: list[list[list[str]]] = []
    inside = False
    for tag, _attributes, text in page.elements:
        if tag == "table":
            tables.append([])
        elif tag == "tr":
            tables[-1].append([])
        elif inside and "".join(text).strip():
            tables[-1][-1].append("".join(text))
        inside = tag == "table" or (inside and tag != "/table")
    (found,) = [one for one in tables if one[0][0] == first]
    return found[1:]


def test_it_says_which_pair_and_how_it_is() -> None:
    page = page_of()
    assert page.texts("title")[0] == "es-source (us-south) → es-target (us-east)"
    assert page.texts("bdi")[:4] == ["es-source", "es-target"] * 2
    (told,) = [text for text in page.texts("p") if text.startswith("Data flows from")]
    assert told == "Data flows from   to  ."
    assert page.texts("span", "badge fail")[0] == "behind"
    assert {"2026-01-01 01:00:00 UTC", "1 hour"} <= set(page.texts("dd"))
    assert "guid-of-monitoring" in page.texts("bdi")


def test_findings_the_worst_first_with_what_to_do() -> None:
    table = rows(page_of(), "Status")
    assert [row[0] for row in table] == ["fail", "warn", "unknown", "pass"]
    assert table[0] == ["fail", "lag", "The worst topic, orders, is behind.", "Wait."]


def test_topics_the_furthest_behind_first() -> None:
    assert rows(page_of(), "Topic") == [
        ["orders", "250 s", "behind"],
        ["payments", "2 s", "within"],
        ["audit", "not known", "not known"],
    ]
    assert rows(page_of(accepted=None), "Topic")[0] == ["orders", "250 s"]


def test_topics_that_were_not_selected_are_neither_within_nor_behind() -> None:
    lag = Lag(
        {"orders": 250.0, "payments": 2.0}, expected=Expected([Preview("payments", "payments.us-south", 1, True, ())])
    )
    table = rows(page_of(measured=measured(lag=lag)), "Topic")
    assert table == [["orders", "250 s", "not selected"], ["payments", "2 s", "within"]]


def test_limits_in_words() -> None:
    assert page_of().texts("span", "most") == ["accepted: 60 s", "guidance: 35 MB/s in total"]
    assert "The vendor measured 1.5 MB/s per partition and 35 MB/s in total" in page_of().text
    elsewhere = page_of(source=dataclasses.replace(SOURCE, region="br-sao"), accepted=None)
    assert elsewhere.texts("span", "most") == []
    assert "There is no published guidance for this pair of regions." in elsewhere.text
    assert "No limit for it was given." in elsewhere.text


def test_what_is_not_known_is_said_and_is_not_zero() -> None:
    page = page_of()
    assert rows(page, "Traffic") == [
        ["Mirrored", "9 MB/s", "12 MB/s"],
        ["Taken in", "not known", "3 MB/s"],
        ["Handed out", "not known", "not known"],
    ]
    assert page.texts("dd")[-2:] == ["12", "not known"]
    silent = page_of(measured=measured(latency=[], throughput=[], lag=Lag({})))
    assert silent.text.count("Not known: Monitoring has no value of that time.") == 2
    assert silent.attributes("path", "d") == []


def test_without_monitoring_the_charts_say_why() -> None:
    page = page_of(measured=Unreadable("this identity can see no instance."), monitoring=None)
    assert page.text.count("Not known: this identity can see no instance.") == 3
    assert page.texts("dd")[-1] == "not known"
    assert rows(page, "Status")


def test_one_instance_alone() -> None:
    page = page_of(source=None, verdict=None, findings=[])
    assert page.texts("title")[0] == "es-target (us-east)"
    assert "which source it mirrors was not given" in page.text
    assert "Verdict" not in page.texts("dt")
    assert "Findings" not in page.texts("h2")
    assert page.texts("span", "most") == ["accepted: 60 s"]


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [
        ("mirroring", "pass"),
        ("within", "pass"),
        ("behind", "fail"),
        ("not mirroring", "fail"),
        ("unknown", "unknown"),
        ("pending", "warn"),
        ("enabled, and nothing is mirrored", "warn"),
        ("mirroring, from a source that nothing shows", "warn"),
    ],
)
def test_verdicts(verdict: str, tone: str) -> None:
    assert page_of(verdict=verdict, findings=[]).texts("span", f"badge {tone}")[0] == verdict


def test_thousands_of_topics_are_few_lines_and_rows() -> None:
    points = [(NOW - 60.0 * ago, float(ago % 977)) for ago in range(10_080)][::-1]
    names = [f"{'n' * 240}-{at:05}" for at in range(5_000)]
    huge = measured(
        window=604_800.0,
        lag=Lag({name: float(at) for at, name in enumerate(names)}),
        latency=[Series({TOPIC: name}, points) for name in names],
        throughput=[Series({}, points)],
    )
    started = time.process_time()
    made = picture(dataclasses.replace(VIEW, window=604_800.0, measured=huge))
    assert time.process_time() - started < 20
    assert len(made) < 400_000
    page = Page(made)
    assert len(rows(page, "Topic")) == 100
    assert rows(page, "Topic")[0][0] == names[-1]
    assert "and 4,900 more" in page.text
    assert "and 4992 more, which are not drawn" in page.text
