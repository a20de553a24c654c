# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot of pairs out of what the info modules returned: what a rehearsal is made of. Pure. Private to this collection: it may
change at any time.

The format is described in the README of the role snapshot; the simulator reads it. What could not be read is listed, never made up.
"""

from __future__ import annotations

import typing as t

FORMAT = 1
SIDES = ("source", "target")
SETTINGS = ("source_crn", "source_alias", "target_alias", "topic_name_transform", "group_id_transform", "schemas")
POLICY = ("id", "version", "state", "description", "roles", "subject", "resource", "created_at")
CAPACITY = ("throughput", "storage_size")

Read = t.Mapping[str, t.Any]
Document = dict[str, t.Any]


def pair_snapshot(read: Read, name: str) -> Document:
    """The snapshot of one pair.

    ``read`` has, for each side, ``<side>`` (an instance as instance_info returns it) and the results of the modules as
    ``<side>_mirroring``, ``<side>_topics``, ``<side>_policies`` and ``<side>_metrics``; those of a module that failed have no values but
    a ``failure``. ``declared`` is what the variables say of the pair.
    """
    source, target = read["source"], read["target"]
    unknown = _Unknown(name)
    declared = {key: value for key, value in read["declared"].items() if value is not None}
    pair = {"name": name, "source": source["guid"], "target": target["guid"], "declared": declared}
    sides = [(side, read[side]) for side in SIDES]
    for _side, instance in sides:
        _look_at(instance, unknown)
    policies = [policy for side, one in sides for policy in _policies(read[f"{side}_policies"], one, unknown)]
    metrics = [_metrics(read[f"{side}_metrics"], instance, unknown) for side, instance in sides]
    return {
        "format": FORMAT,
        "taken_at": read["target_mirroring"]["evidence"]["started_at"],
        "accounts": sorted({source["account_id"], target["account_id"]}),
        "pairs": [pair],
        "instances": [dict(source), dict(target)],
        "policies": list({policy["id"]: policy for policy in policies}.values()),
        "mirroring": [_mirroring(read[f"{side}_mirroring"], instance, unknown) for side, instance in sides],
        "topics": {
            instance["guid"]: [dict(topic) for topic in read[f"{side}_topics"]["topics"]]
            for side, instance in sides
            if _has(read[f"{side}_topics"], "topics", instance, unknown, "topics")
        },
        "metrics": [one for one in metrics if one],
        "unknown": unknown.listed,
    }


def fleet_snapshot(hosts: t.Iterable[str], hostvars: t.Mapping[str, t.Mapping[str, t.Any]]) -> Document:
    """The snapshot of all pairs of a run in one; pairs that could not be read are listed as unknown."""
    results = {host: hostvars[host].get("snapshot_result") for host in hosts}
    documents = [pair_snapshot(result["read"], host) for host, result in results.items() if result]
    lost = [
        _Unknown(host).add(None, "pair", "it could not be read; the output of the run says why")
        for host, result in results.items()
        if not result
    ]
    every: Document = {name: [one for document in documents for one in document[name]] for name in LISTS}
    topics = {guid: listed for document in documents for guid, listed in document["topics"].items()}
    known = [one for one in every["mirroring"] if one["enabled"] is not None]
    return {
        "format": FORMAT,
        "taken_at": min(document["taken_at"] for document in documents),
        "accounts": sorted(set(every["accounts"])),
        "pairs": every["pairs"],
        "instances": _once(every["instances"], "guid"),
        "policies": _once(every["policies"], "id"),
        "mirroring": _once([*every["mirroring"], *known], "instance"),
        "topics": topics,
        "metrics": _once(every["metrics"], "instance"),
        "unknown": [*every["unknown"], *lost],
    }


def snapshot_lines(document: Document) -> list[str]:
    """What is in a snapshot, and what is not, for people."""
    names = {one["guid"]: one["name"] for one in document["instances"]}
    counts = {
        "pairs": len(document["pairs"]),
        "instances": len(names),
        "topics": sum(map(len, document["topics"].values())),
        "authorizations": len(document["policies"]),
        "unknown": len(document["unknown"]),
    }
    return [
        ", ".join(f"{what}: {number}" for what, number in counts.items()),
        *(f"{one['name']}: {names[one['source']]} -> {names[one['target']]}" for one in document["pairs"]),
        *(f"[unknown] {one['name']}: {one['what']}: {one['reason']}" for one in document["unknown"]),
    ]


LISTS = ("accounts", "pairs", "instances", "policies", "mirroring", "metrics", "unknown")


class _Unknown:
    """What could not be read of one pair."""

    def __init__(self, pair: str) -> None:
        self._pair = pair
        self.listed: list[Document] = []

    def add(self, instance: Read | None, what: str, reason: str) -> Document:
        """Lists one thing, with the instance that it is about."""
        guid, name = (instance["guid"], instance["name"]) if instance else (None, self._pair)
        entry = {"pair": self._pair, "instance": guid, "name": name, "what": what, "reason": reason}
        self.listed.append(entry)
        return entry


def _once(listed: list[Document], key: str) -> list[Document]:
    """Each thing once, as it was read last; several pairs may share an instance."""
    return list({one[key]: one for one in listed}.values())


def _has(result: Read, name: str, instance: Read, unknown: _Unknown, what: str) -> bool:
    """Whether a module returned that; if it failed, it says why that is not known."""
    if name in result:
        return True
    failure = result["failure"]
    status = f" (HTTP {failure['status']})" if failure["status"] else ""
    unknown.add(instance, what, f"{failure['reason'].rstrip('. ')}{status}")
    return False


def _look_at(instance: Read, unknown: _Unknown) -> None:
    for name in CAPACITY:
        if instance[name] is None:
            unknown.add(instance, name, "the document does not show it")
    for name in ("plan", "state"):
        if instance[name] == "unknown":
            unknown.add(instance, name, "the document does not tell")


def _policies(result: Read, instance: Read, unknown: _Unknown) -> list[Document]:
    """The policies that let the other instance read this one. An empty list of all policies proves nothing (API §2.7)."""
    if not _has(result, "policies", instance, unknown, "policies"):
        return []
    if not result["policies"]:
        unknown.add(
            instance, "policies", "the list is empty, which may only mean that this identity may not see authorizations"
        )
    return [{name: one[name] for name in POLICY} for one in result["policies"] if one["covers"]]


def _mirroring(result: Read, instance: Read, unknown: _Unknown) -> Document:
    mirroring = result["mirroring"]
    enabled = mirroring["enabled"]
    if enabled is None:
        unknown.add(instance, "mirroring", "whether it is enabled cannot be read, or an update is running")
    if enabled and result["topics"] is None:
        unknown.add(instance, "selection", "it cannot be read")
    for name in SETTINGS:
        if enabled and mirroring["known"][name] == "unknown":
            unknown.add(instance, name, "the cloud does not show it")
    return {
        "instance": instance["guid"],
        **{name: mirroring[name] for name in ("enabled", *SETTINGS, "known")},
        "topics": result["topics"],
        "active_topics": result["active_topics"],
    }


def _metrics(result: Read, instance: Read, unknown: _Unknown) -> Document | None:
    """Latencies in seconds and traffic in bytes per second, each where there is a value."""
    if not _has(result, "monitoring_instance", instance, unknown, "metrics"):
        return None
    traffic = {one["topic"]: {way: one[way]["now"] for way in ("bytes_in", "bytes_out")} for one in result["topics"]}
    return {
        "instance": instance["guid"],
        "monitoring_instance": result["monitoring_instance"],
        "at": result["at"],
        "latency": {one["topic"]: one["seconds"] for one in result["lag"]["topics"]},
        "traffic": {
            topic: {way: value for way, value in values.items() if value is not None}
            for topic, values in traffic.items()
        },
        "mirroring_throughput": result["mirroring_throughput"]["now"],
    }
