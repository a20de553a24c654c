# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots: JSON documents that the collection's role ``snapshot`` writes. What is not of their shape is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import shapes
from .crn import GUID, parse
from .policy_views import OPERATORS_LIST, OPERATORS_TEXT
from .scenario import ACCOUNT_ID

FORMAT = 1


class SnapshotError(ValueError):
    """The snapshot cannot be used; the text says why."""


_NAME = shapes.text(shortest=1)
_WORDS = shapes.nullable(shapes.text())
_AMOUNT = shapes.nullable(shapes.whole(1, 999_999_999))
_RATE = shapes.nullable(shapes.number)
_PAIR = shapes.mapping(
    {"name": _NAME, "source": _NAME, "target": _NAME, "declared": shapes.mapping(others=shapes.anything)}
)
_INSTANCE = shapes.mapping(
    {
        "crn": _NAME,
        "guid": _NAME,
        "name": _NAME,
        "region": _NAME,
        "account_id": _NAME,
        "resource_group_id": shapes.nullable(_NAME),
        "plan": _NAME,
        "resource_plan_id": shapes.text(),
        "state": _NAME,
        "locked": shapes.boolean,
        "throughput": _AMOUNT,
        "storage_size": _AMOUNT,
        "last_operation": shapes.mapping(
            {"type": shapes.text(), "state": shapes.text(), "description": shapes.text()}, {"updated_at": _WORDS}
        ),
    },
    {
        "admin_url": _WORDS,
        "service_endpoints": _WORDS,
        "private_addresses": shapes.array(_NAME),
        "updated_at": _WORDS,
    },
)
_ATTRIBUTE = shapes.either(
    shapes.mapping({"key": _NAME, "operator": shapes.text(choices=OPERATORS_TEXT), "value": shapes.text()}),
    shapes.mapping({"key": _NAME, "operator": shapes.text(choices=OPERATORS_LIST), "value": shapes.array(_NAME)}),
    shapes.mapping({"key": _NAME, "operator": shapes.text(choices=("stringExists",)), "value": shapes.boolean}),
)
_POLICY = shapes.mapping(
    {
        "id": _NAME,
        "version": shapes.text(choices=("v1", "v2")),
        "state": shapes.text(choices=("active",)),
        "roles": shapes.array(_NAME),
        "subject": shapes.array(_ATTRIBUTE),
        "resource": shapes.array(_ATTRIBUTE),
    },
    {"description": _WORDS, "created_at": _WORDS},
)
_PARTS = shapes.mapping(optional=dict.fromkeys(("add_prefix", "remove_prefix", "add_suffix", "remove_suffix"), _WORDS))
_TRANSFORM = shapes.nullable(shapes.mapping({"type": _NAME}, {"rename": shapes.nullable(_PARTS)}))
_PATTERNS = shapes.nullable(shapes.array(shapes.text()))
_MIRRORING = shapes.mapping(
    {
        "instance": _NAME,
        "enabled": shapes.nullable(shapes.boolean),
        "source_crn": shapes.nullable(_NAME),
        "source_alias": shapes.nullable(_NAME),
        "target_alias": shapes.nullable(_NAME),
        "topic_name_transform": _TRANSFORM,
        "group_id_transform": _TRANSFORM,
        "schemas": shapes.nullable(_NAME),
        "known": shapes.mapping(others=shapes.text(choices=("echoed", "observed", "inferred", "unknown"))),
        "topics": _PATTERNS,
        "active_topics": _PATTERNS,
    }
)
_TOPIC = shapes.mapping(
    {"name": _NAME, "partitions": shapes.nullable(shapes.whole(0, 100_000))}, {"internal": shapes.boolean}
)
_METRICS = shapes.mapping(
    {
        "instance": _NAME,
        "monitoring_instance": _NAME,
        "latency": shapes.mapping(others=shapes.number),
        "traffic": shapes.mapping(others=shapes.mapping(optional={"bytes_in": _RATE, "bytes_out": _RATE})),
    },
    {"at": _WORDS, "mirroring_throughput": _RATE},
)
_UNKNOWN = shapes.mapping(
    {"pair": _NAME, "instance": shapes.nullable(_NAME), "name": _NAME, "what": _NAME, "reason": shapes.text()}
)
SNAPSHOT = shapes.mapping(
    {
        "format": shapes.whole(),
        "taken_at": _NAME,
        "accounts": shapes.array(_NAME),
        "pairs": shapes.array(_PAIR),
        "instances": shapes.array(_INSTANCE),
        "policies": shapes.array(_POLICY),
        "mirroring": shapes.array(_MIRRORING),
        "topics": shapes.mapping(others=shapes.array(_TOPIC)),
        "metrics": shapes.array(_METRICS),
        "unknown": shapes.array(_UNKNOWN),
    }
)


def load_snapshot(source: str | Path | dict[str, Any]) -> dict[str, Any]:
    """Read a snapshot, a file or a dictionary; SnapshotError says what is wrong with it."""
    snapshot: Any = source
    if not isinstance(source, dict):
        try:
            snapshot = json.loads(Path(source).read_text(encoding="utf-8"), parse_constant=_refuse)
        except OSError as problem:
            raise SnapshotError(f"cannot read snapshot {source}: {problem.strerror}") from None
        except (ValueError, RecursionError) as problem:
            raise SnapshotError(f"snapshot {source} is not JSON: {problem}") from None
    if not isinstance(snapshot, dict) or "format" not in snapshot:
        raise SnapshotError(
            "this is no snapshot: it has no format. The role snapshot of the collection writes snapshots"
        )
    if snapshot["format"] != FORMAT or isinstance(snapshot["format"], bool):
        raise SnapshotError(f"the snapshot has the format {snapshot['format']!r}, and only {FORMAT} is known")
    wrong = next(SNAPSHOT(snapshot, "snapshot"), None) or next(_contradictions(snapshot), None)
    if wrong:
        raise SnapshotError(wrong)
    return snapshot


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _contradictions(snapshot: dict[str, Any]) -> Iterator[str]:
    """Yield what the shape cannot say."""
    instances = {one["guid"]: one for one in snapshot["instances"]}
    if not snapshot["pairs"]:
        yield "snapshot.pairs is empty"
    if len(instances) < len(snapshot["instances"]):
        yield "snapshot.instances has an instance twice"
    for account in snapshot["accounts"]:
        if not ACCOUNT_ID.fullmatch(account):
            yield f"account id {account!r} is not 32 hexadecimal digits"
    for guid, instance in instances.items():
        yield from _wrong_identity(instance, f"instance {instance['name']!r}")
        if instance["account_id"] not in snapshot["accounts"]:
            yield f"instance {instance['name']!r} is in the unknown account {instance['account_id']!r}"
        if not GUID.fullmatch(guid):
            yield f"{guid!r} is not a GUID"
    named = [one[side] for one in snapshot["pairs"] for side in ("source", "target")]
    listed = [one["instance"] for part in ("mirroring", "metrics") for one in snapshot[part]]
    for guid in [*named, *listed, *snapshot["topics"]]:
        if guid not in instances:
            yield f"snapshot.instances lacks {guid!r}"
    for guid, topics in snapshot["topics"].items():
        if len({one["name"] for one in topics}) < len(topics):
            yield f"snapshot.topics has a topic of {guid!r} twice"
    for part in ("mirroring", "metrics"):
        if len({one["instance"] for one in snapshot[part]}) < len(snapshot[part]):
            yield f"snapshot.{part} has an instance twice"
    for guid in instances.keys() - {one["instance"] for one in snapshot["mirroring"]}:
        yield f"snapshot.mirroring lacks {guid!r}"
    for one in snapshot["metrics"]:
        if not GUID.fullmatch(one["monitoring_instance"]):
            yield f"{one['monitoring_instance']!r} is not a GUID"
    for number, policy in enumerate(snapshot["policies"]):
        owners = [one["value"] for one in policy["resource"] if one["key"] == "accountId"]
        if len(owners) != 1 or owners[0] not in snapshot["accounts"]:
            yield f"snapshot.policies[{number}] does not belong to one of the accounts"


def _wrong_identity(instance: dict[str, Any], words: str) -> Iterator[str]:
    """Yield how the CRN differs from what else is said of an instance."""
    try:
        crn = parse(instance["crn"])
    except ValueError as problem:
        yield f"{words}: {problem}"
        return
    if crn != ("messagehub", instance["region"], instance["account_id"], instance["guid"]):
        yield f"{words}: its CRN names another service, region, account or GUID"
