# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service broker behind PATCH checks and does with ``parameters`` (API §3.5, §5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import shapes
from .crn import parse
from .instances import CAPACITY, IN_PROGRESS, Change, Instance, Operation, StaleDocument
from .mirroring import RENAME_MEMBERS, MirroringConfig, without_nulls
from .world import World

SCHEMAS = ("proxied", "read-only", "inactive")
_RENAME = shapes.mapping(optional={name: shapes.nullable(shapes.text()) for name in RENAME_MEMBERS})
_TRANSFORM = shapes.mapping({"type": shapes.text()}, {"rename": shapes.nullable(_RENAME)})
_OPTIONS = shapes.mapping(
    optional={
        "topic_name_transform": shapes.nullable(_TRANSFORM),
        "group_id_transform": shapes.nullable(_TRANSFORM),
    }
)
_MIRRORING = shapes.mapping(
    optional={
        "source_crn": shapes.nullable(shapes.text()),
        "source_alias": shapes.nullable(shapes.text()),
        "target_alias": shapes.nullable(shapes.text()),
        "options": shapes.nullable(_OPTIONS),
        "schemas": shapes.nullable(shapes.text()),
        "disable": shapes.nullable(shapes.boolean),
    }
)
PARAMETERS = shapes.mapping(
    optional={
        "mirroring": shapes.nullable(_MIRRORING),
        "throughput": shapes.text(number=True),
        "storage_size": shapes.text(number=True),
        "service-endpoints": shapes.text(choices=("public", "private", "public-and-private")),
        "metrics": shapes.array(shapes.text(choices=("topic", "partition", "consumers"))),
        "iam_token_only": shapes.boolean,
        "private_ip_allowlist": shapes.array(shapes.text()),
    }
)


@dataclass
class Plan:
    """What a PATCH asks for, and why it is refused if it is."""

    change: Change
    refusal: str | None = None
    violation: str | None = None
    identical: bool = False


def _holds_null(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and any(map(_holds_null, value.values())))


def plan(world: World, target: Instance, parameters: dict[str, Any], now: float) -> Plan:
    """Check ``parameters`` and work out the change."""
    wrong = list(PARAMETERS(parameters, "parameters"))
    if wrong:
        return Plan(Change(), wrong[0], wrong[0])
    block = parameters.get("mirroring")
    change = Change(parameters={name: value for name, value in parameters.items() if name != "mirroring"})
    result = Plan(change)
    result.refusal = _capacity(world, target, parameters, change)
    if result.refusal or block is None:
        return result
    if world.switches["null_members"] == "refused" and _holds_null(block):
        result.refusal = "null is not allowed in mirroring"
        return result
    clean = without_nulls(block)
    if "disable" in clean:
        _plan_disable(world, target, clean, parameters, result)
    else:
        _plan_enable(world, target, clean, parameters, result, now)
    return result


def _capacity(world: World, instance: Instance, parameters: dict[str, Any], change: Change) -> str | None:
    """Check scaling (API §6.1)."""
    throughput = int(parameters.get("throughput", instance.throughput))
    storage = int(parameters.get("storage_size", instance.storage_size))
    if (throughput, storage) == (instance.throughput, instance.storage_size):
        return None
    if not instance.enterprise:
        return "this plan cannot be scaled"
    if throughput < instance.throughput or storage < instance.storage_size:
        return "scaling down is not supported"
    if storage not in CAPACITY.get(throughput, ()):
        return f"throughput {throughput} with storage_size {storage} is not a valid combination"
    mirrored = instance.mirroring is not None
    if mirrored and world.switches["scale_while_mirroring"] == "refused":
        return "a mirrored instance cannot be scaled"
    change.throughput, change.storage_size = throughput, storage
    return None


def _throughput_missing(world: World, target: Instance, parameters: dict[str, Any], disable: bool) -> str | None:
    """Check that the current throughput comes along (API §3.5)."""
    rule = world.switches["throughput_rule"]
    needed = rule == "required" or (rule == "only_disable" and disable)
    if needed and target.throughput > 150 and "throughput" not in parameters:
        return "throughput must be given with a mirroring change when it is above 150"
    return None


def _plan_disable(
    world: World, target: Instance, block: dict[str, Any], parameters: dict[str, Any], result: Plan
) -> None:
    if block != {"disable": True}:
        result.violation = result.refusal = "disable must be true and the only member of mirroring"
    elif target.mirroring is None:
        result.refusal = "mirroring is not enabled"
    else:
        result.refusal = _throughput_missing(world, target, parameters, True)
    result.change.disable = True


def _wrong_members(world: World, block: dict[str, Any]) -> str | None:
    """Check aliases, transforms and schemas (API §5.1, §5.3)."""
    for alias in (block["source_alias"], block["target_alias"]):
        if not alias:
            return "an alias cannot be empty"
        if world.switches["alias_rule"] == "strict" and not re.fullmatch(r"[A-Za-z0-9_-]{1,30}", alias):
            return f"alias {alias!r} is not valid"
    if block["source_alias"] == block["target_alias"] and world.switches["equal_aliases"] == "refused":
        return "source_alias and target_alias must differ"
    if block.get("schemas", "inactive") not in SCHEMAS:
        return f"schemas must be one of {', '.join(SCHEMAS)}"
    options = block.get("options")
    if options is None:
        return None
    if len(options) < 2 and world.switches["both_transforms"] == "required":
        return "options needs topic_name_transform and group_id_transform"
    group_types = ["rename", "none"]
    if world.switches["group_id_use_alias"] == "accepted":
        group_types.append("use_alias")
    for which, types in (
        ("topic_name_transform", ["rename", "use_alias", "none"]),
        ("group_id_transform", group_types),
    ):
        problem = _wrong_transform(world, which, options.get(which), types)
        if problem:
            return problem
    return None


def _wrong_transform(world: World, which: str, given: dict[str, Any] | None, types: list[str]) -> str | None:
    if given is None:
        return None
    if given["type"] not in types:
        return f"{which}.type must be one of {', '.join(types)}"
    if given["type"] != "rename":
        return None
    rename = given.get("rename")
    if not rename:
        return f"{which} of type rename needs rename"
    rule = world.switches["rename_members"]
    if rule == "all_required" and len(rename) < len(RENAME_MEMBERS):
        return f"{which}.rename needs all of {', '.join(RENAME_MEMBERS)}"
    if rule == "empty_refused" and "" in rename.values():
        return f"{which}.rename cannot hold empty strings"
    return None


def _plan_enable(
    world: World, target: Instance, block: dict[str, Any], parameters: dict[str, Any], result: Plan, now: float
) -> None:
    missing = [name for name in ("source_crn", "source_alias", "target_alias") if name not in block]
    if missing:
        result.violation = result.refusal = f"mirroring lacks {missing[0]}"
        return
    if not target.enterprise:
        result.refusal = "mirroring needs the Enterprise plan on the target"
        return
    try:
        crn = parse(block["source_crn"])
    except ValueError as problem:
        result.refusal = f"source_crn is not valid: {problem}"
        return
    source = world.instances.get(crn.guid)
    if crn.service != "messagehub":
        result.refusal = "source_crn is not an Event Streams instance"
    elif source is None or source.gone or source.crn != crn:
        result.refusal = "the source instance was not found"
    elif source is target:
        result.refusal = "source and target are the same instance"
    elif not source.enterprise:
        result.refusal = "mirroring needs the Enterprise plan on the source"
    else:
        result.refusal = _wrong_members(world, block) or _throughput_missing(world, target, parameters, False)
    if result.refusal or source is None:
        return
    config = MirroringConfig.of(block, crn)
    if target.mirroring is not None:
        result.identical = config == target.mirroring
        result.refusal = None if result.identical else "mirroring is already enabled with other values"
        return
    wanted = (result.change.throughput or target.throughput, result.change.storage_size or target.storage_size)
    if wanted != (source.throughput, source.storage_size):
        result.refusal = "source and target must have the same throughput and storage"
    elif source.mirroring is not None and source.mirroring.source.guid == target.guid:
        result.refusal = "the source is already mirrored from this target"
    elif not world.authorized(source, target, now):
        result.refusal = "the target is not authorized to read the source"
    result.change.mirroring = config


def start(world: World, target: Instance, planned: Plan, sent: Any, effects: set[str], now: float) -> None:
    """Start the operation of an accepted PATCH; ``effects`` come from faults."""
    before = world.view(target)
    failure = planned.refusal
    if "operation_failed" in effects:
        failure = "Update failed. The broker gave up."
    finishes: float | None = now + world.timing["operation_seconds"]
    if "operation_stuck" in effects:
        finishes = None
    target.operation = Operation(
        "update",
        IN_PROGRESS,
        "Update in progress.",
        now,
        finishes,
        "failed" if failure else "succeeded",
        failure or "",
        None if planned.identical else planned.change,
    )
    target.updates.append(target.operation)
    if world.switches["instance_updated_at"] == "changes":
        target.updated = now
    if sent is not None:
        target.sent_mirroring = sent
    mode = world.switches["stale_operation"]
    if "stale_operation" in effects and mode == "none":
        mode = "succeeded"
    if mode == "none":
        return
    if mode == "failed":
        earlier = {"type": "update", "state": "failed", "description": "Update failed.", "cancelable": False}
        before["last_operation"] = {**(before["last_operation"] or {"updated_at": None}), **earlier}
    elif before["last_operation"] is None or before["last_operation"]["type"] == "create":
        earlier = {"type": "update", "state": "succeeded", "description": "Update succeeded.", "cancelable": False}
        before["last_operation"] = {**(before["last_operation"] or {"updated_at": None}), **earlier}
    reads = int(world.timing["stale_reads"])
    target.stale = StaleDocument(before, reads, now + world.timing["stale_seconds"])


def finish_at_once(world: World, target: Instance, planned: Plan, now: float) -> None:
    """Do a change that needs no waiting (API §3.5)."""
    target.operation = Operation(
        "update", "succeeded", "Update succeeded.", now, outcome="succeeded", is_async=False, finished=now
    )
    target.updates.append(target.operation)
    if world.switches["instance_updated_at"] == "changes":
        target.updated = now
