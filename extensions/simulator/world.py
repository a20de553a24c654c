# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole simulated cloud as plain state that moves with the clock. Knows nothing of HTTP."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .accounts import Account, Tokens
from .clock import Clock
from .instance_view import instance_view, monitor_view
from .instances import Group, Instance, Operation, Span, Topic
from .mirroring import Selection
from .monitors import Monitor
from .policies import Party, PolicyStore
from .switches import Switches

TIMING: dict[str, float] = {
    "operation_seconds": 2.0,
    "policy_propagation_seconds": 0.0,
    "policy_readable_seconds": 0.0,
    "remote_topic_seconds": 0.5,
    "active_topic_seconds": 0.5,
    "token_seconds": 3600.0,
    "stale_reads": 2,
    "stale_seconds": 0.0,
    "enabling_visibility_seconds": 5.0,
    "topic_delete_seconds": 5.0,
    "metrics_interval_seconds": 60.0,
}


@dataclass
class ResourceGroup:
    """One resource group (API §8.2)."""

    id: str
    name: str
    account: str


DEFAULT_LATENCY = 1.5
"""Seconds by which a topic is behind of which a scenario draws nothing."""


@dataclass
class Drawing:
    """A series of metrics as a scenario draws it: times and values, or ``NaN``, ``stale`` or None (API §7.2)."""

    guid: str
    metric: str
    topic: str | None
    points: list[tuple[float, float | str | None]]


@dataclass
class World:
    """Accounts, policies and instances."""

    clock: Clock
    switches: Switches
    timing: dict[str, float]
    accounts: list[Account]
    resource_groups: list[ResourceGroup]
    policies: PolicyStore = field(default_factory=PolicyStore)
    instances: dict[str, Instance] = field(default_factory=dict)
    monitors: dict[str, Monitor] = field(default_factory=dict)
    drawings: list[Drawing] = field(default_factory=list)
    started: float = 0.0
    latency: float = DEFAULT_LATENCY
    admin_url: Callable[[Instance], str] = lambda instance: f"/es/{instance.guid}"

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.accounts)

    # -- looking things up

    def instance(self, name_or_guid: str) -> Instance:
        """Return the instance with this GUID or unique name."""
        if name_or_guid in self.instances:
            return self.instances[name_or_guid]
        found = [instance for instance in self.instances.values() if instance.name == name_or_guid]
        if len(found) != 1:
            raise KeyError(f"{len(found)} instances are called {name_or_guid!r}")
        return found[0]

    def services(self) -> list[Instance | Monitor]:
        """Return what the Resource Controller lists."""
        return [*self.instances.values(), *self.monitors.values()]

    def view(self, instance: Instance) -> dict[str, Any]:
        """Return the true document of an instance."""
        return instance_view(instance, self.switches, self.admin_url(instance))

    def shown(self, instance: Instance | Monitor) -> dict[str, Any]:
        """Return the document that a read gets, which may be older than the truth (API §3.6)."""
        if isinstance(instance, Monitor):
            return monitor_view(instance, self.switches)
        stale = instance.stale
        if stale is None:
            return self.view(instance)
        if stale.reads_left > 0 or self.clock.now() < stale.until:
            stale.reads_left -= 1
            return stale.document
        instance.stale = None
        return self.view(instance)

    def party(self, instance: Instance) -> Party:
        """Return what IAM knows of an instance."""
        return Party(instance.account, instance.guid, instance.region, instance.resource_group)

    def authorized(self, source: Instance, target: Instance, now: float) -> bool:
        """Tell whether an effective authorization lets the target read the source."""
        delay = self.timing["policy_propagation_seconds"]
        return self.policies.allows_mirroring(self.party(source), self.party(target), now, delay)

    def chosen(self, instance: Instance) -> Selection:
        """Return the selection of a target, compiled."""
        return Selection(
            instance.selection,
            search=self.switches["pattern_match"] == "search",
            comma_separates=self.switches["pattern_comma"] == "separator",
        )

    # -- letting time pass

    def settle(self) -> float:
        """Do everything that is due, in order of time, and return the time."""
        now = self.clock.now()
        self.policies.refresh()
        while True:
            due = [
                (instance.operation.finishes, instance.guid)
                for instance in self.instances.values()
                if instance.operation is not None
                and instance.operation.running
                and instance.operation.finishes is not None
                and instance.operation.finishes <= now
            ]
            if not due:
                break
            moment, guid = min(due)
            self._replicate_all(moment)
            self._finish(self.instances[guid], moment)
        self._replicate_all(now)
        return now

    def next_due(self, now: float) -> float:
        """Return when something becomes due after ``now`` that settle() does, if nobody changes anything; infinite if nothing does."""
        return min((moment for moment in self._due() if moment > now), default=math.inf)

    def _due(self) -> Iterator[float]:
        delay = self.timing["policy_propagation_seconds"]
        yield from (policy.modified + delay for policy in self.policies.by_id.values())
        for instance in self.instances.values():
            if (
                instance.operation is not None
                and instance.operation.running
                and instance.operation.finishes is not None
            ):
                yield instance.operation.finishes
            for topic in instance.topics.values():
                if topic.deleted is not None:
                    yield topic.deleted + self.timing["topic_delete_seconds"]
            yield from (since + self.timing["remote_topic_seconds"] for since in instance.selected_since.values())

    def _finish(self, instance: Instance, moment: float) -> None:
        operation = instance.operation
        assert operation is not None
        operation.finished = moment
        if self.switches["instance_updated_at"] == "changes":
            instance.updated = moment
        if operation.outcome == "failed":
            operation.state, operation.description = "failed", operation.reason
            return
        operation.state = "succeeded"
        operation.description = "Update succeeded." if operation.type == "update" else "Operation succeeded."
        self.apply(instance, operation, moment)

    def apply(self, instance: Instance, operation: Operation, moment: float) -> None:
        """Make the change of a successful operation true."""
        change = operation.change
        if change is None:
            return
        if change.throughput is not None:
            instance.throughput = change.throughput
        if change.storage_size is not None:
            instance.storage_size = change.storage_size
        if change.parameters or change.mirroring or change.disable:
            kept = instance.parameters if self.switches["parameters"] == "merge" else {}
            instance.parameters = {**kept, **change.parameters}
        if change.disable:
            instance.ended_mirroring = instance.mirroring.block if instance.mirroring else None
            instance.mirroring = None
            instance.disabled_at = moment
            instance.mirroring_ends(moment)
            instance.selected_since.clear()
            instance.ending.clear()
        if change.mirroring is not None:
            instance.mirroring = change.mirroring
            instance.enabled_at = moment
            instance.mirroring_times.append(Span(moment))
            if self.switches["selection_survives_disable"] == "no":
                instance.selection = []
            more = self.switches["internal_topics"] != "checkpoints_only"
            for name in change.mirroring.internal_topics(more):
                instance.topics.setdefault(name, Topic(name, 1, moment, internal=True))

    def _replicate_all(self, now: float) -> None:
        gone_after = self.timing["topic_delete_seconds"]
        for instance in self.instances.values():
            for topic in list(instance.topics.values()):
                if topic.deleted is not None and topic.deleted + gone_after <= now:
                    del instance.topics[topic.name]
        for target in self.instances.values():
            if target.mirroring is not None and not target.gone:
                self._replicate(target, now)

    def _replicate(self, target: Instance, now: float) -> None:
        """Bring remote topics and the list of active topics up to date (API §4.4, §5.4)."""
        assert target.mirroring is not None
        source = self.instances.get(target.mirroring.source.guid)
        connected = (
            source is not None
            and not source.gone
            and (self.switches["authorization_removed"] == "keeps" or self.authorized(source, target, now))
        )
        chosen = self.chosen(target)
        names: dict[str, str] = {}
        for topic in source.live_topics() if source is not None and connected else []:
            remote = target.mirroring.remote_name(topic.name, chosen)
            if remote is not None:
                names[topic.name] = remote
        for name in [name for name in target.selected_since if name not in names]:
            since = target.selected_since.pop(name)
            if since + self.timing["active_topic_seconds"] <= now:
                target.ending[name] = now
        for name, remote in names.items():
            assert source is not None
            target.ending.pop(name, None)
            begun = max(target.enabled_at, target.selected_at, source.topics[name].created)
            since = target.selected_since.setdefault(name, begun)
            if since + self.timing["remote_topic_seconds"] <= now:
                due = since + self.timing["remote_topic_seconds"]
                self._create_remote(target, source.topics[name], remote, due)
        target.flows_are(target.mirroring.source.guid, names, now)
        if source is not None and connected:
            self._mirror_groups(source, target, set(names))

    def _create_remote(self, target: Instance, origin: Topic, name: str, due: float) -> None:
        present = target.topics.get(name)
        if present is not None and present.deleted is None:
            more = origin.partitions - present.partitions
            if present.remote_of is not None and more > 0 and target.has_room_for(more):
                present.partitions = origin.partitions
        elif target.has_room_for(origin.partitions):
            target.topics[name] = Topic(name, origin.partitions, due, dict(origin.configs), remote_of=origin.name)

    def _mirror_groups(self, source: Instance, target: Instance, topics: set[str]) -> None:
        assert target.mirroring is not None
        for group in source.groups.values():
            bare = target.mirroring.groups.bare(group.id)
            if group.mirrored or bare is None or not topics.intersection(group.topics):
                continue
            name = target.mirroring.groups.result(bare, target.mirroring.source_alias)
            target.groups.setdefault(name, Group(name, sorted(topics.intersection(group.topics)), mirrored=True))

    # -- asking about mirroring

    def active_topics(self, target: Instance) -> list[str]:
        """Return the topics that are being mirrored now (API §4.4)."""
        if target.mirroring is None:
            return []
        now, delay = self.clock.now(), self.timing["active_topic_seconds"]
        as_target = self.switches["active_topics_names"] == "target"
        found = []
        candidates = [name for name, since in target.selected_since.items() if since + delay <= now]
        candidates += [name for name, ended in target.ending.items() if now < ended + delay]
        for name in candidates:
            bare = target.mirroring.topics.bare(name)
            if bare is None:
                continue
            remote = target.mirroring.topics.result(bare, target.mirroring.source_alias)
            topic = target.topics.get(remote)
            if topic is not None and topic.deleted is None:
                found.append(remote if as_target else name)
        return sorted(found)

    def select(self, target: Instance, includes: list[str]) -> None:
        """Replace the selection."""
        target.selection = list(includes)
        target.selected_at = self.clock.now()
        self.settle()

    def snapshot(self) -> dict[str, Any]:
        """Return everything that can be observed as a plain dictionary."""
        from .policy_views import view_v1, view_v2

        self.settle()
        instances = {}
        for instance in self.instances.values():
            instances[instance.guid] = {
                "name": instance.name,
                "guid": instance.guid,
                "crn": str(instance.crn),
                "account": instance.account,
                "state": instance.state,
                "locked": instance.locked,
                "throughput": instance.throughput,
                "storage_size": instance.storage_size,
                "parameters": dict(instance.parameters),
                "mirroring": instance.mirroring.block if instance.mirroring else None,
                "selection": list(instance.selection),
                "active_topics": self.active_topics(instance),
                "topics": {topic.name: topic.partitions for topic in instance.live_topics()},
                "groups": sorted(instance.groups),
                "operation": (
                    None
                    if instance.operation is None
                    else {
                        "type": instance.operation.type,
                        "state": instance.operation.state,
                        "description": instance.operation.description,
                    }
                ),
            }
        policies = [
            (view_v1 if policy.version == "v1" else view_v2)(policy) | {"account": policy.account}
            for policy in self.policies.by_id.values()
        ]
        return {"instances": instances, "policies": policies}
