# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From instances and pairs to hosts, their variables and groups. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import collections
import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Operation
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import FleetOptions
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pairs import Fleet, Found, Pair

INSTANCES_GROUP, PAIRS_GROUP = "event_streams_instances", "event_streams_pairs"
NOT_IN_NAMES = re.compile(r"[^\w\-.: ]")
"""What names of instances cannot have (API §3.4). None of it gets into the name of a host, where it could be taken for a template."""

ON = {True: "on", False: "off", None: "unknown"}


class Host(t.NamedTuple):
    """A host. ``facts`` come from the cloud and are never templated; ``variables`` are the user's own."""

    name: str
    facts: dict[str, t.Any]
    variables: dict[str, t.Any]
    groups: list[str]


def instance_hosts(options: FleetOptions, fleet: Fleet) -> list[Host]:
    """One host for each instance."""
    names = host_names([one["facts"] for one in fleet["instances"]], options.hostname)
    return [
        Host(
            name,
            {
                **_prefixed(options, one["facts"]),
                **_prefixed(options, {"account": one["account"], "mirroring": one["mirroring"]}),
            },
            {},
            [
                INSTANCES_GROUP,
                f"plan_{one['facts']['plan']}",
                f"region_{one['facts']['region']}",
                *_state_groups(one),
                f"account_{one['account']}",
            ],
        )
        for name, one in zip(names, fleet["instances"], strict=True)
    ]


def pair_hosts(options: FleetOptions, pairs: t.Sequence[Pair]) -> list[Host]:
    """One host for each pair."""
    names = _unique([(_safe(pair.name), pair.target["facts"]["guid"]) for pair in pairs])
    return [
        Host(
            name,
            {
                "mirroring_source": pair.source_crn,
                "mirroring_target": pair.target["facts"]["crn"],
                **_prefixed(
                    options,
                    {
                        "source": pair.source["facts"] if pair.source else None,
                        "target": pair.target["facts"],
                        "source_account": pair.source["account"] if pair.source else None,
                        "target_account": pair.target["account"],
                        "mirroring": pair.target["mirroring"],
                        "pair_from": pair.how,
                    },
                ),
            },
            pair.variables,
            [
                PAIRS_GROUP,
                f"source_region_{pair.source['facts']['region'] if pair.source else pair.source_crn.split(':')[5]}",
                f"target_region_{pair.target['facts']['region']}",
                *_state_groups(pair.target),
            ],
        )
        for name, pair in zip(names, pairs, strict=True)
    ]


def host_names(instances: t.Sequence[dict[str, t.Any]], by: t.Literal["name", "guid"]) -> list[str]:
    """A name for each instance's host, all different: its own name where no other has that, else with the beginning of its GUID."""
    if by == "guid":
        return _unique([(_safe(one["guid"]), one["guid"]) for one in instances])
    return _unique([(_safe(one["name"]), one["guid"]) for one in instances])


def _unique(wanted: t.Sequence[tuple[str, str]]) -> list[str]:
    count = collections.Counter(name for name, _dummy in wanted)
    taken = set(count)
    names = []
    for name, guid in wanted:
        chosen = name
        if count[name] > 1:
            chosen = f"{name}-{_safe(guid[:8])}"
            if chosen in taken:
                chosen = f"{name}-{_safe(guid)}"
            while chosen in taken:
                chosen += "_"
            taken.add(chosen)
        names.append(chosen)
    return names


def _safe(name: str) -> str:
    return NOT_IN_NAMES.sub("_", name)


def _prefixed(options: FleetOptions, values: dict[str, t.Any]) -> dict[str, t.Any]:
    return {f"{options.prefix}{name}": value for name, value in values.items()}


def _state_groups(found: Found) -> list[str]:
    enabled = (found["mirroring"] or {}).get("enabled")
    phase = Operation(**found["facts"]["last_operation"]).phase
    return [f"mirroring_{ON[enabled]}", f"operation_{phase}"]
