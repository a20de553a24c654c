# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pre-flight rules about instances, accounts and settings. Pure. Private to this collection: it may change at any time.

A value that the cloud does not show is unknown: never a default, and never a failure.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding, Status, some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.headroom import (
    Load,
    Missing,
    headroom_rules,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    LONGEST_ALIAS,
    source_traces,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    Settings,
    State,
    Unreadable,
    compare,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import Authorization, Topics

if t.TYPE_CHECKING:
    from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance

SINGLE_ZONE_REGIONS = ("che01",)
MULTI_ZONE_REGIONS = (
    "us-south", "us-east", "br-sao", "ca-tor", "ca-mon", "eu-de", "eu-gb", "eu-es", "eu-fr2", "jp-osa", "jp-tok", "au-syd",
)  # fmt: skip

SWAPPED = (
    "If source and target were swapped by mistake, swap them back. Only to turn the direction round on purpose: disable mirroring "
    "on this source first (module mirroring, state: absent)."
)
CHARGE = (
    "Mirroring is charged per mirroring capacity unit hour, from enabling until it is disabled; "
    "neither a failover nor an empty selection ends the charge."
)


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything the rules look at. Both instances have been found."""

    source: Instance
    target: Instance
    wanted: Settings
    state: State
    source_state: State
    source_topics: Topics
    target_topics: Topics
    patterns: list[str] | None
    previews: list[Preview]
    authorizations: tuple[Authorization, ...]
    recreate: bool = False
    load: Load | Missing | None = None
    throughput: int | None = None


def instance_rules(facts: Facts) -> list[Finding]:
    """Rules about the two instances, before names of topics come into it."""
    findings = [
        _different(facts),
        *(active(side, instance) for side, instance in _sides(facts)),
        *(unlocked(side, instance, facts.state.enabled.value is True) for side, instance in _sides(facts)),
        *(_plan(side, instance) for side, instance in _sides(facts)),
        equal("throughput", facts.source.throughput, facts.target.throughput, "MB/s"),
        equal("storage_size", facts.source.storage, facts.target.storage, "GB"),
        *(_idle(side, instance) for side, instance in _sides(facts)),
        _zones(facts),
        _alias_length(facts.wanted),
        _cycle(facts),
        _other_source(facts),
        _settings(facts),
        *(_authorization(authorization, facts) for authorization in facts.authorizations),
        _rights(facts),
        _network(facts),
        *headroom_rules(facts.source, facts.target, facts.previews, facts.load, facts.throughput),
        Finding("charge", "pass", CHARGE),
    ]
    return [finding for finding in findings if finding is not None]


def _sides(facts: Facts) -> tuple[tuple[str, Instance], tuple[str, Instance]]:
    return ("source", facts.source), ("target", facts.target)


def _different(facts: Facts) -> Finding:
    if facts.source.guid.lower() == facts.target.guid.lower():
        return Finding(
            "different_instances",
            "fail",
            f"Source and target are the same instance, {facts.source.label}.",
            "Name two different ones.",
        )
    return Finding(
        "different_instances", "pass", f"{facts.source.label} is the source, {facts.target.label} is the target."
    )


def active(side: str, instance: Instance) -> Finding:
    """Whether an instance is in service."""
    if instance.state == "active":
        return Finding(f"{side}_active", "pass", f"The {side} is active.")
    return Finding(
        f"{side}_active",
        "fail",
        f"The {side} {instance.label} is {instance.state}.",
        "Wait until it is active, or repair it.",
    )


def unlocked(side: str, instance: Instance, mirrors: bool) -> Finding:
    """Whether an instance can be updated; ``mirrors`` tells whether the target mirrors already, and so need not be."""
    if not instance.locked:
        return Finding(f"{side}_unlocked", "pass", f"The {side} is not locked.")
    remedy = "Unlock it: ibmcloud resource service-instance-unlock."
    if side == "source":
        return Finding(
            "source_unlocked", "warn", "The source is locked: it could not become a target when failing back.", remedy
        )
    if mirrors:
        return Finding(
            "target_unlocked",
            "warn",
            "The target is locked: its mirroring can be neither changed nor disabled.",
            remedy,
        )
    return Finding(
        "target_unlocked", "fail", f"The target {instance.label} is locked, so it cannot be updated.", remedy
    )


def _plan(side: str, instance: Instance) -> Finding:
    evidence = {"plan": instance.plan, "resource_plan_id": instance.plan_id}
    if instance.plan == "enterprise":
        return Finding(f"{side}_plan", "pass", f"The {side} has the Enterprise plan.", evidence=evidence)
    remedy = "Mirroring exists between Enterprise (Gen 1) instances only."
    if instance.plan == "unknown":
        message = f"Whether the {side} has the Enterprise plan cannot be told from the plan id {instance.plan_id!r}."
        return Finding(f"{side}_plan", "unknown", message, remedy, evidence)
    return Finding(
        f"{side}_plan", "fail", f"The {side} {instance.label} has the plan {instance.plan}.", remedy, evidence
    )


def equal(what: str, source: int | None, target: int | None, unit: str) -> Finding:
    """Whether both have the same capacity (API §6)."""
    evidence = {"source": source, "target": target, "unit": unit}
    name = what.replace("_size", "")
    if source is None or target is None:
        hidden = " and ".join(side for side, value in (("source", source), ("target", target)) if value is None)
        message = f"The cloud does not show the {name} of {hidden}, so it cannot be compared."
        return Finding(what, "unknown", message, "Compare it in the console: both must be equal.", evidence)
    if source == target:
        return Finding(what, "pass", f"Both have {source} {unit} of {name}.", evidence=evidence)
    smaller = "source" if source < target else "target"
    return Finding(
        what,
        "fail",
        f"The source has {source} {unit} of {name}, the target {target} {unit}.",
        f"Both must be equal. Scale the {smaller} up to {max(source, target)} {unit}; scaling down is not possible.",
        evidence,
    )


def _idle(side: str, instance: Instance) -> Finding:
    operation = instance.operation
    evidence = {"last_operation": operation.to_result()}
    if operation.unfinished:
        message = f"An operation of the {side} is running ({operation.description or operation.type})."
        remedy = (
            "It is waited for before the target is updated." if side == "target" else "Wait for it if it is a scaling."
        )
        return Finding(f"{side}_idle", "warn", message, remedy, evidence)
    return Finding(f"{side}_idle", "pass", f"No operation of the {side} is running.", evidence=evidence)


def _zones(facts: Facts) -> Finding:
    single = [
        f"{side} ({instance.region})" for side, instance in _sides(facts) if instance.region in SINGLE_ZONE_REGIONS
    ]
    if single:
        message = f"Single-zone region: {' and '.join(single)}. Mirroring works, the service level is lower (99.9 %)."
        return Finding("zones", "warn", message, "Prefer multi-zone regions on both sides.")
    known = all(instance.region in MULTI_ZONE_REGIONS for _side, instance in _sides(facts))
    regions = f"{facts.source.region} and {facts.target.region}"
    if known:
        return Finding("zones", "pass", f"Both are in multi-zone regions: {regions}.")
    return Finding("zones", "unknown", f"Whether {regions} are multi-zone regions is not known to this collection.")


def _alias_length(wanted: Settings) -> Finding:
    aliases = (wanted.source_alias, wanted.target_alias)
    long = [alias for alias in aliases if len(alias) > LONGEST_ALIAS]
    message = f"The source is called {aliases[0]}, the target {aliases[1]}."
    if long:
        remedy = f"Aliases become part of topic names; keep them to {LONGEST_ALIAS} characters."
        return Finding("aliases", "warn", f"{message} Long: {some(long)}.", remedy)
    return Finding("aliases", "pass", message)


def _cycle(facts: Facts) -> Finding:
    """Mirroring works one way at a time (API §5.3): the source must not be fed by the target."""
    state = facts.source_state
    if state.enabled.value is False:
        return Finding("cycle", "pass", "The source is not a mirroring target itself.")
    if state.enabled.value is None:
        reason = getattr(state.selection, "reason", "an operation is running")
        return Finding(
            "cycle", "unknown", f"Whether the source is a mirroring target itself could not be read: {reason}"
        )
    fed_by = state.fields["source_crn"]
    if fed_by.how == "echoed" and facts.target.guid.lower() in str(fed_by.value).lower():
        return Finding(
            "cycle",
            "fail",
            f"The source {facts.source.label} is mirroring from the target {facts.target.label}: never both ways at once.",
            SWAPPED,
        )
    alias = facts.wanted.target_alias
    names = [] if isinstance(facts.source_topics, Unreadable) else [topic.name for topic in facts.source_topics]
    traces = source_traces(names, alias)
    if fed_by.how != "echoed" and traces.own:
        return Finding(
            "cycle",
            "fail",
            f"The source {facts.source.label} is a mirroring target itself, and its topics tell of a source called {alias}, "
            f"which is what the target is called here: {some(traces.own)}. Never both ways at once.",
            SWAPPED,
        )
    selection = state.selection if isinstance(state.selection, list) else []
    return Finding(
        "cycle",
        "warn",
        f"The source is itself a mirroring target, fed by {fed_by.value or 'an instance that the cloud does not show'}.",
        "If that is this target, disable it first: mirroring works one way at a time.",
        {"source_topic_selection": selection},
    )


def _other_source(facts: Facts) -> Finding:
    enabled = facts.state.enabled.value
    if enabled is False:
        return Finding("other_source", "pass", "The target is not mirroring yet.")
    if enabled is None:
        reason = getattr(facts.state.selection, "reason", "an operation is running")
        # Nothing would be enabled without knowing that, so nothing else needs to be written either.
        status: Status = "fail" if getattr(facts.state.selection, "lasting", False) else "unknown"
        return Finding("other_source", status, f"Whether the target is mirroring already could not be read: {reason}")
    now = facts.state.fields["source_crn"]
    if now.how != "echoed":
        return _traced_source(facts)
    if "source_crn" in compare(facts.state, facts.wanted)[0]:
        return Finding(
            "other_source",
            "fail",
            f"The target {facts.target.label} mirrors another source already ({now.value}).",
            "Disable that first (module mirroring, state: absent), or choose another target.",
        )
    return Finding("other_source", "pass", "The target is mirroring from this source.")


def _traced_source(facts: Facts) -> Finding:
    hidden = "The target is mirroring, and the cloud does not show from where"
    alias = facts.wanted.source_alias
    topics = [] if isinstance(facts.target_topics, Unreadable) else [topic.name for topic in facts.target_topics]
    traces = source_traces(topics, alias)
    if traces.own:
        return Finding(
            "other_source", "pass", f"{hidden}; its topics tell of a source called {alias}: {some(traces.own)}."
        )
    if traces.other_aliases:
        message = f"{hidden}; its topics tell of {some(traces.other_aliases)}, and not of {alias}."
        return Finding("other_source", "warn", message, "Is this the right pair, with the right alias?")
    return Finding("other_source", "unknown", f"{hidden}.")


def _settings(facts: Facts) -> Finding:
    if facts.state.enabled.value is not True:
        return Finding("settings", "pass", "Aliases, transforms and schemas can still be chosen freely.")
    differences, unknown = compare(facts.state, facts.wanted)
    differences.pop("source_crn", None)
    if differences:
        told = "; ".join(f"{name} is {now!r}, wanted {want!r}" for name, (now, want) in differences.items())
        message = f"Mirroring is enabled with other settings: {told}."
        if facts.recreate:
            return Finding("settings", "warn", message, "It is disabled and enabled again, as recreate: true asks for.")
        return Finding(
            "settings", "fail", message, "Set recreate: true to disable and enable again, or ask for what is there."
        )
    if unknown:
        return Finding(
            "settings", "unknown", f"Mirroring is enabled, and the cloud does not show its {', '.join(unknown)}."
        )
    return Finding("settings", "pass", "Mirroring is enabled with these settings.")


def _authorization(found: Authorization, facts: Facts) -> Finding:
    rule = "authorization" if found.target.guid == facts.target.guid else "authorization_failback"
    who = f"{found.target.name} to read {found.source.name}"
    evidence: dict[str, t.Any] = {"policy_ids": list(found.policy_ids), "reversed_ids": list(found.reversed_ids)}
    if found.policy_ids:
        return Finding(rule, "pass", f"An authorization allows {who}.", evidence=evidence)
    if found.unreadable:
        return Finding(
            rule,
            "unknown",
            f"Whether an authorization allows {who} is not known: {found.unreadable}",
            evidence=evidence,
        )
    if found.reversed_ids:
        return Finding(
            rule,
            "warn",
            f"No authorization allows {who}; policy {some(found.reversed_ids)} is the wrong way round and does not count.",
            "The bindings role creates the right one. IAM's source is the mirroring target.",
            evidence,
        )
    return Finding(rule, "pass", f"No authorization allows {who} yet; the bindings role creates it.", evidence=evidence)


def _rights(facts: Facts) -> Finding:
    remedy = "Needed: Editor on the target, Administrator on the source for the authorization, Manager on the target's cluster."
    if isinstance(facts.state.selection, Unreadable) and "HTTP 403" in facts.state.selection.reason:
        message = f"The target's mirroring controls are closed to this identity: {facts.state.selection.reason}"
        return Finding("rights", "fail", message, remedy)
    proven = [] if isinstance(facts.state.selection, Unreadable) else ["Manager on the target's cluster"]
    message = (
        f"Proven by reading: {', '.join(proven) or 'nothing'}. Whether the target may be updated shows only when it is."
    )
    return Finding("rights", "unknown", message, remedy)


def _network(facts: Facts) -> Finding:
    addresses = {side: list(instance.addresses) for side, instance in _sides(facts)}
    private = "; ".join(f"{side} {some(ips)}" for side, ips in addresses.items() if ips) or "none shown"
    return Finding(
        "network",
        "unknown",
        "Network restrictions cannot be read. The target pulls from the source, so whatever restricts the source must let the "
        "target's mirroring nodes in before mirroring is enabled. A rule added later takes effect at the cluster's next update, "
        "a day or more later.",
        f"If the source is restricted, ask the vendor's support for the addresses of those nodes first. Private addresses: {private}.",
        {"private_addresses": addresses},
    )
