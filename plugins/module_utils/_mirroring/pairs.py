# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pairs there are: as declared, as tagged, or as observed. Pure. Private to this collection: it may change at any time.

Instances come as plain data (``Found``), the same whether they were just read or come out of a cache.
"""

from __future__ import annotations

import collections
import difflib
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._crn import is_guid, looks_like_crn, same_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput, NotFound, NotUnique
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import (
    Declared,
    FleetOptions,
)

MOST_CANDIDATES = 8
POSSIBLE_PLANS = ("enterprise", "unknown")
"""Plans of which an instance can take part in mirroring, as far as its document tells (API §3.4)."""


class Found(t.TypedDict):
    """An instance that was discovered: the account it was read with, its facts, its tags, and its mirroring if that was looked at."""

    account: str
    facts: dict[str, t.Any]
    tags: list[str]
    mirroring: dict[str, t.Any] | None


class Fleet(t.TypedDict):
    """Everything that was discovered, as plain data."""

    instances: list[Found]
    skipped: list[dict[str, str]]


class Pair(t.NamedTuple):
    """A pair and how it is known. ``source`` is None when its CRN is known and the instance was not discovered."""

    name: str
    source_crn: str
    source: Found | None
    target: Found
    how: t.Literal["declared", "tags", "echoed", "inferred"]
    variables: dict[str, t.Any]


class Pairs(t.NamedTuple):
    """Pairs, what is wrong with those that were left out, and what is only worth knowing."""

    pairs: list[Pair]
    mistakes: list[str]
    warnings: list[str]


def make_pairs(options: FleetOptions, fleet: Fleet) -> Pairs:
    """The pairs by name. Raises NotFound and NotUnique for declared instances that were not found, or not only once."""
    made = {"declared": _declared, "tags": _tagged, "observed": _observed}[options.source](options, fleet)
    targets = collections.Counter(pair.target["facts"]["guid"] for pair in made.pairs)
    shared = [
        f"{label(pair.target)} is the target of pair {pair.name!r} and of others; it can mirror from one source only"
        for pair in made.pairs
        if targets[pair.target["facts"]["guid"]] > 1
    ]
    return Pairs(sorted(made.pairs, key=lambda pair: pair.name), made.mistakes, [*made.warnings, *shared])


def label(found: Found) -> str:
    """Name and GUID, for messages."""
    return f"{found['facts']['name']} ({found['facts']['guid']})"


def find(fleet: Fleet, text: str, what: str) -> Found:
    """The instance that a user names by CRN, GUID or unique name. Raises NotFound and NotUnique, with candidates."""
    matches = [one for one in fleet["instances"] if _is_named(one["facts"], text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NotUnique(
            f"{what} {text!r} is the name of {len(matches)} instances: {', '.join(one['facts']['crn'] for one in matches)}",
            remedy="Give the CRN or the GUID of the one that is meant.",
        )
    raise NotFound(
        f"{what} {text!r} is not among the instances that were found: {_candidates(fleet, text)}",
        remedy="Check its name, accounts, filters and query; each account needs Viewer on its instances.",
    )


def _is_named(facts: dict[str, t.Any], text: str) -> bool:
    if looks_like_crn(text):
        return same_instance(facts["crn"], text) is True
    if is_guid(text):
        return bool(facts["guid"].lower() == text.lower())
    return bool(facts["name"] == text)


def _candidates(fleet: Fleet, text: str) -> str:
    """What was found instead, the most similar names first."""
    everything = sorted(
        fleet["instances"],
        key=lambda one: (-difflib.SequenceMatcher(None, one["facts"]["name"], text).ratio(), label(one)),
    )
    shown = [label(one) for one in everything[:MOST_CANDIDATES]]
    more = len(everything) - len(shown)
    return ", ".join([*shown, f"and {more} more"] if more else shown) or "none"


def _declared(options: FleetOptions, fleet: Fleet) -> Pairs:
    pairs, warnings = [], []
    for one in options.declared:
        try:
            pairs.append(_declared_pair(one, fleet))
        except NotFound as error:
            if not fleet["skipped"]:
                raise
            accounts = ", ".join(skipped["account"] for skipped in fleet["skipped"])
            warnings.append(
                f"Pair {one.name!r} is left out, because accounts were skipped ({accounts}): {error.reason}"
            )
    return Pairs(pairs, [], warnings)


def _declared_pair(one: Declared, fleet: Fleet) -> Pair:
    source = find(fleet, one.source, f"source of pair {one.name!r}")
    target = find(fleet, one.target, f"target of pair {one.name!r}")
    if source is target:
        raise InvalidInput(
            f"source and target of pair {one.name!r} are the same instance, {label(source)}",
            remedy="Give two different instances.",
        )
    return Pair(one.name, source["facts"]["crn"], source, target, "declared", one.variables)


def read_tag(tag: str, prefix: str) -> tuple[str, str] | None:
    """Pair and side out of a tag ``<prefix>:<pair>:source`` or ``...:target``; None for every other tag."""
    start, end = f"{prefix}:", tag.rpartition(":")[2]
    name = tag[len(start) : -len(end) - 1].strip()
    if not tag.lower().startswith(start.lower()) or end.lower() not in ("source", "target") or not name:
        return None
    return name, end.lower()


def _tagged(options: FleetOptions, fleet: Fleet) -> Pairs:
    sides: dict[str, dict[str, list[Found]]] = {}
    for one in fleet["instances"]:
        for name, side in sorted({found for tag in one["tags"] if (found := read_tag(tag, options.tag_prefix))}):
            sides.setdefault(name, {"source": [], "target": []})[side].append(one)
    pairs, mistakes = [], []
    for name, tagged in sides.items():
        sources, targets = tagged["source"], tagged["target"]
        if len(sources) == len(targets) == 1 and sources[0] is not targets[0]:
            pairs.append(Pair(name, sources[0]["facts"]["crn"], sources[0], targets[0], "tags", {}))
            continue
        tags = [
            f"{options.tag_prefix}:{name}:{side} is on {', '.join(map(label, found)) or 'no instance that was found'}"
            for side, found in tagged.items()
        ]
        mistakes.append(
            f"Pair {name!r} is left out: {'; '.join(tags)}. Each of the tags must be on one instance, and not on the same."
        )
    warnings = [] if sides else [f"No instance has a tag such as {options.tag_prefix}:<pair>:source."]
    return Pairs(pairs, mistakes, warnings)


def _observed(options: FleetOptions, fleet: Fleet) -> Pairs:
    pairs, warnings = [], []
    for target in fleet["instances"]:
        mirroring = target["mirroring"] or {}
        if mirroring.get("enabled") is None and target["facts"]["plan"] in POSSIBLE_PLANS:
            warnings.append(f"Whether {label(target)} mirrors is not known: {mirroring.get('reason')}")
        if mirroring.get("enabled") is not True:
            continue
        pair = _echoed_pair(target, fleet) or _inferred_pair(target, fleet)
        if isinstance(pair, Pair):
            pairs.append(pair)
        else:
            warnings.append(f"{label(target)} mirrors from a source that is not known, so it is left out: {pair}")
    names = collections.Counter(pair.name for pair in pairs)
    unique = [
        pair if names[pair.name] == 1 else pair._replace(name=f"{pair.name}-{pair.target['facts']['guid'][:8]}")
        for pair in pairs
    ]
    return Pairs(unique, [], warnings)


def _echoed_pair(target: Found, fleet: Fleet) -> Pair | None:
    crn = (target["mirroring"] or {}).get("source_crn")
    if not isinstance(crn, str) or same_instance(crn, crn) is None:
        return None
    source = next((one for one in fleet["instances"] if same_instance(one["facts"]["crn"], crn)), None)
    source_name = source["facts"]["name"] if source else crn.split(":")[7]
    return Pair(f"{source_name}--{target['facts']['name']}", crn, source, target, "echoed", {})


def _inferred_pair(target: Found, fleet: Fleet) -> Pair | str:
    """The pair, if the alias of the source is the region of one instance only (API §5.4, §5.5); else why it is not known."""
    mirroring = target["mirroring"] or {}
    alias = mirroring.get("source_alias")
    if not alias:
        return str(mirroring.get("reason"))
    possible = [
        one
        for one in fleet["instances"]
        if one is not target and one["facts"]["region"] == alias and one["facts"]["plan"] in POSSIBLE_PLANS
    ]
    if len(possible) != 1:
        instances = ", ".join(map(label, possible)) or "no instance that was found"
        return f"its source has the alias {alias}, which is the region of {instances}"
    (source,) = possible
    name = f"{source['facts']['name']}--{target['facts']['name']}"
    return Pair(name, source["facts"]["crn"], source, target, "inferred", {})
