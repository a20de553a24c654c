# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is there bandwidth for mirroring? Rules over what was measured (API §6.1, §6.3). Pure.

Private to this collection: it may change at any time. What was not measured is unknown, never 0.
"""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding, some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance

MEGABYTE = 1_000_000.0
UNIT, MOST_UNITS = 150, 3
"""MB/s of throughput that one capacity unit has, in and out together, and how many units there are at most (API §6.1)."""

RECOMMENDED = 2 / 3
"""The share of its peak that the vendor recommends to use (API §6.1)."""

GUIDANCE = {
    frozenset({"us-south", "us-east"}): (1.5, 35.0),
    frozenset({"eu-gb", "eu-de"}): (2.5, 35.0),
    frozenset({"au-syd", "jp-tok"}): (0.4, 12.0),
    frozenset({"eu-gb"}): (2.5, 35.0),
}
"""MB/s per partition and in total that the vendor measured, by region pair (API §6.3)."""

HOW_TO_MEASURE = (
    "Enable platform metrics for the regions of both instances in IBM Cloud Monitoring, and let the identity see and read it. Stay below "
    "two thirds of the peak on both sides."
)
MOST_NAMES = 100
LARGEST = 1e18
"""Bytes per second; above it a number tells no more."""

BEFORE = "more were handed out while mirroring to this target was on; they do not count twice if it mirrored from this source then."
BEFORE_REMEDY = (
    "Nothing, if it did. If it did not, count them, too, or look at a time without it, with mirroring_headroom_window."
)
ENOUGH = 0.9
"""The share of the window of which something has to be known for a peak to count as the peak."""


class Missing(t.NamedTuple):
    """Why something is not known, and what to do about it."""

    reason: str
    remedy: str = HOW_TO_MEASURE


@dataclasses.dataclass(frozen=True)
class Load:
    """Peaks within a window of so many seconds, in bytes per second, None where nothing is known: what the source hands out; what the
    target takes in, apart from what was mirrored to it; and what the selected topics of the source take in, together (at least) and each.
    ``covered`` is the share of the window of which a peak is known, by the name of its field, where that is not all of it; ``missing`` says
    why one is not known, or not all of it; ``silent`` is how many selected topics have no value; ``source_own`` is what the source hands
    out apart from what was mirrored to the target, if that came from it."""

    window: float
    source_out: float | None = None
    target_in: float | None = None
    selected: float | None = None
    topics: dict[str, float] = dataclasses.field(default_factory=dict)
    silent: int = 0
    covered: dict[str, float] = dataclasses.field(default_factory=dict)
    missing: dict[str, Missing] = dataclasses.field(default_factory=dict)
    source_own: float | None = None


def headroom_rules(
    source: Instance,
    target: Instance,
    previews: t.Sequence[Preview],
    load: Load | Missing | None,
    throughput: int | None = None,
) -> list[Finding]:
    """All rules about bandwidth. Without a load, because mirroring is on already, or with one that could not be read, they are one.
    An instance that does not show its throughput is taken to have that of the other one, because both have to be equal, or
    ``throughput``, in MB/s."""
    guidance = guidance_of(source, target)
    if load is None:
        message = "Whether there is bandwidth left was not measured, because mirroring is on already."
        remedy = "The module metrics_info shows how far it is behind, and what it moves."
        return [Finding("headroom", "unknown", f"{message} {told_guidance(guidance)}", remedy, _evidence(guidance))]
    if isinstance(load, Missing):
        message = (
            f"Whether there is bandwidth left was not measured: {_sentence(load.reason)} {told_guidance(guidance)}"
        )
        return [Finding("headroom", "unknown", message, load.remedy, _evidence(guidance))]
    source_throughput = source.throughput or target.throughput or throughput
    target_throughput = target.throughput or source.throughput or throughput
    return [
        _side("headroom_source", f"the source {source.name} hands out", source_throughput, "source_out", load),
        _side("headroom_target", f"the target {target.name} takes in", target_throughput, "target_in", load),
        _total(guidance, load),
        _partitions(guidance, load, previews),
    ]


def guidance_of(source: Instance, target: Instance) -> tuple[float, float] | None:
    """What the vendor measured for the regions of a pair; None if it has not."""
    return GUIDANCE.get(frozenset({source.region, target.region}))


def told_guidance(guidance: tuple[float, float] | None) -> str:
    """The same in words."""
    if guidance is None:
        return "There is no published guidance for this pair of regions."
    return f"The vendor measured {guidance[0]:g} MB/s per partition and {guidance[1]:g} MB/s in total for this pair of regions."


def _evidence(guidance: tuple[float, float] | None) -> dict[str, t.Any]:
    shown = guidance and {"per_partition_mb_per_s": guidance[0], "total_mb_per_s": guidance[1]}
    return {"guidance": shown}


def _megabytes(value: float) -> float:
    """MB/s out of what was measured, which has an end, so that it can be added up."""
    return max(0.0, min(value, LARGEST)) / MEGABYTE


def _known(load: Load, part: str) -> dict[str, float]:
    """What is known of what one side moves already, and of what mirroring adds, in MB/s."""
    moved = load.source_own if part == "source_out" and load.source_own is not None else getattr(load, part)
    found = {part: moved, "selected": load.selected}
    return {name: _megabytes(value) for name, value in found.items() if value is not None}


def _units(load: Load) -> int:
    """How many capacity units it takes for what is known of both sides: they need the same."""
    most = max(sum(_known(load, part).values()) for part in ("source_out", "target_in"))
    return max(1, math.ceil(most / (UNIT / 2 * RECOMMENDED)))


def _side(rule: str, does: str, throughput: int | None, part: str, load: Load) -> Finding:
    """One half of an instance's throughput: what is moved already, and what mirroring adds."""
    known = _known(load, part)
    if throughput is None or not known:
        if throughput is not None:
            return _unknown(rule, f"What {does} in the end", load, part, "selected", "topics")
        message = f"Whether what {does} leaves room is not known: the cloud shows the throughput of neither instance."
        return Finding(rule, "unknown", message, "Give it as mirroring_throughput, in MB/s.")
    half = throughput / 2
    limit = half * RECOMMENDED
    before, added = known.get(part), known.get("selected")
    total = sum(known.values())
    units = _units(load)
    evidence = {
        "present_mb_per_s": None if before is None else round(before, 3),
        "added_mb_per_s": None if added is None else round(added, 3),
        "recommended_mb_per_s": round(limit, 3),
        "peak_mb_per_s": half,
        "units_needed": units,
        "silent_topics": load.silent,
    }
    told = (
        f"At the peak of {_hours(load.window)} {does} {_rate(before)}; with {_rate(added)} of the selected topics that is "
        f"{total:.2f} MB/s of {limit:g} MB/s, the recommended two thirds of {half:g} MB/s."
    )
    if total <= limit:
        found = Finding(rule, "pass", told, evidence=evidence)
        more = _mirrored_before(load) if part == "source_out" else 0.0
        if total + more > limit:
            found = dataclasses.replace(
                found, status="unknown", message=f"{told} {more:.2f} MB/s {BEFORE}", remedy=BEFORE_REMEDY
            )
        return _if_certain(found, load, part, "selected", "topics")
    doubts = _doubts(load, "source_out", "target_in", "selected", "topics")
    least = "at least " if doubts else ""
    remedy = (
        f"Scale both instances to {least}{units * UNIT} MB/s, which is {units} units, or mirror less."
        if units <= MOST_UNITS
        else f"Mirror less: it would take {least}{units} units, and there are {MOST_UNITS} at most."
    )
    doubts = _doubts(load, part, "selected", "topics")
    told = " ".join([told, *(_sentence(f"It may be more: {one.reason}") for one in doubts)])
    return Finding(rule, "fail" if total > half else "warn", told, remedy, evidence)


def _mirrored_before(load: Load) -> float:
    """How much more the source handed out than was its own, in MB/s, if what was mirrored to the target came from it."""
    if load.source_out is None or load.source_own is None:
        return 0.0
    return _megabytes(load.source_out) - _megabytes(load.source_own)


def _total(guidance: tuple[float, float] | None, load: Load) -> Finding:
    if load.selected is None:
        return _unknown("headroom_total", "What the selected topics take in", load, "selected")
    selected = _megabytes(load.selected)
    evidence = {**_evidence(guidance), "selected_mb_per_s": round(selected, 3), "silent_topics": load.silent}
    told = f"At the peak of {_hours(load.window)} the selected topics took in {selected:.2f} MB/s. {told_guidance(guidance)}"
    if guidance is None:
        return _unguided("headroom_total", told, evidence, _doubts(load, "selected", "topics"))
    if selected <= guidance[1]:
        return _if_certain(Finding("headroom_total", "pass", told, evidence=evidence), load, "selected", "topics")
    return Finding("headroom_total", "warn", told, "Above that the lag grows: mirror less.", evidence)


def _partitions(guidance: tuple[float, float] | None, load: Load, previews: t.Sequence[Preview]) -> Finding:
    """The load of each partition, if messages are spread evenly."""
    rule = "headroom_partitions"
    partitions = {one.topic: one.partitions for one in previews}
    rates = {name: _megabytes(rate) for name, rate in load.topics.items() if partitions.get(name)}
    if load.topics.keys() - rates or load.selected is None or (previews and not load.topics):
        return _unknown(rule, "How much each partition takes in", load, "selected", "topics")
    each = {name: rate / (partitions[name] or 1) for name, rate in rates.items()}
    if guidance is None:
        busiest = max(each.items(), key=lambda one: (one[1], one[0]), default=("", 0.0))
        told = f"At the peak of {_hours(load.window)} a partition of a selected topic took in {busiest[1]:.2f} MB/s at most"
        told += f" ({busiest[0]}). {told_guidance(None)}" if each else f". {told_guidance(None)}"
        return _unguided(
            rule, told, {**_evidence(None), "silent_topics": load.silent}, _doubts(load, "selected", "topics")
        )
    needed = {name: max(1, math.ceil(rate / guidance[0])) for name, rate in rates.items()}
    short = [name for name in sorted(rates) if each[name] > guidance[0]]
    evidence = {
        **_evidence(guidance),
        "topics": [
            {
                "topic": name,
                "mb_per_s": round(rates[name], 3),
                "partitions": partitions[name],
                "partitions_needed": needed[name],
            }
            for name in short[:MOST_NAMES]
        ],
        "silent_topics": load.silent,
    }
    if not short:
        told = f"No partition of a selected topic took in more than {guidance[0]:g} MB/s at the peak of {_hours(load.window)}."
        return _if_certain(Finding(rule, "pass", told, evidence=evidence), load, "selected", "topics")
    wanted = [f"{name} (has {partitions[name]}, needs {needed[name]})" for name in short]
    told = f"More than the {guidance[0]:g} MB/s per partition that the vendor measured: {some(short)}."
    return Finding(rule, "warn", told, f"Above that the lag grows. Add partitions: {some(wanted)}.", evidence)


def _if_certain(finding: Finding, load: Load, *parts: str) -> Finding:
    """What passes only as long as all that counts is known, else is unknown: more may come to light."""
    doubts = _doubts(load, *parts)
    if not doubts:
        return finding
    message = " ".join([finding.message, *(_sentence(one.reason) for one in doubts)])
    return dataclasses.replace(finding, status="unknown", message=message, remedy=doubts[0].remedy)


def _doubts(load: Load, *parts: str) -> list[Missing]:
    """Why there may be more than what is known of these peaks."""
    doubts = _missing(load, *parts)
    if load.silent:
        doubts.append(
            Missing(
                f"Of {load.silent} more selected topics nothing is known",
                "Topics without traffic may have no value. If they have any, look at it before.",
            )
        )
    known = min((load.covered.get(part, 1.0) for part in parts if getattr(load, part) is not None), default=1.0)
    if known < ENOUGH:
        doubts.append(
            Missing(
                f"Only {_hours(known * load.window)} of {_hours(load.window)} are known",
                "Wait until there are metrics of more of it, or set mirroring_headroom_window to what there are.",
            )
        )
    return doubts


def _missing(load: Load, *parts: str) -> list[Missing]:
    """Why any of these peaks is not known, or not all of it."""
    lacking = [part for part in parts if getattr(load, part) is None or part in load.missing]
    return list(dict.fromkeys(load.missing.get(part, Missing("Monitoring has no values")) for part in lacking))


def _unknown(rule: str, what: str, load: Load, *parts: str) -> Finding:
    reasons = _missing(load, *parts) or [Missing("Monitoring has no values")]
    told = "; ".join(one.reason.rstrip(". ") for one in reasons)
    return Finding(rule, "unknown", f"{what} is not known: {told}.", reasons[0].remedy)


def _unguided(rule: str, told: str, evidence: dict[str, t.Any], doubts: t.Sequence[Missing]) -> Finding:
    """What was measured, where there is nothing to compare it with."""
    remedy = "Begin with few topics, and look at their lag with the module metrics_info."
    message = " ".join([told, *(_sentence(f"It may be more: {one.reason}") for one in doubts)])
    return Finding(rule, "unknown", message, remedy, evidence)


def _rate(value: float | None) -> str:
    return "an unknown amount" if value is None else f"{value:.2f} MB/s"


def _sentence(text: str) -> str:
    return f"{text.rstrip('. ')}."


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.3g} h"
