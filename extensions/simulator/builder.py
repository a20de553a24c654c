# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the simulated cloud out of a checked scenario."""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import Any

from .accounts import NAMED_RIGHTS, Account, ApiKey, TrustedProfile
from .broker import PARAMETERS
from .clock import Clock, parse_time
from .instances import ENTERPRISE, GEN2, IN_PROGRESS, STANDARD, Change, Group, Instance, Operation, Span, Topic
from .mirroring import MirroringConfig
from .monitors import Monitor
from .policies import NAMESPACE, ROLE_PREFIX, Attribute, Policy
from .policy_views import read_v1, read_v2
from .scenario import ScenarioError, chosen_switches
from .switches import Switches
from .world import TIMING, Drawing, ResourceGroup, World

DAY = 86400.0
PLANS = {"enterprise": ENTERPRISE, "standard": STANDARD}


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def build_clock(scenario: dict[str, Any]) -> Clock:
    """Return the clock of a scenario; it starts at the real time unless told otherwise."""
    settings = scenario.get("clock", {})
    start = settings.get("start", "now")
    return Clock(time.time() if start == "now" else parse_time(start), settings.get("speed", 1.0))


def build_world(scenario: dict[str, Any], clock: Clock) -> World:
    """Return a new world in the state that the scenario describes."""
    accounts = [_account(entry) for entry in scenario["accounts"]]
    groups = [
        ResourceGroup(group.get("id", _hex(entry["id"] + group["name"])), group["name"], entry["id"])
        for entry in scenario["accounts"]
        for group in entry.get("resource_groups", [{"name": "Default"}])
    ]
    timing = {**TIMING, **scenario.get("timing", {})}
    world = World(clock, Switches(chosen_switches(scenario)), timing, accounts, groups)
    for entry in scenario["instances"]:
        _add_instance(world, entry, clock.now())
    for entry in scenario.get("policies", []):
        try:
            _add_policy(world, entry, clock.now())
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as problem:
            raise ScenarioError(f"policy cannot be read: {problem!r}") from None
    for entry, instance in zip(scenario["instances"], list(world.instances.values()), strict=True):
        if "mirroring" in entry:
            _mirror(world, instance, entry, clock.now())
    for entry in scenario.get("monitoring", []):
        _add_monitor(world, entry, clock.now())
    for entry in scenario.get("series", []):
        _add_drawing(world, entry)
    world.started = clock.now()
    world.settle()
    return world


def _rights(entry: dict[str, Any]) -> dict[str, str]:
    rights = entry.get("rights", "full")
    return NAMED_RIGHTS[rights] if isinstance(rights, str) else {**NAMED_RIGHTS["none"], **rights}


def _account(entry: dict[str, Any]) -> Account:
    account = Account(entry["id"], entry.get("name", entry["id"]))
    for number, key in enumerate(entry["api_keys"], 1):
        name = key.get("name", f"{account.name}-key-{number}")
        account.keys.append(ApiKey(name, account.id, key=key["key"], **_rights(key)))
    for profile in entry.get("trusted_profiles", []):
        rights = _rights(profile)
        account.profiles.append(
            TrustedProfile(
                profile["name"],
                account.id,
                rights["policies"],
                rights["instances"],
                rights["cluster"],
                id=profile["id"],
                assumed_by=tuple(profile.get("assumed_by", ())),
                cr_tokens=tuple(profile.get("cr_tokens", ())),
                virtual_server=profile.get("virtual_server", False),
            )
        )
    return account


def _guid(world: World, entry: dict[str, Any]) -> str:
    """Return the GUID of a new instance, by default one that follows from the name."""
    name = entry["name"]
    guid = entry.get("guid") or str(uuid.uuid5(NAMESPACE, name))
    number = 1
    while guid in world.instances or guid in world.monitors:
        if "guid" in entry:
            raise ScenarioError(f"GUID {guid} is used twice")
        number += 1
        guid = str(uuid.uuid5(NAMESPACE, f"{name} {number}"))
    return guid


def _group(world: World, entry: dict[str, Any]) -> str:
    """Return the id of the resource group of a new instance."""
    groups = [group for group in world.resource_groups if group.account == entry["account"]]
    wanted = entry.get("resource_group", groups[0].name if groups else "")
    group = next((group.id for group in groups if wanted in (group.id, group.name)), None)
    if group is None:
        raise ScenarioError(f"instance {entry['name']!r} is in the unknown resource group {wanted!r}")
    return group


def _add_monitor(world: World, entry: dict[str, Any], now: float) -> None:
    guid, group = _guid(world, entry), _group(world, entry)
    receives = entry.get("receives", True)
    world.monitors[guid] = Monitor(guid, entry["name"], entry["account"], entry["region"], group, now - DAY, receives)


def _add_drawing(world: World, entry: dict[str, Any]) -> None:
    """Add a drawn series; what it belongs to must be one instance, and the topic need not exist yet."""
    try:
        guid = world.instance(entry["instance"]).guid
    except KeyError as problem:
        raise ScenarioError(f"series of {entry['metric']}: {problem.args[0]}") from None
    drawing = Drawing(guid, entry["metric"], entry.get("topic"), [(point[0], point[1]) for point in entry["points"]])
    if any((one.guid, one.metric, one.topic) == (guid, drawing.metric, drawing.topic) for one in world.drawings):
        raise ScenarioError(f"series of {entry['metric']} is there twice for {entry['instance']!r}")
    world.drawings.append(drawing)


def _add_instance(world: World, entry: dict[str, Any], now: float) -> None:
    name, plan = entry["name"], entry.get("plan", ENTERPRISE)
    guid, group = _guid(world, entry), _group(world, entry)
    created = now - DAY
    instance = Instance(guid, name, entry["account"], entry["region"], PLANS.get(plan, plan), group, created, created)
    instance.throughput = int(entry.get("throughput", "150"))
    instance.storage_size = int(entry.get("storage_size", "2048"))
    instance.state = entry.get("state", "active")
    instance.locked = entry.get("locked", False)
    instance.status = entry.get("status", "available")
    instance.partition_limit = entry.get("partition_limit")
    instance.parameters = {"service-endpoints": entry.get("service_endpoints", "public")}
    if instance.enterprise or instance.plan == GEN2:
        instance.parameters["throughput"] = str(instance.throughput)
        instance.parameters["storage_size"] = str(instance.storage_size)
    for topic in entry.get("topics", []):
        instance.topics[topic["name"]] = Topic(
            topic["name"],
            topic.get("partitions", 1),
            created,
            dict(topic.get("configs", {})),
            remote_of=topic.get("remote_of"),
            internal=topic["name"].endswith(".internal"),
            traffic=topic.get("traffic"),
            traffic_out=topic.get("traffic_out"),
        )
    for listed in entry.get("consumer_groups", []):
        instance.groups[listed["id"]] = Group(listed["id"], list(listed["topics"]))
    instance.tags = list(entry.get("tags", []))
    instance.operation = _operation(entry, now, created)
    world.instances[guid] = instance


def _operation(entry: dict[str, Any], now: float, created: float) -> Operation | None:
    default = {"type": "create", "state": "succeeded", "description": "Provision completed successfully"}
    given = entry.get("last_operation", default)
    if given is None:
        return None
    running = given["state"] == IN_PROGRESS
    words = {"in progress": "in progress.", "succeeded": "succeeded.", "failed": "failed."}[given["state"]]
    return Operation(
        given["type"],
        given["state"],
        given.get("description", f"{given['type'].capitalize()} {words}"),
        now if running else created,
        now + given["seconds_left"] if running and "seconds_left" in given else None,
        given.get("outcome", "succeeded"),
        "Update failed." if given.get("outcome") == "failed" else "",
        Change() if running else None,
        finished=None if running else created,
    )


def _mirror(world: World, target: Instance, entry: dict[str, Any], now: float) -> None:
    """Put a target into the state it has long after mirroring was enabled."""
    block = dict(entry["mirroring"])
    try:
        source = world.instance(block.pop("source"))
    except KeyError as problem:
        raise ScenarioError(f"mirroring source of {target.name!r}: {problem.args[0]}") from None
    block["source_crn"] = str(source.crn)
    wrong = list(PARAMETERS({"mirroring": block}, f"instance {target.name!r}"))
    if wrong:
        raise ScenarioError(wrong[0])
    target.mirroring = MirroringConfig.of(block, source.crn)
    target.sent_mirroring = block
    target.enabled_at = target.selected_at = now - DAY
    target.mirroring_times = [Span(target.enabled_at)]
    target.selection = list(entry.get("selection", []))
    more = world.switches["internal_topics"] != "checkpoints_only"
    for name in target.mirroring.internal_topics(more):
        target.topics.setdefault(name, Topic(name, 1, now - DAY, internal=True))


def _short(world: World, entry: dict[str, Any], now: float) -> Policy:
    """Read the short form: instance names in IAM's own words (API §2.1)."""
    subject, resource = world.instance(entry["subject"]), world.instance(entry["resource"])
    sides = [
        [
            Attribute("accountId", "stringEquals", side.account),
            Attribute("serviceName", "stringEquals", "messagehub"),
            Attribute("serviceInstance", "stringEquals", side.guid),
        ]
        for side in (subject, resource)
    ]
    role = ROLE_PREFIX + entry.get("role", "Reader")
    version = entry.get("version", "v1")
    return Policy(
        world.policies.new_id(),
        version,
        "authorization",
        resource.account,
        sides[0],
        sides[1],
        [role],
        now - DAY,
        "scenario",
    )


def _add_policy(world: World, entry: dict[str, Any], now: float) -> None:
    if isinstance(entry.get("subject"), str):
        policy = _short(world, entry, now)
    else:
        version = "v1" if "subjects" in entry else "v2"
        subject, resource, roles = read_v1(entry) if version == "v1" else read_v2(entry)
        created = parse_time(entry["created_at"]) if entry.get("created_at") else now - DAY
        owner = next(attribute.value for attribute in resource if attribute.key == "accountId")
        policy = Policy(
            entry.get("id") or world.policies.new_id(),
            version,
            entry.get("type", "authorization"),
            owner,
            subject,
            resource,
            roles,
            created,
            entry.get("created_by_id") or "scenario",
            entry.get("description"),
            entry.get("state", "active"),
            extras={name: entry[name] for name in ("template",) if name in entry},
        )
    policy.modified, policy.modified_by = policy.created, policy.created_by
    world.policies.add(policy)
