# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a pair, as one page to look at. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.headroom import (
    MEGABYTE,
    guidance_of,
    told_guidance,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import Measured
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import (
    SAMPLED_EVERY,
    TOPIC,
    step_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.chart import Chart, Limit, Line, draw
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.document import (
    Child,
    Column,
    badge,
    element,
    facts,
    name,
    render,
    section,
    table,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.scale import (
    duration,
    moment,
    number,
    rate,
    seconds,
)

WINDOW = 3600.0
"""How far a page looks back where nothing else is asked for, in seconds."""

MOST_TOPICS = 100
ORDER = ("fail", "warn", "unknown", "pass")
TONES = {"mirroring": "pass", "within": "pass", "not mirroring": "fail", "behind": "fail", "unknown": "unknown"}
NO_VALUE = "Monitoring has no value of that time."
NOT_KNOWN = "not known"
RATES = {"mirroring_throughput": "Mirrored", "bytes_in": "Taken in", "bytes_out": "Handed out"}


@dataclasses.dataclass(frozen=True)
class View:
    """What a page shows: a target, and its source if that was given; the verdict in words, None if nothing was checked; what
    Monitoring (by its GUID) knows within the window before a time, in seconds; the seconds that are accepted for lag."""

    source: Instance | None
    target: Instance
    verdict: str | None
    findings: t.Sequence[Finding]
    at: float
    window: float
    monitoring: str | None
    measured: Measured | Unreadable
    accepted: float | None


def picture(view: View, secrets: t.Collection[str] = ()) -> bytes:
    """The page, without the secrets, should a service have written any into its answers."""
    parts = [_header(view), *_findings(view), _lag(view), _throughput(view), _now(view)]
    return render(_title(view), *parts, secrets=secrets)


def _title(view: View) -> str:
    both = [one for one in (view.source, view.target) if one]
    return " → ".join(f"{one.name} ({one.region})" for one in both)


def _header(view: View) -> ET.Element:
    heading: list[Child] = []
    for one in (view.source, view.target):
        if one:
            heading += [*([" → "] if heading else []), *_instance(one)]
    if view.source:
        direction: list[Child] = ["Data flows from ", *_instance(view.source), " to ", *_instance(view.target), "."]
    else:
        direction = ["About this instance alone: which source it mirrors was not given."]
    told: list[tuple[str, Child]] = []
    if view.verdict:
        told.append(("Verdict", badge(TONES.get(view.verdict, "warn"), view.verdict)))
    told += [
        ("Looked at", moment(view.at)),
        ("Looked back", duration(view.window)),
        ("IBM Cloud Monitoring", name(view.monitoring) if view.monitoring else NOT_KNOWN),
    ]
    return element("header", None, element("h1", None, *heading), element("p", None, *direction), facts(told))


def _instance(one: Instance) -> list[Child]:
    return [name(one.name), " ", element("span", {"class": "region"}, f"({one.region})")]


def _findings(view: View) -> list[ET.Element]:
    """What was checked, the worst first; nothing if nothing was."""
    if not view.findings:
        return []
    rows = []
    for finding in sorted(view.findings, key=lambda one: ORDER.index(one.status)):
        told = [element("p", None, finding.message)]
        told += [element("p", {"class": "soft"}, finding.remedy)] if finding.remedy else []
        rows.append((badge(finding.status, finding.status), finding.rule, element("div", None, *told)))
    columns = (Column("Status"), Column("Check"), Column("What was found, and what to do"))
    return [section("Findings", table("Findings", columns, rows))]


def _lag(view: View) -> ET.Element:
    limit = None if view.accepted is None else Limit(view.accepted, f"accepted: {seconds(view.accepted)}")
    told = (
        "No limit for it was given."
        if view.accepted is None
        else f"Accepted are {seconds(view.accepted)}: what was produced in that time may be lost with the source."
    )
    series = view.measured.latency if isinstance(view.measured, Measured) else []
    known = view.measured.lag.topics if isinstance(view.measured, Measured) else {}
    lines = [Line(one.labels[TOPIC], one.points) for one in series if one.labels.get(TOPIC)]
    total = len({*known, *(line.name for line in lines)})
    figure = _figure(view, "How far each topic is behind, in seconds", seconds, lines, limit, total)
    return section("Lag", element("p", {"class": "soft"}, told), figure, *_topics(view))


def _topics(view: View) -> list[ET.Element]:
    """The newest latency of topics, those that are furthest behind first."""
    if not isinstance(view.measured, Measured) or not view.measured.lag.topics:
        return []
    most = view.accepted
    rows: list[list[Child]] = []
    for one in view.measured.lag.to_result(MOST_TOPICS)["topics"]:
        behind = one["seconds"]
        row: list[Child] = [name(one["topic"]), NOT_KNOWN if behind is None else seconds(behind)]
        if most is not None and not view.measured.lag.counts(one["topic"]):
            row.append(badge("unknown", "not selected"))
        elif most is not None:
            tone, words = ("fail", "behind") if behind is not None and behind > most else ("pass", "within")
            row.append(badge("unknown", NOT_KNOWN) if behind is None else badge(tone, words))
        rows.append(row)
    columns = [Column("Topic"), Column("Behind by", numbers=True), *([] if most is None else [Column("Limit")])]
    total = len(view.measured.lag.topics)
    more = [element("p", {"class": "soft"}, f"and {total - len(rows):,} more")] if total > len(rows) else []
    summary = element("summary", None, f"{total:,} {'topic' if total == 1 else 'topics'} now")
    return [element("details", {"open": "open"}, summary, table("Topics", columns, rows), *more)]


def _throughput(view: View) -> ET.Element:
    limit = None
    told = "Without a source there is no pair of regions for which the vendor's guidance could be told."
    if view.source:
        guidance = guidance_of(view.source, view.target)
        told = told_guidance(guidance)
        if guidance:
            limit = Limit(guidance[1] * MEGABYTE, f"guidance: {guidance[1]:g} MB/s in total")
    series = view.measured.throughput if isinstance(view.measured, Measured) else []
    lines = [Line("all topics together", one.points) for one in series]
    figure = _figure(view, "How much is mirrored, in bytes per second", rate, lines, limit)
    return section("Throughput of mirroring", element("p", {"class": "soft"}, told), figure)


def _figure(
    view: View,
    title: str,
    written: t.Callable[[float], str],
    lines: t.Sequence[Line],
    limit: Limit | None,
    total: int = 0,
) -> ET.Element:
    step = step_of(view.window)
    every = "One value a minute" if step == SAMPLED_EVERY else f"One value every {seconds(step)}"
    reason = NO_VALUE if isinstance(view.measured, Measured) else view.measured.reason
    return draw(
        Chart(
            title=title,
            start=view.at - view.window,
            end=view.at,
            gap=step * 1.5,
            written=written,
            lines=lines,
            total=total,
            limit=limit,
            note=f"{every}, times in UTC",
            reason=reason,
        )
    )


def _now(view: View) -> ET.Element:
    """What the target takes in and hands out, and how full it is."""
    heading = "The target now" if view.source else "The instance now"
    if not isinstance(view.measured, Measured):
        return section(heading, element("p", None, f"Not known: {view.measured.reason}"))
    rows = []
    for which, words in RATES.items():
        found = view.measured.rates[which]
        rows.append([words, *(NOT_KNOWN if value is None else rate(value) for value in found)])
    columns = (Column("Traffic"), Column("Now", numbers=True), Column("At the peak", numbers=True))
    told: list[tuple[str, Child]] = []
    for which, words, unit in (("partitions", "Partitions", ""), ("utilization", "Utilization", ", from 0 to 2")):
        value = view.measured.values[which]
        told.append((words, NOT_KNOWN if value is None else f"{number(value)}{unit}"))
    return section(heading, table("Traffic", columns, rows), facts(told))
