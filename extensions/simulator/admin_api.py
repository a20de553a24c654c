# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administration REST API of one instance on the wire (API §4)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from . import shapes
from .accounts import Caller
from .instances import Instance, Topic
from .mirroring import bad_patterns
from .wire import HTML, Answer, Call, Refusal, Route, whole_number

LARGE_PAGE = 1000
TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
CONFIGS = [
    "cleanup.policy",
    "retention.ms",
    "retention.bytes",
    "segment.bytes",
    "segment.ms",
    "segment.index.bytes",
    "message.audit.enable",
]
DEFAULTS = {
    "cleanup.policy": "delete",
    "min.insync.replicas": "2",
    "retention.bytes": "1073741824",
    "retention.ms": "86400000",
    "segment.bytes": "536870912",
}
_CONFIG_NAME = shapes.text(choices=CONFIGS)
_CREATE = shapes.mapping(
    {"name": shapes.text()},
    {
        "partition_count": shapes.whole(1, 1000),
        "partitions": shapes.whole(1, 1000),
        "configs": shapes.array(shapes.mapping({"name": _CONFIG_NAME, "value": shapes.text()})),
    },
)
_UPDATE = shapes.mapping(
    optional={
        "new_total_partition_count": shapes.whole(1, 1000),
        "configs": shapes.array(
            shapes.mapping({"name": _CONFIG_NAME}, {"value": shapes.text(), "reset_to_default": shapes.boolean})
        ),
    }
)
_SELECTION = shapes.mapping({"includes": shapes.array(shapes.text())})


def _target(call: Call) -> Instance:
    assert call.guid is not None
    return call.world.instances[call.guid]


def _credential(call: Call) -> Caller | str:
    """Read the credential in any of its accepted forms (API §4.2)."""
    headers, tokens = call.request.headers, call.world.tokens
    if "x-auth-token" in headers:
        return tokens.key(headers["x-auth-token"]) or "unknown"
    kind, _dummy, text = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return tokens.key(text) or tokens.check(text, call.now)
    if kind.lower() == "basic":
        try:
            user, _dummy, key = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "unknown"
        return (tokens.key(key) if user == "token" else None) or "unknown"
    return "missing"


def authenticate(call: Call) -> None:
    """Find the caller; every call needs at least Reader on the cluster (API §4.2)."""
    known = _credential(call)
    if not isinstance(known, Caller):
        raise Refusal(401, "40100", "Unauthorized", violation=known == "missing")
    call.caller = known
    if known.account != _target(call).account or known.cluster == "none":
        raise Refusal(403, "40300", "Forbidden: a role on the cluster is missing")


def error(refusal: Refusal, call: Call) -> Answer:
    """Put a refusal into the shape of this API (API §4.3)."""
    code = int(refusal.code) if refusal.code.isdigit() else refusal.status * 100
    body = {"error_code": code, "message": refusal.message, "incident_id": call.transaction}
    if refusal.body is not None:
        kind = refusal.body
        data = HTML.encode() if kind == "html" else b""
        content = "text/html" if kind == "html" else "text/plain"
        return Answer(refusal.status, data, _headers(call, refusal.headers), content)
    return Answer(refusal.status, body, _headers(call, refusal.headers))


def _headers(call: Call, more: dict[str, str] | None = None) -> dict[str, str]:
    return {
        "X-Global-Transaction-Id": call.transaction,
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "Cache-Control": "no-cache, no-store",
        "Pragma": "no-cache",
        **(more or {}),
    }


def _ok(call: Call, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, body, _headers(call, headers))


def _manager(call: Call) -> None:
    if call.who.cluster != "manager":
        raise Refusal(403, "40300", "Forbidden: Manager on the cluster is needed")


# -- mirroring


def _mirrored(call: Call) -> Instance:
    """Return the target if its mirroring paths answer now (API §4.4)."""
    _manager(call)
    target, switches = _target(call), call.world.switches
    during = switches["mirroring_paths_during_operation"]
    enabled = target.mirroring is not None
    if target.busy and during != "as_before":
        if during != "404":
            raise Refusal(int(during), f"{during}00", "Mirroring is being changed")
        enabled = False
    if switches["enabling_visibility"] == "late" and enabled:
        enabled = target.enabled_at + call.world.timing["enabling_visibility_seconds"] <= call.now
    if not enabled:
        form = switches["not_enabled_body"]
        raise Refusal(404, "40400", "Mirroring is not enabled", body=None if form == "json" else form)
    return target


def _selection(call: Call, target: Instance) -> Answer:
    includes = [text for text in target.selection if text]
    if includes:
        return _ok(call, {"includes": list(target.selection)})
    form = call.world.switches["empty_selection"]
    if form == "missing":
        return _ok(call, {})
    return _ok(call, {"includes": [] if form == "empty_list" else [""]})


def get_selection(call: Call) -> Answer:
    """Read the selection."""
    return _selection(call, _mirrored(call))


def set_selection(call: Call) -> Answer:
    """Replace the selection."""
    target = _mirrored(call)
    includes, rule = call.json["includes"], call.world.switches["invalid_pattern"]
    bad = bad_patterns(includes)
    if bad and rule != "accepted":
        raise Refusal(int(rule), f"{rule}00", f"not a regular expression: {bad[0]}")
    call.world.select(target, includes)
    call.processed = True
    return _selection(call, target)


def active_topics(call: Call) -> Answer:
    """List what is being mirrored."""
    return _ok(call, {"active_topics": call.world.active_topics(_mirrored(call))})


# -- topics


def _view(topic: Topic) -> dict[str, Any]:
    configs = {**DEFAULTS, **topic.configs}
    return {
        "name": topic.name,
        "partitions": topic.partitions,
        "replicationFactor": 3,
        "retentionMs": int(configs["retention.ms"]),
        "cleanupPolicy": configs["cleanup.policy"],
        "configs": configs,
        "replicaAssignments": [
            {"id": number, "brokers": {"replicas": [number % 3, (number + 1) % 3, (number + 2) % 3]}}
            for number in range(topic.partitions)
        ],
    }


def _filter(text: str, names: Sequence[str]) -> list[str]:
    """Apply a glob, or a regular expression between slashes (API §4.5)."""
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        try:
            pattern = re.compile(text[1:-1])
        except re.error:
            raise Refusal(400, "40000", "the filter is not a regular expression", violation=True) from None
        return [name for name in names if pattern.search(name)]
    return [name for name in names if fnmatch.fnmatchcase(name, text or "*")]


def _page(call: Call, names: Sequence[str], filter_name: str) -> tuple[list[str], dict[str, str]]:
    """Return one page of names and its headers."""
    largest = LARGE_PAGE if call.world.switches["topic_page_limit"] == "large" else 1
    size = min(whole_number(call, "per_page", largest, 1, 100000), largest)
    number = whole_number(call, "page", 1, 1, 1000000)
    wanted = _filter(call.query.get(filter_name, ""), names)
    last = max(1, -(-len(wanted) // size))
    links = {"first": 1, "last": last}
    if number > 1:
        links["prev"] = number - 1
    if number < last:
        links["next"] = number + 1
    kept = {filter_name: call.query[filter_name]} if filter_name in call.query else {}
    queries = {rel: urlencode({**kept, "page": page, "per_page": size}) for rel, page in links.items()}
    text = ", ".join(f'<{call.request.full_path}?{query}>; rel="{rel}"' for rel, query in queries.items())
    first = (number - 1) * size
    return wanted[first : first + size], {"X-Total-Count": str(len(wanted)), "Link": text}


def _listed(call: Call) -> dict[str, Topic]:
    """Return the topics that the API shows; a deleted one may linger (API §4.5)."""
    late = call.world.switches["topic_delete"] == "late"
    topics = _target(call).topics
    return {name: topics[name] for name in sorted(topics) if late or topics[name].deleted is None}


def list_topics(call: Call) -> Answer:
    """List topics."""
    topics = _listed(call)
    names, headers = _page(call, list(topics), "topic_filter")
    return _ok(call, [_view(topics[name]) for name in names], headers=headers)


def _topic(call: Call) -> Topic:
    topic = _listed(call).get(call.arguments["name"])
    if topic is None:
        raise Refusal(404, "40403", "This server does not host this topic-partition.")
    return topic


def get_topic(call: Call) -> Answer:
    """Read one topic."""
    return _ok(call, _view(_topic(call)))


def _check_configs(configs: dict[str, str]) -> None:
    for name, value in configs.items():
        if name not in ("cleanup.policy", "message.audit.enable") and not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise Refusal(422, "42240", f"{name} is not a number.")


def create_topic(call: Call) -> Answer:
    """Create a topic."""
    _manager(call)
    instance, name = _target(call), call.json["name"]
    partitions = call.json.get("partition_count", call.json.get("partitions", 1))
    present = instance.topics.get(name)
    if present is not None and present.deleted is None:
        raise Refusal(422, "42236", "Topic with this name already exists.")
    if not TOPIC_NAME.fullmatch(name) or name in (".", ".."):
        raise Refusal(422, "42217", "The topic name is not valid.")
    if not instance.has_room_for(partitions):
        raise Refusal(422, "42237", "The partition limit is reached.")
    configs = {entry["name"]: entry["value"] for entry in call.json.get("configs", [])}
    _check_configs(configs)
    instance.topics[name] = Topic(name, partitions, call.now, configs)
    call.processed = True
    return _ok(call, {}, 202)


def update_topic(call: Call) -> Answer:
    """Change partitions and configs."""
    _manager(call)
    instance, topic = _target(call), _topic(call)
    wanted = call.json.get("new_total_partition_count", topic.partitions)
    if wanted < topic.partitions or not instance.has_room_for(wanted - topic.partitions):
        raise Refusal(422, "42237", "The number of partitions is not possible.")
    configs = dict(topic.configs)
    for entry in call.json.get("configs", []):
        if entry.get("reset_to_default"):
            configs.pop(entry["name"], None)
        elif "value" in entry:
            configs[entry["name"]] = entry["value"]
        else:
            raise Refusal(400, "40000", "a config needs value or reset_to_default", violation=True)
    _check_configs(configs)
    topic.partitions, topic.configs = wanted, configs
    call.processed = True
    return _ok(call, {}, 202)


def delete_topic(call: Call) -> Answer:
    """Delete a topic."""
    _manager(call)
    topic = _target(call).topics.get(call.arguments["name"])
    if topic is None or topic.deleted is not None:
        if call.world.switches["delete_unknown_topic"] == "202":
            return _ok(call, {}, 202)
        raise Refusal(404, "40403", "This server does not host this topic-partition.")
    topic.deleted = call.now
    call.processed = True
    return _ok(call, {}, 202)


# -- the rest


def status(call: Call) -> Answer:
    """Tell how the cluster is (API §4.6)."""
    return _ok(call, {"status": _target(call).status})


def alive(call: Call) -> Answer:
    """Tell that the API runs."""
    return _ok(call, {})


def groups(call: Call) -> Answer:
    """List consumer groups."""
    names, headers = _page(call, sorted(_target(call).groups), "group_filter")
    return _ok(call, names, headers=headers)


def group(call: Call) -> Answer:
    """Read one consumer group."""
    found = _target(call).groups.get(call.arguments["name"])
    if found is None:
        raise Refusal(404, "40469", "The group id does not exist.")
    offsets = [{"topic": topic, "partition": 0, "current_offset": 10, "end_offset": 10} for topic in found.topics]
    return _ok(call, {"group_id": found.id, "state": "Empty", "members": [], "offsets": offsets})


ROUTES = (
    Route("GET", "/alive", alive, open=True),
    Route("GET", "/admin/status", status),
    Route("GET", "/admin/mirroring/topic-selection", get_selection),
    Route("POST", "/admin/mirroring/topic-selection", set_selection, body=_SELECTION),
    Route("GET", "/admin/mirroring/active-topics", active_topics),
    Route("GET", "/admin/topics", list_topics, ["topic_filter", "per_page", "page"]),
    Route("POST", "/admin/topics", create_topic, body=_CREATE),
    Route("GET", "/admin/topics/{name}", get_topic),
    Route("PATCH", "/admin/topics/{name}", update_topic, body=_UPDATE),
    Route("DELETE", "/admin/topics/{name}", delete_topic),
    Route("GET", "/admin/consumergroups", groups, ["group_filter", "per_page", "page"]),
    Route("GET", "/admin/consumergroups/{name}", group),
)
