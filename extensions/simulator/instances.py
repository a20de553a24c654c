# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event Streams instances: plan, capacity, topics, running operation, mirroring (API §3.4, §3.6, §6.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .crn import Crn
from .mirroring import MirroringConfig

ENTERPRISE = "ibm.message.hub.enterprise.3nodes.2tb"
STANDARD = "ibm.message.hub.standard.v2"
GEN2 = "enterprise-gen2"
RESOURCE_ID = "6a7f4e38-f218-48ef-9dd2-df408747568e"
CAPACITY: dict[int, tuple[int, ...]] = {
    150: (2048, 4096, 6144, 8192, 10240, 12288),
    300: (4096, 8192, 12288),
    450: (6144, 12288),
}
IN_PROGRESS = "in progress"
STATES = [
    "active",
    "inactive",
    "removed",
    "pending_removal",
    "pending_reclamation",
    "failed",
    "provisioning",
    "pre_provisioning",
]
GONE = ("removed", "pending_reclamation")


@dataclass
class Topic:
    """One Kafka topic. ``remote_of`` is the name on the source when mirroring created it."""

    name: str
    partitions: int
    created: float
    configs: dict[str, str] = field(default_factory=dict)
    remote_of: str | None = None
    internal: bool = False
    traffic: float | None = None
    traffic_out: float | None = None
    deleted: float | None = None


@dataclass
class Span:
    """A time during which something was so; without an end it still is."""

    begin: float
    end: float | None = None


@dataclass
class Flow(Span):
    """The time during which one topic was mirrored from the instance ``source``."""

    source: str = ""
    topic: str = ""
    remote: str = ""


@dataclass
class Change:
    """What an operation does when it succeeds."""

    parameters: dict[str, Any] = field(default_factory=dict)
    mirroring: MirroringConfig | None = None
    disable: bool = False
    throughput: int | None = None
    storage_size: int | None = None


@dataclass
class Operation:
    """The last operation of an instance."""

    type: str
    state: str
    description: str
    started: float
    finishes: float | None = None
    outcome: str = "succeeded"
    reason: str = ""
    change: Change | None = None
    is_async: bool = True
    finished: float | None = None

    @property
    def running(self) -> bool:
        """Tell whether it has not ended."""
        return self.state == IN_PROGRESS


@dataclass
class StaleDocument:
    """The document from before a PATCH, shown a little longer (API §3.6)."""

    document: dict[str, Any]
    reads_left: int
    until: float


@dataclass
class Group:
    """A consumer group and the topics it reads."""

    id: str
    topics: list[str]
    mirrored: bool = False


@dataclass
class Instance:
    """One instance with all that belongs to it. ``updates`` are the operations that accepted PATCHes started, in order."""

    guid: str
    name: str
    account: str
    region: str
    plan: str
    resource_group: str
    created: float
    updated: float
    throughput: int = 150
    storage_size: int = 2048
    state: str = "active"
    locked: bool = False
    partition_limit: int | None = None
    status: str = "available"
    parameters: dict[str, Any] = field(default_factory=dict)
    sent_mirroring: dict[str, Any] | None = None
    ended_mirroring: dict[str, Any] | None = None
    topics: dict[str, Topic] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    operation: Operation | None = None
    updates: list[Operation] = field(default_factory=list)
    mirroring: MirroringConfig | None = None
    enabled_at: float = 0.0
    disabled_at: float = 0.0
    selection: list[str] = field(default_factory=list)
    selected_at: float = 0.0
    selected_since: dict[str, float] = field(default_factory=dict)
    ending: dict[str, float] = field(default_factory=dict)
    mirroring_times: list[Span] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    deleted_at: float | None = None
    stale: StaleDocument | None = None

    @property
    def crn(self) -> Crn:
        """Return the CRN."""
        return Crn("messagehub", self.region, self.account, self.guid)

    @property
    def resource_id(self) -> str:
        """Return the catalog id of the service (API §3.3)."""
        return RESOURCE_ID

    @property
    def enterprise(self) -> bool:
        """Tell whether this is an Enterprise instance of the first generation (API §3.4)."""
        return "enterprise" in self.plan and self.plan != GEN2

    @property
    def gone(self) -> bool:
        """Tell whether it was deleted."""
        return self.state in GONE

    @property
    def busy(self) -> bool:
        """Tell whether an operation runs."""
        return self.operation is not None and self.operation.running

    @property
    def most_partitions(self) -> int:
        """Return the partition limit (API §6.1)."""
        return self.partition_limit if self.partition_limit is not None else self.throughput * 20

    def has_room_for(self, partitions: int) -> bool:
        """Tell whether this many more partitions are allowed."""
        used = sum(topic.partitions for topic in self.topics.values() if topic.deleted is None)
        return used + partitions <= self.most_partitions

    def mirroring_ends(self, now: float) -> None:
        """Remember that mirroring is off from now."""
        for span in [*self.mirroring_times, *self.flows]:
            span.end = now if span.end is None else span.end

    def flows_are(self, source: str, names: dict[str, str], now: float) -> None:
        """Remember what is mirrored from now: the names on the target by the names on the source."""
        for flow in self.flows:
            if flow.end is None and (flow.source != source or names.get(flow.topic) != flow.remote):
                flow.end = now
        latest = {flow.topic: flow for flow in self.flows}
        for topic, remote in names.items():
            earlier, since = latest.get(topic), self.selected_since[topic]
            if earlier is None:
                self.flows.append(Flow(since, None, source, topic, remote))
            elif earlier.end is not None:
                self.flows.append(Flow(now if earlier.end > since else since, None, source, topic, remote))

    def live_topics(self) -> list[Topic]:
        """Return the topics that exist, by name."""
        return [self.topics[name] for name in sorted(self.topics) if self.topics[name].deleted is None]
