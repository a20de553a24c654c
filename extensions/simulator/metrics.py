# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform metrics of Event Streams (API §7.2): a function of the world and the time, nothing is collected.

What a scenario describes is taken to have been there for two days when the clock starts. There is one sample in each
interval, counted from that start. A series that ends has a stale marker, as Prometheus gives to what it no longer finds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .instances import Flow, Instance, Span, Topic
from .promql import Point
from .promql_parser import NAME_LABEL
from .world import Drawing, World

HISTORY = 2 * 86400.0
MEGABYTE = 1e6
DEFAULT_TRAFFIC = 2048.0
RESERVED_DISK, UTILISED_DISK = 10.0, 5.0
RECOMMENDED = 2 / 3
_INSTANCE = "ibm_eventstreams_instance_"
LATENCY = _INSTANCE + "mirroring_latency_seconds"
THROUGHPUT = _INSTANCE + "mirroring_throughput_bytes_per_second"
TOPIC_IN, TOPIC_OUT = _INSTANCE + "topic_bytes_in_per_second", _INSTANCE + "topic_bytes_out_per_second"
BYTES_IN, BYTES_OUT = _INSTANCE + "bytes_in_per_second", _INSTANCE + "bytes_out_per_second"
UTILIZATION = _INSTANCE + "utilization"
PARTITIONS, TOPICS = _INSTANCE + "partitions", _INSTANCE + "topics"
RESERVED = _INSTANCE + "reserved_disk_space_percent"
UTILISED = _INSTANCE + "utilised_disk_space_percent"
OFFLINE = "ibm_eventstreams_kafka_offline_partitions"
UNDER_MINISR = "ibm_eventstreams_kafka_under_minisr_partitions"
TOPIC_METRICS = (LATENCY, TOPIC_IN, TOPIC_OUT)
INSTANCE_METRICS = (
    THROUGHPUT,
    BYTES_IN,
    BYTES_OUT,
    UTILIZATION,
    PARTITIONS,
    TOPICS,
    RESERVED,
    UTILISED,
    OFFLINE,
    UNDER_MINISR,
)
OLD_NAMES = {LATENCY: _INSTANCE + "mirroring_latency", THROUGHPUT: _INSTANCE + "mirroring_throughput"}
Value = Callable[[int], float]


@dataclass(frozen=True)
class Piece:
    """A time in which a series has samples: from begin until before end, in milliseconds."""

    begin: int
    end: int | None
    value: Value

    def covers(self, moment: int) -> bool:
        """Tell whether the moment is in it."""
        return self.begin <= moment and (self.end is None or moment < self.end)


@dataclass(frozen=True)
class Series:
    """One time series: pieces with samples, and marks where it ends."""

    labels: dict[str, str]
    pieces: list[Piece]
    marks: list[int]
    start: int
    interval: int
    now: int

    @property
    def name(self) -> str:
        """Return the name of the metric."""
        return self.labels[NAME_LABEL]

    def points(self, first: int, last: int) -> list[Point]:
        """Return the points from first to last, both included; none is in the future."""
        last = min(last, self.now)
        found: dict[int, float | None] = {mark: None for mark in self.marks if first <= mark <= last}
        for piece in self.pieces:
            begin = max(first, piece.begin)
            tick = self.start - (self.start - begin) // self.interval * self.interval
            end = last if piece.end is None else min(last, piece.end - 1)
            found.update((moment, piece.value(moment)) for moment in range(tick, end + 1, self.interval))
        return sorted(found.items(), key=lambda point: point[0])

    def present(self) -> float | None:
        """Return the value of the present interval."""
        points = self.points(self.now - self.interval + 1, self.now)
        return points[-1][1] if points else None


def milliseconds(moment: float) -> int:
    """Return a time as Prometheus keeps it."""
    return round(moment * 1000)


def all_series(world: World, now: float, instances: Iterable[Instance] | None = None) -> list[Series]:
    """Return every series of these instances (default: all) as it is known now."""
    every = world.instances.values()
    flows = [(flow, target) for target in every for flow in target.flows]
    filled = {(target.guid, flow.remote) for flow, target in flows}
    chosen = every if instances is None else instances
    return [series for instance in chosen for series in _Reporter(world, instance, now, flows, filled).report()]


def _constant(value: float) -> Value:
    return lambda moment: value


def _sum(pieces: list[Piece]) -> Value:
    return lambda moment: sum((piece.value(moment) for piece in pieces if piece.covers(moment)), 0.0)


class _Reporter:
    """Makes the series of one instance."""

    def __init__(
        self,
        world: World,
        instance: Instance,
        now: float,
        flows: list[tuple[Flow, Instance]],
        filled: set[tuple[str, str]],
    ) -> None:
        self._world, self._instance, self._now = world, instance, milliseconds(now)
        self._start = milliseconds(world.started)
        self._groups = {group.id: group.name for group in world.resource_groups}
        self._drawings = {
            (drawing.metric, drawing.topic): drawing for drawing in world.drawings if drawing.guid == instance.guid
        }
        self._filled = filled
        self._remotes = {flow.topic: flow.remote for flow in instance.flows}
        self._topics = [(topic, self._since(topic.created)) for topic in instance.live_topics()]
        self._arriving = [(flow, self._piece(flow)) for flow, target in flows if target is instance]
        self._leaving = [(flow, self._piece(flow)) for flow, target in flows if flow.source == instance.guid]

    # -- times and rates

    def _since(self, moment: float) -> int:
        """Return when something began; what the scenario describes began long ago."""
        return milliseconds(moment if moment >= self._world.started else self._world.started - HISTORY)

    def _piece(self, span: Span, value: float | None = None) -> Piece:
        begin = self._since(span.begin)
        if isinstance(span, Flow) and span.begin >= self._world.started:
            begin += milliseconds(self._world.timing["active_topic_seconds"])
        if value is None:
            value = self._flow_rate(span) if isinstance(span, Flow) else 0.0
        return Piece(begin, None if span.end is None else milliseconds(span.end), _constant(value))

    def _flow_rate(self, flow: Flow) -> float:
        source = self._world.instances.get(flow.source)
        topic = source.topics.get(flow.topic) if source is not None else None
        return 0.0 if source is None or topic is None else self._own_in(source, topic)

    def _own_in(self, instance: Instance, topic: Topic) -> float:
        """Return what applications write: nothing to topics that mirroring fills, unless the scenario says so."""
        if topic.traffic is not None:
            return topic.traffic * MEGABYTE
        filled = topic.remote_of is not None or topic.internal or (instance.guid, topic.name) in self._filled
        return 0.0 if filled else DEFAULT_TRAFFIC

    def _own_out(self, instance: Instance, topic: Topic) -> float:
        """Return what applications read: what they write, unless the scenario says so."""
        return self._own_in(instance, topic) if topic.traffic_out is None else topic.traffic_out * MEGABYTE

    # -- series

    def report(self) -> list[Series]:
        """Return all series: the drawn ones, and the default ones that are not drawn."""
        if self._instance.gone and self._instance.deleted_at is None:
            return []  # it was deleted before the scenario began
        made = [self._drawn(drawing) for drawing in self._drawings.values()]
        for metric, topic, pieces in [*self._of_mirroring(), *self._of_topics(), *self._of_instance()]:
            if (metric, topic) not in self._drawings:
                marks = [piece.end for piece in pieces if piece.end is not None and piece.begin < piece.end]
                made.append(self._series(metric, topic, pieces, marks))
        return [one for one in made if one.pieces or one.marks]

    def _of_mirroring(self) -> list[tuple[str, str | None, list[Piece]]]:
        latencies: dict[str, list[Piece]] = {}
        for flow, _rate in self._arriving:
            latencies.setdefault(flow.topic, []).append(self._piece(flow, self._world.latency))
        flowing = _sum([piece for _flow, piece in self._arriving])
        enabled = [self._piece(span) for span in self._instance.mirroring_times]
        throughput = [Piece(piece.begin, piece.end, flowing) for piece in enabled]
        return [(THROUGHPUT, None, throughput), *((LATENCY, topic, pieces) for topic, pieces in latencies.items())]

    def _of_topics(self) -> list[tuple[str, str | None, list[Piece]]]:
        found: list[tuple[str, str | None, list[Piece]]] = []
        arriving: dict[str, list[Piece]] = {}
        leaving: dict[str, list[Piece]] = {}
        for flow, piece in self._arriving:
            arriving.setdefault(flow.remote, []).append(piece)
        for flow, piece in self._leaving:
            leaving.setdefault(flow.topic, []).append(piece)
        for topic, begin in self._topics:
            own_in = Piece(begin, None, _constant(self._own_in(self._instance, topic)))
            own_out = Piece(begin, None, _constant(self._own_out(self._instance, topic)))
            found.append((TOPIC_IN, topic.name, [Piece(begin, None, _sum([own_in, *arriving.get(topic.name, [])]))]))
            found.append((TOPIC_OUT, topic.name, [Piece(begin, None, _sum([own_out, *leaving.get(topic.name, [])]))]))
        return found

    def _of_instance(self) -> list[tuple[str, str | None, list[Piece]]]:
        instance, topics = self._instance, self._topics
        own_in = [Piece(begin, None, _constant(self._own_in(instance, topic))) for topic, begin in topics]
        own_out = [Piece(begin, None, _constant(self._own_out(instance, topic))) for topic, begin in topics]
        bytes_in = _sum([*own_in, *(piece for _flow, piece in self._arriving)])
        bytes_out = _sum([*own_out, *(piece for _flow, piece in self._leaving)])
        half = instance.throughput * MEGABYTE / 2

        def utilization(moment: int) -> float:
            load = max(bytes_in(moment), bytes_out(moment)) / half
            return 0.0 if load < RECOMMENDED else 1.0 if load < 1 else 2.0

        values: dict[str, Value] = {
            BYTES_IN: bytes_in,
            BYTES_OUT: bytes_out,
            UTILIZATION: utilization,
            PARTITIONS: lambda moment: float(sum(topic.partitions for topic, begin in topics if begin <= moment)),
            TOPICS: lambda moment: float(sum(begin <= moment for _topic, begin in topics)),
            RESERVED: _constant(RESERVED_DISK),
            UTILISED: _constant(UTILISED_DISK),
            OFFLINE: _constant(0.0),
            UNDER_MINISR: _constant(0.0),
        }
        begin = self._since(instance.created)
        return [(metric, None, [Piece(begin, None, value)]) for metric, value in values.items()]

    def _drawn(self, drawing: Drawing) -> Series:
        times = [self._start - milliseconds(seconds) for seconds, _value in drawing.points]
        pieces, marks = [], []
        for index, (_seconds, value) in enumerate(drawing.points):
            if value == "stale":
                marks.append(times[index])
            elif value is not None:
                end = times[index + 1] if index + 1 < len(times) else None
                pieces.append(Piece(times[index], end, _constant(math.nan if value == "NaN" else float(value))))
        return self._series(drawing.metric, drawing.topic, pieces, marks)

    def _series(self, metric: str, topic: str | None, pieces: list[Piece], marks: list[int]) -> Series:
        deleted = self._instance.deleted_at
        if deleted is not None:
            end = milliseconds(deleted)
            pieces = [
                Piece(piece.begin, end if piece.end is None else min(end, piece.end), piece.value) for piece in pieces
            ]
            marks = [*(mark for mark in marks if mark < end), end]
        interval = milliseconds(self._world.timing["metrics_interval_seconds"])
        return Series(self._labels(metric, topic), pieces, marks, self._start, interval, self._now)

    def _labels(self, metric: str, topic: str | None) -> dict[str, str]:
        """Return all labels of API §7.2; what resource and its type hold is not documented."""
        instance, switches = self._instance, self._world.switches
        shown = self._remote(topic) if metric == LATENCY and switches["latency_topic_names"] == "remote" else topic
        labels = {
            NAME_LABEL: OLD_NAMES.get(metric, metric) if switches["metric_names"] == "old" else metric,
            "ibm_service_instance": instance.guid,
            "ibm_service_instance_name": instance.name,
            "ibm_location": instance.region,
            "ibm_ctype": "public",
            "ibm_scope": f"a/{instance.account}",
            "ibm_service_name": "messagehub",
            "ibm_resource": instance.guid if shown is None else shown,
            "ibm_resource_type": "instance" if shown is None else "topic",
            "ibm_resource_group_name": self._groups.get(instance.resource_group, ""),
        }
        if shown is not None:
            labels["ibm_eventstreams_topic"] = shown
        return labels

    def _remote(self, topic: str | None) -> str | None:
        """Return the name on the target, as it was mirrored last or would be."""
        config = self._instance.mirroring
        if topic is None or topic in self._remotes or config is None:
            return self._remotes.get(topic or "", topic)
        bare = config.topics.bare(topic)
        return topic if bare is None else config.topics.result(bare, config.source_alias)
