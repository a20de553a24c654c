# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a snapshot of somebody's cloud to a scenario. A value that the snapshot does not have is assumed, and that is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from .clock import parse_time
from .crn import parse
from .instances import ENTERPRISE, GEN2, IN_PROGRESS, STANDARD, STATES
from .metrics import LATENCY, MEGABYTE
from .mirroring import Transform
from .monitors import REGIONS
from .policies import ROLE_PREFIX
from .snapshot import load_snapshot

PLANS = {"enterprise": ENTERPRISE, "enterprise-gen2": GEN2, "standard": STANDARD}
CAPACITY = {"throughput": 150, "storage_size": 2048}
ENDPOINTS = ("public", "private", "public-and-private")
TIMING = {
    "operation_seconds": 5.0,
    "policy_propagation_seconds": 2.0,
    "remote_topic_seconds": 1.0,
    "active_topic_seconds": 1.0,
    "metrics_interval_seconds": 5.0,
}
"""Seconds in which the simulated cloud does what takes minutes and hours."""

LAG_HISTORY, LAG_LASTS = 172800.0, 30.0
"""For how long a latency of the snapshot was there before the rehearsal begins, and for how long it goes on. Then it is 0, as when
applications have stopped."""

DEFAULTS = {
    "topic_name_transform": {"type": "use_alias"},
    "group_id_transform": {"type": "none"},
    "schemas": "inactive",
}

OTHER = {"source_alias": "target_alias", "target_alias": "source_alias"}
"""What the variables of a pair call the aliases of mirroring that is turned round."""


class Rehearsal(NamedTuple):
    """A scenario, and one line for each value in it that the snapshot does not have."""

    scenario: dict[str, Any]
    assumed: list[str]


def api_key(account: str) -> str:
    """Return the API key that a rehearsal has for an account; real keys are never in a snapshot."""
    return f"simulated-{account}"


def scenario_of(snapshot: dict[str, Any]) -> Rehearsal:
    """Turn a snapshot into a scenario; SnapshotError if it is none."""
    return _Loader(load_snapshot(snapshot)).rehearsal()


class _Loader:
    """Builds the scenario of one snapshot."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self._snapshot = snapshot
        self._instances = {one["guid"]: one for one in snapshot["instances"]}
        self._mirroring = {one["instance"]: one for one in snapshot["mirroring"]}
        self._metrics = {one["instance"]: one for one in snapshot["metrics"]}
        self._reasons = {(one["instance"], one["what"]): one["reason"] for one in snapshot["unknown"]}
        self._blocks: dict[str, dict[str, Any]] = {}
        self._strangers: dict[str, dict[str, Any]] = {}
        self._assumed: list[str] = []

    def rehearsal(self) -> Rehearsal:
        """Return the scenario and what was assumed."""
        lost = [one for one in self._snapshot["unknown"] if one["what"] == "pair"]
        self._assumed += [f"{one['pair']}: this pair is not in the snapshot: {one['reason']}" for one in lost]
        switches = {"echo": self._echo(), "parameters_shown": self._parameters_shown()}
        self._blocks = {guid: self._block(one) for guid, one in self._mirroring.items() if self._is_on(guid, one)}
        instances = [self._instance(one) for one in self._instances.values()]
        policies = [self._policy(one) for one in self._snapshot["policies"]]
        scenario = {
            "description": f"A snapshot of {self._snapshot['taken_at']}",
            "timing": dict(TIMING),
            "accounts": self._accounts(),
            "instances": [*instances, *self._strangers.values()],
            "policies": [*policies, *self._missing_policies()],
            "monitoring": self._monitoring(),
            "series": [series for guid, block in self._blocks.items() for series in self._series(guid, block)],
            "switches": switches,
        }
        return Rehearsal(scenario, self._assumed)

    def _assume(self, guid: str, what: str, instead: str) -> None:
        """Note what stands in for something that is not known, and why it is not."""
        reason = self._reasons.get((guid, what), "not in the snapshot")
        self._assumed.append(f"{self._instances[guid]['name']}: {what}: {reason}. The rehearsal has {instead}.")

    def _declared(self, guid: str, side: str, name: str) -> Any:
        """Return what the variables of a pair say, of which this instance is that side."""
        pairs = [one for one in self._snapshot["pairs"] if one[side] == guid]
        return next((one["declared"][name] for one in pairs if one["declared"].get(name)), None)

    # -- what is shown

    def _echo(self) -> str:
        """Return whether this cloud shows mirroring settings, as far as that was seen (API §5.5)."""
        on = [one for one in self._mirroring.values() if one["enabled"]]
        if not on:
            self._assumed.append(
                "Nothing is mirrored, so nobody has seen whether this cloud shows mirroring settings. The rehearsal has a "
                "cloud that does. With the switch echo none in its scenario it does not."
            )
            return "full"
        return "full" if any("echoed" in one["known"].values() for one in on) else "none"

    def _parameters_shown(self) -> str:
        hidden = [all(one[name] is None for name in CAPACITY) for one in self._instances.values()]
        return "none" if hidden and all(hidden) else "all"

    # -- accounts and policies

    def _accounts(self) -> list[dict[str, Any]]:
        entries = []
        every = [*self._snapshot["accounts"], *(one["account"] for one in self._strangers.values())]
        for account in dict.fromkeys(every):
            groups = dict.fromkeys(
                one["resource_group_id"]
                for one in self._instances.values()
                if one["account_id"] == account and one["resource_group_id"]
            )
            keys = [{"key": api_key(account), "name": "rehearsal"}]
            listed = [{"name": group, "id": group} for group in groups] or [{"name": "Default"}]
            entries.append({"id": account, "name": account, "resource_groups": listed, "api_keys": keys})
        return entries

    def _policy(self, policy: dict[str, Any]) -> dict[str, Any]:
        roles = [{"role_id": ROLE_PREFIX + role} for role in policy["roles"]]
        head = {name: policy[name] for name in ("id", "description") if policy.get(name)}
        try:
            parse_time(policy["created_at"])
            head["created_at"] = policy["created_at"]
        except (KeyError, TypeError, ValueError, OverflowError):
            pass
        if policy["version"] == "v2":
            sides = {side: {"attributes": policy[side]} for side in ("subject", "resource")}
            return {**head, **sides, "control": {"grant": {"roles": roles}}}
        v1 = {
            f"{side}s": [
                {
                    "attributes": [
                        {"name": a["key"], "operator": a["operator"], "value": a["value"]} for a in policy[side]
                    ]
                }
            ]
            for side in ("subject", "resource")
        }
        return {**head, **v1, "roles": roles}

    def _missing_policies(self) -> list[dict[str, Any]]:
        """Return authorizations that running mirroring needs, where those of the source's account could not be read."""
        made = []
        known = {one["instance"] for one in self._snapshot["unknown"] if one["what"] == "policies"}
        for guid in self._instances:
            readers = [target for target, block in self._blocks.items() if block["source"] == guid]
            if guid not in known or self._has_policies(guid):
                continue
            names = [self._instances[target]["name"] for target in readers]
            self._assume(
                guid, "policies", f"an authorization for {', '.join(names)}, which mirrors it" if names else "none"
            )
            made += [{"subject": target, "resource": guid} for target in readers]
        return made

    def _has_policies(self, guid: str) -> bool:
        account = self._instances[guid]["account_id"]
        return any(
            one["key"] == "accountId" and one["value"] == account
            for policy in self._snapshot["policies"]
            for one in policy["resource"]
        )

    # -- instances

    def _instance(self, instance: dict[str, Any]) -> dict[str, Any]:
        guid = instance["guid"]
        block = self._blocks.get(guid)
        entry: dict[str, Any] = {
            "guid": guid,
            "name": instance["name"],
            "account": instance["account_id"],
            "region": instance["region"],
            "plan": instance["resource_plan_id"] or self._plan(instance),
            "locked": instance["locked"],
            "state": instance["state"] if instance["state"] in STATES else self._active(guid, instance["state"]),
            "topics": self._topics(guid, block),
            "last_operation": self._operation(instance),
            **{name: self._capacity(instance, name) for name in CAPACITY},
        }
        if instance["resource_group_id"]:
            entry["resource_group"] = instance["resource_group_id"]
        if instance.get("service_endpoints") in ENDPOINTS:
            entry["service_endpoints"] = instance["service_endpoints"]
        if not instance.get("admin_url") and entry["plan"] != GEN2:
            self._assume(guid, "admin_url", "an admin URL that the cloud publishes")
        if block is not None:
            entry |= {"mirroring": block, "selection": self._selection(guid)}
        return entry

    def _plan(self, instance: dict[str, Any]) -> str:
        plan = PLANS.get(instance["plan"], ENTERPRISE)
        self._assume(instance["guid"], "plan", f"the plan {plan}")
        return plan

    def _active(self, guid: str, state: str) -> str:
        self._assume(guid, "state", f"an active instance, instead of one that is {state}")
        return "active"

    def _capacity(self, instance: dict[str, Any], name: str) -> str:
        if instance[name] is not None:
            return str(instance[name])
        declared = str(self._declared(instance["guid"], "target", name) or "")
        amount = declared if declared.isascii() and declared.isdigit() and len(declared) < 10 else str(CAPACITY[name])
        self._assume(instance["guid"], name, amount)
        return amount

    def _operation(self, instance: dict[str, Any]) -> dict[str, Any] | None:
        """Return the last operation: any spelling that ends in succeeded or failed is final (API §3.6)."""
        told = instance["last_operation"]
        if not told["state"]:
            return None
        words = " ".join(told["state"].lower().replace("_", " ").split())
        state = next((one for one in ("succeeded", "failed") if words.endswith(one)), IN_PROGRESS)
        entry = {"type": told["type"] or "update", "state": state, "description": told["description"]}
        if state == IN_PROGRESS:
            self._assume(
                instance["guid"], "operation", "the update that is running end within seconds, and change nothing"
            )
            entry["seconds_left"] = TIMING["operation_seconds"]
        return entry

    def _topics(self, guid: str, block: dict[str, Any] | None) -> list[dict[str, Any]]:
        listed = self._snapshot["topics"].get(guid)
        if listed is None:
            self._assume(guid, "topics", "no topics there")
            return []
        copies = self._copies(block) if block else {}
        mirrored = self._mirrored(guid)
        fed = set(self._mirroring[guid]["active_topics"] or []) if block else set()
        traffic = self._metrics[guid]["traffic"] if guid in self._metrics else {}
        entries = []
        for topic in listed:
            entry = {"name": topic["name"], "partitions": topic["partitions"] or self._one(guid, topic["name"])}
            if topic["name"] in copies:
                entry["remote_of"] = copies[topic["name"]]
            if not {topic["name"], entry.get("remote_of")} & fed:
                entry |= _rates(traffic.get(topic["name"], {}), topic["name"] in mirrored)
            entries.append(entry)
        return entries

    def _mirrored(self, guid: str) -> set[str]:
        """Return the topics of an instance that are being mirrored from it, whichever names the API shows (API §4.4)."""
        found = set()
        for target, block in self._blocks.items():
            if block["source"] == guid:
                copies = self._copies(block)
                found |= {copies.get(name, name) for name in self._mirroring[target]["active_topics"] or []}
        return found

    def _one(self, guid: str, topic: str) -> int:
        self._assume(guid, f"partitions of {topic}", "one partition")
        return 1

    def _copies(self, block: dict[str, Any]) -> dict[str, str]:
        """Return the names on the source by what mirroring calls them on the target (API §5.2)."""
        transform = Transform.of(block["options"], "topic_name_transform", "use_alias")
        found = {}
        for topic in self._snapshot["topics"].get(block["source"], []):
            bare = transform.bare(topic["name"])
            if bare is not None:
                found[transform.result(bare, block["source_alias"])] = topic["name"]
        return found

    # -- mirroring

    def _is_on(self, guid: str, mirroring: dict[str, Any]) -> bool:
        if mirroring["enabled"] is None:
            self._assume(guid, "mirroring", "no mirroring to it")
        return bool(mirroring["enabled"])

    def _block(self, mirroring: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of an enabled target; what the cloud does not show is taken from the variables, else by default."""
        guid = mirroring["instance"]
        turned = not any(one["target"] == guid for one in self._snapshot["pairs"])
        source = self._source(guid, mirroring, turned)
        region = {side: self._region(one) for side, one in (("source", source), ("target", guid))}
        alike = region["source"] == region["target"]
        usual = {f"{side}_alias": f"{region[side]}-{side}" if alike else region[side] for side in region}
        block: dict[str, Any] = {"source": source}
        for name in ("source_alias", "target_alias"):
            block[name] = self._setting(mirroring, name, OTHER[name] if turned else name, usual[name], _is_text)
        options = {
            name: self._setting(mirroring, name, None if turned else name, DEFAULTS[name], _is_transform)
            for name in ("topic_name_transform", "group_id_transform")
        }
        block["options"] = options if any(options[name] != DEFAULTS[name] for name in options) else {}
        schemas = self._setting(mirroring, "schemas", None if turned else "schemas", DEFAULTS["schemas"], _is_text)
        if schemas != DEFAULTS["schemas"]:
            block["schemas"] = schemas
        return block

    def _setting(
        self, mirroring: dict[str, Any], name: str, declared: str | None, usual: Any, fits: Callable[[Any], bool]
    ) -> Any:
        if mirroring[name] is not None:
            return mirroring[name]
        side = "target" if any(one["target"] == mirroring["instance"] for one in self._snapshot["pairs"]) else "source"
        given = self._declared(mirroring["instance"], side, declared) if declared else None
        value = given if fits(given) else usual
        self._assume(mirroring["instance"], name, f"{value}, {'as the variables say' if fits(given) else 'by default'}")
        return value

    def _source(self, guid: str, mirroring: dict[str, Any], turned: bool) -> str:
        if mirroring["source_crn"] is None:
            own, other = ("source", "target") if turned else ("target", "source")
            (found, *_rest) = [one[other] for one in self._snapshot["pairs"] if one[own] == guid]
            self._assume(
                guid, "source_crn", f"{self._instances[found]['name']} as its source, the other side of the pair"
            )
            return str(found)
        crn = parse(mirroring["source_crn"])
        if crn.guid not in self._instances and crn.guid not in self._strangers:
            name = f"not-in-the-snapshot-{crn.guid[:8]}"
            self._strangers[crn.guid] = {"guid": crn.guid, "name": name, "account": crn.account, "region": crn.region}
            self._assume(guid, "topics of its source", f"the source {name} without topics, because it is of no pair")
        return crn.guid

    def _region(self, guid: str) -> str:
        return str((self._instances.get(guid) or self._strangers[guid])["region"])

    def _selection(self, guid: str) -> list[str]:
        patterns = self._mirroring[guid]["topics"]
        if patterns is not None:
            return list(patterns)
        declared = self._declared(guid, "target", "topics")
        given = declared if isinstance(declared, list) and all(map(_is_text, declared)) else []
        self._assume(guid, "selection", f"the selection {given}, {'as the variables say' if given else 'by default'}")
        return list(given)

    # -- monitoring

    def _monitoring(self) -> list[dict[str, Any]]:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for guid, instance in self._instances.items():
            if guid not in self._metrics:
                self._assume(guid, "metrics", "no IBM Cloud Monitoring for it")
                continue
            region = REGIONS.get(instance["region"], instance["region"])
            found.setdefault(
                (instance["account_id"], region),
                {
                    "guid": self._metrics[guid]["monitoring_instance"],
                    "name": f"monitoring-{region}",
                    "account": instance["account_id"],
                    "region": region,
                },
            )
        return list({one["guid"]: one for one in found.values()}.values())

    def _series(self, guid: str, block: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """Draw the latencies that were measured, by the names of the topics on the source (API §7.2)."""
        own = {topic["name"] for topic in self._snapshot["topics"].get(block["source"], [])}
        copies = self._copies(block)
        measured = self._metrics[guid]["latency"] if guid in self._metrics else {}
        latencies = {name if name in own else copies.get(name): seconds for name, seconds in measured.items()}
        for name, seconds in latencies.items():
            if name is not None:
                points = [[LAG_HISTORY, seconds], [-LAG_LASTS, 0]]
                yield {"instance": guid, "topic": name, "metric": LATENCY, "points": points}


def _rates(measured: dict[str, Any], mirrored: bool) -> dict[str, float]:
    """Return what applications write to a topic and read from it, in MB/s; what mirroring reads is not theirs."""
    into, out = measured.get("bytes_in"), measured.get("bytes_out")
    if out is not None and mirrored:
        out = max(0.0, out - (into or 0.0))
    return {name: rate / MEGABYTE for name, rate in (("traffic", into), ("traffic_out", out)) if rate is not None}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_transform(value: Any) -> bool:
    return isinstance(value, dict) and _is_text(value.get("type")) and isinstance(value.get("rename", {}), dict)
